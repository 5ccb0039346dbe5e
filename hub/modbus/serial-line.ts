/** An RS-485 adapter through serialport. Opened again for ever after it was unplugged. The adapter switches direction
 *  itself. */
import { SerialPort } from "serialport";
import type { Clock, Timer } from "../clock.ts";
import { createLineState, type Line, type LineEvents } from "./line.ts";
import type { CharacterFormat } from "./rtu-frame.ts";

const REOPEN_MS = 1_000;

export interface SerialLineOptions extends CharacterFormat {
  /** Best below /dev/serial/by-id, which stays the same whatever else is plugged in. */
  readonly path: string;
  readonly clock: Clock;
}

export function openSerialLine({ clock, ...options }: SerialLineOptions, events: LineEvents): Line {
  const state = createLineState(events);
  let port: SerialPort | null = null;
  let timer: Timer | null = null;
  let closed = false;

  function connect(): void {
    timer = null;
    if (closed) return;
    const own = new SerialPort({ ...options, autoOpen: false });
    port = own;
    own.on("data", (bytes: Buffer) => events.data(bytes));
    // an unplugged adapter says "close" twice and "error" once
    own.on("close", (error: Error | null) => lost(own, error?.message ?? "closed"));
    own.on("error", (error) => lost(own, error.message));
    own.open((error) => {
      if (error) lost(own, error.message);
      else if (port === own) state.up();
    });
  }

  function lost(own: SerialPort, reason: string): void {
    if (port !== own) return;
    port = null;
    if (own.isOpen) own.close();
    if (closed) return;
    state.down(reason);
    timer = clock.setTimer(connect, REOPEN_MS);
  }

  connect();
  return {
    get isUp() {
      return state.isUp;
    },
    write(bytes) {
      if (state.isUp) port?.write(Buffer.from(bytes));
    },
    reset(reason) {
      if (port !== null) lost(port, reason);
    },
    async close() {
      closed = true;
      timer?.cancel();
      const own = port;
      port = null;
      if (own?.isOpen) await new Promise<void>((done) => own.close(() => done()));
    },
  };
}
