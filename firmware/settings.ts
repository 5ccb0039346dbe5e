/** What a hub has set at this device (protocols/device/settings.ts). Pure: hex digits and values in, the same out.
 *
 *  A record in Storage is a serial, and what is set as one message with the token that was applied last: after a restart
 *  that message is applied like any other, and one that is repeated is not applied twice. Of a mode's minutes it holds
 *  half of what was left: a restart may end a test early, and does not lengthen it. The next record follows when no more
 *  is left than the last one says. */
import {
  MOST_MODE_MINUTES,
  SETTING,
  SETTING_BYTES,
  SETTING_HIGHEST,
  SETTING_LOWEST,
} from "../protocols/device/settings.ts";
import { digitsAt, hex } from "./hex.ts";

/** Digits of a record: serial, head and token, then each setting behind its tag. */
export const RECORD_DIGITS = 36;
/** Where the message stands in it, and its token. */
export const MESSAGE_AT = 4;
export const TOKEN_AT = 6;

/** By SETTING: heartbeat in 10 s, lights, sound, mode << 16 | minutes left, 1 when a self-test is asked for, minutes from
 *  one check-in to the next. First of all, what became of a message: 0, or its result << 8 | the tag that it is about. */
export type Values = readonly number[];

const HEAD = "22";
const ANSWERED: readonly number[] = [SETTING.heartbeat, SETTING.lights, SETTING.sound, SETTING.mode];
const RECORDED: readonly number[] = ANSWERED.concat([SETTING.checkIn]);
const BAD_VALUE = 0x100;
const UNKNOWN_TAG = 0x200;

/** The values after a message. Where the first of them is not 0, it is refused, and they are of no use. */
export function applySettings(before: Values, message: string): Values {
  const values = before.slice();
  let at = 4;
  while (at < message.length) {
    const tag = digitsAt(message, at, 2);
    const digits = (SETTING_BYTES[tag] ?? -1) * 2;
    const value = digits > 0 ? digitsAt(message, at + 2, digits) : 1;
    const minutes = value & 0xffff;
    const isMode = minutes <= MOST_MODE_MINUTES && minutes > 0 === value > minutes;
    at += 2 + digits;
    values[tag] = value;
    if (digits < 0) return [UNKNOWN_TAG | tag];
    const isWithin = value >= (SETTING_LOWEST[tag] ?? 0) && value <= (SETTING_HIGHEST[tag] ?? 0);
    if (at > message.length || !isWithin || (tag === SETTING.mode && !isMode)) return [BAD_VALUE | tag];
  }
  return values;
}

function say(values: Values, tags: readonly number[], tagDigits: number): string {
  return tags
    .map((tag) => hex(tag, 2).substr(0, tagDigits) + hex(values[tag] ?? 0, (SETTING_BYTES[tag] ?? 0) * 2))
    .join("");
}

/** Heartbeat, lights, sound, mode and minutes, as an answer says them. */
export function answered(values: Values): string {
  return say(values, ANSWERED, 0);
}

/** The record of these values that follows on another; "": the first. */
export function nextRecord(record: string, token: string, values: Values): string {
  return hex((digitsAt(record, 0, 4) + 1) & 0xffff, 4) + HEAD + token + say(values, RECORDED, 2);
}

/** What a record keeps of a mode and its minutes. */
export function halfOf(mode: number): number {
  const half = Math.min(mode & 0xffff, 2 * MOST_MODE_MINUTES) >> 1;
  return half > 0 ? (mode & 0x30000) | half : 0;
}
