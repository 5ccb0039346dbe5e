/** Receipts and what they settle, per path. Inside its caller's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { ReceiptBatch, StoredReceipt } from "./journal.ts";

export interface PathProgress {
  complete: number;
  /** Ascending, all beyond `complete`. */
  beyond: number[];
}

export function createReceiptTables(database: DatabaseSync) {
  const putReceipt = database.prepare(
    "INSERT INTO receipt (path, sequence, up_to, bytes) VALUES (?, ?, ?, ?)",
  );
  const putCursor = database.prepare(
    "INSERT INTO cursor VALUES (?1, ?2) ON CONFLICT DO UPDATE SET complete = ?2 WHERE complete < ?2",
  );
  const putSettled = database.prepare("INSERT OR IGNORE INTO settled VALUES (?, ?)");
  const dropSettled = database.prepare("DELETE FROM settled WHERE path = ? AND sequence <= ?");
  const naming = database.prepare("SELECT path, sequence, bytes FROM receipt WHERE sequence = ? ORDER BY id");
  const covering = database.prepare(
    "SELECT path, sequence, bytes FROM receipt WHERE sequence > ?1 AND up_to >= ?1 ORDER BY sequence, id LIMIT 1",
  );

  return {
    put(batch: ReceiptBatch): void {
      for (const { sequence, upTo, bytes } of batch.receipts)
        putReceipt.run(batch.path, sequence, upTo, bytes);
      putCursor.run(batch.path, batch.complete);
      for (const sequence of batch.beyond) putSettled.run(batch.path, sequence);
      dropSettled.run(batch.path, batch.complete);
    },
    /** Receipts that name the record; failing that the one whose `complete` reached over it. */
    of(sequence: number): StoredReceipt[] {
      const named = naming.all(sequence);
      return (named.length > 0 ? named : covering.all(sequence)).map((row) => ({
        path: String(row["path"]),
        sequence: Number(row["sequence"]),
        bytes: row["bytes"] as Uint8Array,
      }));
    },
    progress(): Map<string, PathProgress> {
      const paths = new Map<string, PathProgress>();
      for (const row of database.prepare("SELECT * FROM cursor").iterate()) {
        paths.set(String(row["path"]), { complete: Number(row["complete"]), beyond: [] });
      }
      for (const row of database.prepare("SELECT * FROM settled ORDER BY sequence").iterate()) {
        paths.get(String(row["path"]))?.beyond.push(Number(row["sequence"]));
      }
      return paths;
    },
  };
}

export type ReceiptTables = ReturnType<typeof createReceiptTables>;
