/** What the hub has set, or wishes to set, at its devices. Inside its caller's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { SettingRow } from "./journal.ts";

export function createSettingTables(database: DatabaseSync) {
  const put = database.prepare("INSERT OR REPLACE INTO setting VALUES (?, ?)");
  const remove = database.prepare("DELETE FROM setting WHERE dev_eui = ?");
  return {
    save: ({ devEui, facts }: SettingRow) => void put.run(devEui, facts),
    remove: (devEui: string) => void remove.run(devEui),
    load: (): SettingRow[] =>
      database
        .prepare("SELECT * FROM setting")
        .all()
        .map((row) => ({ devEui: String(row["dev_eui"]), facts: String(row["facts"]) })),
  };
}
