/** Stands in the place of configuration.ts in bundles that have no room for settings: the device behaves as its identity
 *  file says, and answers no message about it. */
import { MODES } from "../protocols/device/report.ts";
import { SETTING } from "../protocols/device/settings.ts";
import { bootMs, identity } from "./board.ts";

/** Indexes into MODES. */
export const TEST = MODES.indexOf("test");
export const COMMISSIONING = MODES.indexOf("commissioning");

const HEARTBEAT_S = 3600;

/** The value of a setting (SETTING), as configuration.ts gives it; a personal button is not built with this. */
export function settingOf(tag: number): number {
  return tag === SETTING.heartbeat ? (identity.heartbeatS ?? HEARTBEAT_S) / 10 : 0;
}

/** What an event that happens now is: index into MODES. */
export function modeAt(nowMs: number): number {
  const isOver = nowMs - bootMs >= (identity.modeForS ?? Infinity) * 1000;
  return isOver ? 0 : MODES.indexOf(identity.mode ?? "real");
}

export function takeSettings(_text: string): void {}

export const answer = "";

export function forgetAnswer(): void {}

export function obeySettings(_nowMs: number): boolean {
  return false;
}
