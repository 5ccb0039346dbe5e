/** Who may sit at the console: operators, their sessions and one-time links, in a SQLite file of their own. Whoever
 *  reads the file can sign in as nobody: passwords are scrypt, session ids and link tokens are kept as SHA-256 only
 *  (they are 256 random bits, so a slow hash would add nothing). */
import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { hashPassword, SALT_BYTES, verifyPassword } from "./password.ts";

export interface Operator {
  readonly id: number;
  readonly name: string;
}

export interface UsersIo {
  /** Wall clock, Unix ms. */
  now(): number;
  random(bytes: number): Uint8Array;
}

export interface Users extends Disposable {
  /** True until the first operator exists. */
  isEmpty(): boolean;
  /** A token that lets one person make an operator's account: the first, or a further colleague's. */
  issueInvitation(): string;
  /** A token that signs this operator in once. The operator is made, without a password, when the name is new. */
  issueLoginLink(name: string): string;
  /** Uses up a token of `issueInvitation`. "link": unknown, used or expired. "name": taken, and the link stays good. */
  accept(token: string, name: string, password: string): Promise<Operator | "link" | "name">;
  /** Uses up a token of `issueLoginLink`. */
  redeem(token: string): Operator | null;
  /** Takes the same time for a name that does not exist. */
  login(name: string, password: string): Promise<Operator | null>;
  /** A new session's id, for the cookie. */
  openSession(operator: Operator): string;
  /** The operator behind a session id, and the session lives on; null when unknown, idle too long or too old. */
  touchSession(id: string): Operator | null;
  closeSession(id: string): void;
}

const LINK_MS = 30 * 60_000;
/** A console with an open stream is never idle: signing an operator out in a quiet night would hide the next alarm. */
const IDLE_MS = 30 * 60_000;
/** One shift of twelve hours and its hand-over. */
const ABSOLUTE_MS = 13 * 3_600_000;
const SECRET_BYTES = 32;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS operator (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, password TEXT, created_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS session (
    hash TEXT PRIMARY KEY, operator INTEGER NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS link (
    hash TEXT PRIMARY KEY, purpose TEXT NOT NULL, operator INTEGER, expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/** Opens or makes the file at `path` (":memory:" for tests), readable by its owner only. */
export function openUsers(path: string, io: UsersIo): Users {
  const db = new DatabaseSync(path);
  if (path !== ":memory:") chmodSync(path, 0o600);
  // a command that prints a link works beside the running server
  db.exec(
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
  );
  db.exec(SCHEMA);
  const secret = () => Buffer.from(io.random(SECRET_BYTES)).toString("base64url");
  return {
    ...accounts(db, io),
    ...links(db, io, secret),
    ...sessions(db, io, secret),
    [Symbol.dispose]: () => db.close(),
  };
}

function accounts(db: DatabaseSync, io: UsersIo): Pick<Users, "isEmpty" | "login" | "accept"> {
  const byName = db.prepare("SELECT id, name, password FROM operator WHERE name_key = ?");
  const count = db.prepare("SELECT count(*) AS n FROM operator");
  // hashed and thrown away for a name that does not exist, so that time does not tell which names do
  const decoy = hashPassword("nobody has this one", io.random(SALT_BYTES));
  return {
    isEmpty: () => count.get()?.["n"] === 0,
    async login(name, password) {
      const row = byName.get(nameKey(name));
      const stored = row?.["password"];
      const good = await verifyPassword(password, typeof stored === "string" ? stored : await decoy);
      return good && row !== undefined && typeof stored === "string" ? operatorOf(row) : null;
    },
    async accept(token, name, password) {
      if (!linkIsGood(db, "invitation", token, io.now())) return "link";
      if (byName.get(nameKey(name))) return "name";
      const hashed = await hashPassword(password, io.random(SALT_BYTES));
      // the hash took a while: only the one who still finds the name free and the link there gets the account
      if (byName.get(nameKey(name))) return "name";
      if (takeLink(db, "invitation", token, io.now()) === null) return "link";
      return insertOperator(db, name, hashed, io.now());
    },
  };
}

function links(
  db: DatabaseSync,
  io: UsersIo,
  secret: () => string,
): Pick<Users, "issueInvitation" | "issueLoginLink" | "redeem"> {
  const insert = db.prepare("INSERT INTO link (hash, purpose, operator, expires_ms) VALUES (?, ?, ?, ?)");
  const byName = db.prepare("SELECT id, name FROM operator WHERE name_key = ?");
  const byId = db.prepare("SELECT id, name FROM operator WHERE id = ?");
  const issue = (purpose: Purpose, operator: number | null) => {
    const token = secret();
    db.prepare("DELETE FROM link WHERE expires_ms <= ?").run(io.now());
    insert.run(hashOf(token), purpose, operator, io.now() + LINK_MS);
    return token;
  };
  return {
    issueInvitation: () => issue("invitation", null),
    issueLoginLink(name) {
      const row = byName.get(nameKey(name));
      return issue("login", (row ? operatorOf(row) : insertOperator(db, name, null, io.now())).id);
    },
    redeem(token) {
      const row = byId.get(takeLink(db, "login", token, io.now()) ?? -1);
      return row ? operatorOf(row) : null;
    },
  };
}

function sessions(
  db: DatabaseSync,
  io: UsersIo,
  secret: () => string,
): Pick<Users, "openSession" | "touchSession" | "closeSession"> {
  const find = db.prepare(`SELECT operator.id AS id, operator.name AS name FROM session
    JOIN operator ON operator.id = session.operator WHERE hash = ? AND session.created_ms > ? AND seen_ms > ?`);
  const touch = db.prepare("UPDATE session SET seen_ms = ? WHERE hash = ? AND seen_ms < ?");
  return {
    openSession(operator) {
      const id = secret();
      const now = io.now();
      db.prepare("DELETE FROM session WHERE created_ms <= ? OR seen_ms <= ?").run(
        now - ABSOLUTE_MS,
        now - IDLE_MS,
      );
      db.prepare("INSERT INTO session VALUES (?, ?, ?, ?)").run(hashOf(id), operator.id, now, now);
      return id;
    },
    touchSession(id) {
      const now = io.now();
      const row = find.get(hashOf(id), now - ABSOLUTE_MS, now - IDLE_MS);
      // once a minute is enough for the idle limit, and spares the disk
      if (row) touch.run(now, hashOf(id), now - 60_000);
      return row ? operatorOf(row) : null;
    },
    closeSession(id) {
      db.prepare("DELETE FROM session WHERE hash = ?").run(hashOf(id));
    },
  };
}

type Purpose = "invitation" | "login";

function linkIsGood(db: DatabaseSync, purpose: Purpose, token: string, now: number): boolean {
  const find = db.prepare("SELECT 1 FROM link WHERE hash = ? AND purpose = ? AND expires_ms > ?");
  return find.get(hashOf(token), purpose, now) !== undefined;
}

/** Deletes the link and returns its operator (0 for an invitation); null when there was none. One statement: used once. */
function takeLink(db: DatabaseSync, purpose: Purpose, token: string, now: number): number | null {
  const take = db.prepare(
    "DELETE FROM link WHERE hash = ? AND purpose = ? AND expires_ms > ? RETURNING operator",
  );
  const row = take.get(hashOf(token), purpose, now);
  return row ? Number(row["operator"] ?? 0) : null;
}

function insertOperator(db: DatabaseSync, name: string, password: string | null, now: number): Operator {
  const insert = db.prepare(
    "INSERT INTO operator (name, name_key, password, created_ms) VALUES (?, ?, ?, ?)",
  );
  const clean = name.normalize("NFKC").trim();
  return { id: Number(insert.run(clean, nameKey(name), password, now).lastInsertRowid), name: clean };
}

function operatorOf(row: Record<string, unknown>): Operator {
  return { id: Number(row["id"]), name: String(row["name"]) };
}

/** SQLite's NOCASE knows ASCII only; names here are Uzbek and Russian too. */
function nameKey(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
