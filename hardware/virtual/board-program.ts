/** The program on a virtual board: Espruino's API around one run of the bundle, from power to no power. */
import { runInContext } from "node:vm";
import { encryptAes, textOfBuffer } from "./board-crypto.ts";
import { createBoardContext } from "./board-language.ts";
import type { Pins } from "./board-pins.ts";
import type { BoardStorage } from "./board-storage.ts";
import type { BoardLogEntry, BoardOptions } from "./board-types.ts";
import type { Timer } from "./clock.ts";

/** One life of the program, from power to no power. */
export interface Life {
  readonly bootMs: number;
  readonly timers: Map<number, Timer>;
  readonly watches: Map<number, Watch>;
  listener: ((text: string) => void) | null;
  isUartOpen: boolean;
  isOver: boolean;
}

interface Watch {
  readonly run: (event: { state: boolean; time: number; lastTime: number; pin: string }) => void;
  readonly pin: string;
  readonly options: { repeat?: boolean; edge?: string; debounce?: number };
  timer: Timer | null;
  lastTime: number;
  level: number;
}

/** What all lives share. */
export interface Hardware {
  readonly options: BoardOptions;
  readonly pins: Pins;
  readonly storage: BoardStorage;
  note(what: BoardLogEntry["what"], text: string): void;
  /** Runs code of the program because of `why`; what it throws is recorded. */
  attempt(life: Life, why: string, code: () => void): void;
}

function timersOf(life: Life, { options: { clock }, attempt }: Hardware) {
  let lastId = 0;
  const start = (id: number, run: () => void, delayMs: number, isRepeated: boolean) => {
    const timer = clock.setTimer(
      () => {
        life.timers.delete(id);
        if (isRepeated) start(id, run, delayMs, true);
        attempt(life, "timer", run);
      },
      Math.max(0, delayMs),
    );
    life.timers.set(id, timer);
    return id;
  };
  const clear = (id: number) => {
    life.timers.get(id)?.cancel();
    life.timers.delete(id);
  };
  return {
    setTimeout: (run: () => void, delayMs: number) =>
      life.isOver ? 0 : start(++lastId, run, delayMs, false),
    setInterval: (run: () => void, delayMs: number) =>
      life.isOver ? 0 : start(++lastId, run, delayMs, true),
    clearTimeout: clear,
    clearInterval: clear,
  };
}

function pinsOf(life: Life, { pins }: Hardware) {
  let lastId = 0;
  return {
    pinMode: pins.mode,
    digitalRead: pins.level,
    analogRead: pins.read,
    digitalWrite: (pin: string | string[], level: number) => {
      if (!life.isOver) pins.write(pin, level);
    },
    setWatch: (run: Watch["run"], pin: string, options: Watch["options"]) => {
      life.watches.set(++lastId, { run, pin, options, timer: null, lastTime: 0, level: pins.level(pin) });
      return lastId;
    },
    clearWatch: (id: number) => void life.watches.delete(id),
  };
}

function serialOf(life: Life, { options: { serial }, note }: Hardware) {
  const open = (isOpen: boolean) => {
    if (life.isUartOpen !== isOpen) note("uart", isOpen ? "open" : "closed");
    life.isUartOpen = isOpen;
  };
  return {
    setup: () => open(true),
    unsetup: () => open(false),
    on: (_event: "data", listener: (text: string) => void) => {
      life.listener = listener;
    },
    write: (text: string) => {
      if (life.isOver) return;
      note("uart", "> " + text.trim().replace(/(APPKEY=).*/, "$1…"));
      serial.write(Uint8Array.from(Buffer.from(text, "latin1")));
    },
  };
}

function globalsOf(life: Life, hardware: Hardware): object {
  const { options, storage, note, attempt } = hardware;
  const getTime = () => (options.clock.monotonicMs() - life.bootMs) / 1000;
  const say = (...parts: unknown[]) => note("console", parts.map(String).join(" "));
  const modules: Record<string, unknown> = {
    crypto: { AES: { encrypt: encryptAes } },
    Storage: { read: storage.read, write: storage.write, erase: storage.erase, list: storage.list },
  };
  Object.assign(
    modules,
    options.wifi?.start((code) => attempt(life, "wifi", code)),
  );
  return {
    ...timersOf(life, hardware),
    ...pinsOf(life, hardware),
    Serial1: serialOf(life, hardware),
    getTime,
    print: say,
    console: { log: say },
    process: { env: { VERSION: "2v29", BOARD: "VIRTUAL" } },
    E: {
      toString: textOfBuffer,
      hwRand: () => Math.floor(options.random() * 2 ** 32) | 0,
      enableWatchdog: () => {},
      setConsole: (device: string | null) => note("console", "console on " + device),
    },
    require: (name: string) => {
      if (modules[name] === undefined) throw new Error(`Module "${name}" not found`);
      return modules[name];
    },
  };
}

/** Runs before the bundle: what must be made of the context's own built-ins. */
const PRELUDE = `
  Date.now = () => getTime() * 1000;
  require("Storage").readJSON = (name, isQuiet) => {
    const text = require("Storage").read(name);
    if (text === undefined) return undefined;
    try { return JSON.parse(text); } catch (error) { if (!isQuiet) throw error; }
  };`;

/** Boots the program. */
export function startProgram(life: Life, hardware: Hardware): void {
  const context = createBoardContext(globalsOf(life, hardware));
  hardware.note("power", "on");
  hardware.attempt(life, "boot", () => {
    runInContext(PRELUDE, context);
    runInContext(hardware.options.bundle, context, { filename: ".bootcde", timeout: 5000 });
  });
}

/** An edge reaches the watches of its pin: through the board's event queue, so never inside other code. */
export function alertWatches(life: Life, { options: { clock }, pins, attempt }: Hardware, pin: string): void {
  const timeS = (clock.monotonicMs() - life.bootMs) / 1000;
  for (const [id, watch] of life.watches) {
    if (watch.pin !== pin) continue;
    const level = pins.level(pin);
    const tell = (state: number) => {
      const { edge = "rising", repeat = false } = watch.options;
      const isWanted = edge === "both" || (edge === "rising") === (state === 1);
      if (!isWanted || state === watch.level || life.isOver) return;
      watch.level = state;
      if (!repeat) life.watches.delete(id);
      attempt(life, "edge", () =>
        watch.run({ state: state === 1, time: timeS, lastTime: watch.lastTime, pin }),
      );
      watch.lastTime = timeS;
    };
    const debounceMs = watch.options.debounce ?? 0;
    if (debounceMs > 0) watch.timer?.cancel();
    watch.timer = clock.setTimer(() => tell(debounceMs > 0 ? pins.level(pin) : level), debounceMs);
  }
}

/** Bytes come in pieces of any size, as they do from a UART's buffer. */
export function receive(
  life: Life,
  { options: { clock, random }, note, attempt }: Hardware,
  bytes: Uint8Array,
): void {
  if (!life.isUartOpen) {
    note("uart", bytes.length + " bytes lost, UART closed");
    return;
  }
  const text = Buffer.from(bytes).toString("latin1");
  if (text.trim() !== "") note("uart", "< " + text.trim());
  for (let at = 0; at < text.length; ) {
    const piece = text.slice(at, at + 1 + Math.floor(random() * 12));
    at += piece.length;
    clock.setTimer(() => {
      if (life.isUartOpen) attempt(life, "serial", () => life.listener?.(piece));
    }, 0);
  }
}
