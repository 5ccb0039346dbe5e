/** The embedded engine: SQLite by node:sqlite, synchronous. A worker serves it (serve.ts), a test may use it in its own thread. */
import { DatabaseSync } from "node:sqlite";
import { createChains } from "./chain.ts";
import { bytesOf, hexOf } from "./columns.ts";
import { createEnrolments } from "./hubs.ts";
import type { LedgerCall, LedgerEntry, SyncLedger } from "./ledger.ts";
import { growLog, LOG_BYTES } from "./log-space.ts";
import { unpackMarks } from "./marks.ts";
import { createProjections } from "./projections.ts";
import { prepareSchema } from "./schema.ts";

export interface SqliteLedger {
  readonly calls: SyncLedger;
  /** Runs `work` as one transaction; what it returns is durable. When it throws, or when the disk refuses, nothing is kept. */
  transaction<T>(work: () => T): T;
  /** Runs `work` so that its failure undoes it alone, inside a transaction. */
  nested<T>(work: () => T): T;
  /** Moves the log into the main file once there is enough of it; `full`: only when its room is used up. Slow: call it
   *  when nothing waits, but with `full` from time to time. */
  checkpoint(full?: "full"): void;
  /** Makes a part of the log's room ahead. False when there is no more to make. Slow: call it when nothing waits. */
  makeRoom(): boolean;
  close(): void;
}

/** Pages of 4 KiB in the log before a checkpoint is worth its fsyncs. */
const CHECKPOINT_PAGES = 256;
/** How often to look whether the log's room is used up. */
export const GROUPS_BETWEEN_LOOKS = 32;
const FULL_PAGES = Math.floor(LOG_BYTES / (4096 + 24));

export interface SqliteOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  /** The file may not grow beyond this; then it is full, as a disk is. Absent: as far as the disk goes. */
  readonly maxBytes?: number;
}

/** Opens or makes the ledger. Throws when the file is not a ledger or belongs to a newer version. */
export function openSqliteLedger({ path, maxBytes }: SqliteOptions): SqliteLedger {
  const db = new DatabaseSync(path);
  prepareSchema(db);
  if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / 4096)}`);
  const next = createIndex(db);
  const chains = createChains(db, next.take);
  const logSize = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  const calls: SyncLedger = {
    append: chains.append,
    ...createJournal(db, next),
    ...createRecordReads(db),
    ...createEnrolments(db),
    ...createProjections(db),
  };
  return {
    calls,
    transaction(work) {
      db.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        db.exec("COMMIT");
        return result;
      } catch (error) {
        // SQLite may have rolled back by itself already (disk full)
        if (db.isTransaction) db.exec("ROLLBACK");
        chains.forget();
        throw error;
      }
    },
    nested(work) {
      db.exec("SAVEPOINT call");
      try {
        return work();
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK TO call");
        chains.forget();
        throw error;
      } finally {
        if (db.isTransaction) db.exec("RELEASE call");
      }
    },
    checkpoint(full) {
      const log = logSize.get();
      if (Number(log?.["log"] ?? 0) >= (full ? FULL_PAGES : CHECKPOINT_PAGES)) moveLog(db);
    },
    makeRoom: () => growLog(db, path),
    close: () => db.close(),
  };
}

/** SQLite primary result codes for a disk that refuses: read-only, I/O error, full, cannot open. */
const DISK_CODES: ReadonlySet<number> = new Set([8, 10, 13, 14]);

function moveLog(db: DatabaseSync): void {
  try {
    db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  } catch (error) {
    // no room in the main file: everything stays in the log, where it is as safe, until the next attempt
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
    if (!DISK_CODES.has(code)) throw error;
  }
}

/** True for the calls that change nothing: they need no sync of the disk. */
export function isRead(call: LedgerCall): boolean {
  return READS.has(call);
}

const READS: ReadonlySet<LedgerCall> = new Set<LedgerCall>([
  "entriesAfter",
  "lastIndex",
  "records",
  "equivocations",
  "missing",
  "hubs",
  "undelivered",
  "receiptsOf",
  "quarantined",
  "loadIncidents",
  "loadIncident",
  "actsOf",
]);

interface Index {
  take(): number;
  last(): number;
}

/** The one index over all that happens. A rolled back transaction leaves a hole, never a repetition. */
function createIndex(db: DatabaseSync): Index {
  const tables = ["records", "equivocations", "acts", "facts"];
  const newest = db.prepare(
    `SELECT max(${tables.map((t) => `ifnull((SELECT max(idx) FROM ${t}), 0)`).join(", ")}) AS idx`,
  );
  let last = Number(newest.get()?.["idx"] ?? 0);
  return {
    take: () => {
      last += 1;
      return last;
    },
    last: () => Number(newest.get()?.["idx"] ?? 0),
  };
}

function createJournal(
  db: DatabaseSync,
  next: Index,
): Pick<SyncLedger, "appendAct" | "appendFact" | "entriesAfter" | "lastIndex" | "actsOf"> {
  const actByKey = db.prepare("SELECT idx FROM acts WHERE key = ?");
  const insertAct = db.prepare("INSERT INTO acts VALUES (?, ?, ?, ?)");
  const insertFact = db.prepare("INSERT INTO facts VALUES (?, ?)");
  const actsOf = db.prepare("SELECT idx, json FROM acts WHERE incident = ? ORDER BY idx");
  const entries = db.prepare(`
    SELECT * FROM (
      SELECT idx, 'record' AS type, hub_no, sequence, hash, bytes, received_ms, marks, NULL AS json FROM records WHERE idx > :after
      UNION ALL SELECT idx, 'equivocation', hub_no, sequence, hash, bytes, received_ms, 0, NULL FROM equivocations WHERE idx > :after
      UNION ALL SELECT idx, 'act', NULL, NULL, NULL, NULL, NULL, 0, json FROM acts WHERE idx > :after
      UNION ALL SELECT idx, 'fact', NULL, NULL, NULL, NULL, NULL, 0, json FROM facts WHERE idx > :after
      ORDER BY idx LIMIT :limit
    ) AS e LEFT JOIN (SELECT no, id AS hub FROM hubs) ON no = hub_no ORDER BY idx`);
  return {
    appendAct(incident, key, json) {
      const kept = actByKey.get(key);
      if (kept !== undefined) return { index: Number(kept["idx"]), fresh: false };
      const index = next.take();
      insertAct.run(index, incident, key, json);
      return { index, fresh: true };
    },
    appendFact(json) {
      const index = next.take();
      insertFact.run(index, json);
      return index;
    },
    entriesAfter: (after, limit) => entries.all({ after, limit }).map(entryOf),
    lastIndex: () => next.last(),
    actsOf: (incident) =>
      actsOf.all(incident).map((row) => ({ index: Number(row["idx"]), json: String(row["json"]) })),
  };
}

type Row = Record<string, unknown>;

function entryOf(row: Row): LedgerEntry {
  const index = Number(row["idx"]);
  if (row["type"] === "act") return { type: "act", index, json: String(row["json"]) };
  if (row["type"] === "fact") return { type: "fact", index, json: String(row["json"]) };
  const kept = {
    hub: String(row["hub"]),
    sequence: Number(row["sequence"]),
    hash: hexOf(row["hash"]),
    bytes: bytesOf(row["bytes"]),
    receivedMs: Number(row["received_ms"]),
  };
  if (row["type"] === "equivocation") return { type: "equivocation", index, ...kept };
  return { type: "record", index, ...kept, ...unpackMarks(Number(row["marks"])) };
}

function createRecordReads(db: DatabaseSync): Pick<SyncLedger, "records" | "equivocations" | "missing"> {
  const hubNo = "(SELECT no FROM hubs WHERE id = :hub)";
  const records = db.prepare(
    `SELECT * FROM records WHERE hub_no = ${hubNo} AND sequence BETWEEN :from AND :to ORDER BY sequence LIMIT :limit`,
  );
  const contradictions = db.prepare(
    `SELECT *, 'equivocation' AS type, :hub AS hub FROM equivocations WHERE hub_no = ${hubNo} ORDER BY idx`,
  );
  const extent = db.prepare("SELECT no, contiguous, head FROM hubs WHERE id = ?");
  const gaps = db.prepare(`
    SELECT sequence + 1 AS first, following - 1 AS last
    FROM (SELECT sequence, lead(sequence) OVER (ORDER BY sequence) AS following FROM records WHERE hub_no = ? AND sequence > ?)
    WHERE following > sequence + 1 LIMIT ?`);
  const lowestAbove = db.prepare(
    "SELECT min(sequence) AS lowest FROM records WHERE hub_no = ? AND sequence > ?",
  );
  return {
    records: (hub, from, to, limit) =>
      records.all({ hub, from, to, limit }).map((row) => ({
        hub,
        index: Number(row["idx"]),
        sequence: Number(row["sequence"]),
        hash: hexOf(row["hash"]),
        previous: hexOf(row["previous"]),
        boot: Number(row["boot"]),
        bytes: bytesOf(row["bytes"]),
        receivedMs: Number(row["received_ms"]),
        ...unpackMarks(Number(row["marks"])),
      })),
    equivocations: (hub) =>
      contradictions
        .all({ hub })
        .map(entryOf)
        .filter((entry) => entry.type === "equivocation"),
    missing(hub, limit) {
      const row = extent.get(hub);
      if (row === undefined) return [];
      const [no, contiguous, head] = [Number(row["no"]), Number(row["contiguous"]), Number(row["head"])];
      if (head === contiguous || limit < 1) return [];
      const lowest = Number(lowestAbove.get(no, contiguous)?.["lowest"] ?? head);
      const first: [number, number] = [contiguous + 1, lowest - 1];
      const rest = gaps
        .all(no, contiguous, limit - 1)
        .map((gap): [number, number] => [Number(gap["first"]), Number(gap["last"])]);
      return [first, ...rest];
    },
  };
}
