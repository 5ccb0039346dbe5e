import fc from "fast-check";
import { expect, test } from "vitest";
import { createWindow } from "../../../hub/relay/window.ts";

const HEAD = 40;

test("whatever is sent, settled, cut or covered: what is not settled stays due, what is settled is never sent again", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant("send" as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ type: fc.constant("settle" as const), sequence: fc.integer({ min: 1, max: HEAD }) }),
    fc.record({ type: fc.constant("upTo" as const), sequence: fc.integer({ min: 1, max: HEAD }) }),
    fc.record({ type: fc.constant("cut" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const window = createWindow(0, []);
      const settled = new Set<number>();
      for (const one of steps) {
        if (one.type === "cut") window.restart();
        else if (one.type === "settle") {
          settled.add(one.sequence);
          window.settle(one.sequence);
        } else if (one.type === "upTo") {
          for (let s = 1; s <= one.sequence; s++) settled.add(s);
          window.settleUpTo(one.sequence);
        } else {
          for (let s = window.next; s < window.next + one.count && s <= HEAD; s++) {
            expect(window.isDue(s)).toBe(!settled.has(s) && window.sentRecord(s) === undefined);
            if (window.isDue(s)) window.sent(s, { hash: "", sentMs: 0 });
          }
          window.advance(Math.min(HEAD, window.next + one.count - 1));
        }
        let complete = 0;
        while (settled.has(complete + 1)) complete++;
        expect(window.complete).toBe(complete);
        expect(window.next).toBeGreaterThan(complete);
        for (let s = 1; s <= HEAD; s++) expect(window.isSettled(s)).toBe(settled.has(s));
      }
      window.restart();
      const due = Array.from({ length: HEAD }, (_, i) => i + 1).filter(
        (s) => s >= window.next && window.isDue(s),
      );
      expect(due).toEqual(Array.from({ length: HEAD }, (_, i) => i + 1).filter((s) => !settled.has(s)));
    }),
  );
});

test("what the journal remembers is where it begins", () => {
  const window = createWindow(10, [11, 13]);
  expect([window.complete, window.next]).toEqual([10, 11]);
  expect([11, 12, 13].map((s) => window.isDue(s))).toEqual([false, true, false]);
  window.settle(12);
  expect([window.complete, window.next]).toEqual([13, 14]);
});
