/** Room for the write-ahead log before it is needed: a commit into bytes that the file has already is one write to the
 *  disk; one that makes the file grow costs a second, for the file system's own journal. SQLite takes zeros behind the
 *  log's last frame for its end, as it takes frames of an earlier round. */
import { closeSync, fdatasyncSync, fstatSync, openSync, statfsSync, writeSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** At this size the log is moved into the main file even if work waits. */
export const LOG_BYTES = 16 * 1024 * 1024;
const STEP = Buffer.alloc(1024 * 1024);
/** Where less is free than so many logs, none is taken ahead. */
const FREE_LOGS = 16;

/** Adds a MiB to the log of the database at `path`. False when there is enough, when another has the log just now, or when
 *  the disk has none to give: then the log grows with its commits. */
export function growLog(database: DatabaseSync, path: string): boolean {
  try {
    // the lock keeps any other writer from the log's end
    database.exec("BEGIN IMMEDIATE");
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize >= LOG_BYTES * FREE_LOGS && extend(`${path}-wal`);
  } catch (error) {
    // what a disk that refuses means for the ledger, the next commit finds out
    if (error instanceof Error && ("errcode" in error || "errno" in error)) return false;
    throw error;
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}

function extend(logPath: string): boolean {
  const file = openSync(logPath, "r+");
  try {
    const { size } = fstatSync(file);
    if (size >= LOG_BYTES) return false;
    writeSync(file, STEP, 0, STEP.length, size);
    fdatasyncSync(file);
    return true;
  } finally {
    closeSync(file);
  }
}
