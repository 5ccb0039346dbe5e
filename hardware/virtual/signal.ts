/** How strong a frame arrives, and what a LoRa receiver can make of it. */
import type { AirFault, AirOptions, Transmission } from "./air-types.ts";
import { gaussian } from "./random.ts";

/** Thermal noise of 1 Hz at room temperature, and what a good receiver adds to it. */
const NOISE_DBM_PER_HZ = -174;
const NOISE_FIGURE_DB = 6;
/** Semtech AN1200.22, table 1: the lowest SNR each spreading factor can be demodulated at. */
const DEMODULATION_LIMIT_DB: Readonly<Record<number, number>> = {
  7: -7.5,
  8: -10,
  9: -12.5,
  10: -15,
  11: -17.5,
  12: -20,
};
/** Noise in dBm of a receiver listening to `bandwidthHz`. */
export function noiseFloorDbm(bandwidthHz: number): number {
  return NOISE_DBM_PER_HZ + NOISE_FIGURE_DB + 10 * Math.log10(bandwidthHz);
}

/** The lowest SNR in dB at which this spreading factor is received. */
export function demodulationLimitDb(sf: number): number {
  return DEMODULATION_LIMIT_DB[sf] ?? 0;
}

export interface Levels {
  rssiDbm(transmission: Transmission, station: string): number;
  snrDb(transmission: Transmission, station: string): number;
}

/** Signal levels and SNR, drawn once per frame and station. */
export function createLevels(options: AirOptions, faults: ReadonlySet<AirFault>): Levels {
  const { pathLoss, random, fadingDb = 0 } = options;
  const drawn = new WeakMap<Transmission, Map<string, number>>();
  const attenuationDb = (station: string) =>
    total(faults, (fault) => (fault.type === "attenuation" && fault.station === station ? fault.db : 0));
  const draw = (transmission: Transmission, station: string) => {
    const fading = fadingDb === 0 ? 0 : fadingDb * gaussian(random);
    const lossDb = pathLoss(transmission.from, station, transmission.frequencyHz) + fading;
    return transmission.powerDbm - lossDb - attenuationDb(transmission.from) - attenuationDb(station);
  };
  const rssiDbm = (transmission: Transmission, station: string): number => {
    const known = drawn.get(transmission) ?? new Map<string, number>();
    const level = known.get(station) ?? draw(transmission, station);
    drawn.set(transmission, known.set(station, level));
    return level;
  };
  const jamsAt =
    (station: string, { frequencyHz, bandwidthHz }: Transmission) =>
    (fault: AirFault) =>
      fault.type === "jam" &&
      (fault.station ?? station) === station &&
      Math.abs(fault.frequencyHz - frequencyHz) < (fault.bandwidthHz + bandwidthHz) / 2
        ? 10 ** (fault.levelDbm / 10)
        : 0;
  const snrDb = (transmission: Transmission, station: string): number => {
    const noiseMw =
      10 ** (noiseFloorDbm(transmission.bandwidthHz) / 10) + total(faults, jamsAt(station, transmission));
    return rssiDbm(transmission, station) - 10 * Math.log10(noiseMw);
  };
  return { rssiDbm, snrDb };
}

function total<T>(items: Iterable<T>, amount: (item: T) => number): number {
  let result = 0;
  for (const item of items) result += amount(item);
  return result;
}

/** Share of frames that the faults take away at this station, besides everything else. */
export function lossProbability(faults: Iterable<AirFault>, station: string): number {
  let heard = 1;
  for (const fault of faults) {
    if (fault.type === "loss" && (fault.station ?? station) === station) heard *= 1 - fault.probability;
  }
  return 1 - heard;
}
