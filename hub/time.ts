/** What the hub says about time. Order is (boot, sequence, monotonic); wall time is advice with a stated uncertainty. A
 *  centre's receipts give its time to half a round trip; once known, that estimate runs on the monotonic clock and a step
 *  of the machine's own clock no longer matters. Pure but for the clock that comes in. */
import type { EventTime } from "../protocols/event.ts";
import type { Clock } from "./clock.ts";
import type { Stamp } from "./journal/journal.ts";

/** What stands behind the machine's wall clock. */
export type WallSource = "none" | "rtc" | "ntp";

export interface HubTimeOptions {
  readonly clock: Clock;
  /** Asked at every look at the clock: whether something disciplines it just now. */
  wallSource?(): WallSource;
}

/** A step of the machine's clock against its monotonic clock. */
export interface ClockStep {
  /** Positive: forwards. */
  readonly byMs: number;
}

export interface HubTime {
  /** The time for a record made now. */
  stamp(): Stamp;
  /** A receipt says that it was `centreMs` at the centre between the two monotonic instants. */
  centreTime(centreMs: number, sentMonotonicMs: number, receivedMonotonicMs: number): void;
  /** Wall time of the newest record of an earlier run: it cannot be earlier now. */
  notBefore(unixMs: number): void;
  /** A step since the last call, or null. Call it about every second. */
  step(): ClockStep | null;
}

/** An unset clock says 1970; nothing this software runs on was built before this. 2025-01-01T00:00:00Z */
const PLAUSIBLE_MS = 1_735_689_600_000;
/** Uncertainty of a time that nobody vouches for: more than any clock can be wrong by. */
export const UNKNOWN_MS = 100 * 365 * 86_400_000;
/** An undisturbed clock drifts; between two looks a second apart more than this is a step. */
const STEP_MS = 500;
const NTP_UNCERTAINTY_MS = 200;
const RTC_UNCERTAINTY_MS = 120_000;
/** Crystal drift while nothing corrects it: 100 ppm. */
const DRIFT = 1e-4;
/** A receipt after a longer round trip says too little about the time. */
const MAX_ROUND_TRIP_MS = 10_000;

/** A wall time's offset from the monotonic clock and how well it was known at `atMs`. */
interface Estimate {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
  readonly atMs: number;
}

export function createHubTime({ clock, wallSource = () => "rtc" }: HubTimeOptions): HubTime {
  const offsetNow = () => clock.wallMs() - clock.monotonicMs();
  let lastOffsetMs = offsetNow();
  /** Sum of steps that nothing has corrected since; the wall clock may be wrong by as much. */
  let steppedMs = 0;
  let centre: Estimate | null = null;
  let notBeforeMs = 0;

  const grown = (estimate: Estimate, nowMs: number) =>
    estimate.uncertaintyMs + Math.ceil(Math.abs(nowMs - estimate.atMs) * DRIFT);

  function wallTime(): EventTime {
    const unixMs = Math.max(0, Math.round(clock.wallMs()));
    const source = wallSource();
    if (source === "none" || unixMs < Math.max(PLAUSIBLE_MS, notBeforeMs)) {
      return { unixMs: Math.max(unixMs, notBeforeMs), uncertaintyMs: UNKNOWN_MS, source: "none" };
    }
    const known = source === "ntp" ? NTP_UNCERTAINTY_MS : RTC_UNCERTAINTY_MS;
    const stepped = Math.abs(steppedMs) + Math.abs(offsetNow() - lastOffsetMs);
    return { unixMs, uncertaintyMs: known + Math.ceil(stepped), source };
  }

  return {
    stamp() {
      const monotonicMs = clock.monotonicMs();
      const time: EventTime =
        centre === null
          ? wallTime()
          : {
              unixMs: Math.max(0, Math.round(monotonicMs + centre.offsetMs)),
              uncertaintyMs: grown(centre, monotonicMs),
              source: "centre",
            };
      return { time, monotonicMs: Math.max(0, Math.floor(monotonicMs)) };
    },
    centreTime(centreMs, sentMonotonicMs, receivedMonotonicMs) {
      const roundTripMs = receivedMonotonicMs - sentMonotonicMs;
      if (roundTripMs < 0 || roundTripMs > MAX_ROUND_TRIP_MS) return;
      const fresh: Estimate = {
        offsetMs: centreMs - (sentMonotonicMs + receivedMonotonicMs) / 2,
        uncertaintyMs: Math.ceil(roundTripMs / 2) + 1,
        atMs: receivedMonotonicMs,
      };
      if (centre === null || fresh.uncertaintyMs <= grown(centre, receivedMonotonicMs)) centre = fresh;
    },
    notBefore(unixMs) {
      notBeforeMs = unixMs;
    },
    step() {
      const offsetMs = offsetNow();
      const byMs = Math.round(offsetMs - lastOffsetMs);
      lastOffsetMs = offsetMs;
      if (Math.abs(byMs) < STEP_MS) return null;
      steppedMs += byMs;
      return { byMs };
    },
  };
}
