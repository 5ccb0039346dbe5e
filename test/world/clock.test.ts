/** A hub whose clock is wrong: everything is delivered, said with its uncertainty, marked at the centre, never refused. */
import { describe, expect, test } from "vitest";
import { UNKNOWN_MS } from "../../hub/time.ts";
import { boardEui } from "./radio.ts";
import { type World, type WorldOptions, worldOf } from "./world.ts";

const BUTTON = boardEui(0);
const DAY_MS = 86_400_000;
const YEAR_1970 = { hubWallMs: 5_000 };

async function worldWith(options: WorldOptions) {
  const world = await worldOf({ boards: 1, ...options });
  await world.join();
  return world;
}

/** Every record says the truth within what it claims to know, and the centre has marked those that know too little. */
async function expectHonest(world: World): Promise<void> {
  const records = await world.records();
  for (const record of records) {
    const { unixMs, uncertaintyMs } = record.time;
    expect(Math.abs(unixMs - world.trueMs(record))).toBeLessThanOrEqual(uncertaintyMs + 1);
  }
  const [hub] = world.centre.hubs();
  expect(hub).toMatchObject({ complete: records.length, head: records.length, gaps: [] });
  expect(world.centre.status().counters["quarantined"] ?? 0).toBe(0);
  for (const incident of world.incidents()) {
    const bad = incident.records.some(({ sequence }) => {
      const { source, uncertaintyMs } = records[sequence - 1]?.time ?? { source: "none", uncertaintyMs: 0 };
      return source === "none" || uncertaintyMs > 60_000;
    });
    expect(incident.proof.time).toBe(bad ? "uncertain" : "good");
    expect(incident.marks.includes("badTime")).toBe(bad);
  }
}

describe("a hub that starts in 1970", () => {
  test("delivers the press of a button, and has the time from the centre by then", async () => {
    const world = await worldWith(YEAR_1970);
    await world.press(BUTTON);
    expect(world.lamp(BUTTON)).toBe("received");
    const [started, panic] = await world.records();
    expect(started).toMatchObject({
      kind: "hubStarted",
      time: { source: "none", uncertaintyMs: UNKNOWN_MS },
    });
    expect(started?.time.unixMs).toBeLessThan(60_000);
    expect(panic).toMatchObject({ kind: "panic", time: { source: "centre" } });
    expect(panic?.time.uncertaintyMs).toBeLessThan(100);
    await expectHonest(world);
  });

  test("with the centre out of reach stores the press in 1970, and the centre marks it when it comes", async () => {
    const world = await worldWith({ ...YEAR_1970, cut: true });
    await world.press(BUTTON, 10_000);
    expect(world.lamp(BUTTON)).toBe("stored");
    expect(world.incidents("panic")).toEqual([]);
    await world.restore();
    expect(world.incidents("panic")).toMatchObject([
      { kind: "panic", device: BUTTON, marks: ["badTime"], proof: { time: "uncertain", chain: "complete" } },
    ]);
    await world.clock.runUntil(() => world.lamp(BUTTON) === "received", 120_000);
    expect(world.lamp(BUTTON)).toBe("received");
    const panic = (await world.records()).find(({ kind }) => kind === "panic");
    expect(panic?.time).toMatchObject({ source: "none", uncertaintyMs: UNKNOWN_MS });
    expect(panic?.time.unixMs).toBeLessThan(DAY_MS);
    const receipts = await world.hub.journal.receipts(panic?.sequence ?? 0);
    expect(receipts).not.toEqual([]);
    await expectHonest(world);
  });
});

describe.each([
  ["forward", DAY_MS],
  ["back", -DAY_MS],
])("a step of one day %s in flight", (_, stepMs) => {
  const stepOf = async (world: World) => (await world.records()).filter(({ kind }) => kind === "clockStep");

  test("before, in and after a press: all are delivered, and their time stays true", async () => {
    const world = await worldWith({ boards: 2 });
    await world.press(BUTTON);
    world.clock.stepWall(stepMs);
    // the hub has not looked at its clock yet
    await world.press(boardEui(1), 800);
    const stop = world.hub.journal.onStored(({ event }) => {
      if (event.kind === "panic" && event.device === BUTTON) world.clock.stepWall(-stepMs);
    });
    await world.press(BUTTON);
    stop();
    await world.clock.advance(5_000);
    expect(world.lamp(BUTTON)).toBe("received");
    expect(world.incidents("panic")).toMatchObject([{ device: BUTTON }, { device: boardEui(1) }]);
    expect(world.incidents("panic")[0]?.eventNumbers.map(([from, to]) => to - from + 1)).toEqual([2]);
    expect((await stepOf(world)).map(({ note }) => note)).toEqual([
      `the wall clock stepped by ${stepMs} ms`,
      `the wall clock stepped by ${-stepMs} ms`,
    ]);
    // the time that the centre gave runs on the monotonic clock: no step touches it
    const panics = (await world.records()).filter(({ kind }) => kind === "panic");
    expect(panics.map(({ time }) => time.source)).toEqual(["centre", "centre", "centre"]);
    await expectHonest(world);
  });

  test("while the centre is out of reach and was never heard: uncertain by the step, marked, not refused", async () => {
    const world = await worldWith({ cut: true, hub: { wallSource: () => "ntp" } });
    await world.press(BUTTON, 10_000);
    world.clock.stepWall(stepMs);
    await world.press(BUTTON, 10_000);
    expect(await stepOf(world)).toHaveLength(1);
    expect(world.lamp(BUTTON)).toBe("stored");
    await world.restore();
    const [before, after] = (await world.records()).filter(({ kind }) => kind === "panic");
    expect(before?.time).toMatchObject({ source: "ntp", uncertaintyMs: 200 });
    expect(after?.time.source).toBe("ntp");
    expect(after?.time.uncertaintyMs).toBeGreaterThanOrEqual(DAY_MS);
    expect(world.incidents("panic")).toMatchObject([{ marks: ["badTime"], proof: { time: "uncertain" } }]);
    await world.clock.runUntil(() => world.lamp(BUTTON) === "received", 120_000);
    expect(world.lamp(BUTTON)).toBe("received");
    await expectHonest(world);
  });

  test("between an alarm on disk and its receipt: the receipt is believed all the same", async () => {
    const world = await worldWith({});
    const stop = world.hub.journal.onStored(({ event }) => {
      if (event.kind === "panic") world.clock.stepWall(stepMs);
    });
    await world.press(BUTTON);
    stop();
    expect(world.lamp(BUTTON)).toBe("received");
    expect(await stepOf(world)).toHaveLength(1);
    await expectHonest(world);
  });
});

test("a hub that starts again in 1970 goes on from its last record's time, under the next start", async () => {
  const world = await worldWith({});
  await world.press(BUTTON);
  await world.stopHub();
  world.clock.stepWall(7_000 - world.clock.wallMs());
  await world.startHub();
  await world.restore();
  await world.press(BUTTON, 10_000);
  expect(world.lamp(BUTTON)).toBe("received");
  const records = await world.records();
  const last = records.findLast(({ boot }) => boot === 1);
  const [started] = records.filter(({ boot }) => boot === 2);
  expect(started).toMatchObject({ kind: "hubStarted", time: { source: "none", uncertaintyMs: UNKNOWN_MS } });
  expect(started?.time.unixMs).toBeGreaterThanOrEqual(last?.time.unixMs ?? Number.NaN);
  expect(world.incidents("panic")[0]?.eventNumbers.map(([from, to]) => to - from + 1)).toEqual([2]);
  await expectHonest(world);
});
