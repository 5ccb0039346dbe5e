/** What a sensor's samples add up to. A condition begins once the samples for it outnumber those against it by
 *  `begin`, so one spike means nothing; it ends after `end` samples against it in a row, so a reading that trembles
 *  at its limit says one thing. Pure. */

/** What one sample says about a condition. Undecided: too little for it and too much against it, or the sensor
 *  cannot judge. */
export const FOR = 1;
export const AGAINST = -1;
export const UNDECIDED = 0;

export interface Condition {
  /** Of DETAIL. */
  readonly code: number;
  /** Samples. */
  readonly begin: number;
  readonly end: number;
}

/** One count per condition. Up to `begin`: how far it has come. Above: it stands, with so much left. */
export type Counts = readonly number[];

/** Counts before the first sample. */
export const NO_COUNTS: Counts = [];

/** Takes one sample: what it says about each condition, in their order. */
export function stepCounts(
  conditions: readonly Condition[],
  counts: Counts,
  says: readonly number[],
): Counts {
  return conditions.map((condition, i) => {
    const count = counts[i] ?? 0;
    const said = says[i];
    const begin = condition.begin;
    if (said === FOR) return count >= begin - 1 ? begin + condition.end - 1 : count + 1;
    if (said !== AGAINST || count === 0) return count;
    return count === begin ? 0 : count - 1;
  });
}

/** Bit n: the condition with code n stands. */
export function standing(conditions: readonly Condition[], counts: Counts): number {
  return conditions.reduce((bits, condition) => {
    const i = conditions.indexOf(condition);
    return (counts[i] ?? 0) >= condition.begin ? bits | (1 << condition.code) : bits;
  }, 0);
}

/** Whether a condition has begun to count and does not stand yet: worth a closer look. */
export function isCounting(conditions: readonly Condition[], counts: Counts): boolean {
  return conditions.some((condition, i) => {
    const count = counts[i] ?? 0;
    return count > 0 && count < condition.begin;
  });
}

/** Whether the condition with this code is in `stands`. */
export function stands(bits: number, code: number): boolean {
  return (bits & (1 << code)) !== 0;
}
