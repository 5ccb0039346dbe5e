/** Sends a path's records: in sequence as far as the window allows, an alarm at once where it would have to wait. What is
 *  new comes from memory, a backlog from the journal in pages. */
import { joinSequence } from "../../protocols/mqtt-topics.ts";
import type { Clock } from "../clock.ts";
import type { Journal, StoredRow } from "../journal/journal.ts";
import type { Link } from "./link.ts";
import { MAX_IN_FLIGHT, type Window } from "./window.ts";

export interface SenderOptions {
  readonly window: Window;
  readonly link: Pick<Link, "isUp" | "publish">;
  readonly journal: Pick<Journal, "head" | "readRows">;
  readonly clock: Clock;
  /** The newest records; undefined for older ones. */
  recent(sequence: number): StoredRow | undefined;
  /** The journal could not be read; it is tried again. */
  onTrouble(error: unknown): void;
}

export interface Sender {
  readonly counters: { readonly sent: number; readonly overtakes: number };
  /** There may be something to send, or room for it. */
  wake(): void;
  /** An alarm has been stored: it goes now if it would have to wait for its turn. */
  overtake(row: StoredRow): void;
  stop(): void;
}

/** Records in one publish. */
const BATCH = 64;
/** Alarms in flight beyond the window. */
const MAX_OVERTAKES = 256;
const READ_AGAIN_MS = 1_000;

export function createSender(options: SenderOptions): Sender {
  const { window, link, journal, clock, recent } = options;
  const counters = { sent: 0, overtakes: 0 };
  let sending = false;
  let stopped = false;

  const maySend = () => link.isUp && !stopped && window.room > 0 && window.next <= journal.head.sequence;

  function publish(rows: readonly StoredRow[]): void {
    const sentMs = clock.monotonicMs();
    for (const { sequence, hash } of rows) window.sent(sequence, { hash, sentMs });
    counters.sent += rows.length;
    // A publish that fails ends with its connection; the next one begins again behind the last receipt.
    link.publish("record", joinSequence(rows.map((row) => row.bytes))).catch(() => undefined);
  }

  async function nextRows(limit: number): Promise<readonly StoredRow[]> {
    const rows: StoredRow[] = [];
    for (
      let row = recent(window.next);
      row !== undefined && rows.length < limit;
      row = recent(row.sequence + 1)
    ) {
      rows.push(row);
    }
    return rows.length > 0 ? rows : journal.readRows(window.next - 1, limit);
  }

  async function send(): Promise<void> {
    while (maySend()) {
      const from = window.next;
      const rows = await nextRows(Math.min(BATCH, window.room));
      const last = rows.at(-1);
      if (last === undefined || !maySend()) return;
      // A new connection has begun while the page was being read: then it begins again.
      if (window.next !== from) continue;
      window.advance(last.sequence);
      const due = rows.filter((row) => window.isDue(row.sequence));
      if (due.length > 0) publish(due);
    }
  }

  function wake(): void {
    if (sending || stopped) return;
    sending = true;
    // What one commit stored is told record by record; together it becomes one message.
    queueMicrotask(() => {
      send().then(
        () => {
          sending = false;
          if (maySend()) setImmediate(wake);
        },
        (error) => {
          sending = false;
          options.onTrouble(error);
          clock.setTimer(wake, READ_AGAIN_MS);
        },
      );
    });
  }

  return {
    counters,
    wake,
    overtake(row) {
      // in a backlog, or behind a centre that does not answer
      const waits = row.sequence > window.next && (window.room === 0 || recent(window.next) === undefined);
      if (!link.isUp || !waits || !window.isDue(row.sequence)) return;
      if (window.inFlight >= MAX_IN_FLIGHT + MAX_OVERTAKES) return;
      counters.overtakes++;
      publish([row]);
    },
    stop() {
      stopped = true;
    },
  };
}
