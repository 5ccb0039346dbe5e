import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  dataRateOf,
  dataRateText,
  maxPayloadOf,
  REGIONS,
  type Region,
  type RegionName,
  subBandOf,
} from "../../../protocols/lorawan/regions.ts";

interface PlanFile {
  readonly common: Readonly<Record<string, unknown>>;
  readonly plans: Readonly<Record<string, PublishedPlan>>;
}
interface PublishedPlan {
  readonly defaultChannels: readonly number[];
  readonly recommendedExtra: readonly number[];
  readonly maxChannels: number;
  readonly drs: readonly {
    dr: number;
    sf?: number;
    bw?: number;
    fsk?: number;
    maxM: number;
    maxMDwell400: number;
  }[];
  readonly rx2: { readonly freq: number; readonly dr: number };
  readonly rx1DrTable: Readonly<Record<string, readonly number[]>>;
  readonly maxEirp: number;
  readonly txPowerStepsDb: readonly number[];
  readonly subBands: readonly { min: number; max: number; dutyCycle: number | null; maxEirp: number }[];
  readonly freqRange: readonly number[];
}

const published: PlanFile = JSON.parse(
  readFileSync(new URL("../../vectors/lorawan-regions.json", import.meta.url), "utf8"),
);
const planOf = (name: RegionName): PublishedPlan =>
  published.plans[name === "AS923" ? "AS923-1" : name] ?? expect.fail(`no plan ${name}`);

/** Of the published data rates those up to 7: the others are LR-FHSS. */
const ratesOf = (name: RegionName) => planOf(name).drs.filter((rate) => rate.dr <= 7);

for (const region of Object.values(REGIONS)) describe(region.name, () => describeRegion(region));

function describeRegion(region: Region): void {
  const plan = planOf(region.name);
  test("channels, RX2, powers and limits are the published ones", () => {
    expect(region.defaultChannelsHz).toEqual(plan.defaultChannels);
    expect(plan.recommendedExtra).toEqual(expect.arrayContaining([...region.extraChannelsHz]));
    expect(region.extraChannelsHz.length).toBeLessThanOrEqual(5);
    expect(region.rx2).toEqual({ frequencyHz: plan.rx2.freq, dataRate: plan.rx2.dr });
    expect(region.maxEirpDbm).toBe(plan.maxEirp);
    expect(region.txPowerStepsDb).toEqual(plan.txPowerStepsDb);
    expect(region.maxChannels).toBe(plan.maxChannels);
    expect(region.frequencyRangeHz).toEqual(plan.freqRange);
    expect(region).toMatchObject({
      receiveDelay1S: published.common["receiveDelay1"],
      receiveDelay2S: published.common["receiveDelay2"],
      joinAcceptDelay1S: published.common["joinAcceptDelay1"],
      joinAcceptDelay2S: published.common["joinAcceptDelay2"],
      maxFCntGap: published.common["maxFCntGap"],
      adrAckLimit: published.common["adrAckLimit"],
      adrAckDelay: published.common["adrAckDelay"],
    });
  });

  test("data rates and payload sizes are the published ones", () => {
    const ours = region.dataRates.map((rate, dr) => ({
      dr,
      ...(rate?.modulation === "lora" ? { sf: rate.sf, bw: rate.bandwidthHz } : { fsk: rate?.bitRateHz }),
      maxM: rate?.maxMacPayload,
      maxMDwell400: rate?.maxPayloadDwell === null ? 0 : (rate?.maxPayloadDwell ?? 0) + 8,
    }));
    expect(ours).toEqual(ratesOf(region.name));
    for (const rate of region.dataRates) expect(rate?.maxPayload).toBe((rate?.maxMacPayload ?? 0) - 8);
  });

  test("RX1 data rates are the published ones, but never below what the dwell time allows", () => {
    const floor = region.dwellTimeMs === null ? 0 : 2;
    for (const [up, row] of Object.entries(plan.rx1DrTable)) {
      for (const [offset, down] of row.entries()) {
        const expected = Number(up) < floor ? down : Math.max(floor, down);
        expect([up, offset, region.rx1DataRate(Number(up), offset)]).toEqual([up, offset, expected]);
      }
      expect(() => region.rx1DataRate(Number(up), row.length)).toThrow(RangeError);
    }
    expect(() => region.rx1DataRate(8, 0)).toThrow(RangeError);
  });

  test("no sub-band is looser than a published one, and every channel lies in one", () => {
    for (const hz of [...region.defaultChannelsHz, ...region.extraChannelsHz, region.rx2.frequencyHz]) {
      const band = subBandOf(region, hz) ?? expect.fail(`${hz} Hz lies in no sub-band`);
      const theirs = plan.subBands.find((b) => hz >= b.min && hz <= b.max);
      expect(band.dutyCycle).toBeGreaterThan(0);
      expect(band.dutyCycle).toBeLessThanOrEqual(theirs?.dutyCycle ?? 0.01);
      if (theirs !== undefined) expect(band.maxEirpDbm).toBeLessThanOrEqual(theirs.maxEirp);
    }
    expect(subBandOf(region, 2_400_000_000)).toBeNull();
  });

  test("data rates are written and read back the same", () => {
    for (const dr of region.dataRates.keys()) expect(dataRateOf(region, dataRateText(region, dr))).toBe(dr);
    expect(dataRateText(region, 5)).toBe("SF7BW125");
    expect(dataRateText(region, 7)).toBe("FSK50000");
    expect(dataRateOf(region, "SF5BW500")).toBeNull();
    expect(() => dataRateText(region, 8)).toThrow(RangeError);
  });
}

test("the dwell time of AS923 bounds the payload and the data rate of a join-request", () => {
  expect([0, 1, 2, 3, 4, 5].map((dr) => maxPayloadOf(REGIONS.AS923, dr))).toEqual([0, 0, 11, 53, 125, 242]);
  expect(REGIONS.AS923.joinDataRates).toEqual([2, 5]);
  expect([0, 1, 2, 3, 4, 5].map((dr) => maxPayloadOf(REGIONS.EU433, dr))).toEqual([
    51, 51, 51, 115, 242, 242,
  ]);
  expect(REGIONS.EU433.joinDataRates).toEqual([0, 5]);
  expect(maxPayloadOf(REGIONS.EU868, 99)).toBe(0);
});

test("only UZ923 needs its join channels written into the device", () => {
  expect(Object.values(REGIONS).filter((r) => r.ownJoinChannels)).toEqual([REGIONS.UZ923]);
});
