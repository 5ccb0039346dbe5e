/** An RS-485 line: everybody hears everything, one byte after the other at the line's pace, and whoever speaks while
 *  another speaks spoils both. Can lose, flip and echo, and carries noise from nowhere. */
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import { lineMs } from "./uart.ts";

export interface BusOptions {
  readonly clock: Clock;
  /** Default 38 400. */
  readonly baud?: number;
  /** For disturbances; without it there are none. */
  readonly random?: Random;
  /** What is said arrives in pieces of so many bytes. Default: as one piece, when its last byte is over. */
  readonly pieceBytes?: number;
}

/** What is wrong with the line; may be changed at any time. */
export interface Disturbance {
  /** Part of the bytes in which a bit is flipped. */
  flips: number;
  /** Part of the transmissions that nobody hears. */
  losses: number;
  /** Whoever speaks hears itself, as with cheap adapters. */
  hasEcho: boolean;
}

export interface BusPort {
  /** Begins at once, or behind what this port is still saying. */
  send(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Off the line: neither heard nor hearing, and silent in mid-word. */
  setPlugged(isPlugged: boolean): void;
}

export interface VirtualBus {
  readonly disturbance: Disturbance;
  attach(): BusPort;
  /** Bytes that nobody sent. */
  noise(bytes: Uint8Array): void;
  /** Transmissions in which another one was spoken into. */
  readonly collisions: number;
  /** Milliseconds in which the line was in use so far. */
  readonly busyMs: number;
}

const DEFAULT_BAUD = 38_400;

interface Speech {
  readonly from: Port | null;
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly endMs: number;
  isCollided: boolean;
}

/** A line that nobody is on. */
export function createVirtualBus(options: BusOptions): VirtualBus {
  return new Bus(options);
}

class Bus implements VirtualBus {
  readonly disturbance: Disturbance = { flips: 0, losses: 0, hasEcho: false };
  collisions = 0;
  busyMs = 0;
  readonly #options: BusOptions;
  readonly #baud: number;
  readonly #ports: Port[] = [];
  #speeches: Speech[] = [];

  constructor(options: BusOptions) {
    this.#options = options;
    this.#baud = options.baud ?? DEFAULT_BAUD;
  }

  attach(): BusPort {
    const port = new Port((from, bytes) => this.#speak(from, bytes));
    this.#ports.push(port);
    return port;
  }

  noise(bytes: Uint8Array): void {
    this.#speak(null, bytes);
  }

  #speak(from: Port | null, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { clock, random, pieceBytes = bytes.length } = this.#options;
    const nowMs = clock.monotonicMs();
    const startMs = Math.max(nowMs, from?.freeMs ?? nowMs);
    const endMs = startMs + lineMs(bytes.length, this.#baud);
    const speech = { from, bytes: Uint8Array.from(bytes), startMs, endMs, isCollided: false };
    this.busyMs += endMs - startMs;
    if (from !== null) from.freeMs = endMs;
    this.#collide(speech, nowMs);
    this.#speeches.push(speech);
    if (random !== undefined && random() < this.disturbance.losses) return;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const end = Math.min(bytes.length, at + pieceBytes);
      const dueMs = startMs + lineMs(end, this.#baud);
      clock.setTimer(() => this.#deliver(speech, at, end), dueMs - nowMs);
    }
  }

  /** Both sides of every overlap are spoiled where they overlap: two drivers against each other give neither's bits. */
  #collide(speech: Speech, nowMs: number): void {
    this.#speeches = this.#speeches.filter(({ endMs }) => endMs > nowMs);
    for (const other of this.#speeches) {
      const fromMs = Math.max(speech.startMs, other.startMs);
      const toMs = Math.min(speech.endMs, other.endMs);
      if (fromMs >= toMs || (other.from !== null && other.from === speech.from)) continue;
      for (const one of [speech, other]) {
        this.#spoil(one, fromMs, toMs);
        if (!one.isCollided) this.collisions++;
        one.isCollided = true;
      }
    }
  }

  #spoil({ bytes, startMs }: Speech, fromMs: number, toMs: number): void {
    const byteMs = lineMs(1, this.#baud);
    const last = Math.min(bytes.length, Math.ceil((toMs - startMs) / byteMs));
    for (let at = Math.max(0, Math.floor((fromMs - startMs) / byteMs)); at < last; at++) {
      bytes[at] = (bytes[at] ?? 0) ^ 0xa5;
    }
  }

  #deliver({ from, bytes }: Speech, start: number, end: number): void {
    // who was pulled off while speaking is not heard to the end
    if (from?.isPlugged === false) return;
    const piece = this.#flipped(bytes.slice(start, end));
    for (const port of this.#ports) {
      if (port !== from || this.disturbance.hasEcho) port.hear(piece);
    }
  }

  #flipped(piece: Uint8Array): Uint8Array {
    const { random } = this.#options;
    const { flips } = this.disturbance;
    if (random === undefined || flips === 0) return piece;
    return piece.map((byte) => (random() < flips ? byte ^ (1 << Math.floor(random() * 8)) : byte));
  }
}

class Port implements BusPort {
  isPlugged = true;
  /** When this port has said everything. */
  freeMs = 0;
  readonly #speak: (from: Port, bytes: Uint8Array) => void;
  readonly #listeners: ((bytes: Uint8Array) => void)[] = [];

  constructor(speak: (from: Port, bytes: Uint8Array) => void) {
    this.#speak = speak;
  }

  send(bytes: Uint8Array): void {
    if (this.isPlugged) this.#speak(this, bytes);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#listeners.push(listener);
  }

  setPlugged(isPlugged: boolean): void {
    this.isPlugged = isPlugged;
  }

  hear(bytes: Uint8Array): void {
    if (!this.isPlugged) return;
    for (const listener of this.#listeners) listener(bytes);
  }
}
