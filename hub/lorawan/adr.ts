/** Adaptive data rate. An alarm must get through at the first try on a bad day, so the data rate rises only with 15 dB
 *  in hand, falls again below 5 dB, and the transmit power stays at its maximum: the frames are rare, the energy is
 *  small, the decibels are margin. Lost frames raise NbTrans. Pure. */
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { LinkSettings, SnrSample } from "./mac-state.ts";

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
  // loops: this runs for every uplink
  let bestDb = Number.NEGATIVE_INFINITY;
  let lost = 0;
  for (const sample of samples) {
    if (sample.snrDb > bestDb) bestDb = sample.snrDb;
    lost += Math.min(sample.lost, MAX_LOST_PER_SAMPLE);
  }
  const count = samples.length;
  const dataRate = wantedDataRate(region, current.dataRate, bestDb, count);
  const nbTrans =
    count < ENOUGH_TO_RAISE ? Math.max(1, current.nbTrans) : wantedNbTrans(lost / (lost + count));
  const wanted = { dataRate, txPowerIndex: 0, nbTrans };
  return sameSettings(wanted, current) ? null : wanted;
}

export function sameSettings(a: LinkSettings, b: LinkSettings): boolean {
  return a.dataRate === b.dataRate && a.txPowerIndex === b.txPowerIndex && a.nbTrans === b.nbTrans;
}

function wantedDataRate(region: Region, current: number, bestDb: number, count: number): number {
  const [lowest, highest] = region.joinDataRates;
  if (count >= ENOUGH_TO_RAISE) {
    for (let dataRate = highest; dataRate > current; dataRate--) {
      if (marginDb(region, dataRate, bestDb) >= RAISE_MARGIN_DB) return dataRate;
    }
  }
  const mayLower = count >= ENOUGH_TO_LOWER && current > lowest && current <= highest;
  return mayLower && marginDb(region, current, bestDb) < KEEP_MARGIN_DB ? current - 1 : current;
}

function marginDb(region: Region, dataRate: number, snrDb: number): number {
  const rate = region.dataRates[dataRate];
  return rate?.modulation === "lora" ? snrDb - requiredSnrDb(rate.sf) : Number.NEGATIVE_INFINITY;
}

/** By the share of frames that were lost. */
function wantedNbTrans(lostShare: number): number {
  if (lostShare > 0.3) return 3;
  return lostShare > 0.1 ? 2 : 1;
}
