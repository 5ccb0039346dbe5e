/** An RS-485 adapter through serialport. Opened again for ever after it was unplugged. The adapter switches direction
 *  itself. */
import { stat } from "node:fs/promises";
import { SerialPort } from "serialport";
import type { Clock, Timer } from "../clock.ts";
import { every } from "../every.ts";
import { createLineState, type Line, type LineEvents } from "./line.ts";
import type { CharacterFormat } from "./rtu-frame.ts";

const REOPEN_MS = 1_000;
/** serialport 13 reads a line that was hung up again and again without a word, whenever its reader is woken before its
 *  poller fails. So it is looked whether the path still leads to the device that was opened. */
const LOOK_MS = 500;

export interface SerialLineOptions extends CharacterFormat {
  /** Best below /dev/serial/by-id, which stays the same whatever else is plugged in. */
  readonly path: string;
  readonly clock: Clock;
}

export function openSerialLine({ clock, ...options }: SerialLineOptions, events: LineEvents): Line {
  const state = createLineState(events);
  let port: SerialPort | null = null;
  let timer: Timer | null = null;
  let stopLooking: () => void = () => undefined;
  let closed = false;

  function connect(): void {
    timer = null;
    if (closed) return;
    const own = new SerialPort({ ...options, autoOpen: false });
    port = own;
    own.on("data", (bytes: Buffer) => {
      if (port === own) events.data(bytes);
    });
    // an unplugged adapter says "close" twice and "error" once
    own.on("close", (error: Error | null) => lost(own, error?.message ?? "closed"));
    own.on("error", (error) => lost(own, error.message));
    own.open((error) => (error ? lost(own, error.message) : void opened(own)));
  }

  async function opened(own: SerialPort): Promise<void> {
    const device = await deviceAt(options.path);
    if (port !== own) {
      if (own.isOpen) own.close();
      return;
    }
    stopLooking = every(clock, LOOK_MS, () => void look(own, device));
    state.up();
  }

  async function look(own: SerialPort, device: number | null): Promise<void> {
    if ((await deviceAt(options.path)) !== device) lost(own, "it was unplugged");
  }

  function lost(own: SerialPort, reason: string): void {
    if (port !== own) return;
    port = null;
    stopLooking();
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
      stopLooking();
      const own = port;
      port = null;
      if (own?.isOpen) await new Promise<void>((done) => own.close(() => done()));
    },
  };
}

/** Number of the device that a path leads to; null when it leads nowhere. */
async function deviceAt(path: string): Promise<number | null> {
  try {
    return (await stat(path)).rdev;
  } catch {
    return null; // whatever hides it, it is not there to be used
  }
}
