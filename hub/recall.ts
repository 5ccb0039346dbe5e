/** Events of long ago, looked up in the journal. A device keeps its first press until the centre has it, and may say it
 *  again when many newer ones have taken its place in memory; that must not become a second alarm. */
import type { KnownEvent } from "./device-events.ts";
import type { EventName, Journal } from "./journal/journal.ts";

/** Two accounts of one moment differ by airtime, whole seconds, and the drift of two clocks over many hours. */
const SAME_MOMENT_MS = 60_000;
/** `ageS` of a report says this for everything older (16 bits). */
const OLDEST_S = 0xffff;

export interface RecallOptions {
  readonly journal: Pick<Journal, "heard" | "record">;
  /** The hub's best word on the time, as in its records. */
  unixMs(): number;
}

/** Settles with the event of this name that happened when the device says, or null. Number alone is not enough: a device
 *  that has lost its memory counts from somewhere else, and its new press must not pass for an old one. */
export type Recall = (name: EventName, ageS: number) => Promise<KnownEvent | null>;

export function createRecall({ journal, unixMs }: RecallOptions): Recall {
  return async (name, ageS) => {
    const heard = await journal.heard(name);
    const record = heard && (await journal.record(heard.sequence));
    if (heard === undefined || record === undefined) return null;
    const { time, ageMs } = record.event;
    const apartMs = unixMs() - ageS * 1000 - (time.unixMs - ageMs);
    const isSame = Math.abs(apartMs) <= SAME_MOMENT_MS || (ageS === OLDEST_S && apartMs > 0);
    if (!isSame) return null;
    // it has had its repeats on record when it was young
    return { ...heard, stored: Promise.resolve(true), repeats: Number.POSITIVE_INFINITY, tellings: 0 };
  };
}
