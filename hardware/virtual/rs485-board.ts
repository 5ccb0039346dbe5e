/** A board's serial port on an RS-485 line, through a transceiver that finds its direction by itself. What the board says
 *  leaves a little later: so long its interpreter takes to see a frame and to answer it. */
import type { BusPort } from "./bus.ts";
import type { Clock } from "./clock.ts";

export interface Rs485BoardOptions {
  readonly clock: Clock;
  readonly port: BusPort;
  /** Default 8 ms. */
  readonly turnaroundMs?: number;
}

const DEFAULT_TURNAROUND_MS = 8;

/** For a board's `serial`. */
export function createRs485Serial({ clock, port, turnaroundMs = DEFAULT_TURNAROUND_MS }: Rs485BoardOptions) {
  return {
    write: (bytes: Uint8Array) => void clock.setTimer(() => port.send(bytes), turnaroundMs),
    onData: (listener: (bytes: Uint8Array) => void) => port.onData(listener),
  };
}
