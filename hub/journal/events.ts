/** What ingest must find again after a restart: each device's latest events, their stages, its highest event number.
 *  Bounded per device: an event takes the place of the one whose number is 32 less. A longer list is only asked for one
 *  event at a time: a device may say again what it said many presses ago. Inside its caller's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Mode } from "../../protocols/device/report.ts";
import { STAGES, type Stage } from "../../protocols/device/stage.ts";
import type { EventKind } from "../../protocols/hub-kinds.ts";
import type { DeviceMemory, EventDraft, EventName, RememberedEvent } from "./journal.ts";

/** Events remembered per device, kind and mode. A power of two that divides 65536, so that slots survive the wrap. */
export const REMEMBERED_EVENTS = 32;
/** Events that can be asked for, per device, kind and mode. Another such power of two. */
const HEARD_EVENTS = 1024;

/** Stage of the event in a row of `of`. */
const stageOf = (of: string) =>
  `coalesce(stage.stage, ${of}.sequence <= (SELECT coalesce(max(complete), 0) FROM cursor)
     OR EXISTS (SELECT 1 FROM settled WHERE settled.sequence = ${of}.sequence)) AS stage`;

export function createEventTables(database: DatabaseSync) {
  const putEvent = database.prepare("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?)");
  const putHeard = database.prepare("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?)");
  const heard = database.prepare(
    `SELECT heard.*, ${stageOf("heard")} FROM heard LEFT JOIN stage USING (sequence)
     WHERE dev_eui = ? AND slot = ? AND kind = ? AND mode = ? AND number = ?`,
  );
  const putMemory = database.prepare("INSERT OR REPLACE INTO memory VALUES (?, ?, ?)");
  const putStage = database.prepare(
    "INSERT INTO stage VALUES (?1, ?2) ON CONFLICT DO UPDATE SET stage = ?2 WHERE stage < ?2",
  );

  return {
    /** Remembers a device's event. Heartbeats, records of the hub itself and additions to older events are none. */
    remember(draft: EventDraft, sequence: number): void {
      const { device, eventNumber, refersTo, provenance, kind } = draft;
      if (device === null || eventNumber === null || refersTo !== null) return;
      // only devices say a thing again; what is polled is remembered as a point
      if (provenance !== "authenticated" || kind === "heartbeat") return;
      const { mode } = draft;
      putEvent.run(device, eventNumber % REMEMBERED_EVENTS, kind, mode, eventNumber, sequence);
      putHeard.run(device, eventNumber % HEARD_EVENTS, kind, mode, eventNumber, sequence);
    },
    heard({ devEui, eventNumber, kind, mode }: EventName): RememberedEvent | undefined {
      const row = heard.get(devEui, eventNumber % HEARD_EVENTS, kind, mode, eventNumber);
      return row && eventOf(row);
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
  return database
    .prepare(
      `SELECT event.*, ${stageOf("event")} FROM event LEFT JOIN stage USING (sequence) ORDER BY event.sequence`,
    )
    .all()
    .map(eventOf);
}

function eventOf(row: Record<string, unknown>): RememberedEvent {
  return {
    devEui: String(row["dev_eui"]),
    eventNumber: Number(row["number"]),
    kind: row["kind"] as EventKind,
    mode: row["mode"] as Mode,
    sequence: Number(row["sequence"]),
    stage: STAGES[Number(row["stage"])] ?? "stored",
  };
}
