/** Whose turn it is on an RS-485 bus. Pure.
 *
 *  Whoever was asked longest ago is asked next. In every second turn one may come out of turn: who has just spoken, has a
 *  downlink waiting, or was garbled; so nobody keeps the others waiting for longer than two rounds. Absent devices are
 *  asked one at a time, rarely while others answer. */
import type { BusMaster } from "./rs485-bus.ts";
import type { Slot } from "./rs485-slot.ts";

/** While others answer, an absent device is asked once in this: at most a tenth of the line's time. */
export const PROBE_MS = 2_000;
/** The same as long as there are addresses that nobody has asked three times yet. */
export const FIRST_PROBE_MS = 200;

export interface Turn {
  readonly slot: Slot;
  readonly kind: "round" | "eager" | "probe";
}

/** Null when there is nobody to ask. */
export function turnOf(bus: BusMaster, nowMs: number): Turn | null {
  const online = bus.slots.filter(isOnline);
  const eager = bus.eager.map((address) => online.find((slot) => slot.address === address)).find(Boolean);
  if (eager !== undefined && !bus.wasEager) return { slot: eager, kind: "eager" };
  if (nowMs >= bus.probeMs || online.length === 0) {
    const absent = bus.slots.filter((slot) => !isOnline(slot));
    const unheard = absent.filter(({ state }) => state === "unheard");
    const slot = longestAgo(unheard.length > 0 ? unheard : absent);
    if (slot !== undefined) return { slot, kind: "probe" };
  }
  const slot = longestAgo(online);
  return slot === undefined ? null : { slot, kind: "round" };
}

function isOnline({ state }: Slot): boolean {
  return state === "online";
}

function longestAgo(slots: readonly Slot[]): Slot | undefined {
  return slots.reduce<Slot | undefined>(
    (first, slot) => (first === undefined || slot.askedMs < first.askedMs ? slot : first),
    undefined,
  );
}
