/** Plays the patterns of one annunciator: from what is to be shown to levels in time. */
import type { Clock, Timer } from "../clock.ts";
import type { Driver } from "./driver.ts";
import { levelAt } from "./pattern.ts";
import type { Outputs } from "./policy.ts";

export interface Show {
  /** A pattern that an output has already goes on; a new one begins with its on. */
  show(outputs: Outputs): void;
  stop(): void;
}

export function createShow(driver: Pick<Driver, "set">, clock: Clock): Show {
  let outputs: Outputs = {};
  const sinceMs = new Map<string, number>();
  let timer: Timer | null = null;

  function play(): void {
    timer?.cancel();
    timer = null;
    const nowMs = clock.monotonicMs();
    const levels: Record<string, boolean> = {};
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [name, pattern] of Object.entries(outputs)) {
      const { isOn, forMs } =
        pattern === null
          ? { isOn: false, forMs: Number.POSITIVE_INFINITY }
          : levelAt(pattern, nowMs - (sinceMs.get(name) ?? nowMs));
      levels[name] = isOn;
      nextMs = Math.min(nextMs, forMs);
    }
    driver.set(levels);
    if (nextMs !== Number.POSITIVE_INFINITY) timer = clock.setTimer(play, nextMs);
  }

  return {
    show(next) {
      for (const [name, pattern] of Object.entries(next))
        if (pattern !== outputs[name]) sinceMs.set(name, clock.monotonicMs());
      outputs = next;
      play();
    },
    stop() {
      timer?.cancel();
      timer = null;
    },
  };
}
