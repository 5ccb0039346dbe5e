/** The journal's synchronous heart over one SQLite file. A batch of operations is one transaction: all of it is on
 *  stable storage, or none of it has happened. Hosted by a worker thread (host.ts) or in-thread for virtual time. */
import type { DatabaseSync } from "node:sqlite";
import { createSigningKey } from "../../protocols/signature.ts";
import type { DeviceRow, JoinCommit } from "../lorawan/store.ts";
import { type ChainIdentity, type StampedDraft, sealNext } from "./chain.ts";
import { type CounterChange, createDeviceTables } from "./devices.ts";
import { asDiskRefused, DiskRefused } from "./disk.ts";
import { createEventTables } from "./events.ts";
import type { AppendOptions, EventName, Head, ReceiptBatch, StoredRow } from "./journal.ts";
import { growLog, LOG_BYTES } from "./log-space.ts";
import { createPointTables } from "./points.ts";
import { createReceiptTables, type PathProgress } from "./receipts.ts";
import { openDatabase } from "./schema.ts";
import { createSettingTables } from "./settings.ts";
import { checkTail } from "./tail.ts";

export interface StoreOptions extends ChainIdentity {
  /** File, or ":memory:". */
  readonly path: string;
  /** SHA-256 of the sealed enrolment: what record 1 names as its previous. 64 hex characters. */
  readonly genesis: string;
  readonly privateKeyPem: string;
}

/** Changes something. Settles durably. */
export type WriteOperation =
  | { readonly op: "append"; readonly drafts: readonly StampedDraft[]; readonly options: AppendOptions }
  | { readonly op: "counters"; readonly changes: readonly CounterChange[]; readonly dutyCycle: string | null }
  | { readonly op: "saveDevices"; readonly rows: readonly DeviceRow[] }
  | { readonly op: "removeDevice" | "switchSession"; readonly devEui: string }
  | { readonly op: "commitJoin"; readonly devEui: string; readonly join: JoinCommit }
  | { readonly op: "reserveFCntDown"; readonly devEui: string; readonly firstUnreserved: number }
  | { readonly op: "putReceipts"; readonly batch: ReceiptBatch };

/** Sees committed data only. */
export type ReadOperation =
  | { readonly op: "rows"; readonly after: number; readonly limit: number }
  | { readonly op: "receipts"; readonly sequence: number }
  | { readonly op: "heard"; readonly name: EventName }
  | { readonly op: "loadDevices"; readonly after: string; readonly limit: number }
  | { readonly op: "loadDutyCycle" | "memories" | "points" | "settings" };

export type Operation = WriteOperation | ReadOperation;
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

export interface HubStore {
  readonly head: Head;
  readonly damage: readonly string[];
  readonly progress: ReadonlyMap<string, PathProgress>;
  /** One transaction for all writes, then the reads. Never throws: each operation has its outcome. */
  run(operations: readonly Operation[]): Outcome[];
  /** Moves the log into the main file once there is enough of it; `full`: only when its room is used up. Slow: call it
   *  when nothing waits, but with `full` from time to time. */
  checkpoint(full?: "full"): void;
  /** Makes a part of the log's room ahead. False when there is no more to make. Slow: call it when nothing waits. */
  makeRoom(): boolean;
  /** Lets the file grow to so many pages of 4 KiB at most: a quota, beyond which the store refuses as a full disk does. */
  limitPages(pages: number): void;
  close(): void;
}

/** Pages of 4 KiB in the log before a checkpoint is worth its fsyncs. */
const CHECKPOINT_PAGES = 256;
const FULL_PAGES = Math.floor(LOG_BYTES / (4096 + 24));
const READS: ReadonlySet<Operation["op"]> = new Set([
  "rows",
  "receipts",
  "heard",
  "loadDevices",
  "loadDutyCycle",
  "memories",
  "points",
  "settings",
]);

/** Opens or creates the journal and takes the next boot number. Throws when the file belongs to another hub or realm. */
export function openStore(options: StoreOptions): HubStore {
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(options.path);
    return createStore(database, options);
  } catch (error) {
    if (database?.isOpen) database.close();
    throw asDiskRefused(error);
  }
}

function createStore(database: DatabaseSync, options: StoreOptions): HubStore {
  const key = createSigningKey(options.privateKeyPem);
  const boot = beginBoot(database, options);
  const tail = checkTail(database, { ...options, publicKey: key.publicKey, alg: key.alg });
  const tables = {
    devices: createDeviceTables(database),
    events: createEventTables(database),
    points: createPointTables(database),
    settings: createSettingTables(database),
    receipts: createReceiptTables(database),
  };
  const insert = database.prepare("INSERT INTO record VALUES (?, ?, ?)");
  const rows = database.prepare("SELECT * FROM record WHERE sequence > ? ORDER BY sequence LIMIT ?");
  const putMeta = database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
  const logSize = database.prepare("PRAGMA wal_checkpoint(NOOP)");
  let head: Head = { boot, sequence: tail.sequence, hash: tail.hash };

  function append(
    drafts: readonly StampedDraft[],
    { counter, memory, setting, points = [] }: AppendOptions,
  ): StoredRow[] {
    const sealed: StoredRow[] = [];
    const first = head.sequence + 1;
    let next = head;
    // Everything is sealed before anything is written, so that a draft no record can hold fails alone.
    for (const draft of drafts) {
      const record = sealNext(options, next, draft, key);
      sealed.push(record);
      next = { boot, sequence: record.sequence, hash: record.hash };
    }
    head = next;
    for (const [index, { sequence, hash, bytes }] of sealed.entries()) {
      insert.run(sequence, Buffer.from(hash, "hex"), bytes);
      const draft = drafts[index]?.draft;
      if (draft !== undefined) tables.events.remember(draft, sequence);
    }
    if (counter !== undefined) tables.devices.advance(counter);
    if (memory !== undefined) tables.events.saveMemory(memory);
    if (setting !== undefined) tables.settings.save(setting);
    for (const change of points) tables.points.change(change, (draft) => first + draft);
    return sealed;
  }

  function write(operation: WriteOperation): unknown {
    switch (operation.op) {
      case "append":
        return append(operation.drafts, operation.options);
      case "counters":
        for (const change of operation.changes) tables.devices.saveCounters(change);
        if (operation.dutyCycle !== null) putMeta.run("dutyCycle", operation.dutyCycle);
        return null;
      case "saveDevices":
        for (const row of operation.rows) tables.devices.saveDevice(row);
        return null;
      case "removeDevice":
        tables.settings.remove(operation.devEui);
        return tables.devices.removeDevice(operation.devEui);
      case "switchSession":
        return tables.devices.switchSession(operation.devEui);
      case "commitJoin":
        return tables.devices.commitJoin(operation.devEui, operation.join);
      case "reserveFCntDown":
        return tables.devices.reserveFCntDown(operation.devEui, operation.firstUnreserved);
      case "putReceipts":
        for (const { sequence, stage } of operation.batch.receipts) tables.events.raise(sequence, stage);
        return tables.receipts.put(operation.batch);
    }
  }

  function read(operation: ReadOperation): unknown {
    switch (operation.op) {
      case "rows":
        return rows.all(operation.after, operation.limit).map(readRow);
      case "receipts":
        return tables.receipts.of(operation.sequence);
      case "loadDevices":
        return tables.devices.load(operation.after, operation.limit);
      case "loadDutyCycle":
        return readMeta(database, "dutyCycle");
      case "heard":
        return tables.events.heard(operation.name);
      case "memories":
        return tables.events.load();
      case "points":
        return tables.points.load();
      case "settings":
        return tables.settings.load();
    }
  }

  /** The head moves only if the commit succeeds, so a refused sequence is neither burnt nor given twice. */
  function transact(operations: readonly WriteOperation[]): Outcome[] {
    const before = head;
    try {
      database.exec("BEGIN IMMEDIATE");
      const outcomes = operations.map((operation) => attemptAlone(() => write(operation)));
      database.exec("COMMIT");
      return outcomes;
    } catch (error) {
      head = before;
      // On a full disk SQLite may have rolled back by itself.
      if (database.isTransaction) database.exec("ROLLBACK");
      const refused = asDiskRefused(error);
      return operations.map(() => ({ ok: false, error: refused }));
    }
  }

  return {
    get head() {
      return head;
    },
    damage: tail.damage,
    progress: tables.receipts.progress(),
    run(operations) {
      const writes = operations.filter((o): o is WriteOperation => !READS.has(o.op));
      const written = writes.length === 0 ? [] : transact(writes);
      let next = 0;
      return operations.map((o) => {
        if (READS.has(o.op)) return attempt(() => read(o as ReadOperation));
        return written[next++] ?? { ok: false, error: new Error("journal: an operation without an outcome") };
      });
    },
    checkpoint(full) {
      const log = logSize.get();
      if (Number(log?.["log"] ?? 0) < (full ? FULL_PAGES : CHECKPOINT_PAGES)) return;
      try {
        database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch (error) {
        // No room in the main file: everything stays in the log, where it is as safe, until the next attempt.
        if (!(asDiskRefused(error) instanceof DiskRefused)) throw error;
      }
    },
    makeRoom: () => growLog(database, options.path),
    limitPages: (pages) => database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.trunc(pages))}`),
    close: () => database.close(),
  };
}

/** The operation's own mistakes fail it alone; what SQLite says fails the whole transaction. */
function attemptAlone(action: () => unknown): Outcome {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    if (error instanceof Error && "errcode" in error) throw error;
    return { ok: false, error };
  }
}

function attempt(action: () => unknown): Outcome {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, error: asDiskRefused(error) };
  }
}

function readRow(row: Record<string, unknown>): StoredRow {
  return {
    sequence: Number(row["sequence"]),
    hash: Buffer.from(row["hash"] as Uint8Array).toString("hex"),
    bytes: row["bytes"] as Uint8Array,
  };
}

function readMeta(database: DatabaseSync, name: string): string | null {
  const value = database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.["value"];
  return value === undefined ? null : String(value);
}

/** Checks that the file is this hub's and makes the boot number durable before anything is signed with it. */
function beginBoot(database: DatabaseSync, options: StoreOptions): number {
  const put = database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const name of ["hub", "realm", "genesis"] as const) {
      const known = readMeta(database, name);
      if (known === null) put.run(name, options[name]);
      else if (known !== options[name]) {
        throw new Error(
          `${options.path}: this journal's ${name} is ${known}, the hub's is ${options[name]}; ` +
            "move the journal away to start a new chain, or put the hub's own enrolment back",
        );
      }
    }
    const boot = Number(readMeta(database, "boot") ?? 0) + 1;
    put.run("boot", boot);
    database.exec("COMMIT");
    return boot;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
