/** How this device behaves: as its identity file says, until a hub sets it otherwise. */
import { MODES } from "../protocols/device/report.ts";
import { SETTING } from "../protocols/device/settings.ts";
import { bootMs, identity, storage } from "./board.ts";
import { hex } from "./hex.ts";
import { openLog } from "./log-store.ts";
import {
  answered,
  applySettings,
  halfOf,
  MESSAGE_AT,
  nextRecord,
  RECORD_DIGITS,
  TOKEN_AT,
  type Values,
} from "./settings.ts";

/** Indexes into MODES. */
export const TEST = MODES.indexOf("test");
export const COMMISSIONING = MODES.indexOf("commissioning");

const MINUTE_MS = 60000;
const HEARTBEAT_S = 3600;
const MESSAGE = "22";
const ANSWER = "23";
const NOT_STORED = 0x300;

const log = openLog(storage, ["s0", "s1"], RECORD_DIGITS);
let record = log.last();
const identityMode = MODES.indexOf(identity.mode ?? "real") << 16;
const interval = Math.max(6, Math.round((identity.heartbeatS ?? HEARTBEAT_S) / 10));
const first: Values = [0, interval, 0, 0, identityMode, 0, identity.checkInMinutes ?? 0];
const restored = applySettings(first, record.substr(MESSAGE_AT));
let values = restored[0] === 0 ? restored : first;

/** The value of a setting (SETTING). */
export function settingOf(tag: number): number {
  return values[tag] ?? 0;
}

/** Minutes of the mode in the last record. */
let recorded = record === "" ? 0 : settingOf(SETTING.mode) & 0xffff;
let modeEndMs = bootMs + (record === "" ? (identity.modeForS ?? Infinity) * 1000 : recorded * MINUTE_MS);
/** A message that waits for a quiet moment. */
let message = "";
/** Hex digits of what is to be said on the port of the settings, "": nothing. */
export let answer = "";

/** What an event that happens now is: index into MODES. */
export function modeAt(nowMs: number): number {
  return nowMs < modeEndMs ? settingOf(SETTING.mode) >> 16 : 0;
}

/** Takes what came on the settings' port; it is obeyed in a quiet moment. */
export function takeSettings(text: string): void {
  if (text.startsWith(MESSAGE) && text.length >= 4) message = text;
}

/** The values, with what is left of the mode, and no self-test asked for. */
function current(nowMs: number): Values {
  const mode = modeAt(nowMs);
  const minutes = Math.min(0xffff, Math.ceil((modeEndMs - nowMs) / MINUTE_MS));
  const now = values.slice();
  now[SETTING.mode] = mode > 0 ? (mode << 16) | minutes : 0;
  now[SETTING.selfTest] = 0;
  return now;
}

function keep(token: string, kept: Values): boolean {
  const half = kept.slice();
  half[SETTING.mode] = halfOf(kept[SETTING.mode] ?? 0);
  const next = nextRecord(record, token, half);
  const isDone = log.append(next);
  if (isDone) {
    record = next;
    recorded = (half[SETTING.mode] ?? 0) & 0xffff;
  }
  return isDone;
}

/** The answer was said. */
export function forgetAnswer(): void {
  answer = "";
}

/** A moment in which no alarm is open: keeps what is left of the mode, and obeys the message that waits. True when there
 *  was one: then there is an answer, and a self-test is asked for if the values say so. */
export function obeySettings(nowMs: number): boolean {
  const token = message.substr(2, 2);
  const isNew = token !== record.substr(TOKEN_AT, 2);
  const now = current(nowMs);
  values = now;
  if (recorded > 0 && (settingOf(SETTING.mode) & 0xffff) <= recorded) keep(record.substr(TOKEN_AT, 2), now);
  if (message === "") return false;
  const next = isNew ? applySettings(now, message) : now;
  let result = next[0] ?? 0;
  message = "";
  if (result === 0) {
    if (isNew && !keep(token, next)) result = NOT_STORED;
    else {
      values = next;
      if (next[SETTING.mode] !== now[SETTING.mode])
        modeEndMs = nowMs + (settingOf(SETTING.mode) & 0xffff) * MINUTE_MS;
    }
  }
  answer = ANSWER + token + hex(result, 4) + answered(values);
  return true;
}
