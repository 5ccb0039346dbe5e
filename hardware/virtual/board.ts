/** A virtual Espruino board: it runs the final firmware bundle, with pins, timers, a serial port and
 *  Storage as Espruino 2v29 has them, on the clock it is given. What the bundle throws is printed and the
 *  board goes on, as the real one does. */
import { DARK, type Lamp } from "./board-lamp.ts";
import { createPins } from "./board-pins.ts";
import { alertWatches, type Hardware, type Life, receive, startProgram } from "./board-program.ts";
import { type BoardStorage, createBoardStorage } from "./board-storage.ts";
import type { Board, BoardError, BoardLogEntry, BoardOptions, PinLevel } from "./board-types.ts";

/** How a virtual board is wired. */
export const VIRTUAL_PROFILE = {
  button: "D1",
  red: "D2",
  amber: "D3",
  green: "D4",
  buzzer: "D5",
  tamper: "D6",
  mains: "D7",
  modemReset: "D8",
  modemPower: "D9",
  rx: "D10",
  tx: "D11",
  battery: { pin: "A0", empty: 0.6, full: 0.9 },
} as const;

const LOG_LENGTH = 2000;
const FULL_BATTERY = 0.9;

const LAMP_PINS = ["red", "amber", "green", "buzzer"] as const;

/** Pin of each name in the profile. */
function wiringOf(profile: unknown): ReadonlyMap<string, string> {
  const wires = Object.entries(profile as Record<string, string | { readonly pin: string }>);
  return new Map(wires.map(([name, to]) => [name, typeof to === "string" ? to : to.pin]));
}

/** Puts the identity file where whoever flashes a board puts it; an identical file is left alone. Without one, the board
 *  is who its Storage says. */
function provision(
  storage: BoardStorage,
  wanted: BoardOptions["identity"],
): Readonly<Record<string, unknown>> {
  const found = storage.read("identity");
  if (wanted === undefined) return { profile: VIRTUAL_PROFILE, ...JSON.parse(found ?? "{}") };
  const identity = { profile: VIRTUAL_PROFILE, ...wanted };
  const file = JSON.stringify(identity);
  if (found !== file) storage.write("identity", file);
  return identity;
}

/** What the board did, and what went wrong: both bounded. */
function createRecords(clock: BoardOptions["clock"]) {
  const log: BoardLogEntry[] = [];
  const errors: BoardError[] = [];
  const note: Hardware["note"] = (what, text) => {
    log.push({ atMs: clock.monotonicMs(), what, text });
    if (log.length > LOG_LENGTH) log.shift();
  };
  const attempt: Hardware["attempt"] = (life, why, code) => {
    if (life.isOver) return;
    note("cpu", why);
    try {
      code();
    } catch (error) {
      // after a power cut nobody is there to print it
      if (!life.isOver) errors.push({ atMs: clock.monotonicMs(), message: String(error) });
      if (errors.length > LOG_LENGTH) errors.shift();
    }
  };
  return { log, errors, note, attempt };
}

/** The lamp's four pins as one value, told when it changes. */
function createLampView(
  clock: BoardOptions["clock"],
  lit: (name: string) => boolean,
  note: Hardware["note"],
) {
  const listeners: ((lamp: Lamp, atMs: number) => void)[] = [];
  let lamp = DARK;
  return {
    lamp: () => lamp,
    onLamp: (listener: (lamp: Lamp, atMs: number) => void) => void listeners.push(listener),
    look() {
      const next = { red: lit("red"), amber: lit("amber"), green: lit("green"), buzzer: lit("buzzer") };
      if (LAMP_PINS.every((name) => next[name] === lamp[name])) return;
      lamp = next;
      note("lamp", LAMP_PINS.filter((name) => lamp[name]).join(" ") || "dark");
      for (const listener of listeners) listener(lamp, clock.monotonicMs());
    },
  };
}

/** A board with `identity` in its Storage. It does nothing until it has power. */
export function createBoard(options: BoardOptions): Board {
  const { clock, serial } = options;
  const storage = options.storage ?? createBoardStorage();
  const identity = provision(storage, options.identity);
  const wiring = wiringOf(identity["profile"]);
  const pinOf = (name: string) => wiring.get(name) ?? name;
  const now = (level: PinLevel) => (typeof level === "function" ? () => level(clock.monotonicMs()) : level);
  const levels = Object.entries<PinLevel>({ battery: FULL_BATTERY, ...options.pins });
  const pins = createPins(Object.fromEntries(levels.map(([name, level]) => [pinOf(name), now(level)])));
  const { log, errors, note, attempt } = createRecords(clock);
  const view = createLampView(clock, (name) => pins.output(pinOf(name)) === 1, note);
  const hardware: Hardware = { options, pins, storage, note, attempt };
  let life: Life | null = null;
  const powerOff = () => {
    if (life === null) return;
    for (const timer of life.timers.values()) timer.cancel();
    life.isOver = true;
    life.isUartOpen = false;
    life = null;
    options.wifi?.stop();
    note("power", "off");
    pins.clear();
  };
  const powerOn = () => {
    if (life !== null) return;
    const bootMs = clock.monotonicMs();
    life = {
      bootMs,
      timers: new Map(),
      watches: new Map(),
      listener: null,
      isUartOpen: false,
      isOver: false,
    };
    startProgram(life, hardware);
  };
  pins.onOutput(view.look);
  pins.onEdge(({ pin }) => life && alertWatches(life, hardware, pin));
  storage.onCut(powerOff);
  serial.onData((bytes) => life && receive(life, hardware, bytes));
  return {
    ...{ storage, log, errors, powerOn, powerOff, lamp: view.lamp, onLamp: view.onLamp },
    get powered() {
      return life !== null;
    },
    press: () => pins.drive(pinOf("button"), 0),
    release: () => pins.drive(pinOf("button"), null),
    setPin: (name, level) => pins.drive(pinOf(name), level === null ? null : now(level)),
  };
}
