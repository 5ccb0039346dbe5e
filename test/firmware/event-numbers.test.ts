import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NUMBER_BLOCK, NUMBER_LOGS } from "../../firmware/event-numbers.ts";
import { hex } from "../../firmware/hex.ts";
import { isNewer, LOG_SIZE, logRecord, readLog } from "../../firmware/log.ts";
import { openNumberStore } from "../../firmware/number-store.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";

const BLANK = "\xff";
const numberRecord = (end: number) => logRecord(hex(end, 4));

describe("the log of reservations", () => {
  test("gives back every record written, and where the next one goes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 128 }), (ends) => {
        const text = ends.map(numberRecord).join("").padEnd(LOG_SIZE, BLANK);
        expect(readLog(text, 4)).toEqual({ body: hex(ends.at(-1) ?? 0, 4), free: ends.length * 8 });
      }),
    );
  });

  test("a record cut at any byte is stepped over", () => {
    for (let kept = 1; kept < 8; kept++) {
      const text = (numberRecord(100) + numberRecord(116).slice(0, kept)).padEnd(LOG_SIZE, BLANK);
      expect(readLog(text, 4)).toEqual({ body: "0064", free: 16 });
    }
  });

  test("any bytes read as some state, never as an error", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary-ascii", maxLength: 1100 }),
        fc.constantFrom(4, 22),
        (text, digits) => {
          const { body, free } = readLog(text, digits);
          expect([0, digits]).toContain(body.length);
          expect(free >= 0 && free <= LOG_SIZE).toBe(true);
        },
      ),
    );
  });

  test("of two logs the newer counts, also across the wrap at 65536", () => {
    const log = (end: number) => ({ body: end < 0 ? "" : hex(end, 4), free: 0 });
    expect([isNewer(log(-1), log(-1)), isNewer(log(5), log(-1)), isNewer(log(-1), log(5))]).toEqual([
      false,
      false,
      true,
    ]);
    expect([isNewer(log(16), log(32)), isNewer(log(32), log(16))]).toEqual([true, false]);
    expect([isNewer(log(0xfff8), log(8)), isNewer(log(8), log(0xfff8))]).toEqual([true, false]);
  });
});

/** One power-up: takes `presses` numbers, with a quiet moment after every `quietEvery`. Ends early when power goes. */
function live(storage: BoardStorage, presses: number, quietEvery: number): number[] {
  let isCut = false;
  storage.onCut(() => {
    isCut = true;
  });
  const store = openNumberStore(storage, 4711, NUMBER_LOGS, NUMBER_BLOCK);
  const used: number[] = [];
  for (let i = 1; i <= presses && !isCut; i++) {
    const number = store.take();
    if (!isCut) used.push(number);
    if (i % quietEvery === 0 && !isCut) store.refill(true);
  }
  return used;
}

function expectNoneTwice(used: readonly number[]): void {
  expect(new Set(used).size).toBe(used.length);
}

describe("numbers are never used twice", () => {
  test("with power cut in the middle of any one flash operation, and of any after it", () => {
    for (let first = 0; first < 45; first++)
      for (let second = 0; second < 25; second += 3) {
        const storage = createBoardStorage();
        storage.faults = { cutAfter: first };
        const used = live(storage, 40, 5);
        storage.faults = { cutAfter: second };
        used.push(...live(storage, 20, 3));
        storage.faults = {};
        used.push(...live(storage, 20, 4));
        expectNoneTwice(used);
      }
  });

  test("when a log is full and its twin is begun, wherever that is cut", () => {
    for (let cutAfter = 0; cutAfter < 60; cutAfter++) {
      const storage = createBoardStorage();
      const used: number[] = [];
      for (let boot = 0; boot < 126; boot++) used.push(...live(storage, 1, 9));
      storage.faults = { cutAfter };
      for (let boot = 0; boot < 4; boot++) used.push(...live(storage, 3, 9));
      storage.faults = {};
      for (let boot = 0; boot < 130; boot++) used.push(...live(storage, 1, 9));
      expectNoneTwice(used);
    }
  });

  test("over 2000 restarts, until they wrap after 65536", () => {
    const storage = createBoardStorage();
    const used: number[] = [];
    for (let boot = 0; boot < 2000; boot++) used.push(...live(storage, 2, 1));
    expectNoneTwice(used);
    expect(storage.list().length).toBe(2);
  });
});

describe("on the way of an alarm", () => {
  test("nothing is written while quiet moments come at least every eight events", () => {
    const storage = createBoardStorage();
    const store = openNumberStore(storage, 0, NUMBER_LOGS, NUMBER_BLOCK);
    for (let round = 0; round < 50; round++) {
      store.refill(true);
      const before = JSON.stringify(storage.snapshot());
      for (let press = 0; press < 8; press++) store.take();
      expect(JSON.stringify(storage.snapshot())).toBe(before);
    }
  });

  test("a Storage that takes nothing is a fault that does not stop the counting, and ends when there is room", () => {
    const storage = createBoardStorage();
    storage.faults = { full: true };
    const store = openNumberStore(storage, 100, NUMBER_LOGS, NUMBER_BLOCK);
    expect(store.refill(false)).toBe(false);
    expect([store.take(), store.take(), store.last()]).toEqual([100, 101, 101]);
    storage.faults = {};
    expect(store.refill(true)).toBe(true);
    expect(store.take()).toBe(102);
    expect(openNumberStore(storage, 0, NUMBER_LOGS, NUMBER_BLOCK).take()).toBeGreaterThan(102);
  });

  test("after a restart the number before the next one is told as the last: the jump is announced, not lost presses", () => {
    const storage = createBoardStorage();
    openNumberStore(storage, 200, NUMBER_LOGS, NUMBER_BLOCK).take();
    const store = openNumberStore(storage, 0, NUMBER_LOGS, NUMBER_BLOCK);
    expect(store.last()).toBe(215);
    expect(store.take()).toBe(216);
  });

  test("with both logs lost it begins anywhere, never at the beginning again", () => {
    expect(openNumberStore(createBoardStorage(), 0xbeef, NUMBER_LOGS, NUMBER_BLOCK).take()).toBe(0xbeef);
  });
});
