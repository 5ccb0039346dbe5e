/** Time as an argument. Everything in this folder asks a Clock and never the machine, so that one world runs in real
 *  time on a table and in virtual time in a test. */

import { createTimerQueue } from "./timer-queue.ts";

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Unix milliseconds as this clock believes; may be stepped. */
  wallMs(): number;
  /** Milliseconds since some fixed point; never steps back. Fractions count: radio windows are microseconds wide. */
  monotonicMs(): number;
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** A clock whose time moves only when it is told to. Timers fire in order of due time, then of creation. */
export interface VirtualClock extends Clock {
  /** Moves `ms` forward, firing what falls due, each followed by settling. Settles once even for 0. */
  advance(ms: number): Promise<void>;
  /** Fires timers until `done()` is true; returns whether it became true within `limitMs` of virtual time. */
  runUntil(done: () => boolean, limitMs: number): Promise<boolean>;
  /** Time stands still until the returned release is called: for real I/O (a disk, a worker) inside a virtual world. */
  hold(): () => void;
  /** Steps the wall clock, as an operator or NTP would; the monotonic clock does not notice. */
  stepWall(ms: number): void;
  /** Timers not yet fired or cancelled. */
  readonly pending: number;
}

/** setTimeout takes at most a signed 32-bit delay. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/** The machine's clock, `speed` times as fast (1 = real time). Long delays are chained, so any delay is allowed. */
export function createRealClock(speed = 1): Clock {
  const startWallMs = Date.now();
  const startMs = performance.now();
  const monotonicMs = () => (performance.now() - startMs) * speed;
  return {
    monotonicMs,
    // at speed 1 the wall clock follows the machine's, steps included
    wallMs: () => (speed === 1 ? Date.now() : startWallMs + monotonicMs()),
    setTimer(callback, delayMs) {
      const dueMs = monotonicMs() + delayMs;
      let handle: NodeJS.Timeout;
      const arm = () => {
        // setTimeout cuts fractions and may fire up to a millisecond early: round up, never wake before the time
        const leftMs = Math.max(0, Math.ceil((dueMs - monotonicMs()) / speed));
        handle = setTimeout(
          () => (monotonicMs() < dueMs ? arm() : callback()),
          Math.min(leftMs, LONGEST_TIMEOUT_MS),
        );
      };
      arm();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}

/** Event loop turns without news after which the world counts as quiet. One turn drains every promise chain and
 *  nextTick; the others let streams and broadcast channels pass on what they were given. */
const QUIET_TURNS = 3;
/** Real time after which a hold that nobody releases is a bug to report, not to wait for. */
const HOLD_LIMIT_MS = 20_000;

/** 2026-01-01T00:00:00Z. */
const DEFAULT_START_WALL_MS = 1_767_225_600_000;

/** Deterministic time. Between two timers it lets the event loop run until promise chains and in-memory I/O are quiet. */
export function createVirtualClock(startWallMs = DEFAULT_START_WALL_MS): VirtualClock {
  return new VirtualTime(startWallMs);
}

/** Methods are fields, so that they may be handed on by themselves, as those of the real clock may. */
class VirtualTime implements VirtualClock {
  readonly #queue = createTimerQueue();
  #nowMs = 0;
  #wallOffsetMs: number;
  #holds = 0;

  constructor(startWallMs: number) {
    this.#wallOffsetMs = startWallMs;
  }

  get pending(): number {
    return this.#queue.size;
  }

  readonly wallMs = () => this.#wallOffsetMs + this.#nowMs;

  readonly monotonicMs = () => this.#nowMs;

  readonly setTimer = (callback: () => void, delayMs: number): Timer =>
    this.#queue.add(callback, this.#nowMs + Math.max(0, delayMs));

  readonly advance = async (ms: number): Promise<void> => {
    await this.#runTo(this.#nowMs + ms, () => false);
  };

  readonly runUntil = (done: () => boolean, limitMs: number): Promise<boolean> =>
    this.#runTo(this.#nowMs + limitMs, done);

  readonly hold = (): (() => void) => {
    this.#holds++;
    let held = true;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  };

  readonly stepWall = (ms: number): void => {
    this.#wallOffsetMs += ms;
  };

  async #runTo(limitMs: number, done: () => boolean): Promise<boolean> {
    await this.#settle();
    while (!done()) {
      const timer = this.#queue.takeDue(limitMs);
      if (timer === undefined) {
        this.#nowMs = Math.max(this.#nowMs, limitMs);
        return done();
      }
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
      await this.#settle();
    }
    return true;
  }

  async #settle(): Promise<void> {
    const deadline = performance.now() + HOLD_LIMIT_MS;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.#holds > 0 ? 0 : quiet + 1) {
      const held = this.#holds > 0;
      if (held && performance.now() > deadline) {
        throw new Error(`virtual clock: ${this.#holds} hold(s) not released within ${HOLD_LIMIT_MS} ms`);
      }
      // what is held waits for real I/O: sleep instead of spinning
      await new Promise<void>((next) => (held ? setTimeout(next, 0) : setImmediate(next)));
    }
  }
}
