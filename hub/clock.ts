/** Time as the hub sees it. Every part takes a Clock, so that the same code runs in real and in virtual time. */

/** A timer that has been set. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Unix milliseconds. Advice only: it may be wrong, and it may step either way. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start, never backwards. All windows and budgets are measured with it. */
  monotonicMs(): number;
  /** Calls `callback` once, `delayMs` from now (0 or less: as soon as possible; at most 24 days). */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** The machine's own clock. Timers do not keep the process alive. */
export function createSystemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer(callback, delayMs) {
      const timeout = setTimeout(callback, Math.max(0, delayMs));
      timeout.unref();
      return { cancel: () => clearTimeout(timeout) };
    },
  };
}
