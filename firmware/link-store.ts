/** What a carrier without a modem keeps in Storage, for lorawan-link.ts: its count, in two logs like those of the event
 *  numbers, and its session. */
import type { FlashStorage } from "./log-store.ts";
import { openNumberStore } from "./number-store.ts";
import type { UplinkInput } from "./uplink.ts";

export const COUNT_LOGS = ["c0", "c1"] as const;
export const SESSION_FILE = "session";

/** Each gives the carrier's next input, without its time. */
export interface LinkStore {
  /** The first after power-up. */
  first(): Pick<UplinkInput, "count" | "kept">;
  /** Obeys the effect `keep`. */
  keep(session: string): Pick<UplinkInput, "count">;
}

/** Opens the logs and reserves the first count. */
export function openLinkStore(storage: FlashStorage): LinkStore {
  const counts = openNumberStore(storage, 0, COUNT_LOGS, 1);
  return {
    first: () => ({ count: counts.take(), kept: storage.read(SESSION_FILE) }),
    keep: (session) => {
      try {
        // an identical file is left alone
        if (session !== "") storage.write(SESSION_FILE, session);
      } catch {
        // without it the board joins after its next restart
      }
      return { count: counts.take() };
    },
  };
}
