/** The entrance button's program on Wi-Fi, before the hub's real broker, in real time. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundle, UPLINKS } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { type LampChange, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createVirtualWifi, openMachineTcp, type VirtualWifi } from "../../hardware/virtual/wifi.ts";
import { type Broker, startBroker } from "../../hub/broker/broker.ts";
import { waitFor } from "../centre/hub-double.ts";
import { createDirectHub } from "../firmware/direct-hub.ts";

const DEV_EUI = "ac1f09fffe000001";
const APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const PASSWORD = "board-secret";
const PANIC = /^22/;

const clock = createRealClock();
const entry = new URL("../../firmware/entrance-button.ts", import.meta.url).pathname;
let program = "";
let server: ReturnType<typeof createDirectHub>;
let broker: Broker;
let board: Board;
let wifi: VirtualWifi;
const lamps: LampChange[] = [];

/** The server says of every event that the centre has it. */
function createServer() {
  const hub = createDirectHub(APP_KEY);
  hub.answer = ({ isConfirmed, hex }) => ({ ack: isConfirmed, port: 2, hex: `2102${hex.slice(4, 8)}` });
  return hub;
}

const panics = () =>
  new Set(server.uplinks.filter(({ hex }) => PANIC.test(hex)).map(({ hex }) => hex.slice(4, 8)));
const lamp = () => lampMeaning(lamps, clock.monotonicMs());

async function press(): Promise<void> {
  board.press();
  await new Promise((later) => setTimeout(later, 150));
  board.release();
}

beforeEach(async () => {
  program ||= await bundle(entry, UPLINKS.mqtt);
  server = createServer();
  lamps.length = 0;
  broker = await startBroker({
    host: "127.0.0.1",
    port: 0,
    users: [
      { name: DEV_EUI, role: "device", secretHash: createHash("sha256").update(PASSWORD).digest("hex") },
    ],
    clock,
    onUplink: async (_devEui, phyPayload) => {
      for (const bytes of server.receive(phyPayload)) broker.publish(`tugma/device/${DEV_EUI}/down`, bytes);
      return "kept";
    },
    onRequest: async () => null,
    onTrouble: () => undefined,
  });
  wifi = createVirtualWifi({
    clock,
    openTcp: openMachineTcp,
    ssid: "stairs",
    password: "secret",
    joinMs: 50,
  });
  board = createBoard({
    bundle: program,
    identity: {
      ...{ devEui: DEV_EUI, joinEui: "70b3d57ed0000001", appKey: APP_KEY, region: "EU868" },
      wifi: { ssid: "stairs", password: "secret" },
      broker: { host: "127.0.0.1", port: broker.port, password: PASSWORD },
    },
    clock,
    random: createRandom(3),
    serial: { write: () => undefined, onData: () => undefined },
    wifi,
  });
  board.onLamp((now, atMs) => lamps.push({ lamp: now, atMs }));
  board.powerOn();
});

afterEach(async () => {
  board.powerOff();
  await broker.close();
  expect(board.errors).toEqual([]);
});

describe("a button on Wi-Fi", () => {
  test("connects, joins, and a press is received", async () => {
    await waitFor(() => server.devNonces.length === 1);
    await press();
    await waitFor(() => lamp() === "received");
    expect(panics().size).toBe(1);
    expect(server.refused).toEqual({ copies: 0, strangers: 0, nonces: 0 });
  });

  test("is heard again after the broker has died, with its session", async () => {
    await waitFor(() => server.uplinks.length > 0);
    process.kill(broker.pid(), "SIGKILL");
    await press();
    await waitFor(() => lamp() === "received");
    expect(panics().size).toBe(1);
    expect(server.devNonces).toHaveLength(1);
  });
});
