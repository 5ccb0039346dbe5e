import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDevNonceFresh, withDevNonce } from "../../../hub/lorawan/dev-nonce.ts";
import { fCntMeanings, MAX_FCNT_GAP } from "../../../hub/lorawan/fcnt.ts";

const version = fc.constantFrom("1.0.2" as const, "1.0.3" as const, "1.0.4" as const);

describe("FCntUp", () => {
  test("the counter that was really used is always among the meanings, and called what it is", () => {
    const counter = fc.oneof(
      fc.integer({ min: 0, max: 200_000 }),
      fc.integer({ min: 0xffff_0000, max: 0xffff_ffff }),
    );
    fc.assert(
      fc.property(counter, fc.integer({ min: -0xffff, max: 0xffff }), version, (last, step, macVersion) => {
        const used = last + step;
        if (used < 0 || used > 0xffff_ffff) return;
        const found = fCntMeanings(last, used & 0xffff, macVersion).filter(({ fCntUp }) => fCntUp === used);
        const tooFar = macVersion !== "1.0.4" && step > MAX_FCNT_GAP;
        const kind = step === 0 ? "same" : step < 0 ? "old" : tooFar ? "gap" : "fresh";
        expect(found).toEqual([
          kind === "fresh" ? { kind, fCntUp: used, lost: step - 1 } : { kind, fCntUp: used },
        ]);
      }),
    );
  });

  test("meanings have the 16 bits on air, fit 32 bits and are never repeated", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1, max: 0xffff_ffff }),
        fc.nat(0xffff),
        version,
        (last, fCnt16, macVersion) => {
          const values = fCntMeanings(last, fCnt16, macVersion).map(({ fCntUp }) => fCntUp);
          expect(new Set(values).size).toBe(values.length);
          for (const value of values) {
            expect(value >= 0 && value <= 0xffff_ffff).toBe(true);
            expect(value % 0x1_0000).toBe(fCnt16);
          }
        },
      ),
    );
  });

  test.each([
    ["first frame after a join", -1, 0, [{ kind: "fresh", fCntUp: 0, lost: 0 }]],
    [
      "0xffff after a join: 65,535 frames lost, never below zero",
      -1,
      0xffff,
      [{ kind: "fresh", fCntUp: 0xffff, lost: 0xffff }],
    ],
    [
      "the low half wraps",
      0xffff,
      0,
      [
        { kind: "fresh", fCntUp: 0x1_0000, lost: 0 },
        { kind: "old", fCntUp: 0 },
      ],
    ],
    ["the last counter of all", 0xffff_ffff, 0, [{ kind: "old", fCntUp: 0xffff_0000 }]],
  ] as const)("%s", (_name, last, fCnt16, meanings) => {
    expect(fCntMeanings(last, fCnt16, "1.0.4")).toEqual(meanings);
  });
});

describe("DevNonce", () => {
  const blank = { usedDevNonces: [], lastDevNonce: -1 };

  test("up to 1.0.3 any value once, in any order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(0xffff), { maxLength: 50 }), (nonces) => {
        let state = { ...blank, macVersion: "1.0.3" as const };
        for (const nonce of nonces) {
          expect(isDevNonceFresh(state, nonce)).toBe(true);
          state = withDevNonce(state, nonce);
        }
        for (const nonce of nonces) expect(isDevNonceFresh(state, nonce)).toBe(false);
      }),
    );
  });

  test("1.0.4: only upwards", () => {
    const state = withDevNonce({ ...blank, macVersion: "1.0.4" as const }, 7);
    expect([6, 7, 8].map((nonce) => isDevNonceFresh(state, nonce))).toEqual([false, false, true]);
    expect(state.usedDevNonces).toEqual([]);
  });
});
