/** What the lamp and the buzzer say. Every meaning has its own rhythm, so that it can be read without
 *  seeing colour. Pure: meaning and time in, levels out. */

/** Meanings. Stages first, in their order; an alarm that is closed shows nothing. */
export const LAMP = {
  stored: 0,
  received: 1,
  taken: 2,
  dispatched: 3,
  off: 4,
  sending: 5,
  notDelivered: 6,
  blink: 7,
} as const;

export const RED = 1;
export const AMBER = 2;
export const GREEN = 4;
export const BUZZER = 8;

const STEADY_MS = 1000000000;

/** By meaning: lights, then milliseconds on, off, on, off, …, over and over. */
const PATTERNS: readonly (readonly number[])[] = [
  [AMBER, STEADY_MS],
  [GREEN, STEADY_MS],
  [GREEN, 500, 1500],
  [GREEN, 150, 150, 150, 1550],
  [0, STEADY_MS],
  [AMBER, 125, 125],
  [RED | BUZZER, 150, 150, 150, 150, 150, 1250],
  [GREEN, STEADY_MS],
];

/** Levels of a meaning (LAMP) that has been shown for `shownMs`, and in how many milliseconds they change. */
export function lampAt(
  meaning: number,
  shownMs: number,
): { readonly lights: number; readonly nextMs: number } {
  const pattern = PATTERNS[meaning] ?? [];
  const lights = pattern[0] ?? 0;
  let at = 1;
  let left = shownMs % pattern.reduce((sum, ms) => sum + ms, -lights);
  while (left >= (pattern[at] ?? 0)) left -= pattern[at++] ?? 0;
  return { lights: at % 2 > 0 ? lights : 0, nextMs: (pattern[at] ?? 0) - left };
}
