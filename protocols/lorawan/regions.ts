/** What a network server and a device need to know about a region. Which region is lawful where is for the operator
 *  and the national regulator: nothing here chooses one. The plans themselves: region-plans.ts. */
import { PLANS, type Plan, type RegionName, type SubBand } from "./region-plans.ts";

export type { RegionName, SubBand } from "./region-plans.ts";

interface PayloadLimits {
  /** N of RP002: bytes of FRMPayload when there are no FOpts (each FOpts byte takes one of these). */
  readonly maxPayload: number;
  /** M of RP002: bytes of MACPayload, that is FHDR, FPort and FRMPayload. */
  readonly maxMacPayload: number;
  /** N under a dwell time of 400 ms; null: the data rate is forbidden then. */
  readonly maxPayloadDwell: number | null;
}
export interface LoraDataRate extends PayloadLimits {
  readonly modulation: "lora";
  readonly sf: number;
  readonly bandwidthHz: number;
}
export interface FskDataRate extends PayloadLimits {
  readonly modulation: "fsk";
  readonly bitRateHz: number;
}
export type DataRate = LoraDataRate | FskDataRate;

export interface Region {
  readonly name: RegionName;
  /** Every device has them from the start; join-requests come on these. */
  readonly defaultChannelsHz: readonly number[];
  /** To give to devices by CFList (type 0), at most five. */
  readonly extraChannelsHz: readonly number[];
  /** True: ordinary devices join on other channels and are never heard until their firmware knows these. */
  readonly ownJoinChannels: boolean;
  /** Index = data rate. LR-FHSS rates are left out: they need other gateways. */
  readonly dataRates: readonly (DataRate | null)[];
  /** Lowest and highest data rate of a join-request. */
  readonly joinDataRates: readonly [number, number];
  readonly rx2: { readonly frequencyHz: number; readonly dataRate: number };
  readonly receiveDelay1S: number;
  readonly receiveDelay2S: number;
  readonly joinAcceptDelay1S: number;
  readonly joinAcceptDelay2S: number;
  /** Counter jumps over this are refused up to LoRaWAN 1.0.3; 1.0.4 dropped the limit. */
  readonly maxFCntGap: number;
  readonly adrAckLimit: number;
  readonly adrAckDelay: number;
  /** Milliseconds that one frame may last, null: no limit. Devices of such a plan observe it until told otherwise. */
  readonly dwellTimeMs: number | null;
  /** Data rate of RX1 for an uplink's data rate and RX1DROffset (0-5, in AS923 0-7). RangeError for others. */
  rx1DataRate(up: number, offset: number): number;
  /** Of a device; a sub-band may allow a gateway more or less. */
  readonly maxEirpDbm: number;
  /** Index = TXPower of LinkADRReq; dB relative to the maximum, 0 and below. */
  readonly txPowerStepsDb: readonly number[];
  readonly subBands: readonly SubBand[];
  readonly maxChannels: number;
  readonly frequencyRangeHz: readonly [number, number];
}

/** SF12 to SF7 at 125 kHz, SF7 at 250 kHz, FSK: data rates 0 to 7 of every plan here. */
const LORA_RATES = [12, 11, 10, 9, 8, 7, 7].map((sf, dr) => ({
  sf,
  bandwidthHz: dr === 6 ? 250_000 : 125_000,
}));
const FSK_BIT_RATE_HZ = 50_000;
const HIGHEST_DATA_RATE = 7;
const HIGHEST_JOIN_DATA_RATE = 5;
const DB_PER_TX_POWER = 2;
/** N = M - FHDR(7) - FPort(1). */
const FHDR_AND_FPORT = 8;

export const REGIONS: Readonly<Record<RegionName, Region>> = {
  EU433: createRegion("EU433", PLANS.EU433),
  EU868: createRegion("EU868", PLANS.EU868),
  RU864: createRegion("RU864", PLANS.RU864),
  AS923: createRegion("AS923", PLANS.AS923),
  UZ923: createRegion("UZ923", PLANS.UZ923),
};

function createRegion(name: RegionName, plan: Plan): Region {
  const dataRates = plan.maxMacPayload.map((_, dr) => dataRateOfPlan(plan, dr));
  const lowest = plan.dwellTimeMs === null ? 0 : dataRates.findIndex((rate) => rate.maxPayloadDwell !== null);
  return {
    name,
    defaultChannelsHz: plan.defaultChannelsHz,
    extraChannelsHz: plan.extraChannelsHz,
    ownJoinChannels: plan.ownJoinChannels,
    dataRates,
    joinDataRates: [lowest, HIGHEST_JOIN_DATA_RATE],
    rx2: plan.rx2,
    receiveDelay1S: 1,
    receiveDelay2S: 2,
    joinAcceptDelay1S: 5,
    joinAcceptDelay2S: 6,
    maxFCntGap: 16_384,
    adrAckLimit: 64,
    adrAckDelay: 32,
    dwellTimeMs: plan.dwellTimeMs,
    rx1DataRate(up, offset) {
      const down = plan.rx1Offsets[offset];
      if (down === undefined || dataRates[up] === undefined) {
        throw new RangeError(name + ": no RX1 data rate for DR" + up + " with RX1DROffset " + offset);
      }
      // a device that sends below the dwell time's lowest data rate has been released from it
      const floor = up < lowest ? 0 : lowest;
      return Math.min(HIGHEST_DATA_RATE, Math.max(floor, up - down));
    },
    maxEirpDbm: plan.maxEirpDbm,
    txPowerStepsDb: Array.from({ length: plan.txPowerSteps }, (_, i) => (i === 0 ? 0 : -DB_PER_TX_POWER * i)),
    subBands: plan.subBands,
    maxChannels: 16,
    frequencyRangeHz: plan.frequencyRangeHz,
  };
}

function dataRateOfPlan(plan: Plan, dr: number): DataRate {
  const maxMacPayload = plan.maxMacPayload[dr] ?? 0;
  const dwell = plan.maxMacPayloadDwell[dr] ?? 0;
  const limits = {
    maxPayload: maxMacPayload - FHDR_AND_FPORT,
    maxMacPayload,
    maxPayloadDwell: dwell === 0 ? null : dwell - FHDR_AND_FPORT,
  };
  const lora = LORA_RATES[dr];
  if (lora !== undefined) return { modulation: "lora", ...lora, ...limits };
  return { modulation: "fsk", bitRateHz: FSK_BIT_RATE_HZ, ...limits };
}

/** "SF7BW125", "FSK50000"; RangeError where the region has no such data rate. */
export function dataRateText(region: Region, dr: number): string {
  const rate = region.dataRates[dr];
  if (rate === undefined || rate === null) throw new RangeError(region.name + ": no data rate " + dr);
  if (rate.modulation === "fsk") return "FSK" + rate.bitRateHz;
  return "SF" + rate.sf + "BW" + rate.bandwidthHz / 1000;
}

/** The data rate that is written so, null where the region has none. */
export function dataRateOf(region: Region, text: string): number | null {
  const dr = region.dataRates.findIndex((rate, i) => rate !== null && dataRateText(region, i) === text);
  return dr < 0 ? null : dr;
}

/** Bytes of FRMPayload that fit at this data rate, the region's dwell time observed; 0 where that forbids it. */
export function maxPayloadOf(region: Region, dr: number): number {
  const rate = region.dataRates[dr];
  if (rate === undefined || rate === null) return 0;
  return region.dwellTimeMs === null ? rate.maxPayload : (rate.maxPayloadDwell ?? 0);
}

/** The first sub-band that contains the frequency; null: nobody may transmit there. */
export function subBandOf(region: Region, frequencyHz: number): SubBand | null {
  return region.subBands.find((band) => frequencyHz >= band.minHz && frequencyHz <= band.maxHz) ?? null;
}
