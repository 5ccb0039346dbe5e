/** One path to one centre: sends every record in sequence, lets a new alarm overtake a backlog, and keeps at it until the
 *  centre's receipt for the record has been verified. The backlog lies in the journal and is read in pages. */

import { joinSequence } from "../../protocols/mqtt-topics.ts";
import { sealPoll } from "../../protocols/poll.ts";
import type { SigningKey, VerifyingKey } from "../../protocols/signature.ts";
import type { Clock } from "../clock.ts";
import type { Journal, StoredRow } from "../journal/journal.ts";
import type { HubTime } from "../time.ts";
import { createInbox } from "./inbox.ts";
import { type Link, type LinkOptions, startLink } from "./link.ts";
import type { Confirmed } from "./receipt-check.ts";
import { createReceiptWriter } from "./receipt-writer.ts";
import { createResends } from "./resends.ts";
import { createWindow, MAX_IN_FLIGHT } from "./window.ts";

export interface PathOptions {
  readonly name: string;
  readonly realm: string;
  readonly hub: string;
  readonly signingKey: SigningKey;
  /** The centre's receipt key, from the enrolment; it signs commands too. */
  readonly centreKey: VerifyingKey;
  /** The first record that this centre shall have. */
  readonly fromSequence: number;
  readonly pollMs: number;
  readonly link: Pick<LinkOptions, "host" | "port" | "caPem" | "certificatePem" | "privateKeyPem" | "random">;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly time: HubTime;
  /** The newest records, so that they need not be read back; undefined for older ones. */
  recent(sequence: number): StoredRow | undefined;
  /** Verified; it is being stored. */
  onConfirmed(path: string, confirmed: Confirmed): void;
  onChange(path: string, up: boolean, reason: string | null): void;
  log(level: "info" | "warn", event: string, fields: Record<string, unknown>): void;
}

export interface PathView {
  readonly name: string;
  readonly up: boolean;
  readonly complete: number;
  readonly backlog: number;
  readonly inFlight: number;
  readonly lastReceiptMs: number | null;
  readonly counters: Readonly<Record<PathCounter, number>>;
}

export interface Path {
  /** A record has been stored. `urgent`: an alarm, which may overtake. */
  stored(row: StoredRow, urgent: boolean): void;
  view(): PathView;
  close(): Promise<void>;
}

type PathCounter = "sent" | "overtakes" | "receipts" | "refused" | "overdue";

/** Records in one publish. */
const BATCH = 64;
/** Alarms in flight beyond the window. */
const MAX_OVERTAKES = 256;
/** A record without a receipt for so long is sent again. */
const RECEIPT_DUE_MS = 8_000;
const CHECK_MS = 1_000;

export function startPath(options: PathOptions): Path {
  const { name, journal, clock, time } = options;
  const window = createWindow(
    Math.max(journal.cursor(name), options.fromSequence - 1),
    journal.settledBeyond(name),
  );
  const counters: Record<PathCounter, number> = {
    sent: 0,
    overtakes: 0,
    receipts: 0,
    refused: 0,
    overdue: 0,
  };
  const writer = createReceiptWriter(journal, name, clock, (error) =>
    options.log("warn", "relay.receiptNotStored", { path: name, error: String(error) }),
  );
  let pumping = false;
  let lastReceiptMs: number | null = null;
  let overdueSinceMs: number | null = null;
  let closed = false;

  const link: Link = startLink({
    ...options.link,
    hub: options.hub,
    clock,
    onUp() {
      window.restart();
      options.onChange(name, true, null);
      poll();
      wake();
    },
    onDown: (reason) => options.onChange(name, false, reason),
    onMessage: (channel, payload) => inbox.hear(channel, payload, clock.monotonicMs()),
  });
  const resends = createResends({
    journal,
    link,
    isPending: (sequence) => sequence >= window.next || window.sentRecord(sequence) !== undefined,
  });
  const inbox = createInbox({
    hub: options.hub,
    realm: options.realm,
    key: options.centreKey,
    hashOf,
    onConfirmed: confirm,
    onCommand(command) {
      resends.ask(command, journal.head.sequence);
      resends.run();
    },
    onDone: wake,
    onRefused(event, fields) {
      counters.refused++;
      options.log("warn", event, { path: name, ...fields });
    },
  });

  function publish(rows: readonly StoredRow[]): void {
    const sentMs = clock.monotonicMs();
    for (const row of rows) window.sent(row.sequence, { hash: row.hash, sentMs });
    counters.sent += rows.length;
    // A publish that fails ends with its connection; the next one begins again behind the last receipt.
    link.publish("record", joinSequence(rows.map((row) => row.bytes))).catch(() => undefined);
  }

  async function nextRows(limit: number): Promise<readonly StoredRow[]> {
    const rows: StoredRow[] = [];
    for (let at = window.next; rows.length < limit; at++) {
      const row = options.recent(at);
      if (row === undefined) break;
      rows.push(row);
    }
    return rows.length > 0 ? rows : journal.readRows(window.next - 1, limit);
  }

  /** Sends in sequence as long as there is room; one at a time. */
  async function pump(): Promise<void> {
    while (link.isUp && !closed && window.room > 0 && window.next <= journal.head.sequence) {
      const from = window.next;
      const rows = await nextRows(Math.min(BATCH, window.room));
      const last = rows.at(-1);
      if (last === undefined || !link.isUp || closed) return;
      // A new connection has begun while the page was being read: then it begins again.
      if (window.next !== from) continue;
      window.advance(last.sequence);
      const due = rows.filter((row) => window.isDue(row.sequence));
      if (due.length > 0) publish(due);
    }
  }

  function wake(): void {
    if (pumping || closed) return;
    pumping = true;
    // What one commit stored is told record by record; together it becomes one message.
    queueMicrotask(() => {
      pump()
        .catch((error) => options.log("warn", "relay.readFailed", { path: name, error: String(error) }))
        .finally(() => {
          pumping = false;
          if (link.isUp && window.room > 0 && window.next <= journal.head.sequence && !closed)
            setImmediate(wake);
        });
    });
  }

  function confirm(confirmed: Confirmed, receivedMs: number): void {
    const { receipt, sequences, upTo } = confirmed;
    counters.receipts++;
    lastReceiptMs = receivedMs;
    const sent = window.sentRecord(receipt.sequence);
    if (sent !== undefined && receipt.stage === "received") {
      time.centreTime(receipt.centreMs, sent.sentMs, receivedMs);
    }
    for (const sequence of sequences) window.settle(sequence);
    window.settleUpTo(upTo);
    const beyond = sequences.filter((sequence) => sequence > window.complete);
    writer.put(confirmed, window.complete, beyond);
    options.onConfirmed(name, confirmed);
  }

  function hashOf(sequence: number): Promise<string | undefined> | string | undefined {
    const known = window.sentRecord(sequence)?.hash ?? options.recent(sequence)?.hash;
    if (known !== undefined || sequence > journal.head.sequence) return known;
    return journal
      .readRows(sequence - 1, 1)
      .then(([row]) => (row?.sequence === sequence ? row.hash : undefined));
  }

  function poll(): void {
    if (!link.isUp) return;
    const { boot, sequence, hash } = journal.head;
    const stamp = time.stamp();
    const sealed = sealPoll(
      {
        version: 1,
        hub: options.hub,
        boot,
        sequence,
        headHash: hash,
        intervalMs: options.pollMs,
        backlog: Math.max(0, sequence - window.complete),
        ...stamp,
      },
      options.realm,
      options.signingKey,
    );
    link.publish("poll", sealed).catch(() => undefined);
  }

  function checkOverdue(): void {
    const oldestMs = window.oldestMs();
    const nowMs = clock.monotonicMs();
    if (!link.isUp || oldestMs === null || nowMs - oldestMs < RECEIPT_DUE_MS) {
      overdueSinceMs = null;
      return;
    }
    counters.overdue++;
    // First the records again; if that does not help within another term, the connection itself is doubted.
    if (overdueSinceMs === null) {
      overdueSinceMs = nowMs;
      window.restart();
      wake();
    } else {
      overdueSinceMs = null;
      link.renew("no receipts");
    }
  }

  const repeat = (action: () => void, everyMs: number) => {
    const again = () => {
      if (closed) return;
      action();
      clock.setTimer(again, everyMs);
    };
    clock.setTimer(again, everyMs);
  };
  repeat(poll, options.pollMs);
  repeat(checkOverdue, CHECK_MS);

  return {
    stored(row, urgent) {
      if (!link.isUp) return;
      // In a backlog, or behind a centre that does not answer, an alarm does not wait for its turn.
      const waits =
        row.sequence > window.next && (window.room === 0 || options.recent(window.next) === undefined);
      if (urgent && waits && window.inFlight < MAX_IN_FLIGHT + MAX_OVERTAKES && window.isDue(row.sequence)) {
        counters.overtakes++;
        publish([row]);
      }
      wake();
    },
    view() {
      const backlog = Math.max(0, journal.head.sequence - window.complete);
      return {
        name,
        up: link.isUp,
        complete: window.complete,
        backlog,
        inFlight: window.inFlight,
        lastReceiptMs,
        counters,
      };
    },
    async close() {
      closed = true;
      await link.close();
      await inbox.idle();
      await writer.close();
    },
  };
}
