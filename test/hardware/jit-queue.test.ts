import fc from "fast-check";
import { expect, test } from "vitest";
import {
  elapsedUs,
  jitEnqueue,
  jitSoonest,
  LEAD_US,
  QUEUE_LIMIT,
  type Queued,
} from "../../hardware/virtual/jit-queue.ts";

const packet = (atUs: number, airtimeUs = 41_216): Queued<string> => ({
  atUs: atUs >>> 0,
  airtimeUs,
  item: "x",
});
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("a packet must come more than 42.5 ms before its time, wherever the counter stands", () => {
  fc.assert(
    fc.property(u32, (now) => {
      expect(LEAD_US).toBe(42_500);
      expect(jitEnqueue([], now, packet(now + LEAD_US))).toBe("TOO_LATE");
      expect(jitEnqueue([], now, packet(now + LEAD_US + 1))).toHaveLength(1);
    }),
  );
});

test("further than 512 s ahead is too early, and so, unsigned, is what has passed by a microsecond", () => {
  fc.assert(
    fc.property(u32, (now) => {
      expect(jitEnqueue([], now, packet(now + 512_000_000))).toHaveLength(1);
      expect(jitEnqueue([], now, packet(now + 512_000_001))).toBe("TOO_EARLY");
      expect(jitEnqueue([], now, packet(now - 1))).toBe("TOO_EARLY");
    }),
  );
});

test("packets that overlap, with the time to program them, collide; both orders, across the wrap", () => {
  const gapUs = 41_500 + 41_216 + 1_000;
  fc.assert(
    fc.property(u32, (now) => {
      const first = packet(now + 1_000_000);
      for (const sign of [-1, 1]) {
        expect(jitEnqueue([first], now, packet(now + 1_000_000 + sign * gapUs))).toBe("COLLISION_PACKET");
        expect(jitEnqueue([first], now, packet(now + 1_000_000 + sign * (gapUs + 1)))).toHaveLength(2);
      }
    }),
  );
});

test("the queue stays in order of time and holds 32", () => {
  const now = 4_294_900_000;
  let queue: readonly Queued<string>[] = [];
  for (let i = 0; i < QUEUE_LIMIT; i++) {
    // alternately from both ends
    const place = i % 2 === 0 ? i : QUEUE_LIMIT - i;
    const result = jitEnqueue(queue, now, packet(now + 1_000_000 + place * 200_000));
    if (typeof result === "string") throw new Error(`${i}: ${result}`);
    queue = result;
  }
  const ahead = queue.map(({ atUs }) => elapsedUs(atUs, now));
  expect(ahead).toEqual([...ahead].sort((a, b) => a - b));
  expect(jitEnqueue(queue, now, packet(now + 100_000_000))).toBe("COLLISION_PACKET");
});

test("at once means 80 ms from now, or behind what is already queued", () => {
  expect(jitSoonest([], 1000, 50_000)).toBe(81_000);
  const queued = packet(100_000);
  const at = jitSoonest([queued], 1000, 50_000);
  expect(at).toBeGreaterThan(100_000 + queued.airtimeUs);
  expect(jitEnqueue([queued], 1000, packet(at, 50_000))).toHaveLength(2);
});
