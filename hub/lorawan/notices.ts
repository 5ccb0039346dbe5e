/** Security facts repeat: an attacker can make one a thousand times a second. The first is told at once, the rest as a
 *  count once a minute; the number of things remembered is bounded. */
import type { Clock } from "../clock.ts";
import type { Notice } from "./sink.ts";

const INTERVAL_MS = 60_000;
const MAX_KEYS = 1000;
/** Frames of other networks under the same DevAddr fail too; only many of them are worth a notice. */
const BAD_MIC_FLOOD = 20;

export type CountedNotice = Extract<Notice, { count: number }>;
/** The same without its count, which is kept here. */
export type Fact = CountedNotice extends infer N
  ? N extends CountedNotice
    ? Omit<N, "count">
    : never
  : never;

export interface Notices {
  tell(fact: Fact): void;
}

interface Entry {
  sinceMs: number;
  /** Not told yet. */
  count: number;
  told: boolean;
}

/** `report` gets each notice that is due. */
export function createNotices(clock: Pick<Clock, "monotonicMs">, report: (notice: Notice) => void): Notices {
  const entries = new Map<string, Entry>();
  return {
    tell(fact) {
      const key = keyOf(fact);
      const nowMs = clock.monotonicMs();
      let entry = entries.get(key);
      if (
        entry === undefined ||
        (nowMs - entry.sinceMs >= INTERVAL_MS && (entry.told || fact.type === "badMic"))
      ) {
        const left = entry?.told === true ? entry.count : 0;
        entries.delete(key);
        if (entries.size >= MAX_KEYS) entries.delete(entries.keys().next().value ?? "");
        entry = { sinceMs: nowMs, count: left, told: false };
        entries.set(key, entry);
      }
      entry.count++;
      if (entry.told || entry.count < (fact.type === "badMic" ? BAD_MIC_FLOOD : 1)) return;
      report({ ...fact, count: entry.count } as Notice);
      entry.told = true;
      entry.count = 0;
    },
  };
}

function keyOf(fact: Fact): string {
  switch (fact.type) {
    case "badMic":
      return `${fact.type} ${fact.devAddr}`;
    case "joinRefused":
      // anybody can invent DevEUIs: together they are one fact
      return `${fact.type} ${fact.reason} ${fact.reason === "unknownDevice" ? "" : fact.devEui}`;
    default:
      return `${fact.type} ${fact.devEui}`;
  }
}
