/** Whether a record's clock can be believed. Order never rests on it; a bad clock marks a record and never refuses it. */
import type { EventRecord } from "../../protocols/event.ts";
import type { Poll } from "../../protocols/poll.ts";

export interface TimeCheck {
  /** Ties the hub's monotonic clock to the centre's. */
  heard(poll: Pick<Poll, "boot" | "monotonicMs">, nowMs: number): void;
  /** True when the record's wall time is off by more than its own uncertainty and `toleranceMs`. */
  isBad(event: Pick<EventRecord, "boot" | "monotonicMs" | "time">, nowMs: number): boolean;
}

/** More uncertainty than this says nothing about an alarm's time. */
const MAX_UNCERTAINTY_MS = 60_000;

/** One per hub. `enrolledMs`: no honest record is older. */
export function createTimeCheck(toleranceMs: number, enrolledMs: number): TimeCheck {
  let boot = -1;
  /** Centre time at which the hub's monotonic clock stood at zero; the smallest seen has the least delay in it. */
  let zeroMs = Number.POSITIVE_INFINITY;
  return {
    heard(poll, nowMs) {
      if (poll.boot !== boot) zeroMs = Number.POSITIVE_INFINITY;
      boot = poll.boot;
      zeroMs = Math.min(zeroMs, nowMs - poll.monotonicMs);
    },
    isBad({ boot: recordBoot, monotonicMs, time }, nowMs) {
      if (time.source === "none" || time.uncertaintyMs > MAX_UNCERTAINTY_MS) return true;
      const slackMs = time.uncertaintyMs + toleranceMs;
      if (time.unixMs > nowMs + slackMs || time.unixMs < enrolledMs - slackMs) return true;
      // a backlog is honestly old: by the monotonic clock of the same start its true time is known all the same
      return recordBoot === boot && Math.abs(zeroMs + monotonicMs - time.unixMs) > slackMs;
    },
  };
}
