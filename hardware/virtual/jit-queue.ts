/** The just-in-time transmit queue of a Semtech packet forwarder (sx1302_hal, jitqueue.c): what it refuses and why.
 *  All times are the concentrator's microseconds modulo 2^32, and differences are unsigned as they are there: a
 *  packet whose time has just passed lies 71 minutes ahead and is TOO_EARLY, not TOO_LATE. */

export type Refusal = "TOO_LATE" | "TOO_EARLY" | "COLLISION_PACKET";

export interface Queued<T> {
  readonly atUs: number;
  readonly airtimeUs: number;
  readonly item: T;
}

export const QUEUE_LIMIT = 32;
/** The concentrator gets a packet this long before it must start. */
export const JIT_DELAY_US = 40_000;
const START_DELAY_US = 1_500;
const MARGIN_US = 1_000;
/** A packet must arrive more than this before its time: 42.5 ms. */
export const LEAD_US = START_DELAY_US + MARGIN_US + JIT_DELAY_US;
/** (3 beacons in the queue + 1) × 128 s. */
const MAX_ADVANCE_US = 512_000_000;
const PRE_DELAY_US = START_DELAY_US + JIT_DELAY_US;

/** a − b modulo 2^32. */
export function elapsedUs(a: number, b: number): number {
  return (a - b) >>> 0;
}

/** The queue with `packet` in it, in order of time, or why it is refused. */
export function jitEnqueue<T>(
  queue: readonly Queued<T>[],
  nowUs: number,
  packet: Queued<T>,
): readonly Queued<T>[] | Refusal {
  // the forwarder has no word for a full queue: it says collision
  if (queue.length >= QUEUE_LIMIT) return "COLLISION_PACKET";
  const aheadUs = elapsedUs(packet.atUs, nowUs);
  if (aheadUs <= LEAD_US) return "TOO_LATE";
  if (aheadUs > MAX_ADVANCE_US) return "TOO_EARLY";
  if (queue.some((other) => collides(packet, other))) return "COLLISION_PACKET";
  return [...queue, packet].sort((a, b) => elapsedUs(a.atUs, nowUs) - elapsedUs(b.atUs, nowUs));
}

/** When a packet "at once" may start: 80 ms from now, or behind the first queued packet that leaves room. */
export function jitSoonest<T>(queue: readonly Queued<T>[], nowUs: number, airtimeUs: number): number {
  const soonest = (nowUs + 2 * JIT_DELAY_US) >>> 0;
  const free = (atUs: number) => !queue.some((other) => collides({ atUs, airtimeUs }, other));
  const behind = queue.map(
    (other) => (other.atUs + other.airtimeUs + PRE_DELAY_US + JIT_DELAY_US + MARGIN_US) >>> 0,
  );
  return [soonest, ...behind].find(free) ?? behind.at(-1) ?? soonest;
}

type Slot = Pick<Queued<unknown>, "atUs" | "airtimeUs">;

function collides(a: Slot, b: Slot): boolean {
  return (
    elapsedUs(a.atUs, b.atUs) <= PRE_DELAY_US + b.airtimeUs + MARGIN_US ||
    elapsedUs(b.atUs, a.atUs) <= PRE_DELAY_US + a.airtimeUs + MARGIN_US
  );
}
