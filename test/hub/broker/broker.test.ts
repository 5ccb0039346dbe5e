import { createHash } from "node:crypto";
import { type EventEmitter, once as onceOf } from "node:events";
import net from "node:net";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Broker, startBroker } from "../../../hub/broker/broker.ts";
import type { UplinkOutcome } from "../../../hub/broker/messages.ts";

const A = "aa00000000000001";
const hash = (secret: string) => createHash("sha256").update(secret).digest("hex");
const clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(callback: () => void, delayMs: number) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** MqttClient types its events more narrowly than `once` reads them. */
const once = (client: MqttClient, event: string) => onceOf(client as unknown as EventEmitter, event);

let broker: Broker;
let outcome: UplinkOutcome | Promise<UplinkOutcome> = "kept";
let uplinks: string[] = [];
const troubles: string[] = [];
const clients: MqttClient[] = [];

async function connect(username?: string, password?: string): Promise<MqttClient> {
  const client = mqtt.connect({
    host: "127.0.0.1",
    port: broker.port,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    reconnectPeriod: 0,
    connectTimeout: 5000,
  });
  clients.push(client);
  await Promise.race([
    once(client, "connect"),
    once(client, "error").then(([error]) => {
      throw error;
    }),
    once(client, "close").then(() => {
      throw new Error("closed");
    }),
  ]);
  return client;
}

beforeEach(async () => {
  outcome = "kept";
  uplinks = [];
  broker = await startBroker({
    host: "127.0.0.1",
    port: 0,
    users: [
      { name: A, role: "device", secretHash: hash("board") },
      { name: "flows", role: "observer", secretHash: hash("watch") },
    ],
    clock,
    onUplink: async (devEui, bytes) => {
      uplinks.push(`${devEui} ${Buffer.from(bytes).toString("hex")}`);
      return outcome;
    },
    onRequest: async (name) => (name === "status" ? { fine: true } : null),
    onTrouble: (reason) => troubles.push(reason),
  });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker.close();
});

describe("the hub's broker", () => {
  test("refuses who has no name and who has the wrong secret", async () => {
    await expect(connect()).rejects.toThrow();
    await expect(connect(A, "wrong")).rejects.toThrow();
  });

  test("PUBACK comes only after the core has kept the frame", async () => {
    let release: (outcome: UplinkOutcome) => void = () => undefined;
    outcome = new Promise((resolve) => {
      release = resolve;
    });
    const board = await connect(A, "board");
    let acknowledged = false;
    const sent = board
      .publishAsync(`tugma/device/${A}/up`, Buffer.from("40aabb", "hex"), { qos: 1 })
      .then(() => {
        acknowledged = true;
      });
    await expect.poll(() => uplinks).toEqual([`${A} 40aabb`]);
    expect(acknowledged).toBe(false);
    release("kept");
    await sent;
    expect(acknowledged).toBe(true);
  });

  test("no PUBACK for a frame that the disk refused: the board is cut off and will say it again", async () => {
    outcome = "notStored";
    const board = await connect(A, "board");
    let acknowledged = false;
    board.publishAsync(`tugma/device/${A}/up`, Buffer.from("40", "hex"), { qos: 1 }).then(
      () => {
        acknowledged = true;
      },
      () => undefined,
    );
    await once(board, "close");
    expect(acknowledged).toBe(false);
  });

  test("a board cannot speak for another, nor at QoS 0", async () => {
    const board = await connect(A, "board");
    board.publish("tugma/device/bb00000000000002/up", "x", { qos: 1 }, () => undefined);
    await once(board, "close");
    const again = await connect(A, "board");
    again.publish(`tugma/device/${A}/up`, "x", { qos: 0 });
    await once(again, "close");
    expect(uplinks).toEqual([]);
  });

  test("an observer hears retained state, asks questions, and hears no frames", async () => {
    broker.publish("tugma/hub/state", '{"state":"online"}', { retain: true });
    const watcher = await connect("flows", "watch");
    const heard: string[] = [];
    watcher.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
    await watcher.subscribeAsync("tugma/#", { qos: 1 });
    await expect.poll(() => heard).toContain('tugma/hub/state {"state":"online"}');
    broker.publish(`tugma/device/${A}/down`, Buffer.from("60"));
    watcher.publish("tugma/request/status", '{"transaction":"t1"}', { qos: 1 });
    await expect
      .poll(() => heard.at(-1))
      .toBe('tugma/response/status {"status":"ok","data":{"fine":true},"transaction":"t1"}');
    watcher.publish("tugma/request/nonsense", "not json", { qos: 1 });
    await expect
      .poll(() => heard.at(-1))
      .toBe('tugma/response/nonsense {"status":"error","error":"the request is not JSON"}');
    expect(heard.filter((line) => line.includes("/down"))).toEqual([]);
  });

  test("an observer hears every announcement of a burst, each topic's in their order", async () => {
    const watcher = await connect("flows", "watch");
    const heard: string[] = [];
    watcher.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
    await watcher.subscribeAsync("tugma/#", { qos: 1 });
    const state = `tugma/device/${A}/state`;
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    for (const n of numbers) {
      broker.publish("tugma/event", `${n}`, { gather: true });
      broker.publish(state, `${n}`, { retain: true, gather: true });
      // a downlink between them takes along what has gathered
      if (n % 7 === 0) broker.publish(`tugma/device/${A}/down`, Buffer.of(n));
    }
    await expect.poll(() => heard.length).toBe(100);
    for (const topic of ["tugma/event", state])
      expect(heard.filter((line) => line.startsWith(`${topic} `))).toEqual(
        numbers.map((n) => `${topic} ${n}`),
      );
  });

  test("a connection that announces a huge packet is ended before its bytes are collected", async () => {
    const socket = net.connect(broker.port, "127.0.0.1");
    // CONNECT with a remaining length of 256 MB
    socket.write(Buffer.from("10ffffff7f0004", "hex"));
    await onceOf(socket, "close");
    const watcher = await connect("flows", "watch");
    expect(watcher.connected).toBe(true);
  });

  test("nothing is queued for an observer that stays away, whatever it asked for", async () => {
    const options = {
      clean: false,
      clientId: "away",
      username: "flows",
      password: "watch",
      reconnectPeriod: 0,
    };
    const away = await mqtt.connectAsync({ host: "127.0.0.1", port: broker.port, ...options });
    await away.subscribeAsync("tugma/#", { qos: 1 });
    await away.endAsync();
    broker.publish("tugma/event", "{}");
    const back = await mqtt.connectAsync({ host: "127.0.0.1", port: broker.port, ...options });
    clients.push(back);
    const heard: string[] = [];
    back.on("message", (topic) => heard.push(topic));
    await back.subscribeAsync("tugma/hub/state", { qos: 1 });
    broker.publish("tugma/hub/state", "{}", { retain: true });
    await expect.poll(() => heard).toEqual(["tugma/hub/state"]);
  });

  test("a child that dies is started again on the same port, with the retained state, and reported", async () => {
    broker.publish("tugma/hub/state", '{"state":"online"}', { retain: true });
    const port = broker.port;
    process.kill(broker.pid(), "SIGKILL");
    await expect.poll(() => troubles.at(-1), { timeout: 5000 }).toMatch(/SIGKILL/);
    let client: MqttClient | undefined;
    await expect
      .poll(
        async () => {
          client = await connect("flows", "watch").catch(() => undefined);
          return client !== undefined;
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe(true);
    expect(broker.port).toBe(port);
    const heard: string[] = [];
    client?.on("message", (topic) => heard.push(topic));
    await client?.subscribeAsync("tugma/#");
    await expect.poll(() => heard).toContain("tugma/hub/state");
  });
});
