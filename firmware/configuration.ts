/** What the identity file says of how this device behaves. */
import { MODES } from "../protocols/device/report.ts";
import { bootMs, identity } from "./board.ts";

/** Indexes into MODES. */
export const TEST = MODES.indexOf("test");
export const COMMISSIONING = MODES.indexOf("commissioning");

const HEARTBEAT_S = 3600;

export const heartbeatMs = (identity.heartbeatS ?? HEARTBEAT_S) * 1000;

/** What an event that happens now is: index into MODES. */
export function modeAt(nowMs: number): number {
  const isOver = nowMs - bootMs >= (identity.modeForS ?? Infinity) * 1000;
  return isOver ? 0 : MODES.indexOf(identity.mode ?? "real");
}
