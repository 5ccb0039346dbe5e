/** A concentrator counts microseconds modulo 2^32 from its own start; the hub has milliseconds of its own. The
 *  smallest delay seen between the two is the conversion, and what a frame took beyond it was spent on its way. */

const WRAP_MS = 2 ** 32 / 1000;
/** A frame this much older or newer than the conversion says: the concentrator was restarted. */
const RESTART_MS = 2000;
/** Two crystals drift by up to about 50 ppm, 3 ms in a minute: the smallest delay is looked for anew that often. */
const WINDOW_MS = 60_000;

export interface GatewayClock {
  /** Hub's monotonic milliseconds at which the counter stood at `tmst` (µs); `atMs` is when the hub learned of it. */
  heardMs(tmst: number, atMs: number): number;
}

/** Starts without knowledge: the first frame counts as undelayed. */
export function createGatewayClock(): GatewayClock {
  let offset: number | null = null;
  let windowOffset = 0;
  let windowEndMs = 0;
  const startWindow = (sample: number, atMs: number) => {
    windowOffset = sample;
    windowEndMs = atMs + WINDOW_MS;
  };
  return {
    heardMs(tmst, atMs) {
      const sample = atMs - tmst / 1000;
      if (offset === null || Math.abs(fold(sample - offset)) > RESTART_MS) {
        offset = sample;
        startWindow(sample, atMs);
        return atMs;
      }
      const unwrapped = offset + fold(sample - offset);
      windowOffset = Math.min(windowOffset, unwrapped);
      if (atMs >= windowEndMs) {
        offset = windowOffset;
        startWindow(unwrapped, atMs);
      }
      offset = Math.min(offset, unwrapped);
      return atMs - (unwrapped - offset);
    },
  };
}

/** The difference nearest to zero, modulo the counter's period. */
function fold(ms: number): number {
  const folded = ((ms % WRAP_MS) + WRAP_MS) % WRAP_MS;
  return folded > WRAP_MS / 2 ? folded - WRAP_MS : folded;
}
