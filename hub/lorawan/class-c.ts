/** News for devices that listen all the time. Nothing says that such a device has heard it but its next uplink, so it is
 *  said again a few times until one comes or there is other news. */
import type { Clock, Timer } from "../clock.ts";
import type { Answer } from "./compose.ts";
import type { Exchange } from "./exchange.ts";

/** After the first time, and after the second. */
const FIRST_REPEAT_MS = 4_000;
const SECOND_REPEAT_MS = 15_000;
const REPEATS_MS = [FIRST_REPEAT_MS, SECOND_REPEAT_MS] as const;

export interface ClassCNews {
  /** `answer` was said, or could not be, to the device whose last uplink is `exchange`. Calls `again` when it is to be
   *  said once more. */
  told(exchange: Exchange, answer: NonNullable<Answer>, again: () => void): void;
}

interface Telling {
  readonly words: string;
  readonly repeats: number;
  readonly timer: Timer | null;
}

/** Nothing is kept for a device that has sent another uplink. */
export function createClassCNews(clock: Clock): ClassCNews {
  const tellings = new WeakMap<Exchange, Telling>();
  return {
    told(exchange, { fPort, payload }, again) {
      const words = `${fPort} ${Buffer.from(payload).toString("hex")}`;
      const before = tellings.get(exchange);
      before?.timer?.cancel();
      const repeats = before?.words === words ? before.repeats + 1 : 0;
      const delayMs = REPEATS_MS[repeats];
      const timer = delayMs === undefined ? null : clock.setTimer(again, delayMs);
      tellings.set(exchange, { words, repeats, timer });
    },
  };
}
