/** What the server wants of a device by MAC command, and what it has asked. */

export interface SnrSample {
  snrDb: number;
  /** Counter values skipped before this uplink. */
  lost: number;
}

export interface LinkSettings {
  dataRate: number;
  txPowerIndex: number;
  nbTrans: number;
}

export interface MacState {
  /** Of the latest uplinks, for ADR. */
  samples: readonly SnrSample[];
  /** Sent in a LinkADRReq and not answered yet. */
  asked: LinkSettings | null;
  /** Refused by the device: not asked again until the session ends. */
  refused: LinkSettings | null;
  /** Channels offered by NewChannelReq and not answered yet. */
  offeredHz: readonly number[];
  /** Channels that the device refused. */
  refusedHz: readonly number[];
  /** Until then (hub's monotonic milliseconds) an answer to a LinkADRReq or NewChannelReq may still come. */
  patientUntilMs: number;
  /** Hub's monotonic milliseconds at which the device's battery is to be asked for. */
  statusDueMs: number;
}

/** Most lists are empty on most devices: they share this one. */
export const NOTHING: readonly never[] = [];

/** A device of which nothing is known; its status is due at once. */
export function createMacState(statusDueMs = 0): MacState {
  return {
    samples: NOTHING,
    asked: null,
    refused: null,
    offeredHz: NOTHING,
    refusedHz: NOTHING,
    patientUntilMs: 0,
    statusDueMs,
  };
}
