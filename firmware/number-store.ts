/** Event numbers over a board's Storage; what the log looks like and why is said in event-numbers.ts. */
import { NUMBER_LOG_SIZE, NUMBER_STOCK, newerLog, numberRecord, readNumberLog } from "./event-numbers.ts";

/** What of Espruino's Storage is needed here. `write` throws when Storage is full or a byte was written
 *  before. */
export interface FlashStorage {
  read(name: string): string | undefined;
  write(name: string, data: string, offset?: number, size?: number): boolean;
}

export interface NumberStore {
  /** The number of a new event. Writes only after NUMBER_STOCK events without a quiet moment. */
  take(): number;
  /** The number of the last event; after a restart, the one before the first. */
  last(): number;
  /** Reserves ahead when the stock is low, for a quiet moment. What Storage refused is tried again. */
  refill(): void;
  /** Storage takes no reservation. Numbers go on, and may be used again after a power cut. */
  isFaulty(): boolean;
}

/** Opens the logs (two file names) and makes the first reservation, of `block` numbers. `anyNumber` (0-65535) is where
 *  counting starts when no log is left: for events a random one, since starting at 1 again would pass new events off as
 *  repeats of old ones. */
export function openNumberStore(
  storage: FlashStorage,
  anyNumber: number,
  logs: readonly string[],
  block: number,
): NumberStore {
  let next = -1;
  let stock = 0;
  let isFaulty = false;
  const reserve = () => {
    const first = readNumberLog(storage.read(logs[0] + ""));
    const second = readNumberLog(storage.read(logs[1] + ""));
    const newer = newerLog(first, second);
    const log = newer === 1 ? second : first;
    if (next < 0) next = newer < 0 ? anyNumber : log.end;
    const end = (next + stock + block) & 0xffff;
    const isFull = log.free >= NUMBER_LOG_SIZE;
    const name = logs[(newer === 1) === isFull ? 0 : 1] + "";
    try {
      storage.write(name, numberRecord(end), isFull ? 0 : log.free, NUMBER_LOG_SIZE);
    } catch {
      // told by the read back below: a board whose Storage is full still has to alarm
    }
    isFaulty = readNumberLog(storage.read(name)).end !== end;
    if (!isFaulty) stock += block;
  };
  reserve();
  return {
    take: () => {
      if (stock === 0 && !isFaulty) reserve();
      if (stock > 0) stock--;
      const number = next;
      next = (next + 1) & 0xffff;
      return number;
    },
    last: () => (next - 1) & 0xffff,
    refill: () => {
      if (stock < NUMBER_STOCK || isFaulty) reserve();
    },
    isFaulty: () => isFaulty,
  };
}
