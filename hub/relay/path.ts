/** One path to one centre: sends every record in sequence, lets a new alarm overtake a backlog, and keeps at it until the
 *  centre's receipt for the record has been verified. The backlog lies in the journal and is read in pages. */

import { sealPoll } from "../../protocols/poll.ts";
import type { SigningKey, VerifyingKey } from "../../protocols/signature.ts";
import type { Clock } from "../clock.ts";
import { every } from "../every.ts";
import type { Journal, StoredRow } from "../journal/journal.ts";
import type { HubTime } from "../time.ts";
import { createInbox } from "./inbox.ts";
import { type Link, type LinkOptions, startLink } from "./link.ts";
import { createOverdue } from "./overdue.ts";
import type { Confirmed } from "./receipt-check.ts";
import { createReceiptWriter } from "./receipt-writer.ts";
import { createResends } from "./resends.ts";
import { createSender } from "./sender.ts";
import { createWindow } from "./window.ts";

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
  /** The centre takes records and has answered none for `forMs`. Once per outage. */
  onReceiptLost(path: string, forMs: number): void;
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

const CHECK_MS = 1_000;

export function startPath(options: PathOptions): Path {
  const { name, journal, clock, time } = options;
  const window = createWindow(
    Math.max(journal.cursor(name), options.fromSequence - 1),
    journal.settledBeyond(name),
  );
  const counters = { receipts: 0, refused: 0 };
  const writer = createReceiptWriter(journal, name, clock, (error) =>
    options.log("warn", "relay.receiptNotStored", { path: name, error: String(error) }),
  );
  let lastReceiptMs: number | null = null;

  const link: Link = startLink({
    ...options.link,
    hub: options.hub,
    clock,
    onUp() {
      window.restart();
      options.onChange(name, true, null);
      poll();
      sender.wake();
    },
    onDown: (reason) => options.onChange(name, false, reason),
    onMessage: (channel, payload) => inbox.hear(channel, payload, clock.monotonicMs()),
  });
  const sender = createSender({
    window,
    link,
    journal,
    clock,
    recent: options.recent,
    onTrouble: (error) => options.log("warn", "relay.readFailed", { path: name, error: String(error) }),
  });
  const overdue = createOverdue({
    oldestMs: window.oldestMs,
    sendAgain() {
      window.restart();
      sender.wake();
    },
    renew: () => link.renew("no receipts"),
    tell: (forMs) => options.onReceiptLost(name, forMs),
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
    onDone: () => sender.wake(),
    onRefused(event, fields) {
      counters.refused++;
      options.log("warn", event, { path: name, ...fields });
    },
  });

  function confirm(confirmed: Confirmed, receivedMs: number): void {
    const { receipt, sequences, upTo } = confirmed;
    counters.receipts++;
    overdue.answered();
    lastReceiptMs = receivedMs;
    const sent = window.sentRecord(receipt.sequence);
    if (sent !== undefined && receipt.stage === "received") {
      time.centreTime(receipt.centreMs, sent.sentMs, receivedMs);
    }
    for (const sequence of sequences) window.settle(sequence);
    window.settleUpTo(upTo);
    const beyond = sequences.filter((sequence) => sequence > window.complete);
    writer.put(confirmed, window.complete, beyond);
    // what it raises is told while the journal's thread is at work already
    queueMicrotask(() => options.onConfirmed(name, confirmed));
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

  const stops = [
    every(clock, options.pollMs, poll),
    every(clock, CHECK_MS, () => {
      if (link.isUp) overdue.check(clock.monotonicMs());
    }),
  ];

  return {
    stored(row, urgent) {
      if (!link.isUp) return;
      if (urgent) sender.overtake(row);
      sender.wake();
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
        counters: { ...sender.counters, ...counters, overdue: overdue.count },
      };
    },
    async close() {
      for (const stop of stops) stop();
      sender.stop();
      await link.close();
      await inbox.idle();
      await writer.close();
    },
  };
}
