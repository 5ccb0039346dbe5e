/** The air between modems and gateways: who hears which LoRa frame, how well, and when.
 *  A frame is heard by a station that is tuned to it, stronger than the noise its spreading factor can bear, not
 *  drowned by an equal frame (capture at 6 dB), and does not transmit itself meanwhile. Frames of different spreading
 *  factors, channels and polarities do not disturb each other. Reception comes at the end of the airtime.
 *  Everything is decided on nominal times, so a world in real time bears a late timer. */
import { airtimeMs } from "../../protocols/lorawan/airtime.ts";
import type {
  Air,
  AirFault,
  AirOptions,
  Emission,
  Miss,
  Outcome,
  Station,
  Transmission,
} from "./air-types.ts";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import { createLevels, demodulationLimitDb, type Levels, lossProbability } from "./signal.ts";

/** A frame this much stronger than an equal one at the same time is still received. */
const CAPTURE_DB = 6;
/** Frames are remembered for collisions until nothing that overlapped them is in the air: 255 bytes at SF12 take 9 s. */
const MEMORY_MS = 10_000;

interface Lock {
  readonly station: Station;
  readonly snrDb: number;
  readonly miss: Miss | null;
}

export function createAir(options: AirOptions): Air {
  return new Ether(options);
}

class Ether implements Air {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #stations = new Set<Station>();
  readonly #faults = new Set<AirFault>();
  readonly #transmissionListeners: ((transmission: Transmission) => void)[] = [];
  readonly #outcomeListeners: ((outcome: Outcome) => void)[] = [];
  readonly #cut = new WeakSet<Transmission>();
  /** Demodulators in use. */
  readonly #inUse = new Map<Station, number>();
  readonly #levels: Levels;
  #ids = 0;
  #recent: Transmission[] = [];

  constructor(options: AirOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#levels = createLevels(options, this.#faults);
  }

  attach(station: Station): () => void {
    this.#stations.add(station);
    return () => void this.#stations.delete(station);
  }

  transmit(emission: Emission): Transmission {
    const { sf, bandwidthHz, bytes, polarity, startMs } = emission;
    const nowMs = this.#clock.monotonicMs();
    // LoRaWAN 1.0.4 "Physical Message Formats": uplinks carry a payload CRC, downlinks do not
    const onAirMs = airtimeMs({ sf, bandwidthHz, payloadBytes: bytes.length, crc: polarity === "up" });
    const transmission = { ...emission, id: this.#ids++, endMs: startMs + onAirMs };
    this.#recent = this.#recent.filter((old) => old.endMs > nowMs - MEMORY_MS);
    this.#recent.push(transmission);
    this.#clock.setTimer(() => this.#begin(transmission), startMs - nowMs);
    return transmission;
  }

  cut(transmission: Transmission): void {
    this.#cut.add(transmission);
  }

  addFault(fault: AirFault): () => void {
    this.#faults.add(fault);
    return () => void this.#faults.delete(fault);
  }

  onTransmission(listener: (transmission: Transmission) => void): void {
    this.#transmissionListeners.push(listener);
  }

  onOutcome(listener: (outcome: Outcome) => void): void {
    this.#outcomeListeners.push(listener);
  }

  #begin(transmission: Transmission): void {
    if (this.#cut.has(transmission)) return;
    for (const listener of this.#transmissionListeners) listener(transmission);
    const locks = [...this.#stations].flatMap((station) => this.#lockOn(station, transmission) ?? []);
    this.#clock.setTimer(
      () => this.#finish(transmission, locks),
      transmission.endMs - this.#clock.monotonicMs(),
    );
  }

  #lockOn(station: Station, transmission: Transmission): Lock | undefined {
    if (station.id === transmission.from || !station.hears(transmission)) return undefined;
    const snrDb = this.#levels.snrDb(transmission, station.id);
    const inUse = this.#inUse.get(station) ?? 0;
    let miss: Miss | null = null;
    if (snrDb < demodulationLimitDb(transmission.sf)) miss = "weak";
    else if (this.#isDeaf(station, transmission)) miss = "deaf";
    else if (inUse >= station.demodulators) miss = "busy";
    if (miss === null) {
      this.#inUse.set(station, inUse + 1);
      station.lock?.(transmission);
    }
    return { station, snrDb, miss };
  }

  #finish(transmission: Transmission, locks: readonly Lock[]): void {
    for (const { station, snrDb, miss } of locks) {
      if (miss === null) this.#inUse.set(station, (this.#inUse.get(station) ?? 1) - 1);
      if (!this.#stations.has(station)) continue;
      const result = miss ?? this.#fate(transmission, station);
      const rssiDbm = this.#levels.rssiDbm(transmission, station.id);
      const outcome = { station: station.id, transmission, result, rssiDbm, snrDb };
      for (const listener of this.#outcomeListeners) listener(outcome);
      if (result === "received") station.receive({ transmission, rssiDbm, snrDb });
      else if (miss === null) station.drop?.(transmission, result);
    }
  }

  /** Of a frame that was found, when it is over. */
  #fate(transmission: Transmission, station: Station): "received" | Miss {
    const { rssiDbm, snrDb } = this.#levels;
    if (this.#isDeaf(station, transmission)) return "deaf";
    // a jammer may have come up while the frame was in the air
    if (snrDb(transmission, station.id) < demodulationLimitDb(transmission.sf)) return "weak";
    const level = rssiDbm(transmission, station.id);
    const drowns = (other: Transmission) =>
      !this.#cut.has(other) &&
      interferes(other, transmission) &&
      level - rssiDbm(other, station.id) < CAPTURE_DB;
    if (this.#recent.some(drowns)) return "collision";
    const lost = this.#random() < lossProbability(this.#faults, station.id);
    return lost || this.#cut.has(transmission) ? "lost" : "received";
  }

  /** Half duplex: a station that transmits hears nothing on any channel. */
  #isDeaf(station: Station, transmission: Transmission): boolean {
    return this.#recent.some(
      (own) => own.from === station.id && !this.#cut.has(own) && overlap(own, transmission),
    );
  }
}

function overlap(a: Transmission, b: Transmission): boolean {
  return a.startMs < b.endMs && b.startMs < a.endMs;
}

function interferes(other: Transmission, t: Transmission): boolean {
  return (
    other !== t &&
    other.sf === t.sf &&
    other.bandwidthHz === t.bandwidthHz &&
    other.polarity === t.polarity &&
    Math.abs(other.frequencyHz - t.frequencyHz) < t.bandwidthHz / 2 &&
    overlap(other, t)
  );
}
