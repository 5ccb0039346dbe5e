import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRealClock, createVirtualClock } from "../../hardware/virtual/clock.ts";

describe("virtual clock", () => {
  test("timers fire in order of due time, equal ones in order of creation, and each sees its own time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), async (delays) => {
        const clock = createVirtualClock();
        const fired: [number, number, number][] = [];
        delays.forEach((delay, i) => {
          clock.setTimer(() => fired.push([delay, i, clock.monotonicMs()]), delay);
        });
        await clock.advance(20);
        const expected = delays
          .map((delay, i) => [delay, i, delay])
          .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
        expect(fired).toEqual(expected);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test("promise chains of any length settle before the next timer", async () => {
    const clock = createVirtualClock();
    const trace: string[] = [];
    clock.setTimer(async () => {
      for (let i = 0; i < 100; i++) await Promise.resolve();
      trace.push("chain");
    }, 1);
    clock.setTimer(() => trace.push("next timer"), 1.001);
    await clock.advance(2);
    expect(trace).toEqual(["chain", "next timer"]);
  });

  test("timers set by timers fire within the same advance", async () => {
    const clock = createVirtualClock();
    const at: number[] = [];
    const again = () => {
      at.push(clock.monotonicMs());
      if (at.length < 5) clock.setTimer(again, 10);
    };
    clock.setTimer(again, 10);
    await clock.advance(50);
    expect(at).toEqual([10, 20, 30, 40, 50]);
  });

  test("a cancelled timer never fires, also when an earlier timer of the same instant cancels it", async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.setTimer(() => second.cancel(), 5);
    const second = clock.setTimer(() => fired.push("second"), 5);
    await clock.advance(10);
    expect(fired).toEqual([]);
  });

  test("while held, time stands still until the release", async () => {
    const clock = createVirtualClock();
    const trace: string[] = [];
    clock.setTimer(() => {
      const release = clock.hold();
      void sleep(5).then(() => {
        trace.push(`reply at ${clock.monotonicMs()}`);
        release();
      });
    }, 1);
    clock.setTimer(() => trace.push("later"), 2);
    await clock.advance(3);
    expect(trace).toEqual(["reply at 1", "later"]);
  });

  test("runUntil stops at the condition, or gives up at the limit", async () => {
    const clock = createVirtualClock();
    let done = false;
    clock.setTimer(() => {
      done = true;
    }, 30);
    expect(await clock.runUntil(() => done, 20)).toBe(false);
    expect(clock.monotonicMs()).toBe(20);
    expect(await clock.runUntil(() => done, 1000)).toBe(true);
    expect(clock.monotonicMs()).toBe(30);
  });

  test("a step of the wall clock does not move the monotonic one", async () => {
    const clock = createVirtualClock(0);
    await clock.advance(100);
    clock.stepWall(-86_400_000);
    expect([clock.wallMs(), clock.monotonicMs()]).toEqual([-86_399_900, 100]);
  });
});

describe("real clock", () => {
  test("a timer never fires before its time, and a hundred times as fast is", async () => {
    const clock = createRealClock(100);
    const firedMs = await new Promise<number>((fired) => {
      clock.setTimer(() => fired(clock.monotonicMs()), 1000.5);
    });
    expect(firedMs).toBeGreaterThanOrEqual(1000.5);
    expect(clock.wallMs()).toBeGreaterThan(Date.now() - 1000);
  });

  test("a delay longer than setTimeout takes does not fire at once", async () => {
    const clock = createRealClock();
    let fired = false;
    const timer = clock.setTimer(() => {
      fired = true;
    }, 40 * 86_400_000);
    await sleep(5);
    timer.cancel();
    expect(fired).toBe(false);
  });
});
