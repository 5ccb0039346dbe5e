/** Outputs on an Arduino that runs StandardFirmata, through johnny-five. Opened again for ever after it was lost. An
 *  Arduino whose host is gone holds its pins as they are, so each pin is asked for its state again and again: a board that
 *  does not answer, or that has forgotten what it was told, is lost. */
import type { Firmata } from "firmata-io";
import firmataIo from "firmata-io";
import type { Board, Relay } from "johnny-five";
import johnnyFive from "johnny-five";
import { SerialPort } from "serialport";
import type { Clock, Timer } from "../clock.ts";
import { every } from "../every.ts";
import type { Driver, DriverEvents } from "./driver.ts";

/** StandardFirmata's. */
const BAUD_RATE = 57_600;
/** From opening the port: its boot loader, its greeting, its capabilities. */
const READY_MS = 15_000;
const VERSION_MS = 800;
const REOPEN_MS = 1_000;
const ASK_MS = 1_000;
/** Rounds of asking without an answer. */
const MISSES = 2;
const CLOSE_MS = 500;

export interface ArduinoConfig {
  readonly path: string;
  readonly outputs: readonly { readonly name: string; readonly pin: number }[];
  readonly silencePin: number | null;
}

interface Attempt {
  readonly port: SerialPort;
  readonly timers: { cancel(): void }[];
  readonly relays: Map<string, Relay>;
  io: Firmata | null;
  misses: number;
}

export function openArduino(
  { path, outputs, silencePin }: ArduinoConfig,
  clock: Clock,
  events: DriverEvents,
): Driver {
  let levels: Readonly<Record<string, boolean>> = {};
  let current: Attempt | null = null;
  let reopening: Timer | null = null;
  let isDown = false;
  let closed = false;

  function connect(): void {
    const port = new SerialPort({ path, baudRate: BAUD_RATE, autoOpen: false });
    const attempt: Attempt = { port, timers: [], relays: new Map(), io: null, misses: 0 };
    current = attempt;
    // an unplugged board says "close" twice and "error" once
    port.on("close", () => lost(attempt, "unplugged"));
    port.on("error", (error) => lost(attempt, error.message));
    port.open((error) => {
      if (error) lost(attempt, error.message);
      else if (current === attempt) greet(attempt);
    });
  }

  function greet(attempt: Attempt): void {
    attempt.timers.push(clock.setTimer(() => lost(attempt, "no Firmata answer"), READY_MS));
    const io = new firmataIo.Firmata(attempt.port, { reportVersionTimeout: VERSION_MS });
    io.on("error", (error: Error) => lost(attempt, error.message));
    io.once("ready", () => {
      if (current !== attempt) return;
      const board = new johnnyFive.Board({ io, repl: false, debug: false, sigint: false, timeout: READY_MS });
      board.on("error", (error: Error) => lost(attempt, error.message));
      board.once("ready", () => {
        if (current === attempt) ready(attempt, board);
      });
    });
    attempt.io = io;
  }

  function ready(attempt: Attempt, board: Board): void {
    cancelAll(attempt);
    for (const { name, pin } of outputs)
      attempt.relays.set(name, new johnnyFive.Relay({ pin, type: "NO", board }));
    if (silencePin !== null) {
      const key = new johnnyFive.Button({ pin: silencePin, isPullup: true, board });
      key.on("press", () => {
        if (current === attempt) events.silence();
      });
    }
    apply(attempt);
    attempt.timers.push({ cancel: every(clock, ASK_MS, () => ask(attempt)) });
    isDown = false;
    events.up();
  }

  function apply({ relays }: Attempt): void {
    for (const [name, relay] of relays) {
      if (levels[name]) relay.close();
      else relay.open();
    }
  }

  /** A board answers in order: what was written before the question is done when it answers. */
  function ask(attempt: Attempt): void {
    const { io } = attempt;
    if (io === null) return;
    if (attempt.misses >= MISSES) {
      lost(attempt, "no Firmata answer");
      return;
    }
    // firmata-io gives one answer to all who ask for a pin: nobody asks while an answer is due
    if (attempt.misses++ > 0) return;
    for (const { name, pin } of outputs) {
      const wanted = levels[name] ? 1 : 0;
      io.queryPinState(pin, () => {
        if (name === outputs.at(-1)?.name) attempt.misses = 0;
        const { mode, state } = io.pins[pin] ?? {};
        if (mode !== io.MODES.OUTPUT || state !== wanted) lost(attempt, `pin ${pin} is not as it was set`);
      });
    }
  }

  function lost(attempt: Attempt, reason: string): void {
    if (current !== attempt) return;
    current = null;
    cancelAll(attempt);
    if (attempt.port.isOpen) attempt.port.close();
    if (closed) return;
    if (!isDown) events.down(reason);
    isDown = true;
    reopening = clock.setTimer(connect, REOPEN_MS);
  }

  connect();
  return {
    set(next) {
      levels = next;
      if (current !== null) apply(current);
    },
    async close() {
      closed = true;
      reopening?.cancel();
      levels = {};
      const attempt = current;
      current = null;
      if (attempt === null) return;
      cancelAll(attempt);
      apply(attempt);
      await closePort(attempt.port);
    },
  };
}

function cancelAll({ timers }: Attempt): void {
  for (const timer of timers.splice(0)) timer.cancel();
}

/** After what was written has left; a port that takes nothing is not waited for. */
function closePort(port: SerialPort): Promise<void> {
  return new Promise((done) => {
    if (!port.isOpen) return done();
    const timer = setTimeout(done, CLOSE_MS);
    port.drain(() =>
      port.close(() => {
        clearTimeout(timer);
        done();
      }),
    );
  });
}
