/** Resistors at the end of a wire, and sheets that an installer can read. */
import { describe, expect, test } from "vitest";
import { BUILDS } from "../../hardware/wiring/builds.ts";
import { loopLevels, profileOf } from "../../hardware/wiring/profile.ts";

describe.each(BUILDS.filter(({ sensor }) => sensor?.sort === "call-point" || sensor?.sort === "door"))(
  "$name",
  (build) => {
    const sensor = build.sensor;
    const loop = profileOf(build)?.["loop"];
    const bounds =
      typeof loop === "object" && Array.isArray(loop["bounds"]) ? (loop["bounds"] as number[]) : [];
    const stateOf = (level: number) => bounds.filter((bound) => level >= bound).length;
    const isCallPoint = sensor?.sort === "call-point";

    test("resistors that are 2 % off stay within their states, on different sides of the pin's logic levels", () => {
      if (sensor === undefined) return expect.unreachable();
      for (const a of [-0.02, 0.02])
        for (const b of [-0.02, 0.02])
          for (const c of [-0.02, 0.02]) {
            const { low, high } = loopLevels(build, sensor, [a, b, c]);
            expect([stateOf(low), stateOf(high)]).toEqual([1, 3]);
            // 30 % and 70 % of the supply
            expect(low).toBeLessThan(0.3);
            expect(high).toBeGreaterThan(0.7);
          }
    });

    test("a short and a cut are states of their own", () => {
      expect(stateOf(0)).toBe(0);
      expect(stateOf(1)).toBe(isCallPoint ? 5 : 4);
      expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
    });
  },
);
