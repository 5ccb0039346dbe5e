/** Channel plans as data: RP002-1.0.4 (LoRaWAN Regional Parameters), cross-read with two open network servers, and
 *  one national overlay. Frequencies in Hz, powers in dBm EIRP. What the values mean: regions.ts. */

export type RegionName = "EU433" | "EU868" | "RU864" | "AS923" | "UZ923";

export interface SubBand {
  readonly minHz: number;
  readonly maxHz: number;
  /** Share of time that one transmitter may be on air, 0 to 1. */
  readonly dutyCycle: number;
  readonly maxEirpDbm: number;
}

export interface Plan {
  readonly defaultChannelsHz: readonly number[];
  readonly extraChannelsHz: readonly number[];
  /** M of RP002, bytes, by data rate: SF12 to SF7 at 125 kHz, SF7 at 250 kHz, FSK 50 kbit/s. */
  readonly maxMacPayload: readonly number[];
  /** The same under a dwell time of 400 ms; 0 = this data rate is forbidden. */
  readonly maxMacPayloadDwell: readonly number[];
  /** null: the plan knows no dwell time. */
  readonly dwellTimeMs: number | null;
  readonly rx2: { readonly frequencyHz: number; readonly dataRate: number };
  /** Data rate steps down by RX1DROffset; negative = up. */
  readonly rx1Offsets: readonly number[];
  readonly maxEirpDbm: number;
  readonly txPowerSteps: number;
  readonly subBands: readonly SubBand[];
  readonly frequencyRangeHz: readonly [number, number];
  /** Ordinary devices of the base plan join elsewhere: their firmware must be given these default channels. */
  readonly ownJoinChannels: boolean;
}

const NO_DWELL = [59, 59, 59, 123, 250, 250, 250, 250];

const AS923: Plan = {
  defaultChannelsHz: [923_200_000, 923_400_000],
  extraChannelsHz: [922_200_000, 922_400_000, 922_600_000, 922_800_000, 923_000_000],
  maxMacPayload: [59, 59, 123, 123, 250, 250, 250, 250],
  maxMacPayloadDwell: [0, 0, 19, 61, 133, 250, 250, 250],
  dwellTimeMs: 400,
  rx2: { frequencyHz: 923_200_000, dataRate: 2 },
  rx1Offsets: [0, 1, 2, 3, 4, 5, -1, -2],
  maxEirpDbm: 16,
  txPowerSteps: 8,
  // one budget for the whole plan: RP002 states 1 % for the default channels and leaves the others to the country
  subBands: [{ minHz: 915_000_000, maxHz: 928_000_000, dutyCycle: 0.01, maxEirpDbm: 16 }],
  frequencyRangeHz: [915_000_000, 928_000_000],
  ownJoinChannels: false,
};

export const PLANS: Readonly<Record<RegionName, Plan>> = {
  /** The plan that RP002-1.0.4 lists for Uzbekistan. */
  EU433: {
    defaultChannelsHz: [433_175_000, 433_375_000, 433_575_000],
    extraChannelsHz: [433_775_000, 433_975_000, 434_175_000, 434_375_000, 434_575_000],
    maxMacPayload: NO_DWELL,
    maxMacPayloadDwell: NO_DWELL,
    dwellTimeMs: null,
    rx2: { frequencyHz: 434_665_000, dataRate: 0 },
    rx1Offsets: [0, 1, 2, 3, 4, 5],
    maxEirpDbm: 12.15,
    txPowerSteps: 6,
    subBands: [{ minHz: 433_175_000, maxHz: 434_665_000, dutyCycle: 0.1, maxEirpDbm: 12.15 }],
    frequencyRangeHz: [433_050_000, 434_790_000],
    ownJoinChannels: false,
  },
  EU868: {
    defaultChannelsHz: [868_100_000, 868_300_000, 868_500_000],
    extraChannelsHz: [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000],
    maxMacPayload: NO_DWELL,
    maxMacPayloadDwell: NO_DWELL,
    dwellTimeMs: null,
    rx2: { frequencyHz: 869_525_000, dataRate: 0 },
    rx1Offsets: [0, 1, 2, 3, 4, 5],
    maxEirpDbm: 16,
    txPowerSteps: 8,
    subBands: [
      { minHz: 863_000_000, maxHz: 865_000_000, dutyCycle: 0.001, maxEirpDbm: 16.15 },
      { minHz: 865_000_000, maxHz: 868_000_000, dutyCycle: 0.01, maxEirpDbm: 16.15 },
      { minHz: 868_000_000, maxHz: 868_600_000, dutyCycle: 0.01, maxEirpDbm: 16.15 },
      { minHz: 868_700_000, maxHz: 869_200_000, dutyCycle: 0.001, maxEirpDbm: 16.15 },
      { minHz: 869_400_000, maxHz: 869_650_000, dutyCycle: 0.1, maxEirpDbm: 29.15 },
      { minHz: 869_700_000, maxHz: 870_000_000, dutyCycle: 0.01, maxEirpDbm: 16.15 },
    ],
    frequencyRangeHz: [863_000_000, 870_000_000],
    ownJoinChannels: false,
  },
  RU864: {
    defaultChannelsHz: [868_900_000, 869_100_000],
    extraChannelsHz: [864_100_000, 864_300_000, 864_500_000, 864_700_000, 864_900_000],
    maxMacPayload: NO_DWELL,
    maxMacPayloadDwell: NO_DWELL,
    dwellTimeMs: null,
    rx2: { frequencyHz: 869_100_000, dataRate: 0 },
    rx1Offsets: [0, 1, 2, 3, 4, 5],
    maxEirpDbm: 16,
    txPowerSteps: 8,
    // the national bands (GKRCh 18-46-03-1, 2018) with the stricter of their duty cycle and RP002's 1 %
    subBands: [
      { minHz: 864_000_000, maxHz: 865_000_000, dutyCycle: 0.001, maxEirpDbm: 16.15 },
      { minHz: 866_000_000, maxHz: 868_000_000, dutyCycle: 0.01, maxEirpDbm: 16.15 },
      { minHz: 868_700_000, maxHz: 869_200_000, dutyCycle: 0.01, maxEirpDbm: 22.15 },
    ],
    frequencyRangeHz: [864_000_000, 870_000_000],
    ownJoinChannels: false,
  },
  AS923,
  /** UZ_923_1 of The Things Industries (2024), made for water meters in Uzbekistan: AS923 on channels of its own. */
  UZ923: {
    ...AS923,
    defaultChannelsHz: [926_400_000, 926_600_000, 926_800_000],
    extraChannelsHz: [],
    rx2: { frequencyHz: 926_200_000, dataRate: 2 },
    // no duty cycle is published for this overlay: the base plan's 1 % stands until the regulator says otherwise
    subBands: [{ minHz: 926_200_000, maxHz: 926_800_000, dutyCycle: 0.01, maxEirpDbm: 16 }],
    ownJoinChannels: true,
  },
};
