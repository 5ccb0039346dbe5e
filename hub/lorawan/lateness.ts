/** How late this machine is at getting a frame out: timers fire late and composing takes time. The worst of late is
 *  remembered and fades, so that the last safe moment is safe on a slow board too, and late on a quick one. */

export interface Lateness {
  /** Milliseconds to begin earlier. */
  readonly ms: number;
  note(ms: number): void;
}

/** One stall (a log rotation, another process) must not push every later answer far ahead. */
const MAX_MS = 60;
const FADE = 0.9;
const FIRST_MS = 2;

/** Starts with a guess of 2 ms. */
export function createLateness(): Lateness {
  let worstMs = FIRST_MS;
  return {
    get ms() {
      return worstMs;
    },
    note(ms) {
      worstMs = Math.min(MAX_MS, Math.max(ms, worstMs * FADE));
    },
  };
}
