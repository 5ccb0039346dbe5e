/** The hub's memory: the signed chain of records, device sessions, receipts. What every host of it promises; the
 *  suite test/hub/journal/contract.ts checks it on each. */

import type { Mode } from "../../protocols/device/report.ts";
import type { Stage } from "../../protocols/device/stage.ts";
import type { EventRecord } from "../../protocols/event.ts";
import type { EventKind } from "../../protocols/hub-kinds.ts";
import type { DeviceRow, LorawanStore } from "../lorawan/store.ts";

/** An event before it has its place in the chain: what the journal adds is left out. */
export type EventDraft = Omit<
  EventRecord,
  "version" | "hub" | "boot" | "sequence" | "previous" | "time" | "monotonicMs" | "configHash"
>;

/** When the hub says something happened; from hub/time.ts. */
export type Stamp = Pick<EventRecord, "time" | "monotonicMs">;

/** A place in the chain. Sequence 0 with the enrolment's hash is the chain before its first record. */
export interface Head {
  /** +1 each time the journal is opened, on disk before its first use. */
  readonly boot: number;
  readonly sequence: number;
  /** SHA-256 of the newest record, 64 hex characters. */
  readonly hash: string;
}

export interface StoredRow {
  readonly sequence: number;
  /** SHA-256 of `bytes`, 64 hex characters. */
  readonly hash: string;
  /** The signed record, a COSE_Sign1. */
  readonly bytes: Uint8Array;
}

export interface StoredRecord extends StoredRow {
  readonly event: EventRecord;
}

/** FCntUp of the uplink that caused an append, stored in the same transaction. */
export interface UplinkCounter {
  readonly devEui: string;
  readonly fCntUp: number;
}

/** What ingest knows of a device besides its events; stored with the append that changed it. */
export interface DeviceMemory {
  readonly devEui: string;
  /** Highest event number heard of, 0-65535. */
  readonly highest: number;
  /** Flags of the last journalled report, as `flagsOf` in hub/ingest packs them. */
  readonly flags: number;
}

/** What a device's event goes by. A number comes again after 65536 events, or when a device has lost its memory. */
export interface EventName {
  readonly devEui: string;
  readonly eventNumber: number;
  readonly kind: EventKind;
  readonly mode: Mode;
}

/** One of a device's latest events. At most one per number modulo 32, kind and mode is remembered. */
export interface RememberedEvent extends EventName {
  readonly sequence: number;
  readonly stage: Stage;
}

export interface StoredReceipt {
  readonly path: string;
  readonly sequence: number;
  /** The signed receipt, a COSE_Sign1. */
  readonly bytes: Uint8Array;
}

export interface BatchedReceipt {
  readonly sequence: number;
  readonly stage: Stage;
  /** Every record up to here is proven by this receipt to be at the centre. */
  readonly upTo: number;
  readonly bytes: Uint8Array;
}

/** Verified receipts of one path and what they settle. */
export interface ReceiptBatch {
  readonly path: string;
  readonly receipts: readonly BatchedReceipt[];
  /** Every record up to here is settled on this path. Never moves back. */
  readonly complete: number;
  /** Settled records beyond `complete`. */
  readonly beyond: readonly number[];
}

/** What an append changes at a polled point: conditions that begin and end with it. */
export interface PointChange {
  /** 16 hex digits. */
  readonly point: string;
  /** Event number of the newest record about it. */
  readonly lastNumber: number;
  /** `draft`: which of the append's drafts says so. */
  readonly raised: readonly { readonly name: string; readonly kind: EventKind; readonly draft: number }[];
  readonly ended: readonly string[];
}

/** What stands at a polled point. `sequence`: the record that said so. */
export interface PointMemory extends Pick<PointChange, "point" | "lastNumber"> {
  readonly open: readonly { readonly name: string; readonly kind: EventKind; readonly sequence: number }[];
}

/** What the hub has set or wishes to set at a device, as JSON. */
export interface SettingRow {
  readonly devEui: string;
  readonly facts: string;
}

export interface AppendOptions {
  readonly counter?: UplinkCounter;
  readonly setting?: SettingRow;
  readonly memory?: DeviceMemory;
  readonly points?: readonly PointChange[];
}

export interface Journal extends LorawanStore, AsyncDisposable {
  readonly head: Head;

  /** What the check of the chain's newest records found at opening; empty when they are sound. */
  readonly damage: readonly string[];

  /** Signs, chains and stores one event, with the counter, in one transaction. Settles when it is on stable storage.
   *  Rejects with DiskRefused when the disk does not take it: then no reader will ever see it and its sequence is free. */
  append(draft: EventDraft, counter?: UplinkCounter): Promise<StoredRecord>;

  /** Several events in a row, all or none. */
  appendAll(drafts: readonly EventDraft[], options?: AppendOptions): Promise<StoredRecord[]>;

  /** Calls `listener` for each record once it is on stable storage, in sequence. Returns the way to stop it. */
  onStored(listener: (record: StoredRecord) => void): () => void;

  /** Records after sequence `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): Promise<StoredRecord[]>;

  /** Like `read` without opening the signed bytes. */
  readRows(after: number, limit: number): Promise<StoredRow[]>;

  /** Undefined where there is no such record. */
  record(sequence: number): Promise<StoredRecord | undefined>;

  /** Settles when receipts, stages and progress are on stable storage. */
  putReceipts(batch: ReceiptBatch): Promise<void>;

  /** Calls `listener` when a batch of receipts is on stable storage. Returns the way to stop it. */
  onReceipts(listener: (batch: ReceiptBatch) => void): () => void;

  /** Devices added together or not at all. */
  saveDevices(rows: readonly DeviceRow[]): Promise<void>;

  /** Every record up to here is settled on this path; 0 for a path without receipts. */
  cursor(path: string): number;

  /** Settled records beyond the cursor, ascending. */
  settledBeyond(path: string): readonly number[];

  /** The receipts that name this record, or the first one whose `complete` covered it. */
  receipts(sequence: number): Promise<StoredReceipt[]>;

  /** The newest event of this name among the device's last thousand; undefined when there is none. */
  heard(name: EventName): Promise<RememberedEvent | undefined>;

  /** What stands at the points that the hub polls. */
  points(): Promise<PointMemory[]>;

  /** What was set at devices. */
  settings(): Promise<SettingRow[]>;

  /** What ingest needs to go on after a restart. */
  memories(): Promise<{ devices: DeviceMemory[]; events: RememberedEvent[] }>;

  /** Makes counters that were stored lazily durable now. */
  flush(): Promise<void>;
}
