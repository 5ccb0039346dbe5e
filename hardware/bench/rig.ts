/** The bench rig: an Arduino with StandardFirmata whose relays press a real button and cut its power, and whose analog inputs
 *  see its lamp by phototransistors. Through johnny-five. */
import firmataIo from "firmata-io";
import johnnyFive, { type Board } from "johnny-five";
import { SerialPort } from "serialport";
import type { Clock } from "../virtual/clock.ts";

export interface RigOptions {
  /** Serial port of the Arduino. */
  readonly path: string;
  readonly clock: Clock;
  /** Digital pin of the relay across the button's contact. */
  readonly button: number;
  /** Digital pin of the relay whose normally closed contact feeds the device; null: its power cannot be cut. */
  readonly power: number | null;
  /** Analog input ("A0") of the phototransistor at each lamp, by the lamp's name. */
  readonly lamps: Readonly<Record<string, string>>;
}

export interface LampSeen {
  readonly lamp: string;
  readonly isLit: boolean;
  readonly atMs: number;
}

export interface Rig {
  /** Holds the button for `ms`; settles when it is let go, with the times at which the relay was told. */
  press(ms: number): Promise<{ readonly pressedMs: number; readonly releasedMs: number }>;
  hold(): void;
  release(): void;
  /** Takes the power away for `ms`. Throws where no relay is there for it. */
  cutPower(ms: number): Promise<void>;
  /** Whether the lamp is lit now. Throws for a lamp that nobody looks at. */
  readLed(lamp: string): boolean;
  /** Returns the way to stop it. */
  onLamp(listener: (seen: LampSeen) => void): () => void;
  /** The rig no longer answers; called once. */
  onLost(listener: (reason: string) => void): void;
  /** Lets go of the button, gives the power back. */
  close(): Promise<void>;
}

/** StandardFirmata's. */
const BAUD_RATE = 57_600;
const READY_MS = 15_000;
const VERSION_MS = 800;
/** serialport does not always say that a line was hung up, so the board is asked: so often, and lost after so many
 *  questions without an answer. */
const ASK_MS = 1_000;
const MISSES = 3;
const CLOSE_MS = 500;
/** The shortest that StandardFirmata samples in is 1; every channel takes its place on the line. */
const SAMPLE_MS = 10;
/** Of 1023. Between the two nothing changes: a lamp that fades or a room that is lit does not flicker. */
const LIT_ABOVE = 400;
const DARK_BELOW = 250;

/** Settles when the Arduino answers. Rejects with what to look at when it does not. */
export async function openRig(options: RigOptions): Promise<Rig> {
  const { path, clock, button, power, lamps } = options;
  const port = new SerialPort({ path, baudRate: BAUD_RATE, autoOpen: false });
  let lose: (reason: string) => void = () => undefined;
  port.on("error", (error) => lose(error.message));
  port.on("close", () => lose("unplugged"));
  await new Promise<void>((opened, refused) =>
    port.open((error) => (error ? refused(new Error(`rig at ${path}: ${error.message}`)) : opened())),
  );
  const board = await greet(port, path);
  const press = new johnnyFive.Relay({ pin: button, type: "NO", board });
  const cut = power === null ? null : new johnnyFive.Relay({ pin: power, type: "NO", board });
  const stopAsking = askAgainAndAgain(board, clock, button, () => lose("no answer"));
  const eyes = watchLamps(board, clock, lamps);
  const wait = (ms: number) => new Promise<void>((done) => clock.setTimer(done, ms));
  return {
    hold: () => press.close(),
    release: () => press.open(),
    async press(ms) {
      const pressedMs = clock.monotonicMs();
      press.close();
      await wait(ms);
      press.open();
      return { pressedMs, releasedMs: clock.monotonicMs() };
    },
    async cutPower(ms) {
      if (cut === null) throw new Error("rig: it has no relay for the power; name its pin");
      cut.close();
      await wait(ms);
      cut.open();
    },
    ...eyes,
    onLost(listener) {
      lose = (reason) => {
        lose = () => undefined;
        listener(reason);
      };
    },
    async close() {
      lose = () => undefined;
      stopAsking();
      if (!port.isOpen) return;
      press.open();
      cut?.open();
      await Promise.race([
        wait(CLOSE_MS),
        new Promise<void>((done) => port.drain(() => port.close(() => done()))),
      ]);
    },
  };
}

function greet(port: SerialPort, path: string): Promise<Board> {
  return new Promise((ready, refused) => {
    const refuse = (why: string) => {
      if (port.isOpen) port.close();
      refused(new Error(`rig at ${path}: ${why}; is StandardFirmata on it?`));
    };
    const late = setTimeout(() => refuse("no Firmata answer"), READY_MS);
    const io = new firmataIo.Firmata(port, {
      reportVersionTimeout: VERSION_MS,
      samplingInterval: SAMPLE_MS,
    });
    io.on("error", (error: Error) => refuse(error.message));
    // a Board that is made before would wait for the port to be opened, which it is
    io.once("ready", () => {
      const board = new johnnyFive.Board({ io, repl: false, debug: false, sigint: false, timeout: READY_MS });
      board.on("error", (error: Error) => refuse(error.message));
      board.once("ready", () => {
        clearTimeout(late);
        ready(board);
      });
    });
  });
}

/** Returns the way to stop. */
function askAgainAndAgain(board: Board, clock: Clock, pin: number, lost: () => void): () => void {
  let misses = 0;
  let timer = clock.setTimer(ask, ASK_MS);
  function ask(): void {
    if (misses >= MISSES) {
      lost();
      return;
    }
    misses++;
    board.io.queryPinState(pin, () => {
      misses = 0;
    });
    timer = clock.setTimer(ask, ASK_MS);
  }
  return () => timer.cancel();
}

/** Voltages to lit and dark. */
function watchLamps(board: Board, clock: Clock, lamps: RigOptions["lamps"]) {
  const lit = new Map<string, boolean>();
  const listeners = new Set<(seen: LampSeen) => void>();
  for (const [lamp, pin] of Object.entries(lamps)) {
    lit.set(lamp, false);
    const sensor = new johnnyFive.Sensor({ pin, freq: SAMPLE_MS, board });
    sensor.on("data", () => {
      const was = lit.get(lamp) ?? false;
      const isLit = was ? sensor.value > DARK_BELOW : sensor.value > LIT_ABOVE;
      if (isLit === was) return;
      lit.set(lamp, isLit);
      for (const listener of listeners) listener({ lamp, isLit, atMs: clock.monotonicMs() });
    });
  }
  return {
    readLed(lamp: string): boolean {
      const isLit = lit.get(lamp);
      if (isLit === undefined)
        throw new Error(`rig: nobody looks at a lamp "${lamp}", only at ${[...lit.keys()].join(", ")}`);
      return isLit;
    },
    onLamp(listener: (seen: LampSeen) => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
