/** Time as an argument. The same structural shape stands in hub/ and hardware/virtual/, so that one virtual clock drives a
 *  whole world without either side importing the other. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since 1970, as this machine believes: advice, never an order. */
  wallMs(): number;
  /** Milliseconds that only go forward. */
  monotonicMs(): number;
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** The machine's own clock. Its timers do not keep the process alive: the sockets do. */
export function createSystemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** Calls `callback` every `intervalMs` until cancelled. A slow callback delays the next one, they never overlap. */
export function repeat(clock: Clock, callback: () => void, intervalMs: number): Timer {
  let timer = clock.setTimer(run, intervalMs);
  let cancelled = false;
  function run(): void {
    callback();
    if (!cancelled) timer = clock.setTimer(run, intervalMs);
  }
  return {
    cancel: () => {
      cancelled = true;
      timer.cancel();
    },
  };
}
