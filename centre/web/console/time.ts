/** Times as people read them: local with seconds, and ages that count up. */
import type { Words } from "./words/shape.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

/** "14:03:22" */
export function clockText(unixMs: number, words: Words): string {
  return format(words.locale, CLOCK).format(unixMs);
}

/** "14:03:22" today, "23 Nov 14:03:22" on any other day. */
export function momentText(unixMs: number, nowMs: number, words: Words): string {
  if (new Date(unixMs).toDateString() === new Date(nowMs).toDateString()) return clockText(unixMs, words);
  const day = format(words.locale, { day: "numeric", month: "short" }).format(unixMs);
  return `${day}, ${clockText(unixMs, words)}`;
}

/** "2 min 14 s"; never negative, because a hub's clock may run ahead of ours. */
export function ageText(ms: number, words: Words): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return words.days(Math.floor(hours / 24), hours % 24);
  if (hours > 0) return words.hours(hours, minutes % 60);
  return minutes > 0 ? words.minutes(minutes, seconds % 60) : words.seconds(seconds);
}

/** "0:12", "12:05", "3:00:12", for the narrow column of the queue. */
export function ageDigits(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
