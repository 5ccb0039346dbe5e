/** Something that is done again and again. */
import type { Clock } from "./clock.ts";

/** Calls `action` every so often until the returned function is called. */
export function every(clock: Clock, periodMs: number, action: () => void): () => void {
  let timer = clock.setTimer(tick, periodMs);
  function tick(): void {
    timer = clock.setTimer(tick, periodMs);
    action();
  }
  return () => timer.cancel();
}
