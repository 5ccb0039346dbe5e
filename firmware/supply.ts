/** The battery, as far as a board can tell. */
import { identity } from "./board.ts";

/** Of a report: unknown. */
export const UNKNOWN = 255;

/** Percent, or UNKNOWN. */
export function readBattery(): number {
  const battery = identity.profile.battery;
  if (battery === undefined) return E.getBattery === undefined ? UNKNOWN : E.getBattery();
  const share = (analogRead(battery.pin) - battery.empty) / (battery.full - battery.empty);
  return Math.round(Math.max(0, Math.min(1, share)) * 100);
}
