/** What ingest must find again after a restart: each device's latest events, their stages, its highest event number.
 *  Bounded per device: an event takes the place of the one whose number is 32 less. Inside its caller's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Mode } from "../../protocols/device/report.ts";
import { STAGES, type Stage } from "../../protocols/device/stage.ts";
import type { EventKind } from "../../protocols/hub-kinds.ts";
import type { DeviceMemory, EventDraft, RememberedEvent } from "./journal.ts";

/** Events remembered per device, kind and mode. A power of two that divides 65536, so that slots survive the wrap. */
export const REMEMBERED_EVENTS = 32;

export function createEventTables(database: DatabaseSync) {
  const putEvent = database.prepare("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?)");
  const putMemory = database.prepare("INSERT OR REPLACE INTO memory VALUES (?, ?, ?)");
  const putStage = database.prepare(
    "INSERT INTO stage VALUES (?1, ?2) ON CONFLICT DO UPDATE SET stage = ?2 WHERE stage < ?2",
  );

  return {
    /** Remembers a device's event. Heartbeats, records of the hub itself and additions to older events are none. */
    remember(draft: EventDraft, sequence: number): void {
      const { device, eventNumber, refersTo, provenance, kind } = draft;
      if (device === null || eventNumber === null || refersTo !== null) return;
      if (provenance === "hub" || kind === "heartbeat") return;
      putEvent.run(device, eventNumber % REMEMBERED_EVENTS, draft.kind, draft.mode, eventNumber, sequence);
    },
    saveMemory: (m: DeviceMemory): void => void putMemory.run(m.devEui, m.highest, m.flags),
    /** "stored" and "received" follow from the record and the cursors; only what comes after needs a row. */
    raise(sequence: number, stage: Stage): void {
      const index = STAGES.indexOf(stage);
      if (index > STAGES.indexOf("received")) putStage.run(sequence, index);
    },
    load: () => ({ devices: loadMemories(database), events: loadEvents(database) }),
  };
}

export type EventTables = ReturnType<typeof createEventTables>;

function loadMemories(database: DatabaseSync): DeviceMemory[] {
  return database
    .prepare("SELECT * FROM memory")
    .all()
    .map((row) => ({
      devEui: String(row["dev_eui"]),
      highest: Number(row["highest"]),
      flags: Number(row["flags"]),
    }));
}

function loadEvents(database: DatabaseSync): RememberedEvent[] {
  const rows = database
    .prepare(
      `SELECT event.*, coalesce(stage.stage,
       event.sequence <= (SELECT coalesce(max(complete), 0) FROM cursor)
       OR EXISTS (SELECT 1 FROM settled WHERE settled.sequence = event.sequence)) AS stage
     FROM event LEFT JOIN stage USING (sequence) ORDER BY event.sequence`,
    )
    .all();
  return rows.map((row) => ({
    devEui: String(row["dev_eui"]),
    eventNumber: Number(row["number"]),
    kind: row["kind"] as EventKind,
    mode: row["mode"] as Mode,
    sequence: Number(row["sequence"]),
    stage: STAGES[Number(row["stage"])] ?? "stored",
  }));
}
