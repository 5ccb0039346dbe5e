/** The radio of a LoRaWAN end device: one transmission, then up to two receive windows (LoRaWAN 1.0.4 chapter 3.3),
 *  and for class C a receiver that is open whenever nothing else is. Knows frames only as bytes. */
import type { Air, AirReception, Transmission } from "./air-types.ts";
import type { Clock, Timer } from "./clock.ts";

export interface Tuning {
  readonly frequencyHz: number;
  readonly sf: number;
  readonly bandwidthHz: number;
}

/** Where a downlink was heard. */
export type Slot = 1 | 2 | "C";

export interface Exchange extends Tuning {
  readonly bytes: Uint8Array;
  readonly powerDbm: number;
  /** RX1 and RX2: when each opens after the end of the transmission, and where. */
  readonly windows: readonly (Tuning & { readonly afterMs: number })[];
  /** Is this frame for us? If not, the next window still opens. */
  accept(reception: AirReception, slot: Slot): boolean;
  /** After the frame was accepted, or when the last window has closed with nothing. */
  done(): void;
}

export interface Radio {
  readonly busy: boolean;
  /** Transmits now. Only while not busy. */
  exchange(exchange: Exchange): Transmission;
  /** Class C: what to listen to when idle; null closes the receiver. */
  listen(continuous: (Tuning & { accept(reception: AirReception): void }) | null): void;
  /** Power off: everything under way is lost. */
  off(): void;
}

/** A window accepts a preamble that begins this much before or after its time: crystal error and wake-up. */
const WINDOW_ERROR_MS = 10;
/** How long an open receiver looks for a preamble before it gives up. */
const DETECT_SYMBOLS = 6;

/** How long a receive window is open in which nothing comes, milliseconds. */
export function emptyWindowMs({ sf, bandwidthHz }: Pick<Tuning, "sf" | "bandwidthHz">): number {
  return 2 * WINDOW_ERROR_MS + DETECT_SYMBOLS * (2 ** sf / bandwidthHz) * 1000;
}

interface OpenWindow extends Tuning {
  readonly fromMs: number;
  readonly toMs: number;
  readonly slot: Slot;
}

export function createRadio(options: { clock: Clock; air: Air; id: string }): Radio {
  return new Transceiver(options);
}

type Continuous = Parameters<Radio["listen"]>[0];

class Transceiver implements Radio {
  readonly #clock: Clock;
  readonly #air: Air;
  readonly #id: string;
  readonly #detach: () => void;
  #current: Exchange | null = null;
  #sending: Transmission | null = null;
  #window: OpenWindow | null = null;
  #continuous: Continuous = null;
  /** A preamble was found here; the frame is not over. */
  #locked: Slot | null = null;
  #timer: Timer | null = null;

  constructor({ clock, air, id }: { clock: Clock; air: Air; id: string }) {
    this.#clock = clock;
    this.#air = air;
    this.#id = id;
    this.#detach = air.attach({
      id,
      demodulators: 1,
      hears: (t) => this.#slotOf(t) !== null,
      lock: (t) => {
        this.#locked = this.#slotOf(t);
      },
      receive: (reception) => this.#over(reception),
      drop: () => this.#over(null),
    });
  }

  get busy(): boolean {
    return this.#current !== null;
  }

  exchange(exchange: Exchange): Transmission {
    this.#current = exchange;
    const { bytes, frequencyHz, sf, bandwidthHz, powerDbm } = exchange;
    const where = { from: this.#id, frequencyHz, sf, bandwidthHz, polarity: "up" as const };
    const sending = this.#air.transmit({ ...where, bytes, powerDbm, startMs: this.#clock.monotonicMs() });
    this.#sending = sending;
    this.#at(sending.endMs, () => this.#open(0, sending.endMs));
    return sending;
  }

  listen(continuous: Continuous): void {
    this.#continuous = continuous;
  }

  off(): void {
    this.#timer?.cancel();
    this.#detach();
    if (this.#sending !== null) this.#air.cut(this.#sending);
    this.#current = null;
  }

  #at(ms: number, callback: () => void): void {
    this.#timer = this.#clock.setTimer(callback, ms - this.#clock.monotonicMs());
  }

  /** Opens the window with this index, or the next that is not already over. */
  #open(index: number, endMs: number): void {
    const next = this.#current?.windows[index];
    if (next === undefined) {
      this.#finish();
      return;
    }
    const nominalMs = endMs + next.afterMs;
    const toMs = nominalMs + WINDOW_ERROR_MS;
    // a long frame in RX1 can swallow RX2
    if (this.#clock.monotonicMs() > toMs) {
      this.#open(index + 1, endMs);
      return;
    }
    const slot = index === 0 ? 1 : 2;
    this.#window = { ...next, fromMs: nominalMs - WINDOW_ERROR_MS, toMs, slot };
    const symbolMs = (2 ** next.sf / next.bandwidthHz) * 1000;
    this.#at(toMs + DETECT_SYMBOLS * symbolMs, () => {
      if (this.#locked !== slot) this.#open(index + 1, endMs);
    });
  }

  /** The frame that the receiver was locked on is over: received, or lost. */
  #over(reception: AirReception | null): void {
    const slot = this.#locked ?? "C";
    this.#locked = null;
    if (slot === "C") {
      if (reception !== null) this.#continuous?.accept(reception);
    } else if (reception !== null && this.#current?.accept(reception, slot)) this.#finish();
    else if (this.#sending !== null) this.#open(slot, this.#sending.endMs);
  }

  #finish(): void {
    const ended = this.#current;
    this.#current = null;
    this.#window = null;
    ended?.done();
  }

  #slotOf(t: Transmission): Slot | null {
    if (t.polarity !== "down") return null;
    const { fromMs = 0, toMs = 0, slot = null } = this.#window ?? {};
    const inWindow = t.startMs >= fromMs && t.startMs <= toMs;
    if (this.#window !== null && inWindow && tuned(this.#window, t)) return slot;
    return this.#continuous !== null && tuned(this.#continuous, t) ? "C" : null;
  }
}

function tuned(tuning: Tuning, t: Transmission): boolean {
  return tuning.frequencyHz === t.frequencyHz && tuning.sf === t.sf && tuning.bandwidthHz === t.bandwidthHz;
}
