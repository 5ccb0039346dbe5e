/** Event numbers over a board's Storage; what the log looks like and why is said in event-numbers.ts. */
import { NUMBER_STOCK } from "./event-numbers.ts";
import { hex } from "./hex.ts";
import { type FlashStorage, openLog } from "./log-store.ts";

export interface NumberStore {
  /** The number of a new event. Writes only after NUMBER_STOCK events without a quiet moment. */
  take(): number;
  /** The number of the last event; after a restart, the one before the first. */
  last(): number;
  /** Reserves ahead when the stock is low and the moment quiet. What Storage refused is tried again. False: it takes no
   *  reservation; numbers go on, and may be used again after a power cut. */
  refill(isQuiet: boolean): boolean;
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
  const log = openLog(storage, logs, 4);
  const last = log.last();
  let next = last === "" ? anyNumber : parseInt(last, 16);
  let stock = 0;
  let isFaulty = false;
  const reserve = () => {
    isFaulty = !log.append(hex((next + stock + block) & 0xffff, 4));
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
    refill: (isQuiet) => {
      if (isQuiet && stock < NUMBER_STOCK) reserve();
      return !isFaulty;
    },
  };
}
