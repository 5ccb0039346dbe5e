/** Adaptive data rate. An alarm must get through at the first try on a bad day, so the data rate rises only with 15 dB
 *  in hand, falls again below 5 dB, and the transmit power stays at its maximum: the frames are rare, the energy is
 *  small, the decibels are margin. Lost frames raise NbTrans. Pure. */
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { LinkSettings } from "./mac-state.ts";

export interface SnrSample {
  snrDb: number;
  /** Counter values skipped before this uplink. */
  lost: number;
}

/** Uplinks that are remembered, and those needed before the data rate is raised or lowered. */
export const SAMPLES = 20;
const ENOUGH_TO_RAISE = 10;
const ENOUGH_TO_LOWER = 4;
const RAISE_MARGIN_DB = 15;
const KEEP_MARGIN_DB = 5;
/** Losses of an hour without power must not look like a bad link. */
const MAX_LOST_PER_SAMPLE = 3;

/** SNR at which a LoRa demodulator still works (SX1276 datasheet, table 13): -7.5 dB at SF7 down to -20 dB at SF12. */
export function requiredSnrDb(sf: number): number {
  return -7.5 - 2.5 * (sf - 7);
}

/** What to ask for, or null when the link is as it should be. `current` is what the device uses. */
export function decideAdr(
  region: Region,
  current: LinkSettings,
  samples: readonly SnrSample[],
): LinkSettings | null {
  const wanted: LinkSettings = {
    dataRate: wantedDataRate(region, current.dataRate, samples),
    txPowerIndex: 0,
    nbTrans: wantedNbTrans(current.nbTrans, samples),
  };
  return sameSettings(wanted, current) ? null : wanted;
}

export function sameSettings(a: LinkSettings, b: LinkSettings): boolean {
  return a.dataRate === b.dataRate && a.txPowerIndex === b.txPowerIndex && a.nbTrans === b.nbTrans;
}

function wantedDataRate(region: Region, current: number, samples: readonly SnrSample[]): number {
  const [lowest, highest] = region.joinDataRates;
  const best = Math.max(...samples.map((sample) => sample.snrDb));
  const marginAt = (dataRate: number) => {
    const rate = region.dataRates[dataRate];
    return rate?.modulation === "lora" ? best - requiredSnrDb(rate.sf) : Number.NEGATIVE_INFINITY;
  };
  if (samples.length >= ENOUGH_TO_RAISE) {
    for (let dataRate = highest; dataRate > current; dataRate--)
      if (marginAt(dataRate) >= RAISE_MARGIN_DB) return dataRate;
  }
  const mayLower = samples.length >= ENOUGH_TO_LOWER && current > lowest && current <= highest;
  return mayLower && marginAt(current) < KEEP_MARGIN_DB ? current - 1 : current;
}

function wantedNbTrans(current: number, samples: readonly SnrSample[]): number {
  if (samples.length < ENOUGH_TO_RAISE) return Math.max(1, current);
  const lost = samples.reduce((sum, sample) => sum + Math.min(sample.lost, MAX_LOST_PER_SAMPLE), 0);
  const share = lost / (lost + samples.length);
  if (share > 0.3) return 3;
  return share > 0.1 ? 2 : 1;
}
