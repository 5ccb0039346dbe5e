/** Security facts of the LoRaWAN server: logged all, recorded within a budget, so that nobody can fill the journal by
 *  knocking. */
import type { EventPlace } from "../protocols/event.ts";
import type { Clock } from "./clock.ts";
import { noticeDraft } from "./drafts.ts";
import type { EventDraft } from "./journal/journal.ts";
import type { Notice } from "./lorawan/sink.ts";

export interface NoticeJournalOptions {
  readonly clock: Clock;
  tell(draft: EventDraft): void;
  readonly log: Record<"debug" | "warn", (fields: object, event: string) => void>;
  place(devEui: string): EventPlace | undefined;
}

/** Records at once, and one more per interval. */
const BURST = 32;
const REFILL_MS = 10_000;

export function createNoticeJournal({ clock, tell, log, place }: NoticeJournalOptions) {
  const counters = { recorded: 0, overBudget: 0 };
  let tokens = BURST;
  let refilledMs = clock.monotonicMs();

  const take = (): boolean => {
    const nowMs = clock.monotonicMs();
    const gained = Math.floor((nowMs - refilledMs) / REFILL_MS);
    tokens = Math.min(BURST, tokens + gained);
    refilledMs += gained * REFILL_MS;
    if (tokens === 0) return false;
    tokens--;
    return true;
  };

  return {
    counters,
    take(notice: Notice): void {
      const { type, ...fields } = notice;
      const draft = noticeDraft(notice);
      if (draft === null) {
        log.debug(fields, `lorawan.${type}`);
        return;
      }
      log.warn(fields, `lorawan.${type}`);
      if (!take()) {
        counters.overBudget++;
        return;
      }
      counters.recorded++;
      const known = draft.device === null ? undefined : place(draft.device);
      tell({ ...draft, ...(known && { place: known }) });
    },
  };
}
