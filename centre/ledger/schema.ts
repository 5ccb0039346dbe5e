/** Tables of the embedded ledger (SQLite). `idx` is the one index over records, equivocations, acts and facts. */
import type { DatabaseSync } from "node:sqlite";

const VERSION = 1;

const TABLES = `
CREATE TABLE hubs (
  no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, public_key TEXT NOT NULL, alg INTEGER NOT NULL,
  tls_fingerprint TEXT NOT NULL, enrolment BLOB NOT NULL, genesis BLOB NOT NULL, enrolled_ms INTEGER NOT NULL,
  revoked_ms INTEGER, poll_interval_ms INTEGER,
  complete INTEGER NOT NULL DEFAULT 0, contiguous INTEGER NOT NULL DEFAULT 0,
  head INTEGER NOT NULL DEFAULT 0, head_hash BLOB NOT NULL, head_boot INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE records (
  idx INTEGER PRIMARY KEY, hub_no INTEGER NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL, previous BLOB NOT NULL,
  boot INTEGER NOT NULL, received_ms INTEGER NOT NULL, marks INTEGER NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_place ON records (hub_no, sequence);
CREATE TABLE equivocations (
  idx INTEGER PRIMARY KEY, hub_no INTEGER NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL,
  received_ms INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (hub_no, sequence, hash)
) STRICT;
CREATE TABLE acts (idx INTEGER PRIMARY KEY, incident TEXT NOT NULL, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
CREATE INDEX acts_of ON acts (incident);
CREATE TABLE facts (idx INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TABLE receipts (
  hub TEXT NOT NULL, sequence INTEGER NOT NULL, rank INTEGER NOT NULL, bytes BLOB NOT NULL, delivered_ms INTEGER,
  PRIMARY KEY (hub, sequence, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_undelivered ON receipts (hub, sequence, rank) WHERE delivered_ms IS NULL;
CREATE TABLE invites (secret_hash TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL, used_by TEXT) STRICT;
CREATE TABLE quarantine (
  no INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, hub TEXT NOT NULL, code TEXT NOT NULL,
  message TEXT NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE TABLE incidents (id TEXT PRIMARY KEY, open INTEGER NOT NULL, saved INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
CREATE INDEX incidents_open ON incidents (open, saved);
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Prepares an opened database: durability first, then the tables. Throws for a ledger of a newer version. Checkpoints run
 *  only when the owner asks: they would otherwise fall on an alarm's commit. */
export function prepareSchema(db: DatabaseSync): void {
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0;",
  );
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > VERSION) {
    throw new Error(
      `the ledger has version ${version}, this program knows ${VERSION}: start the newer program`,
    );
  }
  if (version === VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  db.exec(TABLES);
  db.exec(`PRAGMA user_version = ${VERSION}`);
  db.exec("COMMIT");
}
