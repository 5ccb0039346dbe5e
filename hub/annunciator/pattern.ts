/** How an output is on: spans of milliseconds, on and off by turns, again and again. One span: steadily. */
export const PATTERNS = {
  steady: [1000],
  pulse: [500, 500],
  /** ISO 8201: the evacuation signal. */
  temporal3: [500, 500, 500, 500, 500, 1500],
} as const satisfies Record<string, readonly number[]>;

export type Pattern = keyof typeof PATTERNS;

/** Whether the pattern is on `sinceMs` after it began, and for how long that stays so; Infinity: for ever. */
export function levelAt(
  pattern: Pattern,
  sinceMs: number,
): { readonly isOn: boolean; readonly forMs: number } {
  const spans: readonly number[] = PATTERNS[pattern];
  if (spans.length === 1) return { isOn: true, forMs: Number.POSITIVE_INFINITY };
  let leftMs = sinceMs % spans.reduce((sum, span) => sum + span, 0);
  for (const [index, span] of spans.entries()) {
    if (leftMs < span) return { isOn: index % 2 === 0, forMs: span - leftMs };
    leftMs -= span;
  }
  return { isOn: false, forMs: 0 };
}
