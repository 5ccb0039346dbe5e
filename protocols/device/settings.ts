/** Settings: what a hub may set at a device, and what the device says to it. FPort 3. In the Espruino subset.
 *    down  byte 0  version:3 type:5 = 2   |   1  token   |   then items, each a tag and its value
 *    up    byte 0  version:3 type:5 = 3   |   1  token   |   2  result   |   3  tag the result is about, 0 none
 *          4-5 heartbeat in 10 s   |   6 lights   |   7 sound   |   8 mode   |   9-10 minutes left of the mode
 *  Numbers are big-endian. A message takes effect as a whole or not at all; one without items only asks. An answer says
 *  what holds when it is made. A token that was answered last is answered again, and nothing is done twice.
 *    tag 1  heartbeat   2 bytes, 10 s each: 60 s to 24 h
 *        2  lights      1 byte: 0 normal, 1 off but for an alarm that nobody has
 *        3  sound       1 byte: 0 normal, 1 off
 *        4  mode        1 byte, index into MODES, and 2 bytes, minutes: 1 to 1,440, and 0 with "real", which ends it
 *        5  self-test   no value: the way to the hub is tried now
 *        6  check-in    2 bytes, minutes from one check-in to the next: 0 none, to 7 days. Personal buttons only
 *  Nothing here can mute a report: lights and sound are what the device shows to those beside it. */
import { codecError } from "./codec-error.ts";
import { MODES, type Mode } from "./report.ts";

export const SETTINGS_FPORT = 3;
export const SETTINGS_ANSWER_LENGTH = 11;

/** The tags, as numbers. */
export const SETTING = { heartbeat: 1, lights: 2, sound: 3, mode: 4, selfTest: 5, checkIn: 6 } as const;

/** By tag: bytes of its value (-1: no tag), and its lowest and highest value. Of a mode, the mode is the first byte. */
export const SETTING_BYTES: readonly number[] = [-1, 2, 1, 1, 3, 0, 2];
export const SETTING_LOWEST: readonly number[] = [0, 6];
export const SETTING_HIGHEST: readonly number[] = [0, 8640, 1, 1, 0x305a0, 1, 10080];
export const MOST_MODE_MINUTES = 1440;

/** Index = the byte on the wire. `applied`: and stored. */
export const SETTINGS_RESULTS = ["applied", "bad value", "unknown tag", "not stored"] as const;
export type SettingsResult = (typeof SETTINGS_RESULTS)[number];

export type SettingItem =
  | { readonly tag: "heartbeat"; readonly seconds: number }
  | { readonly tag: "lights" | "sound"; readonly isOff: boolean }
  | { readonly tag: "mode"; readonly mode: Mode; readonly minutes: number }
  | { readonly tag: "selfTest" }
  | { readonly tag: "checkIn"; readonly minutes: number };

export interface SettingsMessage {
  /** 0-255: another for every message. */
  readonly token: number;
  readonly items: readonly SettingItem[];
}

export interface SettingsAnswer {
  readonly token: number;
  readonly result: SettingsResult;
  /** Of the item that the result is about, 0: none. */
  readonly tag: number;
  readonly heartbeatS: number;
  readonly areLightsOff: boolean;
  readonly isSoundOff: boolean;
  readonly mode: Mode;
  /** Left of the mode, 65535: no end. */
  readonly minutes: number;
}

const VERSION = 1;
const MESSAGE = (VERSION << 5) | 2;
const ANSWER = (VERSION << 5) | 3;

function numberOf(item: SettingItem): number {
  if (item.tag === "heartbeat") return item.seconds / 10;
  if (item.tag === "mode") return (MODES.indexOf(item.mode) << 16) | item.minutes;
  if (item.tag === "checkIn") return item.minutes;
  return item.tag !== "selfTest" && item.isOff ? 1 : 0;
}

/** What a value says under its tag, undefined when it is out of bounds. */
function itemOf(tag: number, value: number): SettingItem | undefined {
  const minutes = value & 0xffff;
  if (value < (SETTING_LOWEST[tag] ?? 0) || value > (SETTING_HIGHEST[tag] ?? 0)) return undefined;
  if (tag === SETTING.heartbeat) return { tag: "heartbeat", seconds: value * 10 };
  if (tag === SETTING.lights) return { tag: "lights", isOff: value === 1 };
  if (tag === SETTING.sound) return { tag: "sound", isOff: value === 1 };
  if (tag === SETTING.selfTest) return { tag: "selfTest" };
  if (tag === SETTING.checkIn) return { tag: "checkIn", minutes: value };
  const isRight = value >> 16 === 0 ? minutes === 0 : minutes > 0 && minutes <= MOST_MODE_MINUTES;
  return isRight ? { tag: "mode", mode: MODES[value >> 16] ?? "real", minutes: minutes } : undefined;
}

/** Throws a CodecError (value) when a value is out of bounds. */
export function encodeSettings(message: SettingsMessage): Uint8Array {
  const bytes = [MESSAGE, message.token];
  for (const item of message.items) {
    const tag = SETTING[item.tag];
    const value = numberOf(item);
    if (value !== Math.floor(value) || itemOf(tag, value) === undefined)
      throw codecError("value", "settings: " + item.tag + " is out of bounds");
    bytes.push(tag);
    for (let left = SETTING_BYTES[tag] ?? 0; left > 0; left--) bytes.push((value >> (8 * (left - 1))) & 0xff);
  }
  return new Uint8Array(bytes);
}

/** Throws a CodecError: length, version, type, tag, value. */
export function decodeSettings(bytes: Uint8Array): SettingsMessage {
  const byte = (i: number) => bytes[i] ?? 0;
  if (bytes.length < 2) throw codecError("length", "settings: " + bytes.length + " bytes, not 2 or more");
  if (byte(0) >> 5 !== VERSION)
    throw codecError("version", "settings: version " + (byte(0) >> 5) + ", not 1");
  if (byte(0) !== MESSAGE) throw codecError("type", "settings: message type " + (byte(0) & 0x1f) + ", not 2");
  const items: SettingItem[] = [];
  let at = 2;
  while (at < bytes.length) {
    const tag = byte(at++);
    const size = SETTING_BYTES[tag] ?? -1;
    if (size < 0) throw codecError("tag", "settings: no tag " + tag);
    if (at + size > bytes.length) throw codecError("length", "settings: the value of tag " + tag + " is cut");
    let value = 0;
    for (let i = 0; i < size; i++) value = (value << 8) | byte(at++);
    const item = itemOf(tag, value);
    if (item === undefined) throw codecError("value", "settings: tag " + tag + " has " + value);
    items.push(item);
  }
  return { token: byte(1), items: items };
}

/** Eleven bytes. Numbers are cut to their field. */
export function encodeSettingsAnswer(a: SettingsAnswer): Uint8Array {
  const heartbeat = Math.round(a.heartbeatS / 10);
  return new Uint8Array([
    ANSWER,
    a.token,
    SETTINGS_RESULTS.indexOf(a.result),
    a.tag,
    heartbeat >> 8,
    heartbeat & 0xff,
    a.areLightsOff ? 1 : 0,
    a.isSoundOff ? 1 : 0,
    MODES.indexOf(a.mode),
    a.minutes >> 8,
    a.minutes & 0xff,
  ]);
}

/** Throws a CodecError: length, version, type, result, value. */
export function decodeSettingsAnswer(bytes: Uint8Array): SettingsAnswer {
  const byte = (i: number) => bytes[i] ?? 0;
  if (bytes.length !== SETTINGS_ANSWER_LENGTH)
    throw codecError("length", "settings answer: " + bytes.length + " bytes, not 11");
  if (byte(0) >> 5 !== VERSION)
    throw codecError("version", "settings answer: version " + (byte(0) >> 5) + ", not 1");
  if (byte(0) !== ANSWER)
    throw codecError("type", "settings answer: message type " + (byte(0) & 0x1f) + ", not 3");
  const result = SETTINGS_RESULTS[byte(2)];
  const mode = MODES[byte(8)];
  if (result === undefined) throw codecError("result", "settings answer: no result " + byte(2));
  if (mode === undefined || byte(6) > 1 || byte(7) > 1)
    throw codecError(
      "value",
      "settings answer: lights " + byte(6) + ", sound " + byte(7) + ", mode " + byte(8),
    );
  return {
    token: byte(1),
    result: result,
    tag: byte(3),
    heartbeatS: ((byte(4) << 8) | byte(5)) * 10,
    areLightsOff: byte(6) === 1,
    isSoundOff: byte(7) === 1,
    mode: mode,
    minutes: (byte(9) << 8) | byte(10),
  };
}
