/** A log (log.ts) over a board's Storage. */
import { isNewer, LOG_SIZE, logRecord, readLog } from "./log.ts";

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
  const newer = () => (isNewer(read(0), read(1)) ? 1 : 0);
  return {
    last: () => read(newer()).body,
    append: (body) => {
      let to = newer();
      let at = read(to).free;
      if (at + 2 * digits > LOG_SIZE) {
        to = 1 - to;
        at = 0;
      }
      try {
        storage.write(names[to] + "", logRecord(body), at, LOG_SIZE);
      } catch {
        // told by the read back below: a board whose Storage is full still has to alarm
      }
      return read(to).body === body;
    },
  };
}
