/** Transmit calendar of one gateway. A gateway sends one frame at a time and hears nothing while it does. Entries
 *  are bookings until they are handed to the gateway: until then a higher priority may take their place. */
import type { Priority } from "./duty-cycle.ts";

/** A forwarder programs the radio 40 ms before a frame starts, which it cannot while the radio still sends, and refuses
 *  closer pairs as COLLISION_PACKET (sx1302_hal, jitqueue.c: 42.5 ms); the hub's idea of its clock is a little off. */
export const GUARD_MS = 43;

export interface Slot {
  /** Hub's monotonic milliseconds. */
  startMs: number;
  endMs: number;
  priority: Priority;
  /** Within one priority, the higher takes the place of the lower (join attempts that stayed unanswered). */
  rank: number;
  /** With the gateway: cannot be taken back. */
  sent: boolean;
  /** Called when a higher priority took the place. The slot is out of the calendar by then. */
  onDisplaced: () => void;
}

export interface Calendar {
  /** True when `slot` has no rival, or only rivals that it may displace. */
  canBook(slot: Slot): boolean;
  /** Puts `slot` in and displaces its rivals. Call only after `canBook` said true. */
  book(slot: Slot): void;
  release(slot: Slot): void;
  /** Milliseconds booked or sent within the interval. */
  busyMs(fromMs: number, toMs: number): number;
  /** Bookings and transmissions of one priority that end after `fromMs`. */
  count(priority: Priority, fromMs: number): number;
}

const WEIGHT: Record<Priority, number> = { alarm: 2, join: 1, mac: 0 };

/** `nowMs` lets past entries be forgotten. */
export function createCalendar(nowMs: () => number): Calendar {
  let slots: Slot[] = [];
  const rivals = (slot: Slot) =>
    slots.filter((other) => other.startMs < slot.endMs + GUARD_MS && slot.startMs < other.endMs + GUARD_MS);
  return {
    canBook(slot) {
      const found = rivals(slot);
      return found.every((rival) => !rival.sent && mayDisplace(slot, rival, found.length));
    },
    book(slot) {
      const displaced = rivals(slot);
      const now = nowMs();
      slots = slots.filter((other) => !displaced.includes(other) && other.endMs + GUARD_MS >= now);
      slots.push(slot);
      for (const rival of displaced) rival.onDisplaced();
    },
    release(slot) {
      slots = slots.filter((other) => other !== slot);
    },
    busyMs(fromMs, toMs) {
      return slots.reduce(
        (sum, s) => sum + Math.max(0, Math.min(s.endMs, toMs) - Math.max(s.startMs, fromMs)),
        0,
      );
    },
    count(priority, fromMs) {
      return slots.filter((slot) => slot.priority === priority && slot.endMs > fromMs).length;
    },
  };
}

/** Within one priority a place is taken only one for one: two answers are worth more than one. */
function mayDisplace(slot: Slot, rival: Slot, rivalCount: number): boolean {
  if (WEIGHT[slot.priority] !== WEIGHT[rival.priority]) return WEIGHT[slot.priority] > WEIGHT[rival.priority];
  return rivalCount === 1 && slot.rank > rival.rank;
}
