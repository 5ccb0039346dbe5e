/** What the air carries and who is in it: the surface of air.ts. */
import type { Clock } from "./clock.ts";
import type { PathLoss } from "./path-loss.ts";
import type { Random } from "./random.ts";

/** Uplinks and downlinks turn their chirps opposite ways, so that devices do not hear each other. */
export type Polarity = "up" | "down";

export interface Emission {
  /** Id of the transmitting station. */
  readonly from: string;
  readonly bytes: Uint8Array;
  readonly frequencyHz: number;
  readonly sf: number;
  readonly bandwidthHz: number;
  /** EIRP. */
  readonly powerDbm: number;
  readonly polarity: Polarity;
  /** Monotonic; now or later, as a concentrator is programmed ahead. */
  readonly startMs: number;
}

export interface Transmission extends Emission {
  readonly id: number;
  readonly endMs: number;
}

export interface AirReception {
  readonly transmission: Transmission;
  readonly rssiDbm: number;
  readonly snrDb: number;
}

/** Why a tuned station got nothing: below the noise, itself transmitting, no demodulator left, drowned, or bad luck. */
export type Miss = "weak" | "deaf" | "busy" | "collision" | "lost";

export interface Station {
  readonly id: string;
  /** Frames it can receive at a time: 1 for a modem, 16 for an SX1302. */
  readonly demodulators: number;
  /** Is it tuned to this frame when the preamble begins? */
  hears(transmission: Transmission): boolean;
  /** The preamble was found; `receive` or `drop` follows at the end of the airtime. */
  lock?(transmission: Transmission): void;
  receive(reception: AirReception): void;
  drop?(transmission: Transmission, reason: Miss): void;
}

export type AirFault =
  /** Noise of `levelDbm` at one station, or at all. */
  | { type: "jam"; frequencyHz: number; bandwidthHz: number; levelDbm: number; station?: string }
  /** Frames lost at one station, or at all, besides everything else. */
  | { type: "loss"; probability: number; station?: string }
  /** A wet antenna: loss in dB added to everything one station sends and hears. */
  | { type: "attenuation"; station: string; db: number };

export interface Outcome {
  readonly station: string;
  readonly transmission: Transmission;
  readonly result: "received" | Miss;
  readonly rssiDbm: number;
  readonly snrDb: number;
}

export interface Air {
  /** Puts a station into the air; the returned function takes it out. */
  attach(station: Station): () => void;
  transmit(emission: Emission): Transmission;
  /** The transmitter lost its power: a frame not begun never is, one in the air is heard by nobody. */
  cut(transmission: Transmission): void;
  /** Adds a fault; the returned function removes it. */
  addFault(fault: AirFault): () => void;
  /** Every frame, when its first symbol leaves the antenna. */
  onTransmission(listener: (transmission: Transmission) => void): void;
  /** What came of every frame at every station that was tuned to it. */
  onOutcome(listener: (outcome: Outcome) => void): void;
}

export interface AirOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pathLoss: PathLoss;
  /** Standard deviation of the loss from frame to frame (people, cars, doors). Default 0. */
  readonly fadingDb?: number;
}
