import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import { createCalendar, GUARD_MS, type Slot } from "../../../hub/lorawan/calendar.ts";
import { createDutyCycleLedger, type Priority } from "../../../hub/lorawan/duty-cycle.ts";
import { createGatewayClock } from "../../../hub/lorawan/gateway-clock.ts";
import { createGatewayPath } from "../../../hub/lorawan/gateway-path.ts";

const PRIORITIES = ["mac", "join", "alarm"] as const satisfies Priority[];
const BAND = { minHz: 868_000_000, maxHz: 868_600_000, dutyCycle: 0.01 };

describe("duty cycle", () => {
  test("no hour ever holds more airtime than the law allows, and alarms may use all of it", async () => {
    const frames = fc.array(
      fc.record({
        waitMs: fc.nat(600_000),
        airtimeMs: fc.integer({ min: 20, max: 2_000 }),
        priority: fc.constantFrom(...PRIORITIES),
      }),
      { minLength: 50, maxLength: 200 },
    );
    await fc.assert(
      fc.asyncProperty(frames, async (list) => {
        const clock = createVirtualClock();
        let ledger = createDutyCycleLedger(clock, null);
        const sent: { atMs: number; airtimeMs: number }[] = [];
        for (const [i, { waitMs, airtimeMs, priority }] of list.entries()) {
          await clock.advance(waitMs);
          // a restart in between forgets nothing
          if (i % 7 === 0) ledger = createDutyCycleLedger(clock, ledger.save());
          if (!ledger.allows("a", BAND, airtimeMs, priority)) continue;
          ledger.spend("a", BAND, airtimeMs);
          sent.push({ atMs: clock.monotonicMs(), airtimeMs });
        }
        for (const { atMs } of sent) {
          const hour = sent.filter((one) => one.atMs <= atMs && one.atMs > atMs - 3_600_000);
          expect(hour.reduce((sum, one) => sum + one.airtimeMs, 0)).toBeLessThanOrEqual(36_000);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("MAC commands stop at half of it, joins at 70 %, alarms at all of it", () => {
    const ledger = createDutyCycleLedger(createVirtualClock(), null);
    const rest = (priority: Priority) => {
      let ms = 0;
      while (ledger.allows("a", BAND, 100, priority)) {
        ledger.spend("a", BAND, 100);
        ms += 100;
      }
      return ms;
    };
    expect(PRIORITIES.map(rest)).toEqual([18_000, 7_200, 10_800]);
    expect(ledger.allows("b", BAND, 100, "mac"), "another gateway has its own").toBe(true);
    expect(ledger.usage()).toMatchObject({ "a 868000000-868600000": 1 });
  });

  test("the hour rolls on, a refused frame is given back, and nobody sends outside the sub-bands", async () => {
    const clock = createVirtualClock();
    const ledger = createDutyCycleLedger(clock, null);
    ledger.spend("a", BAND, 36_000);
    expect(ledger.allows("a", BAND, 1, "alarm")).toBe(false);
    await clock.advance(3_661_000);
    expect(ledger.allows("a", BAND, 36_000, "alarm")).toBe(true);
    ledger.spend("a", BAND, 36_000);
    ledger.refund("a", BAND, 36_000);
    expect(ledger.allows("a", BAND, 36_000, "alarm")).toBe(true);
    expect(ledger.allows("a", null, 1, "alarm")).toBe(false);
  });

  test("a wall clock that went back between two runs frees nothing; what cannot be read counts as nothing", () => {
    const before = createVirtualClock(2_000_000_000_000);
    const ledger = createDutyCycleLedger(before, null);
    ledger.spend("a", BAND, 36_000);
    const after = createDutyCycleLedger(createVirtualClock(0), ledger.save());
    expect(after.allows("a", BAND, 1, "alarm")).toBe(false);
    for (const broken of ["", "{", "null", "{}", '{"version":2}']) {
      expect(createDutyCycleLedger(before, broken).allows("a", BAND, 1, "mac")).toBe(true);
    }
  });
});

describe("transmit calendar", () => {
  const slot = (startMs: number, priority: Priority = "mac", change: Partial<Slot> = {}): Slot => ({
    startMs,
    endMs: startMs + 100,
    priority,
    rank: 0,
    sent: false,
    onDisplaced: () => undefined,
    ...change,
  });

  test("what is in it never overlaps, whatever is booked in whatever order", () => {
    const wish = fc.record({
      startMs: fc.nat(2_000),
      lengthMs: fc.integer({ min: 20, max: 400 }),
      priority: fc.constantFrom(...PRIORITIES),
      rank: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
        const calendar = createCalendar(() => 0);
        const inside = new Set<Slot>();
        for (const { startMs, lengthMs, priority, rank } of wishes) {
          const one: Slot = slot(startMs, priority, {
            endMs: startMs + lengthMs,
            rank,
            onDisplaced: () => void inside.delete(one),
          });
          if (!calendar.canBook(one)) continue;
          calendar.book(one);
          inside.add(one);
          one.sent = lengthMs % 3 === 0;
        }
        const list = [...inside].sort((a, b) => a.startMs - b.startMs);
        for (const [i, one] of list.entries()) {
          const next = list[i + 1];
          if (next !== undefined) expect(next.startMs - one.endMs).toBeGreaterThanOrEqual(GUARD_MS);
        }
      }),
    );
  });

  test("an alarm takes the place of what waits, not of what is sent", () => {
    const calendar = createCalendar(() => 0);
    const displaced: string[] = [];
    calendar.book(slot(0, "join", { onDisplaced: () => void displaced.push("join") }));
    calendar.book(slot(200, "mac", { onDisplaced: () => void displaced.push("mac") }));
    expect(calendar.canBook(slot(50, "mac"))).toBe(false);
    expect(calendar.canBook(slot(100, "alarm"))).toBe(true);
    calendar.book(slot(100, "alarm"));
    expect(displaced).toEqual(["join", "mac"]);
    calendar.book(slot(500, "mac", { sent: true }));
    expect(calendar.canBook(slot(500, "alarm"))).toBe(false);
  });

  test("among equals a longer wait wins, but never two places for one", () => {
    const calendar = createCalendar(() => 0);
    calendar.book(slot(0, "join"));
    calendar.book(slot(150, "join"));
    expect(calendar.canBook(slot(10, "join", { rank: 2, endMs: 60 }))).toBe(true);
    expect(calendar.canBook(slot(80, "join", { rank: 2 }))).toBe(false);
  });

  test("it knows how busy it is, and forgets the past", () => {
    let nowMs = 0;
    const calendar = createCalendar(() => nowMs);
    calendar.book(slot(0, "join"));
    const later = slot(1_000, "join");
    calendar.book(later);
    expect([calendar.busyMs(50, 1_050), calendar.count("join", 0)]).toEqual([100, 2]);
    nowMs = 900;
    calendar.release(later);
    calendar.book(slot(2_000));
    expect(calendar.count("join", 0)).toBe(0);
  });
});

describe("a gateway's clock", () => {
  test("is found from the quickest datagram, over the wrap, and in spite of drift", () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.array(fc.nat(80), { minLength: 200, maxLength: 200 }),
        (start, delays) => {
          const clock = createGatewayClock();
          for (const [i, delayMs] of delays.entries()) {
            const onAirMs = 10_000 + i * 30_000;
            const tmst = (start + onAirMs * 1000 * (1 + 20e-6)) % 2 ** 32;
            const heardMs = clock.heardMs(tmst, onAirMs + (i % 2 === 0 ? 0 : delayMs));
            if (i > 0) expect(Math.abs(heardMs - onAirMs)).toBeLessThan(5);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test("a restarted concentrator is taken at its word", () => {
    const clock = createGatewayClock();
    clock.heardMs(3_000_000_000, 5_000);
    expect(clock.heardMs(1_000_000, 9_000)).toBe(9_000);
    expect(clock.heardMs(2_000_000, 10_015)).toBe(10_000);
  });

  test("one that says TOO_LATE gets its frames earlier, until it is content for long", () => {
    const path = createGatewayPath();
    for (let i = 0; i < 3; i++) path.note("TOO_LATE");
    expect(path.extraLeadMs).toBe(90);
    for (let i = 0; i < 100; i++) path.note("TOO_LATE");
    expect(path.extraLeadMs).toBe(500);
    for (let i = 0; i < 400; i++) path.note("queued");
    expect(path.extraLeadMs).toBeLessThan(1);
  });
});
