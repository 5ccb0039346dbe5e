import { expect, test } from "vitest";
import { createAttempts } from "../../../centre/web/attempts.ts";

function guess(times: number, account: string, source: string) {
  const time = { now: 0 };
  const attempts = createAttempts(() => time.now);
  for (let i = 0; i < times; i++) attempts.failed(account, source);
  return { attempts, time };
}

test("four misses are free, then each one waits longer, up to a minute", () => {
  expect(guess(4, "a", "s").attempts.waitMs("a", "s")).toBe(0);
  expect(guess(5, "a", "s").attempts.waitMs("a", "s")).toBe(2000);
  expect(guess(6, "a", "s").attempts.waitMs("a", "s")).toBe(4000);
  expect(guess(60, "a", "s").attempts.waitMs("a", "s")).toBe(60_000);
});

test("guessing somebody's password from elsewhere does not keep him out", () => {
  expect(guess(500, "a", "stranger").attempts.waitMs("a", "own desk")).toBe(0);
});

test("a colleague at the same desk waits only when the desk itself has guessed much", () => {
  expect(guess(10, "a", "desk").attempts.waitMs("b", "desk")).toBe(0);
  expect(guess(21, "a", "desk").attempts.waitMs("b", "desk")).toBeGreaterThan(0);
});

test("the right password, or a quarter of an hour, forgives", () => {
  const { attempts, time } = guess(8, "a", "s");
  attempts.succeeded("a", "s");
  expect(attempts.waitMs("a", "s")).toBe(0);
  const other = guess(8, "a", "s");
  other.time.now = 16 * 60_000;
  other.attempts.failed("a", "s");
  expect(other.attempts.waitMs("a", "s")).toBe(0);
  expect(time.now).toBe(0);
});

test("memory stays bounded under a flood of invented names", () => {
  const { attempts } = guess(0, "", "");
  for (let i = 0; i < 30_000; i++) attempts.failed(`name ${i}`, `source ${i}`);
  for (let i = 0; i < 8; i++) attempts.failed("a", "s");
  expect(attempts.waitMs("a", "s")).toBeGreaterThan(0);
});
