/** DevNonce (LoRaWAN 1.0.x, "Join-request message"): what keeps a recorded join-request from being used again. */
import type { DeviceRow, MacVersion } from "./store.ts";

export type DevNonceState = Pick<DeviceRow, "macVersion" | "usedDevNonces" | "lastDevNonce">;

/** True when this DevNonce may be used now. Up to 1.0.3 it is random, so any value not in the history;
 *  1.0.4 counts, so only a value above the highest. */
export function isDevNonceFresh(state: DevNonceState, devNonce: number): boolean {
  return countsUp(state.macVersion) ? devNonce > state.lastDevNonce : !state.usedDevNonces.includes(devNonce);
}

/** The state after `devNonce` was used. The history grows to 65,536 values at most, after which a device up to 1.0.3
 *  needs a new AppKey: forgetting old values would let a recording of them in again. */
export function withDevNonce<S extends DevNonceState>(state: S, devNonce: number): S {
  return {
    ...state,
    usedDevNonces:
      countsUp(state.macVersion) || state.usedDevNonces.includes(devNonce)
        ? state.usedDevNonces
        : [...state.usedDevNonces, devNonce],
    lastDevNonce: Math.max(state.lastDevNonce, devNonce),
  };
}

function countsUp(macVersion: MacVersion): boolean {
  return macVersion === "1.0.4";
}
