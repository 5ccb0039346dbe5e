import { describe, expect, test } from "vitest";
import { DO, PHASE, type UplinkEffect } from "../../firmware/uplink.ts";
import * as mqtt from "../../firmware/uplink-mqtt.ts";
import "./espruino.ts";
import { type Bench, CONFIRMED, createBench } from "./uplink-contract.ts";
import { IDENTITY } from "./uplink-identity.ts";
import { createMqttPartner } from "./uplink-partners.ts";

type Partner = ReturnType<typeof createMqttPartner>;

async function connected(): Promise<{ partner: Partner; bench: Bench }> {
  const partner = createMqttPartner();
  const bench = createBench(mqtt, partner);
  expect(await bench.ready()).toBe(true);
  return { partner, bench };
}

/** A board without a partner: what it asks for, with its time. */
function alone(luck = 0.5) {
  let uplink = mqtt.createUplink(IDENTITY, 0);
  const asked: { do: number; atMs: number }[] = [];
  const feed = (nowMs: number, input: object = {}) => {
    const [next, effects] = mqtt.stepUplink(uplink, { ...input, nowMs }, luck);
    uplink = next;
    asked.push(...effects.map((effect: UplinkEffect) => ({ do: effect.do, atMs: nowMs })));
  };
  feed(0, { count: 1 });
  return {
    asked,
    feed,
    runTo(untilMs: number, each: (nowMs: number) => void = () => undefined) {
      for (let due = uplink.dueMs; due <= untilMs; due = uplink.dueMs) {
        feed(due);
        each(due);
      }
    },
    at: (what: number) => asked.filter((one) => one.do === what).map(({ atMs }) => atMs),
    get uplink() {
      return uplink;
    },
  };
}

describe("packets", () => {
  test("are those of MQTT 3.1.1: CONNECT with the board's name and password, then SUBSCRIBE", async () => {
    const { partner } = await connected();
    expect(partner.packets[0]).toMatchObject({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId: IDENTITY.devEui,
      username: IDENTITY.devEui,
      password: Buffer.from(IDENTITY.broker?.password ?? ""),
    });
    expect(partner.packets[1]).toMatchObject({
      cmd: "subscribe",
      subscriptions: [{ topic: `tugma/device/${IDENTITY.devEui}/down`, qos: 0 }],
    });
  });

  test("a frame is published once, at QoS 1, under an identifier of its own", async () => {
    const { partner, bench } = await connected();
    for (let i = 0; i < 300; i++) expect(await bench.send(CONFIRMED)).toEqual(["O", "A"]);
    const published = partner.packets.filter((packet) => packet.cmd === "publish");
    expect(new Set(published.map(({ topic, qos }) => `${topic} ${qos}`))).toEqual(
      new Set([`tugma/device/${IDENTITY.devEui}/up 1`]),
    );
    published.forEach(({ messageId }, i) => {
      expect(messageId).not.toBe(published[i - 1]?.messageId);
      expect(messageId).toBeGreaterThan(0);
    });
    expect(partner.hub.refused).toEqual({ copies: 0, strangers: 0, nonces: 0 });
  });

  test("one of more than 127 bytes has its length in two", async () => {
    const { bench, partner } = await connected();
    expect(await bench.send({ ...CONFIRMED, hex: "ab".repeat(120) })).toEqual(["O", "A"]);
    expect(partner.heard().at(-1)).toMatchObject({ hex: "ab".repeat(120) });
    partner.downlink = { port: 3, hex: "cd".repeat(120) };
    expect(await bench.send(CONFIRMED)).toEqual(["O", "A", `R 3:${"cd".repeat(120)}`]);
  });
});

describe("a connection", () => {
  test("that is quiet is asked for a sign of life every 30 s", async () => {
    const { partner, bench } = await connected();
    await bench.advance(95_000);
    expect(partner.packets.filter(({ cmd }) => cmd === "pingreq")).toHaveLength(3);
    expect(bench.uplink.phase).toBe(PHASE.idle);
  });

  test("that fell silent is given up 5 s after the first packet without an answer, however many follow", async () => {
    const { partner, bench } = await connected();
    const fromMs = partner.clock.monotonicMs();
    partner.setFault("silent", true);
    const connects = () => partner.packets.filter(({ cmd }) => cmd === "connect").length;
    for (let i = 0; i < 3; i++) {
      bench.feed({ frame: CONFIRMED });
      await partner.clock.runUntil(() => bench.uplink.phase === PHASE.idle, 2600);
    }
    expect(await partner.clock.runUntil(() => connects() === 2, 20_000)).toBe(true);
    expect(partner.clock.monotonicMs() - fromMs).toBeLessThan(8000);
  });

  test("that cannot be had is tried again after a pause that doubles, up to 64 s, and at once for an alarm", () => {
    const board = alone();
    board.feed(0, { isConnected: false });
    board.runTo(600_000, (nowMs) => {
      if (board.asked.at(-1)?.do === DO.connect) board.feed(nowMs, { isConnected: false });
    });
    const tries = board.at(DO.connect);
    const pauses = tries.slice(1).map((ms, i) => ms - (tries[i] ?? 0));
    expect(pauses.slice(0, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000]);
    board.feed(600_001, { isAlarm: true });
    expect(board.at(DO.connect).at(-1)).toBe(600_001);
  });

  test("that nobody answers is given up after 20 s at each step", () => {
    const board = alone();
    board.runTo(19_999);
    expect(board.at(DO.close)).toEqual([]);
    board.runTo(20_000);
    expect(board.at(DO.close)).toEqual([20_000]);
    board.runTo(22_000);
    board.feed(22_500, { isConnected: true });
    board.runTo(42_000);
    expect(board.at(DO.close)).toEqual([20_000]);
    board.runTo(43_000);
    expect(board.at(DO.close)).toEqual([20_000, 42_500]);
  });

  test.each([
    ["CONNACK that refuses", "\x20\x02\x00\x05"],
    ["packet that is longer than any we ask for", "\x30\xff\xff\x7f" + "x".repeat(700)],
  ])("a %s ends it", (_, bytes) => {
    const board = alone();
    board.runTo(0);
    board.feed(10, { isConnected: true });
    for (const piece of bytes) board.feed(20, { text: piece });
    expect(board.at(DO.close)).toEqual([20]);
    expect(board.uplink.piece).toBe("");
  });

  test("that comes too late, or speaks after its end, is nothing to the board", () => {
    const board = alone();
    board.runTo(20_000);
    const before = board.asked.length;
    board.feed(20_100, { isConnected: true });
    board.feed(20_200, { text: "\x20\x02\x00\x00" });
    expect(board.asked.slice(before)).toEqual([{ do: DO.close, atMs: 20_100 }]);
  });
});

test("a PUBACK of an earlier frame is not taken for the one on its way", async () => {
  const { partner, bench } = await connected();
  partner.setFault("noAck", true);
  partner.setFault("garbage", true);
  bench.feed({ frame: { ...CONFIRMED, isConfirmed: false } });
  bench.feed({ text: "\x40\x02\x00\x63" });
  expect(bench.news).toEqual(["O"]);
  await bench.advance(100);
  expect(bench.news).toEqual(["O", "N"]);
});

test("it takes identities that name an access point and a broker", () => {
  const { wifi: _, ...noWifi } = IDENTITY;
  expect([mqtt.isUsable(IDENTITY), mqtt.isUsable(noWifi)]).toEqual([true, false]);
});
