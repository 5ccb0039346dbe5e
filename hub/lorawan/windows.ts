/** Where and when a device listens after its uplink (TS001-1.0.4 section 3.3). Pure. */
import { airtimeMs, fskAirtimeMs } from "../../protocols/lorawan/airtime.ts";
import { type Region, subBandOf } from "../../protocols/lorawan/regions.ts";
import type { CarrierName } from "../carriers/carrier.ts";

/** One copy of an uplink, without its bytes: what is kept while its receive windows are open. */
export interface Heard {
  gateway: string;
  carrier: CarrierName;
  /** null: no radio timing, answer at once. */
  tmst: number | null;
  /** Hub's monotonic milliseconds at the end of the frame on air. */
  heardMs: number;
  snrDb: number | null;
  rssiDbm: number | null;
  frequencyHz: number | null;
  dataRate: number | null;
}

/** One chance to reach the device through one gateway. */
export interface Window {
  name: "rx1" | "rx2" | "now";
  gateway: string;
  carrier: CarrierName;
  /** Concentrator counter at which to start; null: at once. */
  tmst: number | null;
  /** Hub's monotonic milliseconds. */
  startMs: number;
  frequencyHz: number;
  dataRate: number;
  eirpDbm: number;
}

export interface WindowSettings {
  /** Seconds from the end of the uplink to RX1; RX2 is one second later. */
  rx1DelayS: number;
  rx1DrOffset: number;
  rx2DataRate: number;
}

const RX2_AFTER_RX1_S = 1;

/** Every window of every copy: RX1 before RX2, and within each the gateway that heard the device best first. Copies
 *  without radio timing have none. */
export function windowsOf(region: Region, heard: readonly Heard[], settings: WindowSettings): Window[] {
  const best = [...heard].sort((a, b) => quality(b) - quality(a));
  return [
    ...best.flatMap((copy) => rx1(region, copy, settings)),
    ...best.flatMap((copy) => rx2(region, copy, settings)),
  ];
}

function rx1(region: Region, copy: Heard, { rx1DelayS, rx1DrOffset }: WindowSettings): Window[] {
  const { tmst, frequencyHz, dataRate } = copy;
  if (tmst === null || frequencyHz === null || dataRate === null) return [];
  return [
    {
      name: "rx1",
      gateway: copy.gateway,
      carrier: copy.carrier,
      tmst: addSeconds(tmst, rx1DelayS),
      startMs: copy.heardMs + rx1DelayS * 1000,
      frequencyHz,
      dataRate: region.rx1DataRate(dataRate, rx1DrOffset),
      eirpDbm: eirpDbm(region, frequencyHz),
    },
  ];
}

function rx2(region: Region, copy: Heard, { rx1DelayS, rx2DataRate }: WindowSettings): Window[] {
  if (copy.tmst === null) return [];
  const delayS = rx1DelayS + RX2_AFTER_RX1_S;
  const { frequencyHz } = region.rx2;
  return [
    {
      name: "rx2",
      gateway: copy.gateway,
      carrier: copy.carrier,
      tmst: addSeconds(copy.tmst, delayS),
      startMs: copy.heardMs + delayS * 1000,
      frequencyHz,
      dataRate: rx2DataRate,
      eirpDbm: eirpDbm(region, frequencyHz),
    },
  ];
}

/** What the gateway's forwarder needs between being told "at once" and starting, and a little more. */
const IMMEDIATE_MS = 100;
/** A class C answer waits for a free place this often and this long. */
const CLASS_C_TRIES = 20;
const CLASS_C_STEP_MS = 400;

/** A class C device listens on RX2 whenever it does not send: the next moments at which a gateway could begin. */
export function classCWindows(
  region: Region,
  heard: readonly Heard[],
  rx2DataRate: number,
  nowMs: number,
): Window[] {
  const best = heard.filter((copy) => copy.tmst !== null).sort((a, b) => quality(b) - quality(a));
  return Array.from({ length: CLASS_C_TRIES }, (_, i) =>
    best.map(
      (copy): Window => ({
        name: "now",
        gateway: copy.gateway,
        carrier: copy.carrier,
        tmst: null,
        startMs: nowMs + IMMEDIATE_MS + i * CLASS_C_STEP_MS,
        frequencyHz: region.rx2.frequencyHz,
        dataRate: rx2DataRate,
        eirpDbm: eirpDbm(region, region.rx2.frequencyHz),
      }),
    ),
  ).flat();
}

/** Milliseconds on air of a downlink of `payloadBytes`. RangeError for a data rate that the region has not. */
export function downlinkAirtimeMs(region: Region, dataRate: number, payloadBytes: number): number {
  const rate = region.dataRates[dataRate];
  if (rate === undefined || rate === null) throw new RangeError(`${region.name}: no data rate ${dataRate}`);
  if (rate.modulation === "fsk") return fskAirtimeMs(payloadBytes, rate.bitRateHz);
  return airtimeMs({ sf: rate.sf, bandwidthHz: rate.bandwidthHz, payloadBytes, crc: false });
}

/** The sub-band's limit, and the region's where that is lower or no sub-band is known. */
function eirpDbm(region: Region, frequencyHz: number): number {
  return subBandOf(region, frequencyHz)?.maxEirpDbm ?? region.maxEirpDbm;
}

/** The concentrator counts microseconds modulo 2^32; forwarders on ARM saturate beyond it. */
function addSeconds(tmst: number, seconds: number): number {
  return (tmst + seconds * 1_000_000) % 2 ** 32;
}

function quality(copy: Heard): number {
  return copy.snrDb ?? Number.NEGATIVE_INFINITY;
}
