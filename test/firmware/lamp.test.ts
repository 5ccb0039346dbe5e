import { describe, expect, test } from "vitest";
import { AMBER, BUZZER, GREEN, LAMP, lampAt, RED } from "../../firmware/lamp.ts";
import { DARK, type LampChange, type LampMeaning, lampMeaning } from "../../hardware/virtual/board-lamp.ts";

/** The changes a meaning makes from `fromMs` until `untilMs`. */
function shine(meaning: LampMeaning | "blink", fromMs: number, untilMs: number): LampChange[] {
  const changes: LampChange[] = [];
  for (let atMs = fromMs; atMs < untilMs; ) {
    const { lights, nextMs } = lampAt(LAMP[meaning], atMs - fromMs);
    const lit = (bit: number) => (lights & bit) !== 0;
    changes.push({
      atMs,
      lamp: { red: lit(RED), amber: lit(AMBER), green: lit(GREEN), buzzer: lit(BUZZER) },
    });
    atMs += nextMs;
  }
  return changes;
}

const ALL: LampMeaning[] = ["sending", "stored", "received", "taken", "dispatched", "notDelivered", "off"];

describe("every meaning is read back from its rhythm", () => {
  test.each(ALL)("%s, at any moment from its first half second on", (meaning) => {
    const history = [{ atMs: 0, lamp: DARK }, ...shine(meaning, 1000, 9000)];
    for (let nowMs = 1510; nowMs < 9000; nowMs += 10) {
      const past = history.filter(({ atMs }) => atMs <= nowMs);
      expect(lampMeaning(past, nowMs), `at ${nowMs - 1000} ms`).toBe(meaning);
    }
  });

  test("also when one follows another, within two and a half seconds", () => {
    for (const before of ALL)
      for (const after of ALL) {
        const history = [...shine(before, 1000, 12_000), ...shine(after, 12_000, 18_000)];
        for (let nowMs = 14_500; nowMs < 18_000; nowMs += 50) {
          const past = history.filter(({ atMs }) => atMs <= nowMs);
          expect(lampMeaning(past, nowMs), `${before} then ${after} at ${nowMs - 12_000} ms`).toBe(after);
        }
      }
  });

  test("the blink of a heartbeat says nothing", () => {
    const history = [...shine("blink", 0, 10), { atMs: 60, lamp: DARK }];
    for (const nowMs of [61, 100, 500, 1500, 3000]) expect(lampMeaning(history, nowMs)).toBe("off");
  });

  test("an empty history is a dark lamp", () => {
    expect(lampMeaning([])).toBe("off");
  });
});

test("the rhythms: sending flashes 4 times a second, taken pulses slowly, dispatched twice, undelivered thrice with the buzzer", () => {
  const onsets = (meaning: LampMeaning, colour: "red" | "amber" | "green") =>
    shine(meaning, 0, 2000).filter(({ lamp }, i, all) => lamp[colour] && !all[i - 1]?.lamp[colour]).length;
  expect(onsets("sending", "amber")).toBe(8);
  expect([onsets("stored", "amber"), onsets("received", "green")]).toEqual([1, 1]);
  expect([onsets("taken", "green"), onsets("dispatched", "green"), onsets("notDelivered", "red")]).toEqual([
    1, 2, 3,
  ]);
  for (const { lamp } of shine("notDelivered", 0, 2000)) expect(lamp.buzzer).toBe(lamp.red);
});
