/** Tables of journal.sqlite. The bytes in `record` and `receipt` are what was signed; all else can be rebuilt or is a
 *  counter that must not move back. */
import { DatabaseSync } from "node:sqlite";

/** A file of a newer version is refused; an older one is brought up by adding to this list, never by editing it. */
const MIGRATIONS = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE record (sequence INTEGER PRIMARY KEY, hash BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
   CREATE TABLE device (dev_eui TEXT PRIMARY KEY, facts TEXT NOT NULL, last_dev_nonce INTEGER NOT NULL,
     join_nonce INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE dev_nonce (dev_eui TEXT NOT NULL, nonce INTEGER NOT NULL, PRIMARY KEY (dev_eui, nonce)) STRICT, WITHOUT ROWID;
   CREATE TABLE session (dev_eui TEXT NOT NULL, pending INTEGER NOT NULL, dev_addr TEXT NOT NULL, facts TEXT NOT NULL,
     f_cnt_up INTEGER NOT NULL, f_cnt_down_reserved INTEGER NOT NULL, data_rate INTEGER NOT NULL,
     tx_power_index INTEGER NOT NULL, nb_trans INTEGER NOT NULL, PRIMARY KEY (dev_eui, pending)) STRICT, WITHOUT ROWID;
   CREATE TABLE memory (dev_eui TEXT PRIMARY KEY, highest INTEGER NOT NULL, flags INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE event (dev_eui TEXT NOT NULL, slot INTEGER NOT NULL, kind TEXT NOT NULL, mode TEXT NOT NULL,
     number INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (dev_eui, slot, kind, mode)) STRICT, WITHOUT ROWID;
   CREATE TABLE stage (sequence INTEGER PRIMARY KEY, stage INTEGER NOT NULL) STRICT;
   CREATE TABLE receipt (id INTEGER PRIMARY KEY, path TEXT NOT NULL, sequence INTEGER NOT NULL, up_to INTEGER NOT NULL,
     bytes BLOB NOT NULL) STRICT;
   CREATE INDEX receipt_sequence ON receipt (sequence);
   CREATE TABLE cursor (path TEXT PRIMARY KEY, complete INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE settled (path TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (path, sequence)) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE heard (dev_eui TEXT NOT NULL, slot INTEGER NOT NULL, kind TEXT NOT NULL, mode TEXT NOT NULL,
     number INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (dev_eui, slot, kind, mode)) STRICT, WITHOUT ROWID;
   INSERT INTO heard SELECT dev_eui, number % 1024, kind, mode, number, sequence FROM event;`,
  `CREATE TABLE point (point TEXT PRIMARY KEY, last_number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE point_condition (point TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, sequence INTEGER NOT NULL,
     PRIMARY KEY (point, name)) STRICT, WITHOUT ROWID;`,
  "CREATE TABLE setting (dev_eui TEXT PRIMARY KEY, facts TEXT NOT NULL) STRICT, WITHOUT ROWID;",
];

const BUSY_MS = 2000;

/** Opens or creates the file. WAL with synchronous=FULL: a commit returns after fsync of the log, so what is committed
 *  survives a power cut. Checkpoints run only when the owner asks: they would otherwise fall on an alarm's commit. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY",
    );
    migrate(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > MIGRATIONS.length) {
    throw new Error(
      `${path}: written by a newer Tugma (format ${version}); start that version, or restore a backup`,
    );
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index >= version) database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

/** Opens an existing file for reading only: verification, export. Throws when there is none. */
export function openForReading(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
}
