import { expect, test } from "vitest";
import { createOverdue } from "../../../hub/relay/overdue.ts";

/** A centre that never answers, looked at every second; sending again and a new connection begin the term anew. */
function watch() {
  let nowMs = 0;
  let oldestMs: number | null = null;
  const done: string[] = [];
  const note = (what: string) => {
    done.push(`${nowMs / 1000} s: ${what}`);
    oldestMs = nowMs;
  };
  const overdue = createOverdue({
    oldestMs: () => oldestMs,
    sendAgain: () => note("send again"),
    renew: () => note("renew"),
    tell: (forMs) => done.push(`${nowMs / 1000} s: tell ${forMs / 1000} s`),
  });
  return {
    done,
    sent: () => {
      oldestMs = nowMs;
    },
    answered: () => {
      oldestMs = null;
      overdue.answered();
    },
    pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        nowMs += 1000;
        overdue.check(nowMs);
      }
    },
  };
}

test("records without a receipt are sent again, then on a new connection, and it is told once", () => {
  const { done, sent, pass } = watch();
  sent();
  pass(40);
  expect(done).toEqual([
    "8 s: send again",
    "16 s: renew",
    "24 s: send again",
    "30 s: tell 30 s",
    "32 s: renew",
    "40 s: send again",
  ]);
});

test("a receipt ends the outage; the next one is told anew", () => {
  const { done, sent, answered, pass } = watch();
  sent();
  pass(31);
  answered();
  pass(100);
  expect(done.at(-1)).toBe("30 s: tell 30 s");
  sent();
  pass(30);
  expect(done.filter((line) => line.includes("tell"))).toHaveLength(2);
});

test("nothing in flight, nothing due", () => {
  const { done, pass } = watch();
  pass(100);
  expect(done).toEqual([]);
});
