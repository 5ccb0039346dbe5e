/** A log (log.ts) over a board's Storage. */
import { LOG_SIZE, logRecord, newerLog, readLog } from "./log.ts";

/** What of Espruino's Storage is needed here. `write` throws when Storage is full or a byte was written
 *  before. */
export interface FlashStorage {
  read(name: string): string | undefined;
  write(name: string, data: string, offset?: number, size?: number): boolean;
}

export interface LogStore {
  /** Body of the last record, "": there is none. */
  last(): string;
  /** Appends a record and reads it back. False: Storage did not take it. */
  append(body: string): boolean;
}

/** The log in the twin files `names`, whose bodies have `digits` each. */
export function openLog(storage: FlashStorage, names: readonly string[], digits: number): LogStore {
  const read = (i: number) => readLog(storage.read(names[i] + ""), digits);
  return {
    last: () => {
      const first = read(0);
      const second = read(1);
      return newerLog(first, second) === 1 ? second.body : first.body;
    },
    append: (body) => {
      const newer = Math.max(newerLog(read(0), read(1)), 0);
      const free = read(newer).free;
      // where the newer one has no room, its twin is begun
      const isFull = free + 2 * digits > LOG_SIZE;
      const to = isFull ? 1 - newer : newer;
      try {
        storage.write(names[to] + "", logRecord(body), isFull ? 0 : free, LOG_SIZE);
      } catch {
        // told by the read back below: a board whose Storage is full still has to alarm
      }
      return read(to).body === body;
    },
  };
}
