import { describe, expect, test } from "vitest";
import { SESSION_FILE } from "../../firmware/link-store.ts";
import { FRAMES_PER_COUNT } from "../../firmware/lorawan-link.ts";
import { PHASE } from "../../firmware/uplink.ts";
import * as wire from "../../firmware/uplink-wire.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import "./espruino.ts";
import { type Bench, CONFIRMED, createBench, UNCONFIRMED } from "./uplink-contract.ts";
import { createWirePartner } from "./uplink-partners.ts";

/** A board on the partner's bus, its count and session in `storage`. Power goes when that is cut. */
function powerOn(partner: ReturnType<typeof createWirePartner>, storage: BoardStorage) {
  const life: { bench: Bench | null; isCut: boolean } = { bench: null, isCut: false };
  storage.onCut(() => {
    life.isCut = true;
    life.bench?.stop();
  });
  const bench = createBench(wire, partner, storage);
  if (life.isCut) bench.stop();
  else life.bench = bench;
  return life;
}

/** One life: joins or goes on, sends a frame, has a quiet moment, and loses its power at the latest then. */
async function live(partner: ReturnType<typeof createWirePartner>, storage: BoardStorage): Promise<void> {
  const life = powerOn(partner, storage);
  const { bench } = life;
  if (bench === null) return;
  if (await bench.ready(8000)) await bench.deliver(CONFIRMED, 8000);
  await bench.advance(1500);
  bench.stop();
}

function expectNothingTwice({ hub }: ReturnType<typeof createWirePartner>): void {
  expect(new Set(hub.devNonces).size).toBe(hub.devNonces.length);
  expect(hub.refused).toEqual({ copies: 0, strangers: 0, nonces: 0 });
  expect(new Set(hub.frames).size).toBe(hub.frames.length);
}

describe("counters", () => {
  test("a session goes on over a restart, without a join and behind every counter that was used", async () => {
    const partner = createWirePartner();
    const storage = createBoardStorage();
    for (let i = 0; i < 5; i++) await live(partner, storage);
    expect(partner.hub.devNonces).toEqual([0]);
    const counters = partner.hub.uplinks.map(({ fCntUp }) => fCntUp);
    expect(counters).toHaveLength(5);
    expect(counters).toEqual([...counters].sort((a, b) => a - b));
    expectNothingTwice(partner);
  });

  test("with power cut in the middle of any one write, and of any after it, no counter is used twice", async () => {
    for (let first = 0; first < 60; first++)
      for (const second of [0, 3, 9, 20, 41]) {
        const partner = createWirePartner();
        const storage = createBoardStorage();
        storage.faults = { cutAfter: first };
        await live(partner, storage);
        storage.faults = { cutAfter: second };
        await live(partner, storage);
        storage.faults = {};
        await live(partner, storage);
        expectNothingTwice(partner);
        expect(partner.hub.uplinks.at(-1)).toMatchObject({ hex: CONFIRMED.hex });
      }
  });

  test("a session file that is torn at any byte, or another's, costs a join", async () => {
    const partner = createWirePartner();
    const storage = createBoardStorage();
    await live(partner, storage);
    const whole = storage.read(SESSION_FILE) ?? "";
    expect(whole.length).toBeGreaterThan(18);
    for (let length = 0; length < whole.length; length++) {
      const torn = createBoardStorage({
        ...storage.snapshot(),
        [SESSION_FILE]: whole.slice(0, length).padEnd(whole.length, "\xff"),
      });
      const again = createWirePartner();
      await live(again, torn);
      expect(again.hub.devNonces).toHaveLength(1);
      expect(again.hub.uplinks).toHaveLength(1);
    }
  });

  test("a board whose Storage takes nothing joins and sends all the same", async () => {
    const partner = createWirePartner();
    const storage = createBoardStorage();
    storage.faults = { full: true };
    await live(partner, storage);
    expect(partner.hub.uplinks).toHaveLength(1);
  });

  test("nothing is written while frames are on their way, as long as a quiet moment comes between so many", async () => {
    const partner = createWirePartner();
    const storage = createBoardStorage();
    const { bench } = powerOn(partner, storage);
    if (bench === null) throw new Error("no power");
    await bench.ready();
    await bench.advance(1500);
    const files = storage.snapshot();
    for (let i = 0; i < FRAMES_PER_COUNT + 3; i++) {
      bench.feed({ frame: i % 2 === 0 ? UNCONFIRMED : CONFIRMED });
      await bench.partner.clock.runUntil(() => bench.uplink.phase === PHASE.idle, 5000);
    }
    expect(storage.snapshot()).toEqual(files);
    expect(partner.hub.uplinks.map(({ fCntUp }) => fCntUp)).toEqual(
      Array.from({ length: FRAMES_PER_COUNT + 3 }, (_, i) => i),
    );
    expectNothingTwice(partner);
  });

  test("without any quiet moment a count is reserved when it is needed, and no frame is lost", async () => {
    const partner = createWirePartner();
    const { bench } = powerOn(partner, createBoardStorage());
    if (bench === null) throw new Error("no power");
    await bench.ready();
    const frames = 3 * FRAMES_PER_COUNT;
    for (let i = 0; i < frames; i++) {
      bench.feed({ frame: CONFIRMED });
      await bench.partner.clock.runUntil(() => bench.uplink.phase === PHASE.idle, 5000);
    }
    expect(bench.news.filter((word) => word === "A")).toHaveLength(frames);
    expectNothingTwice(partner);
  });
});

describe("joins", () => {
  test("a hub that does not know the device is asked after 5 s, then after twice as long each time, up to 85 minutes", async () => {
    const partner = createWirePartner();
    partner.hub.isKnown = false;
    partner.pollMs = 2000;
    const { bench } = powerOn(partner, createBoardStorage());
    await partner.clock.advance(12 * 3_600_000);
    const gapsS = partner.joinsAtMs.slice(1).map((ms, i) => (ms - (partner.joinsAtMs[i] ?? 0)) / 1000);
    gapsS.forEach((gap, i) => {
      expect(gap).toBeGreaterThanOrEqual(5 * 2 ** Math.min(i, 10));
      expect(gap).toBeLessThan(5 * 2 ** Math.min(i, 10) + 5);
    });
    expect(gapsS.length).toBeGreaterThan(14);
    partner.hub.isKnown = true;
    bench?.feed({ isAlarm: true });
    expect(await bench?.ready(10_000)).toBe(true);
  });

  test("a hub that has lost the session is joined again within three frames, and the alarm gets through", async () => {
    const partner = createWirePartner();
    const { bench } = powerOn(partner, createBoardStorage());
    if (bench === null) throw new Error("no power");
    await bench.ready();
    partner.hub.forget();
    expect(await bench.deliver(CONFIRMED, 40_000)).toBe(true);
    expect(bench.news.filter((word) => word === "N")).toHaveLength(3);
  });

  test("a hub that hears but does not acknowledge for a while keeps its session", async () => {
    const partner = createWirePartner();
    const { bench } = powerOn(partner, createBoardStorage());
    if (bench === null) throw new Error("no power");
    await bench.ready();
    partner.setFault("noAck", true);
    partner.hub.isKnown = false;
    expect(await bench.deliver(CONFIRMED, 60_000)).toBe(false);
    partner.setFault("noAck", false);
    expect(await bench.deliver(CONFIRMED, 10_000)).toBe(true);
    expect(partner.hub.refused.strangers).toBe(0);
  });
});

test("a downlink that nobody asked for is passed on in any phase, and only once", async () => {
  const partner = createWirePartner();
  const { bench } = powerOn(partner, createBoardStorage());
  if (bench === null) throw new Error("no power");
  await bench.ready();
  const bytes = partner.hub.down({ ack: false, port: 3, hex: "2201" });
  for (let i = 0; i < 3; i++) partner.push(bytes);
  await bench.advance(1000);
  expect(bench.news).toEqual(["R 3:2201"]);
});
