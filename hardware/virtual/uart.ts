/** One direction of a serial line: text that arrives in order, at the line's pace, in pieces of any size. */
import type { Clock, Timer } from "./clock.ts";

export interface UartOptions {
  readonly clock: Clock;
  /** Default 115 200; 0 = no pacing, bytes arrive at once. */
  readonly baud?: number;
  /** Cuts what is written into the pieces that arrive: sizes in bytes, the rest comes as one. Default: one piece. */
  readonly fragment?: ((length: number) => readonly number[]) | undefined;
}

export interface UartOut {
  /** Sends after `delayMs`, never before what was sent earlier. */
  send(bytes: Uint8Array, delayMs: number): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Drops what has not arrived. */
  clear(): void;
}

/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;
export const DEFAULT_BAUD = 115_200;

/** Milliseconds that `bytes` take on the line. */
export function lineMs(bytes: number, baud: number): number {
  return baud === 0 ? 0 : (bytes * BITS_PER_BYTE * 1000) / baud;
}

export function createUartOut({ clock, baud = DEFAULT_BAUD, fragment }: UartOptions): UartOut {
  const listeners: ((bytes: Uint8Array) => void)[] = [];
  const timers = new Set<Timer>();
  let freeMs = 0;
  const arrive = (bytes: Uint8Array, atMs: number) => {
    const timer = clock.setTimer(() => {
      timers.delete(timer);
      for (const listener of listeners) listener(bytes);
    }, atMs - clock.monotonicMs());
    timers.add(timer);
  };
  return {
    send(bytes, delayMs) {
      freeMs = Math.max(freeMs, clock.monotonicMs() + delayMs);
      let at = 0;
      for (const size of [...(fragment?.(bytes.length) ?? []), bytes.length]) {
        const piece = bytes.slice(at, at + Math.max(0, size));
        if (piece.length === 0) continue;
        at += piece.length;
        freeMs += lineMs(piece.length, baud);
        arrive(piece, freeMs);
      }
    },
    onData: (listener) => void listeners.push(listener),
    clear() {
      for (const timer of timers) timer.cancel();
      timers.clear();
      freeMs = 0;
    },
  };
}
