/** What a sensor's samples add up to. A condition begins once the samples for it outnumber those against it by
 *  three, so one spike means nothing; it ends after twelve against it in a row (a fault: three), so a reading that
 *  trembles at its limit says one thing. Pure. */
import { DETAIL } from "../protocols/device/details.ts";

/** What one sample says about a condition. Undecided: too little for it and too much against it, or the sensor
 *  cannot judge. */
export const FOR = 1;
export const AGAINST = -1;
export const UNDECIDED = 0;

const BEGIN = 3;
const FAULT_END = 3;
const ALARM_END = 12;

/** One count per condition. Below BEGIN: how far it has come. Above: it stands, with so much left. */
export type Counts = readonly number[];

/** Takes one sample: what it says about each condition, in the order of their `codes` (DETAIL). */
export function stepCounts(codes: readonly number[], counts: Counts, says: readonly number[]): Counts {
  return codes.map((code, i) => {
    const count = counts[i] ?? 0;
    const said = says[i];
    if (said === FOR) {
      return count < BEGIN - 1 ? count + 1 : BEGIN - 1 + (code < DETAIL.smoke ? FAULT_END : ALARM_END);
    }
    return said !== AGAINST ? count : count === BEGIN ? 0 : Math.max(0, count - 1);
  });
}

/** Bit n: the condition with code n stands. */
export function standing(codes: readonly number[], counts: Counts): number {
  return codes.reduce((bits, code) => bits | ((counts[codes.indexOf(code)] ?? 0) < BEGIN ? 0 : 1 << code), 0);
}

/** Whether a condition has begun to count and does not stand yet: worth a closer look. */
export function isCounting(counts: Counts): boolean {
  return counts.some((count) => count > 0 && count < BEGIN);
}

/** Whether the condition with this code is in `bits`. */
export function stands(bits: number, code: number): boolean {
  return (bits & (1 << code)) !== 0;
}
