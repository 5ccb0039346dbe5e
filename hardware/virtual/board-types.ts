/** The surface of a virtual board. */
import type { Lamp } from "./board-lamp.ts";
import type { BoardStorage } from "./board-storage.ts";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

export interface BoardOptions {
  /** The script as it is flashed. */
  readonly bundle: string;
  /** Content of the identity file; without a `profile`, VIRTUAL_PROFILE is put in. Default: what Storage holds. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly random: Random;
  /** The wire to the modem. */
  readonly serial: { write(bytes: Uint8Array): void; onData(listener: (bytes: Uint8Array) => void): void };
  /** Boards with Wi-Fi. */
  readonly wifi?: BoardWifi;
  /** Default: empty flash. It keeps its files when power is cut. */
  readonly storage?: BoardStorage;
  /** Levels on inputs from the start, by their name in the profile or on the board; as `setPin` takes them. */
  readonly pins?: Readonly<Record<string, PinLevel>>;
}

/** What a board has for its network. */
export interface BoardWifi {
  /** The modules that `require` gives from now on; whatever they tell the program goes through `run`. */
  start(run: (code: () => void) => void): Readonly<Record<string, object>>;
  /** Power is gone. */
  stop(): void;
}

/** A share of the supply; one that changes with time is a function of it, and makes no edges. */
export type PinLevel = number | ((nowMs: number) => number);

export interface BoardLogEntry {
  readonly atMs: number;
  readonly what: "power" | "cpu" | "uart" | "lamp" | "console";
  readonly text: string;
}

export interface BoardError {
  readonly atMs: number;
  readonly message: string;
}

/** Made without power. */
export interface Board {
  press(): void;
  release(): void;
  /** Drives an input, by its name in the profile ("tamper") or on the board ("D6"); null lets go of it. */
  setPin(name: string, level: PinLevel | null): void;
  lamp(): Lamp;
  onLamp(listener: (lamp: Lamp, atMs: number) => void): void;
  powerOff(): void;
  powerOn(): void;
  readonly powered: boolean;
  readonly storage: BoardStorage;
  /** The last things the board did. */
  readonly log: readonly BoardLogEntry[];
  readonly errors: readonly BoardError[];
}
