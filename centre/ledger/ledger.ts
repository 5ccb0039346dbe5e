/** The centre's memory: one strictly increasing index over everything that happened (records, acts, facts), and the tables
 *  that answer for it. What settles here is on stable storage; a rejection means that nothing of that call is, and that no
 *  later reader sees it. test/centre/ledger-contract.ts checks these promises on every engine.                          */

/** A record whose signature was verified and whose payload was understood. */
export interface LedgerRecord {
  /** Key id of the hub, 16 hex. */
  readonly hub: string;
  readonly sequence: number;
  /** SHA-256 of the whole COSE_Sign1, 64 hex. */
  readonly hash: string;
  /** What the record says about its predecessor, 64 hex. */
  readonly previous: string;
  readonly boot: number;
  /** The COSE_Sign1 as it came. */
  readonly bytes: Uint8Array;
  /** The centre's wall clock at arrival. */
  readonly receivedMs: number;
  /** The hub's clock cannot be believed for this record. */
  readonly badTime: boolean;
}

/** What a record's place in its hub's chain says about it. */
export interface Placement {
  /** Its predecessor was not here when it was stored. */
  readonly afterGap: boolean;
  /** "pending": the predecessor is not here yet. "broken": it is, and its hash is not the one this record names. */
  readonly chain: "linked" | "broken" | "pending";
  /** Against the predecessor; "back": a boot number that was lower, which no honest hub writes. */
  readonly boot: "same" | "restart" | "back";
  /** What storing it proved about a successor that was waiting for it; null when none was. */
  readonly successor: "linked" | "broken" | null;
}

export type Outcome =
  | { readonly type: "stored"; readonly index: number; readonly placement: Placement }
  /** This very record is here already: `index` and `receivedMs` are the first one's. */
  | { readonly type: "duplicate"; readonly index: number; readonly receivedMs: number }
  /** Another record has this place. Both are kept; `known` when this contradiction was kept before. */
  | {
      readonly type: "equivocation";
      readonly index: number;
      readonly receivedMs: number;
      readonly known: boolean;
    };

/** How far a hub's chain is here. */
export interface Extent {
  /** Records 1..complete are all here, each naming the hash of the one before: one history. A broken link ends it for good. */
  readonly complete: number;
  /** Records 1..contiguous are all here. */
  readonly contiguous: number;
  /** The highest sequence that is here. */
  readonly head: number;
}

export interface AppendResult {
  /** In the order of the records. */
  readonly outcomes: readonly Outcome[];
  /** Of every hub in the call, after the last record. */
  readonly extents: Readonly<Record<string, Extent>>;
}

export interface HubRow {
  readonly id: string;
  readonly name: string;
  /** Hex, raw. */
  readonly publicKey: string;
  readonly alg: -19 | -9;
  /** SHA-256 of its TLS certificate's DER, hex. */
  readonly tlsFingerprint: string;
  /** The sealed enrolment: genesis of its chain. */
  readonly enrolment: Uint8Array;
  readonly enrolledMs: number;
  readonly revokedMs: number | null;
  /** What it last promised in a poll; null before the first one. */
  readonly pollIntervalMs: number | null;
  readonly extent: Extent;
}

export type NewHub = Pick<
  HubRow,
  "id" | "name" | "publicKey" | "alg" | "tlsFingerprint" | "enrolment" | "enrolledMs"
>;

/** "ok" carries the enrolment that counts: the first one when the same hub enrols again. */
export type EnrolResult =
  | { readonly type: "ok"; readonly enrolment: Uint8Array }
  | { readonly type: "unknown" | "expired" | "used" | "revoked" };

/** A stage beyond "received" for one record, to be delivered to its hub. */
export interface StageReceipt {
  readonly hub: string;
  readonly sequence: number;
  /** Index in the ladder of protocols/device/stage.ts: a higher one supersedes a lower one. */
  readonly rank: number;
  readonly bytes: Uint8Array;
}

/** Something that could not be taken as a record. Kept to be looked at, never acted on. */
export interface Quarantined {
  readonly atMs: number;
  /** The hub on whose connection it came. */
  readonly hub: string;
  /** A CodecError's code, or "foreign" for another hub's record. */
  readonly code: string;
  readonly message: string;
  /** Its first bytes. */
  readonly bytes: Uint8Array;
}

/** One line of the ledger, as it is replayed. `json` is what the caller appended. */
export type LedgerEntry =
  | ({ readonly type: "record"; readonly index: number; readonly placement: Placement } & Omit<
      LedgerRecord,
      "previous" | "boot"
    >)
  | ({ readonly type: "equivocation"; readonly index: number } & Pick<
      LedgerRecord,
      "hub" | "sequence" | "hash" | "bytes" | "receivedMs"
    >)
  | { readonly type: "act"; readonly index: number; readonly json: string }
  | { readonly type: "fact"; readonly index: number; readonly json: string };

/** The incidents as they were after the entry `upTo`: a shortcut for the replay, never the truth. */
export interface IncidentRow {
  readonly id: string;
  readonly open: boolean;
  readonly json: string;
}

export interface StoredReceipt extends StageReceipt {
  readonly deliveredMs: number | null;
}

export interface Ledger extends AsyncDisposable {
  /** Stores records once each: (hub, sequence) is unique for ever. Throws for a hub that is not enrolled. */
  append(records: readonly LedgerRecord[]): Promise<AppendResult>;
  /** An operator's act, once for each key: the same key again answers the first one's index with `fresh` false. */
  appendAct(incident: string, key: string, json: string): Promise<{ index: number; fresh: boolean }>;
  /** Something the centre itself found out. */
  appendFact(json: string): Promise<number>;
  /** Entries with an index above `after`, in order. */
  entriesAfter(after: number, limit: number): Promise<LedgerEntry[]>;
  /** Index of the newest entry; 0 when there is none. */
  lastIndex(): Promise<number>;
  /** Stored records of a hub, `from` to `to` inclusive, in order of sequence. */
  records(
    hub: string,
    from: number,
    to: number,
    limit: number,
  ): Promise<(LedgerRecord & { index: number; placement: Placement })[]>;
  /** The records that stand against another one of the same place. */
  equivocations(hub: string): Promise<(LedgerEntry & { type: "equivocation" })[]>;
  /** What a hub has not delivered below its highest known sequence: ranges, both ends included, at most `limit`. */
  missing(hub: string, limit: number): Promise<[from: number, to: number][]>;

  hubs(): Promise<HubRow[]>;
  revokeHub(id: string, atMs: number): Promise<boolean>;
  setPollInterval(id: string, intervalMs: number): Promise<void>;
  /** An invitation, by the SHA-256 (hex) of its secret. */
  addInvite(secretHash: string, expiresMs: number): Promise<void>;
  /** Consumes the invitation and registers the hub, both or neither. The hub that consumed it may ask again until it
   *  expires (its answer may have been lost on the way); nobody else may. */
  enrol(secretHash: string, nowMs: number, hub: NewHub): Promise<EnrolResult>;

  /** Each (hub, sequence, rank) once; a second one with the same place is ignored. */
  putReceipts(receipts: readonly StageReceipt[]): Promise<void>;
  /** For each of the hub's records with an undelivered stage, the highest one. */
  undelivered(hub: string): Promise<StageReceipt[]>;
  /** The hub has acknowledged these, and with each all lower ranks of the same record. */
  delivered(receipts: readonly Omit<StageReceipt, "bytes">[], atMs: number): Promise<void>;
  receiptsOf(hub: string, sequences: readonly number[]): Promise<StoredReceipt[]>;

  /** Keeps the newest `limit`. */
  quarantine(item: Quarantined, limit: number): Promise<void>;
  /** Newest first. */
  quarantined(limit: number): Promise<Quarantined[]>;

  saveIncidents(upTo: number, rows: readonly IncidentRow[]): Promise<void>;
  /** All open incidents and the `closedLimit` closed last. */
  loadIncidents(closedLimit: number): Promise<{ upTo: number; rows: IncidentRow[] }>;
  loadIncident(id: string): Promise<IncidentRow | undefined>;
  /** Acts on one incident, in their order. */
  actsOf(incident: string): Promise<{ index: number; json: string }[]>;
}

/** The same promises, kept without waiting: what an embedded engine implements and a worker serves. */
export type SyncLedger = {
  [K in Exclude<keyof Ledger, typeof Symbol.asyncDispose>]: Ledger[K] extends (
    ...args: infer A
  ) => Promise<infer R>
    ? (...args: A) => R
    : never;
};

export type LedgerCall = keyof SyncLedger;

export const LEDGER_CALLS = [
  "append",
  "appendAct",
  "appendFact",
  "entriesAfter",
  "lastIndex",
  "records",
  "equivocations",
  "missing",
  "hubs",
  "revokeHub",
  "setPollInterval",
  "addInvite",
  "enrol",
  "putReceipts",
  "undelivered",
  "delivered",
  "receiptsOf",
  "quarantine",
  "quarantined",
  "saveIncidents",
  "loadIncidents",
  "loadIncident",
  "actsOf",
] as const satisfies readonly LedgerCall[];
