import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import { createHubTime, UNKNOWN_MS } from "../../../hub/time.ts";

const NOW = Date.UTC(2026, 10, 23);
const DAY = 86_400_000;

describe("the hub's time", () => {
  test("of a clock that nobody set says so, and is not before what was recorded", () => {
    const clock = createVirtualClock(0);
    const time = createHubTime({ clock });
    expect(time.stamp().time).toEqual({ unixMs: 0, uncertaintyMs: UNKNOWN_MS, source: "none" });
    time.notBefore(NOW);
    expect(time.stamp().time).toEqual({ unixMs: NOW, uncertaintyMs: UNKNOWN_MS, source: "none" });
  });

  test("names its source and how far it may be wrong", () => {
    const clock = createVirtualClock(NOW);
    expect(createHubTime({ clock, wallSource: () => "ntp" }).stamp().time).toEqual({
      unixMs: NOW,
      uncertaintyMs: 200,
      source: "ntp",
    });
    expect(createHubTime({ clock, wallSource: () => "rtc" }).stamp().time).toMatchObject({
      uncertaintyMs: 120_000,
    });
    expect(createHubTime({ clock, wallSource: () => "none" }).stamp().time.source).toBe("none");
  });

  test("after a step is told once, and uncertain by as much", async () => {
    const clock = createVirtualClock(NOW);
    const time = createHubTime({ clock, wallSource: () => "ntp" });
    await clock.advance(5_000);
    expect(time.step()).toBeNull();
    clock.stepWall(DAY);
    expect(time.stamp().time.uncertaintyMs).toBeGreaterThanOrEqual(DAY);
    expect(time.step()).toEqual({ byMs: DAY });
    expect(time.step()).toBeNull();
    expect(time.stamp().time.uncertaintyMs).toBeGreaterThanOrEqual(DAY);
  });

  test("from a receipt is the centre's to half the round trip, and steps do not touch it", async () => {
    const clock = createVirtualClock(0);
    const time = createHubTime({ clock });
    const sent = clock.monotonicMs();
    await clock.advance(100);
    time.centreTime(NOW, sent, clock.monotonicMs());
    const { unixMs, uncertaintyMs, source } = time.stamp().time;
    expect(source).toBe("centre");
    expect(Math.abs(unixMs - (NOW + 50))).toBeLessThanOrEqual(uncertaintyMs);
    expect(uncertaintyMs).toBe(51);
    clock.stepWall(DAY);
    expect(time.stamp().time.unixMs).toBe(unixMs);
    await clock.advance(DAY);
    expect(time.stamp().time).toMatchObject({ unixMs: unixMs + DAY, uncertaintyMs: 51 + 8640 });
  });

  test("takes a better receipt and leaves a worse one", async () => {
    const clock = createVirtualClock(0);
    const time = createHubTime({ clock });
    await clock.advance(1000);
    time.centreTime(NOW, 900, 1000);
    time.centreTime(NOW + 5000, 0, 1000);
    expect(time.stamp().time.uncertaintyMs).toBe(51);
    time.centreTime(NOW, 998, 1000);
    expect(time.stamp().time.uncertaintyMs).toBe(2);
  });

  test("is whole milliseconds, as records need", async () => {
    const clock = createVirtualClock(NOW);
    const time = createHubTime({ clock });
    await clock.advance(0.7);
    const stamp = time.stamp();
    expect([stamp.monotonicMs, stamp.time.unixMs, stamp.time.uncertaintyMs].every(Number.isSafeInteger)).toBe(
      true,
    );
  });
});
