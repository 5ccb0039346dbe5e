/** What a sensor says becomes events: each condition that begins, and each that ends. */
import { DETAIL } from "../protocols/device/details.ts";
import { KINDS, type KindRow } from "../protocols/device/kinds.ts";
import { bootMs } from "./board.ts";
import { stands } from "./conditions.ts";
import { modeAt } from "./configuration.ts";
import { follow, forgetAlarms, hurry, setStanding } from "./device.ts";

/** What a sensor's state says to everybody. */
export interface Sensed {
  /** Bit n: the condition with code n (DETAIL) stands. */
  readonly stands: number;
  /** What was measured, as the detail byte of the alarm says it. */
  readonly detail?: number;
  /** When the next sample is due. */
  readonly dueMs: number;
}

/** Follows what `sample` says of `codes`. The alarm's is of `kind`; a pre-alarm's detail is the first of the codes; all
 *  others are `trouble` (fault or tamper). */
export function followSensor(
  kind: KindRow,
  trouble: KindRow,
  codes: readonly number[],
  sample: (nowMs: number) => Sensed,
): void {
  let mode = modeAt(bootMs);
  let stood = 0;
  follow((nowMs) => {
    // what stands of an exercise that is over is raised anew: a fire that began in a test is a real one from now on
    if (mode !== modeAt(nowMs)) forgetAlarms();
    mode = modeAt(nowMs);
    const seen = sample(nowMs);
    for (const code of codes) {
      const isOn = stands(seen.stands, code);
      if (code < DETAIL.smoke) setStanding(code, isOn, nowMs, trouble, code);
      else if (code < DETAIL.preAlarm) setStanding(code, isOn, nowMs, kind, seen.detail ?? 0);
      else setStanding(code, isOn, nowMs, KINDS.preAlarm, codes[0] ?? 0);
    }
    if ((seen.stands & ~stood) >> DETAIL.smoke !== 0) hurry(nowMs);
    stood = seen.stands;
    return seen.dueMs;
  });
}
