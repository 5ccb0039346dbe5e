/** What stands at the points that the hub polls, so that a restart raises nothing a second time and knows what is over.
 *  Inside its caller's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { EventKind } from "../../protocols/hub-kinds.ts";
import type { PointChange, PointMemory } from "./journal.ts";

export function createPointTables(database: DatabaseSync) {
  const putNumber = database.prepare("INSERT OR REPLACE INTO point VALUES (?, ?)");
  const putCondition = database.prepare("INSERT OR REPLACE INTO point_condition VALUES (?, ?, ?, ?)");
  const removeCondition = database.prepare("DELETE FROM point_condition WHERE point = ? AND name = ?");

  return {
    /** `sequenceOf`: the place of a draft of the same append. */
    change({ point, lastNumber, raised, ended }: PointChange, sequenceOf: (draft: number) => number): void {
      putNumber.run(point, lastNumber);
      for (const name of ended) removeCondition.run(point, name);
      for (const { name, kind, draft } of raised) putCondition.run(point, name, kind, sequenceOf(draft));
    },
    load: () => loadPoints(database),
  };
}

function loadPoints(database: DatabaseSync): PointMemory[] {
  const conditions = Map.groupBy(
    database.prepare("SELECT * FROM point_condition ORDER BY sequence").all(),
    (row) => String(row["point"]),
  );
  return database
    .prepare("SELECT * FROM point")
    .all()
    .map((row) => ({
      point: String(row["point"]),
      lastNumber: Number(row["last_number"]),
      open: (conditions.get(String(row["point"])) ?? []).map((one) => ({
        name: String(one["name"]),
        kind: one["kind"] as EventKind,
        sequence: Number(one["sequence"]),
      })),
    }));
}
