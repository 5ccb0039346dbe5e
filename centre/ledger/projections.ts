/** The embedded ledger's answers: stage receipts on their way to hubs, and the incidents as they last were. */
import type { DatabaseSync } from "node:sqlite";
import { bytesOf } from "./columns.ts";
import type { IncidentRow, StoredReceipt, SyncLedger } from "./ledger.ts";

type Receipts = Pick<SyncLedger, "putReceipts" | "undelivered" | "delivered" | "receiptsOf">;
type Incidents = Pick<SyncLedger, "saveIncidents" | "loadIncidents" | "loadIncident">;

export function createProjections(db: DatabaseSync): Receipts & Incidents {
  return { ...createReceipts(db), ...createIncidents(db) };
}

function createReceipts(db: DatabaseSync): Receipts {
  const insert = db.prepare("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, NULL)");
  const undelivered = db.prepare(`
    SELECT hub, sequence, max(rank) AS rank, bytes, delivered_ms FROM receipts
    WHERE hub = ? AND delivered_ms IS NULL GROUP BY sequence ORDER BY sequence`);
  const deliver = db.prepare(
    "UPDATE receipts SET delivered_ms = ? WHERE hub = ? AND sequence = ? AND rank <= ? AND delivered_ms IS NULL",
  );
  const of = db.prepare("SELECT * FROM receipts WHERE hub = ? AND sequence = ? ORDER BY rank");
  return {
    putReceipts: (receipts) => {
      for (const { hub, sequence, rank, bytes } of receipts) insert.run(hub, sequence, rank, bytes);
    },
    undelivered: (hub) => undelivered.all(hub).map(receiptOf),
    delivered: (receipts, atMs) => {
      for (const { hub, sequence, rank } of receipts) deliver.run(atMs, hub, sequence, rank);
    },
    receiptsOf: (hub, sequences) => sequences.flatMap((sequence) => of.all(hub, sequence).map(receiptOf)),
  };
}

function receiptOf(row: Record<string, unknown>): StoredReceipt {
  const deliveredMs = row["delivered_ms"] === null ? null : Number(row["delivered_ms"]);
  return {
    hub: String(row["hub"]),
    sequence: Number(row["sequence"]),
    rank: Number(row["rank"]),
    bytes: bytesOf(row["bytes"]),
    deliveredMs,
  };
}

function createIncidents(db: DatabaseSync): Incidents {
  const save = db.prepare("INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?)");
  const setUpTo = db.prepare("INSERT OR REPLACE INTO meta VALUES ('incidents', ?)");
  const upTo = db.prepare("SELECT value FROM meta WHERE name = 'incidents'");
  const open = db.prepare("SELECT * FROM incidents WHERE open = 1");
  const closed = db.prepare("SELECT * FROM incidents WHERE open = 0 ORDER BY saved DESC LIMIT ?");
  const one = db.prepare("SELECT * FROM incidents WHERE id = ?");
  return {
    saveIncidents(index, rows) {
      for (const { id, open: isOpen, json } of rows) save.run(id, isOpen ? 1 : 0, index, json);
      setUpTo.run(index);
    },
    loadIncidents: (closedLimit) => ({
      upTo: Number(upTo.get()?.["value"] ?? 0),
      rows: [...open.all(), ...closed.all(closedLimit)].map(incidentRow),
    }),
    loadIncident(id) {
      const row = one.get(id);
      return row === undefined ? undefined : incidentRow(row);
    },
  };
}

function incidentRow(row: Record<string, unknown>): IncidentRow {
  return { id: String(row["id"]), open: row["open"] === 1, json: String(row["json"]) };
}
