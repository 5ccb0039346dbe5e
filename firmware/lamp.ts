/** What the lamp and the buzzer say. Every meaning has its own rhythm, so that it can be read without
 *  seeing colour. Pure: meaning and time in, levels out. */

export type LampMeaning =
  | "off"
  | "sending"
  | "stored"
  | "received"
  | "taken"
  | "dispatched"
  | "notDelivered"
  | "blink";

export const RED = 1;
export const AMBER = 2;
export const GREEN = 4;
export const BUZZER = 8;

/** Lights, then milliseconds on, off, on, off, …, over and over. Lights alone: steady. */
const PATTERNS: Record<LampMeaning, readonly number[]> = {
  off: [0],
  sending: [AMBER, 125, 125],
  stored: [AMBER],
  received: [GREEN],
  taken: [GREEN, 500, 1500],
  dispatched: [GREEN, 150, 150, 150, 1550],
  notDelivered: [RED | BUZZER, 150, 150, 150, 150, 150, 1250],
  blink: [GREEN],
};

/** Levels of a meaning that has been shown for `shownMs`, and in how many milliseconds they change
 *  (Infinity: never). */
export function lampAt(
  meaning: LampMeaning,
  shownMs: number,
): { readonly lights: number; readonly nextMs: number } {
  const pattern = PATTERNS[meaning];
  const rhythm = pattern.slice(1);
  const lights = pattern[0] ?? 0;
  if (rhythm.length === 0) return { lights: lights, nextMs: Infinity };
  let left = shownMs % rhythm.reduce((sum, ms) => sum + ms, 0);
  let at = 0;
  while (left >= (rhythm[at] ?? 0)) left -= rhythm[at++] ?? 0;
  return { lights: at % 2 === 0 ? lights : 0, nextMs: (rhythm[at] ?? 0) - left };
}
