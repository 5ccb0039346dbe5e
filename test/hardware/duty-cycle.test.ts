import fc from "fast-check";
import { expect, test } from "vitest";
import { createDutyCycle } from "../../hardware/virtual/duty-cycle.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";

const ONE_PERCENT_HZ = 868_100_000;
const TEN_PERCENT_HZ = 869_525_000;

test("however a device asks, it never has more on air than an hour's share and what time has earned", () => {
  const request = fc.tuple(fc.integer({ min: 20, max: 2800 }), fc.integer({ min: 0, max: 60_000 }));
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 200 }), (requests) => {
      const duty = createDutyCycle(REGIONS.EU868);
      let nowMs = 0;
      let onAirMs = 0;
      for (const [airtimeMs, pauseMs] of requests) {
        nowMs += pauseMs;
        if (duty.waitMs(ONE_PERCENT_HZ, airtimeMs, nowMs) > 0) continue;
        duty.spend(ONE_PERCENT_HZ, airtimeMs, nowMs);
        onAirMs += airtimeMs;
        expect(onAirMs).toBeLessThanOrEqual(36_000 + 0.01 * nowMs + 1e-6);
      }
    }),
  );
});

test("the wait it names is the wait that is needed, and not a millisecond more", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 36_000 }),
      fc.integer({ min: 20, max: 2800 }),
      (spentMs, airtimeMs) => {
        const duty = createDutyCycle(REGIONS.EU868);
        duty.spend(ONE_PERCENT_HZ, spentMs, 0);
        const waitMs = duty.waitMs(ONE_PERCENT_HZ, airtimeMs, 0);
        expect(duty.waitMs(ONE_PERCENT_HZ, airtimeMs, waitMs + 0.001)).toBeLessThan(0.01);
        if (waitMs > 1) expect(duty.waitMs(ONE_PERCENT_HZ, airtimeMs, waitMs - 1)).toBeGreaterThan(0);
      },
    ),
  );
});

test("sub-bands have credit of their own; outside of all of them nobody transmits", () => {
  const duty = createDutyCycle(REGIONS.EU868);
  duty.spend(ONE_PERCENT_HZ, 36_000, 0);
  expect(duty.waitMs(ONE_PERCENT_HZ, 100, 0)).toBeCloseTo(10_000, 6);
  expect(duty.waitMs(TEN_PERCENT_HZ, 100, 0)).toBe(0);
  expect(duty.waitMs(868_650_000, 100, 0)).toBe(Number.POSITIVE_INFINITY);
});

test("DutyCycleReq 7 keeps silent for 127 times the airtime, on every sub-band, until it is lifted", () => {
  const duty = createDutyCycle(REGIONS.EU868);
  duty.limitAll(7);
  duty.spend(ONE_PERCENT_HZ, 100, 0);
  expect(duty.waitMs(TEN_PERCENT_HZ, 100, 100)).toBeCloseTo(12_700, 6);
  duty.limitAll(0);
  expect(duty.waitMs(TEN_PERCENT_HZ, 100, 100)).toBe(0);
});
