/** The embedded ledger's registry: invitations, hubs and their keys, quarantine. */
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { bytesOf } from "./columns.ts";
import type { HubRow, NewHub, SyncLedger } from "./ledger.ts";

type Calls = Pick<
  SyncLedger,
  "hubs" | "revokeHub" | "setPollInterval" | "addInvite" | "enrol" | "quarantine" | "quarantined"
>;

export function createEnrolments(db: DatabaseSync): Calls {
  const all = db.prepare("SELECT * FROM hubs ORDER BY no");
  const revoke = db.prepare("UPDATE hubs SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL");
  const interval = db.prepare("UPDATE hubs SET poll_interval_ms = ? WHERE id = ?");
  return {
    hubs: () => all.all().map(hubRow),
    revokeHub: (id, atMs) => revoke.run(atMs, id).changes === 1,
    setPollInterval: (id, intervalMs) => void interval.run(intervalMs, id),
    ...createInvites(db),
    ...createQuarantine(db),
  };
}

function createInvites(db: DatabaseSync): Pick<Calls, "addInvite" | "enrol"> {
  const add = db.prepare("INSERT INTO invites VALUES (?, ?, NULL)");
  const get = db.prepare("SELECT expires_ms, used_by FROM invites WHERE secret_hash = ?");
  const use = db.prepare("UPDATE invites SET used_by = ? WHERE secret_hash = ?");
  const known = db.prepare("SELECT enrolment, revoked_ms FROM hubs WHERE id = ?");
  const renew = db.prepare("UPDATE hubs SET tls_fingerprint = ?, name = ? WHERE id = ?");
  const insert = db.prepare(`
    INSERT INTO hubs (id, name, public_key, alg, tls_fingerprint, enrolment, genesis, enrolled_ms, head_hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const register = (hub: NewHub): Uint8Array => {
    const genesis = createHash("sha256").update(hub.enrolment).digest();
    const { id, name, publicKey, alg, tlsFingerprint, enrolment, enrolledMs } = hub;
    insert.run(id, name, publicKey, alg, tlsFingerprint, enrolment, genesis, enrolledMs, genesis);
    return enrolment;
  };
  return {
    addInvite: (secretHash, expiresMs) => void add.run(secretHash, expiresMs),
    enrol(secretHash, nowMs, hub) {
      const invite = get.get(secretHash);
      if (invite === undefined) return { type: "unknown" };
      if (invite["used_by"] !== null && invite["used_by"] !== hub.id) return { type: "used" };
      if (nowMs >= Number(invite["expires_ms"])) return { type: "expired" };
      const before = known.get(hub.id);
      if (before !== undefined && before["revoked_ms"] !== null) return { type: "revoked" };
      use.run(hub.id, secretHash);
      if (before === undefined) return { type: "ok", enrolment: register(hub) };
      renew.run(hub.tlsFingerprint, hub.name, hub.id);
      return { type: "ok", enrolment: bytesOf(before["enrolment"]) };
    },
  };
}

function createQuarantine(db: DatabaseSync): Pick<Calls, "quarantine" | "quarantined"> {
  const insert = db.prepare(
    "INSERT INTO quarantine (at_ms, hub, code, message, bytes) VALUES (?, ?, ?, ?, ?)",
  );
  const trim = db.prepare("DELETE FROM quarantine WHERE no <= ?");
  const newest = db.prepare("SELECT * FROM quarantine ORDER BY no DESC LIMIT ?");
  return {
    quarantine({ atMs, hub, code, message, bytes }, limit) {
      const { lastInsertRowid } = insert.run(atMs, hub, code, message, bytes);
      trim.run(Number(lastInsertRowid) - limit);
    },
    quarantined: (limit) =>
      newest.all(limit).map((row) => ({
        atMs: Number(row["at_ms"]),
        hub: String(row["hub"]),
        code: String(row["code"]),
        message: String(row["message"]),
        bytes: bytesOf(row["bytes"]),
      })),
  };
}

function hubRow(row: Record<string, unknown>): HubRow {
  const number = (name: string) => Number(row[name]);
  const orNull = (name: string) => (row[name] === null ? null : Number(row[name]));
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    publicKey: String(row["public_key"]),
    alg: number("alg") === -9 ? -9 : -19,
    tlsFingerprint: String(row["tls_fingerprint"]),
    enrolment: bytesOf(row["enrolment"]),
    enrolledMs: number("enrolled_ms"),
    revokedMs: orNull("revoked_ms"),
    pollIntervalMs: orNull("poll_interval_ms"),
    extent: { complete: number("complete"), contiguous: number("contiguous"), head: number("head") },
  };
}
