import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LOOP_AT_REST, type LoopWatch, stepLoop } from "../../firmware/loop.ts";
import { CALL_POINT_STATES, DOOR_STATES } from "../../firmware/loop-states.ts";
import {
  CALL_POINT_BOUNDS,
  CALL_POINT_LOOP,
  callPointLevel,
  DOOR_BOUNDS,
  DOOR_LOOP,
  doorLevel,
  type LoopCondition,
  type LoopResistors,
} from "../../hardware/virtual/room-sensors.ts";
import { DETAIL, type Detail } from "../../protocols/device/details.ts";

interface Wired {
  readonly states: readonly number[];
  readonly bounds: readonly number[];
  readonly resistors: LoopResistors;
  readonly level: (loop: LoopResistors, condition: LoopCondition) => number;
  readonly alarm: Detail;
}

const CALL_POINT: Wired = {
  states: CALL_POINT_STATES,
  bounds: CALL_POINT_BOUNDS,
  resistors: CALL_POINT_LOOP,
  level: callPointLevel,
  alarm: "callPoint",
};
const DOOR: Wired = {
  states: DOOR_STATES,
  bounds: DOOR_BOUNDS,
  resistors: DOOR_LOOP,
  level: doorLevel,
  alarm: "door",
};
const LOOPS = [
  ["call point", CALL_POINT],
  ["door", DOOR],
] as const;

const standing = (loop: LoopWatch) =>
  (Object.keys(DETAIL) as Detail[]).filter((name) => (loop.stands & (1 << DETAIL[name])) !== 0);

interface Change {
  readonly atMs: number;
  readonly level: number;
}

/** Samples at every change of the level and whenever the loop asks; what stood, when it changed. */
function watch({ states, bounds }: Wired, changes: readonly Change[], untilMs: number) {
  let loop = LOOP_AT_REST;
  let level = changes[0]?.level ?? 0;
  const told: (readonly [atMs: number, names: readonly Detail[]])[] = [];
  const sample = (nowMs: number) => {
    const before = loop.stands;
    loop = stepLoop(loop, states, bounds, { nowMs, reading: level });
    if (loop.stands !== before) told.push([nowMs, standing(loop)]);
  };
  for (const change of [...changes, { atMs: untilMs, level: null }]) {
    while (loop.dueMs < change.atMs) sample(loop.dueMs);
    level = change.level ?? level;
    sample(change.atMs);
  }
  return told;
}

describe.each(LOOPS)("%s", (_, wired) => {
  const at = (condition: LoopCondition, more: Partial<LoopResistors> = {}) =>
    wired.level({ ...wired.resistors, ...more }, condition);

  test("at rest nothing stands, with up to 100 Ω of wire", () => {
    for (const wireOhms of [0, 10, 50, 100])
      expect(watch(wired, [{ atMs: 0, level: at("rest", { wireOhms }) }], 60_000)).toEqual([]);
  });

  test("alarms 50 ms after the first touch, not a moment later, and is restored at rest", () => {
    const told = watch(
      wired,
      [
        { atMs: 0, level: at("rest") },
        { atMs: 10_000, level: at("alarm") },
        { atMs: 20_000, level: at("rest") },
      ],
      30_000,
    );
    expect(told).toEqual([
      [10_050, [wired.alarm]],
      [20_500, []],
    ]);
  });

  test("a bounce of 40 ms is nothing", () => {
    const told = watch(
      wired,
      [
        { atMs: 0, level: at("rest") },
        { atMs: 10_000, level: at("alarm") },
        { atMs: 10_040, level: at("rest") },
      ],
      30_000,
    );
    expect(told).toEqual([]);
  });

  test("a contact that chatters against rest, a short or a cut alarms all the same", () => {
    for (const other of ["rest", "short", "cut"] as const) {
      const chatter = Array.from({ length: 20 }, (_, i) => ({
        atMs: 10_000 + i * 15,
        level: at(i % 2 === 0 ? "alarm" : other),
      }));
      const told = watch(wired, [{ atMs: 0, level: at("rest") }, ...chatter], 11_000);
      expect(told[0]?.[1]).toEqual([wired.alarm]);
      expect((told[0]?.[0] ?? 0) - 10_000).toBeLessThanOrEqual(65);
    }
  });

  test.each([
    ["cut", "lineOpen"],
    ["short", "lineShort"],
  ] as const)("a %s line is told by name after 2 s, and restored", (condition, name) => {
    const told = watch(
      wired,
      [
        { atMs: 0, level: at("rest") },
        { atMs: 10_000, level: at(condition) },
        { atMs: 20_000, level: at("rest") },
      ],
      30_000,
    );
    expect(told).toEqual([
      [12_000, [name]],
      [22_000, []],
    ]);
  });

  test.each(["cut", "short"] as const)(
    "a %s after an alarm is a fault besides it, never a restore",
    (condition) => {
      const name = condition === "cut" ? "lineOpen" : "lineShort";
      const told = watch(
        wired,
        [
          { atMs: 0, level: at("rest") },
          { atMs: 10_000, level: at("alarm") },
          { atMs: 20_000, level: at(condition) },
        ],
        30_000,
      );
      expect(told.map(([, names]) => [...names].sort())).toEqual([[wired.alarm], [wired.alarm, name].sort()]);
    },
  );

  test("an alarm at power-up is told at once", () => {
    expect(watch(wired, [{ atMs: 0, level: at("alarm") }], 1000)).toEqual([[50, [wired.alarm]]]);
  });

  test("a line that comes back from a fault into an alarm tells it as fast", () => {
    const told = watch(
      wired,
      [
        { atMs: 0, level: at("cut") },
        { atMs: 10_000, level: at("alarm") },
      ],
      11_000,
    );
    expect(told.at(-1)?.[0]).toBe(10_050);
    expect(told.at(-1)?.[1]).toContain(wired.alarm);
  });

  test("any level at all is one state, and any that stays for 2 s and is not rest stands", () => {
    fc.assert(
      fc.property(fc.double({ min: -0.01, max: 1, noNaN: true }), (level) => {
        const told = watch(wired, [{ atMs: 0, level }], 10_000);
        const isRest = wired.states[wired.bounds.filter((bound) => level >= bound).length] === 0;
        expect(told.length).toBe(isRest ? 0 : 1);
      }),
    );
  });

  test("samples at any further moments neither hide an alarm nor make one", () => {
    const conditions = fc.constantFrom<LoopCondition>("rest", "alarm", "cut", "short");
    const script = fc.array(fc.tuple(conditions, fc.integer({ min: 1, max: 4000 })), { maxLength: 12 });
    const alarms = (told: ReturnType<typeof watch>) =>
      told
        .filter(
          ([, names], i) => names.includes(wired.alarm) !== (told[i - 1]?.[1].includes(wired.alarm) ?? false),
        )
        .map(([ms, names]) => [ms, names.includes(wired.alarm)]);
    fc.assert(
      fc.property(
        script,
        fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 10 }),
        (steps, extra) => {
          const timeOf = (i: number) => steps.slice(0, i + 1).reduce((sum, [, forMs]) => sum + forMs, 0);
          const changes = steps.map(([condition], i) => ({ atMs: timeOf(i), level: at(condition) }));
          const first = [{ atMs: 0, level: at("rest") }, ...changes];
          const levelAt = (ms: number) => first.findLast((change) => change.atMs <= ms)?.level ?? 0;
          const dense = [...first, ...extra.map((ms) => ({ atMs: ms, level: levelAt(ms) }))].sort(
            (a, b) => a.atMs - b.atMs,
          );
          expect(alarms(watch(wired, dense, 60_000))).toEqual(alarms(watch(wired, first, 60_000)));
        },
      ),
    );
  });
});

test("a call point whose line leaks away drifts, whichever way, before it could be taken for anything else", () => {
  const leaky = callPointLevel({ ...CALL_POINT_LOOP, leakOhms: 8000 }, "rest");
  const corroded = callPointLevel({ ...CALL_POINT_LOOP, endOhms: 35_000 }, "rest");
  for (const level of [leaky, corroded])
    expect(watch(CALL_POINT, [{ atMs: 0, level }], 10_000).at(-1)?.[1]).toEqual(["lineDrift"]);
});

test("a call point alarms over a damp line too", () => {
  for (const leakOhms of [Number.POSITIVE_INFINITY, 20_000, 5000])
    for (const wireOhms of [0, 50, 100]) {
      const level = callPointLevel({ ...CALL_POINT_LOOP, leakOhms, wireOhms }, "alarm");
      expect(watch(CALL_POINT, [{ atMs: 0, level }], 1000).at(-1)?.[1]).toEqual(["callPoint"]);
    }
});
