// biome-ignore-all lint/suspicious/noShadowRestrictedNames: with noLib this file is where they are declared
/** The language and the board as Espruino 2v29 has them, and nothing more: with `noLib`, what is not
 *  declared here does not compile. Checked member by member against the interpreter. `Object.freeze`,
 *  `Map`, `Array.from`, `Number.isInteger`, `Math.trunc`, `[].at` and their like are missing on purpose.
 *  Only what a program uses is declared; add a member when a program needs it and the interpreter has it. */

// ---- what the compiler itself wants --------------------------------------------------------------------
interface Object {
  hasOwnProperty(name: string): boolean;
  toString(): string;
}
interface Function {
  readonly length: number;
}
interface CallableFunction extends Function {}
interface NewableFunction extends Function {}
interface IArguments {
  readonly length: number;
  [index: number]: unknown;
}
interface Boolean {
  valueOf(): boolean;
}
interface RegExp {
  exec(text: string): string[] | null;
  test(text: string): boolean;
}
interface Symbol {
  toString(): string;
}
interface TemplateStringsArray extends ReadonlyArray<string> {}

type Partial<T> = { [P in keyof T]?: T[P] };
type Readonly<T> = { readonly [P in keyof T]: T[P] };
type Pick<T, K extends keyof T> = { [P in K]: T[P] };
type Exclude<T, U> = T extends U ? never : T;
type Omit<T, K> = Pick<T, Exclude<keyof T, K>>;
type Record<K extends string | number, T> = { [P in K]: T };
type ReturnType<T extends (...args: never) => unknown> = T extends (...args: never) => infer R ? R : never;

// ---- built-ins -----------------------------------------------------------------------------------------
interface ObjectConstructor {
  assign<T, U>(target: T, source: U): T & U;
  assign<T, U, V>(target: T, source1: U, source2: V): T & U & V;
  keys(of: object): string[];
}
declare const Object: ObjectConstructor;

interface Error {
  name: string;
  message: string;
}
interface ErrorConstructor {
  new (message?: string): Error;
  readonly prototype: Error;
}
declare const Error: ErrorConstructor;

interface String {
  readonly length: number;
  readonly [index: number]: string;
  charAt(at: number): string;
  charCodeAt(at: number): number;
  endsWith(part: string): boolean;
  includes(part: string): boolean;
  indexOf(part: string, from?: number): number;
  padStart(length: number, fill?: string): string;
  repeat(times: number): string;
  slice(from: number, to?: number): string;
  split(by: string): string[];
  startsWith(part: string): boolean;
  substr(from: number, length?: number): string;
  trim(): string;
}
interface StringConstructor {
  fromCharCode(...codes: number[]): string;
}
declare const String: StringConstructor;

interface Number {
  toString(radix?: number): string;
}

interface ReadonlyArray<T> {
  readonly length: number;
  readonly [index: number]: T;
  concat(more: readonly T[]): T[];
  every(is: (item: T, index: number) => boolean): boolean;
  filter(is: (item: T, index: number) => boolean): T[];
  find(is: (item: T, index: number) => boolean): T | undefined;
  findIndex(is: (item: T, index: number) => boolean): number;
  forEach(run: (item: T, index: number) => void): void;
  indexOf(item: T): number;
  join(by: string): string;
  map<U>(make: (item: T, index: number) => U): U[];
  reduce<U>(fold: (sum: U, item: T) => U, start: U): U;
  slice(from?: number, to?: number): T[];
  some(is: (item: T, index: number) => boolean): boolean;
}
interface Array<T> extends ReadonlyArray<T> {
  [index: number]: T;
  pop(): T | undefined;
  push(item: T): number;
  reverse(): T[];
  shift(): T | undefined;
  splice(at: number, remove: number): T[];
}
interface ArrayConstructor {
  isArray(value: unknown): boolean;
}
declare const Array: ArrayConstructor;

interface ArrayBuffer {
  readonly byteLength: number;
}
interface Uint8Array {
  readonly length: number;
  readonly buffer: ArrayBuffer;
  [index: number]: number;
  map(make: (byte: number, index: number) => number): Uint8Array;
  set(from: Uint8Array | readonly number[], at?: number): void;
}
interface Uint8ArrayConstructor {
  new (lengthOrBytes: number | readonly number[]): Uint8Array;
  new (buffer: ArrayBuffer, at: number, length: number): Uint8Array;
}
declare const Uint8Array: Uint8ArrayConstructor;

interface Math {
  abs(x: number): number;
  ceil(x: number): number;
  floor(x: number): number;
  log(x: number): number;
  max(a: number, b: number): number;
  min(a: number, b: number): number;
  round(x: number): number;
}
declare const Math: Math;

declare const Infinity: number;
declare function parseInt(text: string, radix: number): number;

// ---- the board -----------------------------------------------------------------------------------------
/** A pin by its name on the board, at most four characters: "D13", "A0". */
type PinName = string;
type TimerId = number & { readonly __timer: never };

interface WatchEvent {
  /** Level after the edge, as the interrupt saw it. */
  readonly state: boolean;
  /** Seconds, on the scale of `getTime`. */
  readonly time: number;
}

declare function setTimeout(run: () => void, delayMs: number): TimerId;
declare function clearTimeout(id: TimerId): void;
declare function setWatch(
  run: (event: WatchEvent) => void,
  pin: PinName,
  options: { repeat: boolean; edge: "rising" | "falling" | "both"; debounce?: number },
): number;
/** Seconds since an epoch of the board's own; runs on, never set by our programs. */
declare function getTime(): number;
declare function digitalRead(pin: PinName): number;
/** One pin, or several: then the last takes bit 0. Makes it an output. */
declare function digitalWrite(pin: PinName | readonly PinName[], level: number): void;
/** 0 to 1 of the supply. */
declare function analogRead(pin: PinName): number;
declare function pinMode(pin: PinName, mode: "input" | "input_pullup" | "input_pulldown" | "output"): void;
declare function print(text: string): void;

interface SerialPort {
  setup(baud: number, options: { rx: PinName; tx: PinName }): void;
  unsetup(): void;
  write(text: string): void;
  on(event: "data", run: (text: string) => void): void;
}
declare const Serial1: SerialPort;

interface StorageModule {
  /** The whole file as a string of bytes, or undefined. */
  read(name: string): string | undefined;
  readJSON(name: string, noExceptions: boolean): unknown;
  /** Creates or fills a file. Flash bytes are written once: a second, other value throws, as a full
   *  Storage does. */
  write(name: string, data: string, offset?: number, size?: number): boolean;
}
/** Missing where Espruino is built without AES: RP2040, MDBT42Q, ESP32 with IDF 4. */
interface CryptoModule {
  readonly AES: {
    encrypt(message: string, key: string, options: { mode: "ECB" }): ArrayBuffer;
  };
}
/** A TCP connection. */
interface Socket {
  write(text: string): void;
  end(): void;
  on(event: "data", run: (text: string) => void): void;
  on(event: "close", run: () => void): void;
}
interface NetModule {
  connect(to: { host: string; port: number }, run: () => void): Socket;
}
/** ESP32 and Espruino WiFi. */
interface WifiModule {
  /** `error` is null when the network was joined. */
  connect(ssid: string, options: { password: string }, run: (error: string | null) => void): void;
}
declare function require(module: "Storage"): StorageModule;
declare function require(module: "crypto"): CryptoModule;
declare function require(module: "net"): NetModule;
declare function require(module: "Wifi"): WifiModule;

declare const E: {
  /** 32 random bits. Plain pseudo-random on ESP32. */
  hwRand(): number;
  toString(bytes: ArrayBuffer): string;
  /** Battery in percent; boards without a measurement do not have it. */
  getBattery?(): number;
  enableWatchdog(timeoutS: number, isAuto: boolean): void;
  setConsole(device: null | string, options: { force: boolean }): void;
};
/** Bluetooth boards only. */
declare const NRF: { sleep(): void } | undefined;
