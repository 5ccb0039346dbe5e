/** Records from the wire to the ledger: verify, parse, commit in groups across all hubs, and only then acknowledge and answer.
 *  While one group is being committed the next one is verified; nothing ever waits to fill a group.                   */
import { codecError, isCodecError } from "../../protocols/device/codec-error.ts";
import { type EventRecord, openEvent } from "../../protocols/event.ts";
import { joinSequence, MAX_SEQUENCE_ITEMS, splitSequence } from "../../protocols/mqtt-topics.ts";
import type { ReceiptResult } from "../../protocols/receipt.ts";
import type { Clock } from "../clock.ts";
import { type Arrival, NOT_PLACED } from "../incidents/incident.ts";
import type { AppendResult, Extent, Ledger, LedgerRecord, Outcome } from "../ledger/ledger.ts";
import type { HubLink, HubSession } from "./hub-link.ts";
import type { Quarantine } from "./quarantine.ts";
import { type Answered, makeReceipts, type ReceiptSigner, signReceipt } from "./receipts.ts";

export interface IntakeOptions {
  readonly ledger: Pick<Ledger, "append">;
  readonly clock: Clock;
  readonly signer: ReceiptSigner;
  readonly quarantine: Quarantine;
  /** A record is durable: the incident that it belongs to, if any. Called in the ledger's order. */
  onArrival(arrival: Arrival): string | null;
  incidentOf(hub: string, sequence: number): string | null;
  /** The ledger's word on how far a hub's chain is here. */
  onExtent(hub: HubLink, extent: Extent): void;
  /** Null when the ledger takes records again. */
  onFault(fault: string | null): void;
  count(name: string): void;
}

export interface Intake {
  /** One MQTT payload. Settles when its PUBACK may go; rejects when nothing of it is to be acknowledged. */
  receive(hub: HubLink, session: HubSession, payload: Uint8Array): Promise<void>;
}

/** A group holds at least one message and ends with the one that reaches this many records. What is not yet in a group is kept
 *  as it came, so that a burst costs its bytes and not its objects. */
const GROUP_RECORDS = 256;
/** One group at the disk, one ready behind it. */
const GROUPS_AT_ONCE = 2;

interface Waiting {
  readonly hub: HubLink;
  readonly session: HubSession;
  readonly payload: Uint8Array;
  settle(error: Error | null): void;
}

interface Opened {
  readonly event: EventRecord;
  readonly record: LedgerRecord;
}

/** One message, opened. `kept` settles when what was wrong in it is in quarantine. */
interface Read {
  readonly waiting: Waiting;
  readonly opened: readonly Opened[];
  readonly kept: readonly Promise<void>[];
}

/** See the top of this file. */
export function createIntake(options: IntakeOptions): Intake {
  const { ledger, clock, signer } = options;
  let queue: Waiting[] = [];
  let next = 0;
  let groups = 0;

  function receive(hub: HubLink, session: HubSession, payload: Uint8Array): Promise<void> {
    return new Promise((resolve, fail) => {
      queue.push({ hub, session, payload, settle: (error) => (error === null ? resolve() : fail(error)) });
      // all packets of one network read are queued before the first group is cut
      if (queue.length - next === 1) queueMicrotask(pump);
    });
  }

  /** The answer is taken by `then` directly, so that arrivals reach the incidents in the order of the ledger's answers. */
  function pump(): void {
    while (groups < GROUPS_AT_ONCE && next < queue.length) {
      const group = takeGroup();
      const records = group.flatMap(({ opened }) => opened.map(({ record }) => record));
      if (records.length === 0) {
        for (const read of group) release(read);
        continue;
      }
      groups += 1;
      ledger.append(records).then(
        (result) => finish(group, result),
        (error: Error) => refuse(group, error),
      );
    }
  }

  function takeGroup(): Read[] {
    const group: Read[] = [];
    let records = 0;
    while (next < queue.length && records < GROUP_RECORDS) {
      const waiting = queue[next];
      next += 1;
      if (waiting === undefined) break;
      const read = readMessage(waiting);
      records += read.opened.length;
      group.push(read);
    }
    if (next === queue.length) {
      queue = [];
      next = 0;
    }
    return group;
  }

  function readMessage(waiting: Waiting): Read {
    const { hub, payload } = waiting;
    const opened: Opened[] = [];
    const kept: Promise<void>[] = [];
    const orReject = (bytes: Uint8Array, work: () => void) => {
      try {
        work();
      } catch (error) {
        kept.push(reject(hub, bytes, error));
      }
    };
    orReject(payload, () => {
      for (const item of splitSequence(payload)) orReject(item, () => opened.push(open(hub, item)));
    });
    return { waiting, opened, kept };
  }

  function open(hub: HubLink, item: Uint8Array): Opened {
    const { event, hash } = openEvent(item, signer.realm, (kid) =>
      kid === hub.key.kid ? hub.key : undefined,
    );
    if (event.hub !== hub.id)
      throw codecError("foreign", `event: of hub ${event.hub}, by the key of hub ${hub.id}`);
    const receivedMs = clock.wallMs();
    const badTime = hub.time.isBad(event, receivedMs);
    const { sequence, previous, boot } = event;
    // a copy of its own: a view would carry the whole network buffer behind it to the ledger's thread
    const record = { hub: hub.id, sequence, hash, previous, boot, bytes: item.slice(), receivedMs, badTime };
    return { event, record };
  }

  function reject(hub: HubLink, bytes: Uint8Array, error: unknown): Promise<void> {
    if (!isCodecError(error)) throw error;
    options.count("quarantined");
    const item = { atMs: clock.wallMs(), hub: hub.id, code: error.code, message: error.message, bytes };
    return options.quarantine.put(item, clock.monotonicMs());
  }

  function release({ waiting, kept }: Read): void {
    if (kept.length === 0) waiting.settle(null);
    else Promise.all(kept).then(() => waiting.settle(null), waiting.settle);
  }

  function refuse(group: readonly Read[], error: Error): void {
    groups -= 1;
    options.onFault(error.message);
    for (const { waiting } of group) waiting.settle(error);
    pump();
  }

  function finish(group: readonly Read[], { outcomes, extents }: AppendResult): void {
    groups -= 1;
    options.onFault(null);
    const answers = new Map<HubSession, { hub: HubLink; answered: Answered[] }>();
    let at = 0;
    for (const { waiting, opened } of group) {
      const own = answers.get(waiting.session) ?? { hub: waiting.hub, answered: [] };
      answers.set(waiting.session, own);
      for (const one of opened) {
        const outcome = outcomes[at];
        at += 1;
        if (outcome !== undefined) own.answered.push(settleOne(one, outcome));
      }
    }
    for (const [session, { hub, answered }] of answers) {
      // under load a receipt takes the PUBACK of its records along
      if (group.length > 1) session.gather();
      const extent = extents[hub.id] ?? hub.extent;
      answer(hub, session, answered, extent);
      options.onExtent(hub, extent);
    }
    for (const read of group) release(read);
    pump();
  }

  function settleOne({ event, record }: Opened, outcome: Outcome): Answered {
    options.count(outcome.type);
    const { index } = outcome;
    const { sequence, hash, badTime } = record;
    const named = { sequence, recordHash: hash, ledgerIndex: index };
    if (outcome.type === "duplicate") {
      const incident = options.incidentOf(record.hub, sequence);
      return { ...named, result: "duplicate", incident, equivocation: false };
    }
    const equivocation = outcome.type === "equivocation";
    const placement = equivocation ? NOT_PLACED : outcome.placement;
    const receivedMs = equivocation ? outcome.receivedMs : record.receivedMs;
    const isNew = !equivocation || !outcome.known;
    const incident = isNew
      ? options.onArrival({ index, event, hash, receivedMs, placement, badTime, equivocation })
      : null;
    const result: ReceiptResult = placement.afterGap
      ? "storedAfterGap"
      : badTime
        ? "storedBadTime"
        : "stored";
    return { ...named, result, incident, equivocation };
  }

  function answer(hub: HubLink, session: HubSession, answered: readonly Answered[], extent: Extent): void {
    const receipts = makeReceipts(hub.id, answered, extent, session, clock.wallMs());
    for (let at = 0; at < receipts.length; at += MAX_SEQUENCE_ITEMS) {
      const signed = receipts
        .slice(at, at + MAX_SEQUENCE_ITEMS)
        .map((receipt) => signReceipt(receipt, signer));
      session.send("receipt", joinSequence(signed));
    }
  }

  return { receive };
}
