import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPressing, NO_PRESSES, PATTERN, stepPresses } from "../../firmware/press-pattern.ts";

/** Presses as [touched, let go], looked at every 100 ms for a while after: what they came to mean, and when. */
function meaningsOf(presses: readonly (readonly [number, number])[]) {
  const inputs = [
    ...presses.map(([touchedMs]) => ({ nowMs: touchedMs + 60, touchedMs })),
    ...presses.map(([, letGoMs]) => ({ nowMs: letGoMs + 30, letGoMs })),
    ...Array.from({ length: 300 }, (_, i) => ({ nowMs: 10_000 + i * 100 })),
  ].sort((a, b) => a.nowMs - b.nowMs);
  let state = NO_PRESSES;
  const said: [number, number][] = [];
  for (const input of inputs) {
    const [next, meaning] = stepPresses(state, input);
    state = next;
    if (meaning !== PATTERN.nothing) said.push([meaning, input.nowMs]);
  }
  expect(isPressing(state)).toBe(false);
  return said;
}
const words = (presses: readonly (readonly [number, number])[]) =>
  meaningsOf(presses).map(([meaning]) => meaning);

describe("a hand in a pocket", () => {
  test("calls by holding for a second, while the thumb is still down", () => {
    const [call] = meaningsOf([[10_000, 14_000]]);
    expect(call?.[0]).toBe(PATTERN.call);
    expect(call?.[1]).toBeLessThanOrEqual(11_100);
  });

  test("calls by three presses, at the touch of the third", () => {
    const [call, ...more] = meaningsOf([
      [10_000, 10_150],
      [10_700, 10_900],
      [12_200, 12_300],
    ]);
    expect(call).toEqual([PATTERN.call, 12_260]);
    expect(more).toEqual([]);
  });

  test("that holds on to five seconds is under duress besides", () => {
    expect(words([[10_000, 16_000]])).toEqual([PATTERN.call, PATTERN.duress]);
    expect(
      words([
        [10_000, 10_100],
        [10_500, 10_600],
        [11_000, 17_000],
      ]),
    ).toEqual([PATTERN.call, PATTERN.duress]);
  });

  test.each([
    ["once", [[10_000, 10_900]]],
    [
      "once and again much later",
      [
        [10_000, 10_200],
        [12_000, 12_200],
      ],
    ],
  ] as const)("that presses %s says nothing", (_, presses) => {
    expect(words(presses)).toEqual([]);
  });

  test("says the code by two presses and no third", () => {
    expect(
      words([
        [10_000, 10_200],
        [11_000, 11_200],
      ]),
    ).toEqual([PATTERN.code]);
    expect(
      words([
        [10_000, 10_200],
        [11_000, 11_200],
        [15_000, 15_200],
        [16_000, 16_200],
      ]),
    ).toEqual([PATTERN.code, PATTERN.code]);
  });

  test("that presses and then holds calls, and says no code", () => {
    expect(
      words([
        [10_000, 10_200],
        [10_600, 12_000],
      ]),
    ).toEqual([PATTERN.call]);
  });
});

test("any three presses close together, or any that lasts a second, are a call; fewer and shorter never", () => {
  const hand = fc.array(fc.tuple(fc.integer({ min: 60, max: 1400 }), fc.integer({ min: 60, max: 3000 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(hand, (parts) => {
      let at = 10_000;
      let run = 0;
      let isCall = false;
      const presses = parts.map(([forMs, pauseMs]): readonly [number, number] => {
        const press = [at, at + forMs] as const;
        run++;
        isCall ||= forMs >= 1000 || run === 3;
        at += forMs + pauseMs;
        if (pauseMs > 1500) run = 0;
        return press;
      });
      const called = words(presses).some((meaning) => meaning === PATTERN.call || meaning === PATTERN.duress);
      // at the edges of a look of 100 ms, a press and a pause may count either way
      if (parts.every(([forMs, pauseMs]) => Math.abs(forMs - 1000) > 100 && Math.abs(pauseMs - 1500) > 100))
        expect(called).toBe(isCall);
    }),
    { numRuns: 2000 },
  );
});
