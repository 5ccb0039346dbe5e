/** What a carrier without a modem keeps in Storage, for lorawan-link.ts: its count, in two logs like those of the event
 *  numbers, and its session. */
import type { FlashStorage } from "./log-store.ts";
import { type NumberStore, openNumberStore } from "./number-store.ts";

export const COUNT_LOGS = ["c0", "c1"] as const;
export const SESSION_FILE = "session";

/** Counts, none of which is given twice. */
export function openCounts(storage: FlashStorage): NumberStore {
  return openNumberStore(storage, 0, COUNT_LOGS, 1);
}

/** Keeps the session of the effect `keep`; an identical file is left alone. */
export function keepSession(storage: FlashStorage, session: string): void {
  try {
    if (session) storage.write(SESSION_FILE, session);
  } catch {
    // without it the board joins after its next restart
  }
}
