import { beforeAll, describe, expect, test } from "vitest";
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { type Lamp, type LampChange, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import type { BoardStorage } from "../../hardware/virtual/board-storage.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../hardware/virtual/datagram.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createSite } from "../../hardware/virtual/site.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { encodeStage, type Stage } from "../../protocols/device/stage.ts";
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";
import { createEchoHub } from "./echo-hub.ts";
import { APP_KEY, JOIN_EUI } from "./radio-world.ts";

const BUTTON = "ac1f09fffe000001";
const GATEWAY = "0016c001ff000001";

let bundle = "";
beforeAll(async () => {
  bundle = (await buildFirmware("entrance-button")).code;
});

/** The firmware on its board, the modem with its MAC, the air, a gateway; and a network server that answers with `stage`. */
async function createWorld(region: RegionName) {
  const clock = createVirtualClock();
  const datagrams = createDatagramNetwork(clock);
  const socket = datagrams.bind(1700);
  const answer: { stage: Stage | null; ack: boolean } = { stage: null, ack: true };
  const hub = createEchoHub({
    socket,
    region: REGIONS[region],
    appKeys: { [BUTTON]: APP_KEY },
    answer: ({ payload, frame }) => {
      const asked = frame.mType === "confirmedDataUp" && answer.ack;
      const report = payload.length === 8 ? decodeReport(payload) : null;
      if (report?.kind !== "panic" || answer.stage === null) return asked ? { ack: true } : null;
      const bytes = encodeStage({ stage: answer.stage, eventNumber: report.eventNumber });
      return { ack: asked, fPort: 2, payload: bytes };
    },
  });
  const site = createSite<Lamp, BoardStorage, Board>({
    clock,
    region,
    random: createRandom(5),
    datagrams,
    hubAddress: socket.address,
    gateways: [{ eui: GATEWAY, position: { xM: 0, yM: 0 } }],
    entrances: [{ devEui: BUTTON, joinEui: JOIN_EUI, appKey: APP_KEY, position: { xM: 100, yM: 50 } }],
    bundle,
    createBoard,
  });
  const history: LampChange[] = [];
  site.boards.get(BUTTON)?.onLamp((lamp, atMs) => history.push({ lamp, atMs }));
  await site.start();
  const reports = () =>
    hub.uplinks.filter(({ payload }) => payload.length === 8).map(({ payload }) => decodeReport(payload));
  return {
    clock,
    site,
    hub,
    answer,
    history,
    reports,
    meaning: () => lampMeaning(history, clock.monotonicMs()),
    alarms: () => reports().filter(({ kind }) => kind === "panic"),
    ready: () => clock.runUntil(() => reports().length > 0, 600_000),
    async press() {
      site.hold(BUTTON);
      await clock.advance(300);
      site.release(BUTTON);
    },
  };
}

describe("the firmware over the air", () => {
  test.each(["EU868", "EU433", "RU864", "AS923", "UZ923"] as const)(
    "%s: joins, announces itself, and a press comes back green",
    async (region) => {
      const world = await createWorld(region);
      expect(await world.ready()).toBe(true);
      expect(world.reports()[0]).toMatchObject({ kind: "heartbeat", detail: 1 });
      await world.clock.advance(60_000);
      world.answer.stage = "received";
      await world.press();
      expect(world.meaning()).toBe("sending");
      await world.clock.runUntil(() => world.meaning() === "received", 60_000);
      expect(world.alarms()[0]).toMatchObject({ kind: "panic", mode: "real" });
      expect(world.meaning()).toBe("received");
      expect(world.site.boards.get(BUTTON)?.errors).toEqual([]);
    },
  );

  test("the later stages reach the lamp through its own questions", async () => {
    const world = await createWorld("EU868");
    await world.ready();
    await world.clock.advance(60_000);
    world.answer.stage = "received";
    await world.press();
    await world.clock.runUntil(() => world.meaning() === "received", 60_000);
    for (const stage of ["taken", "dispatched"] as const) {
      world.answer.stage = stage;
      expect(await world.clock.runUntil(() => world.meaning() === stage, 90_000), stage).toBe(true);
    }
    world.answer.stage = "closed";
    await world.clock.advance(100_000);
    expect(world.meaning()).toBe("off");
    expect(new Set(world.alarms().map(({ eventNumber }) => eventNumber)).size).toBe(1);
  });

  test("with the gateway gone the press is repeated as new frames until it is back, and never as another event", async () => {
    const world = await createWorld("EU868");
    await world.ready();
    await world.clock.advance(60_000);
    await world.site.setSwitch(GATEWAY, false);
    world.answer.stage = "received";
    await world.press();
    await world.clock.advance(30_000);
    expect(world.meaning()).toBe("notDelivered");
    await world.site.setSwitch(GATEWAY, true);
    expect(await world.clock.runUntil(() => world.meaning() === "received", 300_000)).toBe(true);
    expect(new Set(world.alarms().map(({ eventNumber }) => eventNumber)).size).toBe(1);
    expect(world.alarms()[0]?.ageS).toBeGreaterThan(15);
  });

  test("a modem that resets while it joins or sends loses no press", async () => {
    for (const line of ["AT+JOIN", "AT+SEND", "AT+CFM"]) {
      const world = await createWorld("EU868");
      const modem = world.site.modems.get(BUTTON);
      if (modem !== undefined) modem.faults = { resetOn: line };
      await world.clock.advance(2000);
      await world.press();
      expect(await world.clock.runUntil(() => world.alarms().length > 0, 300_000), line).toBe(true);
    }
  });
});
