/** A virtual Espruino console: what a flasher meets at the end of a board's cable. Banner, echo, Ctrl-C, lines that are run
 *  in the board's own language, packets with a file for Storage. Answers leave in pieces of any size. */
import { runInContext, Script } from "node:vm";
import { crc32 } from "node:zlib";
import { createBoardContext } from "./board-language.ts";
import type { BoardStorage } from "./board-storage.ts";
import type { Clock, Timer } from "./clock.ts";
import { type ConsoleEvent, type ConsoleInput, EMPTY_INPUT, stepConsoleInput } from "./console-input.ts";
import type { Random } from "./random.ts";

export interface ConsoleFaults {
  /** The cable is pulled when this many bytes have come, counted from power-up. */
  readonly unplugAfterBytes?: number;
  /** One bit of the byte with this number is wrong when it arrives. Once. */
  readonly flipByte?: number;
  /** From this byte on another board is on the port. */
  readonly swapAfterBytes?: number;
  /** Answers take this much longer. */
  readonly slowMs?: number;
  /** It takes no packets: a line that loses them, or a firmware without them. */
  readonly packets?: "none" | "refused";
}

export interface ConsoleOptions {
  /** `process.env.BOARD`, `process.env.VERSION`, and the board's unique id. */
  readonly board: string;
  readonly version: string;
  readonly serial: string;
  readonly storage: BoardStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults?: ConsoleFaults;
  /** Runs what Storage holds, at power-up and at `load()`. Returns what it prints, and whether the console stays open. */
  readonly start: () => { readonly printed: string; readonly isOpen: boolean };
  /** To whoever is at the other end of the cable. */
  send(bytes: Uint8Array): void;
  unplug(): void;
}

export interface VirtualConsole {
  receive(bytes: Uint8Array): void;
  powerOn(): void;
}

const ACK = "\x06";
const NAK = "\x15";
const PACKET = { fileSend: 0x6000, data: 0x8000 } as const;
const PACKET_TIMEOUT_MS = 5_000;
const LONGEST_PIECE = 12;
const OTHER_SERIAL = "another-board";

/** A board without power. */
export function createConsole(options: ConsoleOptions): VirtualConsole {
  return new Repl(options);
}

class Repl implements VirtualConsole {
  readonly #options: ConsoleOptions;
  readonly #faults: ConsoleFaults;
  #input: ConsoleInput = EMPTY_INPUT;
  #context = createBoardContext({});
  #isOpen = false;
  #isPulled = false;
  #heardBytes = 0;
  /** What `reset()` and `load()` ask for happens after the line. */
  #wish: (() => void) | null = null;
  #file: { readonly name: string; readonly size: number; at: number } | null = null;
  #packetTimer: Timer | null = null;
  readonly #outgoing: string[] = [];

  constructor(options: ConsoleOptions) {
    this.#options = options;
    this.#faults = options.faults ?? {};
  }

  powerOn(): void {
    this.#reset();
    const { printed, isOpen } = this.#options.start();
    this.#isOpen = true;
    this.#banner();
    if (printed !== "") this.#print(`${printed}\r\n>`);
    this.#isOpen = isOpen;
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#heardBytes++;
      if (this.#heardBytes === this.#faults.unplugAfterBytes) this.#pull();
      const heard = this.#heardBytes === this.#faults.flipByte ? byte ^ 0x04 : byte;
      if (this.#isOpen && !this.#isPulled) this.#take(String.fromCharCode(heard));
    }
  }

  #pull(): void {
    this.#isPulled = true;
    this.#packetTimer?.cancel();
    this.#options.unplug();
  }

  #take(char: string): void {
    const [input, events] = stepConsoleInput(this.#input, char);
    if (input.packet !== null && this.#input.packet === null) this.#awaitPacket();
    this.#input = input;
    for (const event of events) this.#obey(event);
  }

  #awaitPacket(): void {
    this.#packetTimer = this.#options.clock.setTimer(() => {
      this.#input = EMPTY_INPUT;
      this.#print(NAK);
    }, PACKET_TIMEOUT_MS);
  }

  #obey(event: ConsoleEvent): void {
    if (event.type === "echo") this.#print(event.text);
    else if (event.type === "line") this.#run(event.text, event.isQuiet);
    else if (event.type === "packet") {
      this.#packetTimer?.cancel();
      this.#takePacket(event.kind, event.data);
    } else this.#print("\r\n>");
  }

  #run(line: string, isQuiet: boolean): void {
    if (!isQuiet) this.#print("\r\n");
    try {
      const value: unknown = new Script(line).runInContext(this.#context, { timeout: 2_000 });
      if (!isQuiet) this.#print(`=${typeof value === "string" ? JSON.stringify(value) : String(value)}\r\n`);
    } catch (error) {
      this.#print(`Uncaught ${String(error)}\r\n    at REPL (:1:1)\r\n`);
    }
    this.#print(">");
    const wish = this.#wish;
    this.#wish = null;
    wish?.();
  }

  #takePacket(kind: number, data: string): void {
    if (this.#faults.packets === "none") return;
    const reply = this.#faults.packets === "refused" ? NAK : this.#packetReply(kind, data);
    this.#print(reply);
  }

  #packetReply(kind: number, data: string): string {
    if (kind === PACKET.fileSend) {
      this.#file = fileOf(data);
      return this.#file === null ? NAK : ACK;
    }
    const file = this.#file;
    if (kind !== PACKET.data || file === null) return NAK;
    const at = file.at;
    file.at += data.length;
    if (file.at >= file.size) this.#file = null;
    try {
      this.#options.storage.write(file.name, data, at, file.size);
      return ACK;
    } catch (error) {
      // as the real one: it acknowledges all the same, and says in words what went wrong
      return `${ACK}Uncaught ${String(error)}\r\n>`;
    }
  }

  #reset(): void {
    this.#context = createBoardContext(this.#globals());
    runInContext("Date.now = () => getTime() * 1000;", this.#context);
  }

  #banner(): void {
    this.#print(`\r\n ____ espruino.com\r\n ${this.#options.version} (virtual)\r\n>`);
  }

  #serial(): string {
    const isSwapped = this.#heardBytes >= (this.#faults.swapAfterBytes ?? Number.POSITIVE_INFINITY);
    return isSwapped ? OTHER_SERIAL : this.#options.serial;
  }

  #globals(): object {
    const { storage, board, version, clock } = this.#options;
    const modules: Record<string, unknown> = {
      Storage: {
        ...{ read: storage.read, write: storage.write, erase: storage.erase, list: storage.list },
        eraseAll: () => storage.list().forEach(storage.erase),
      },
    };
    return {
      print: (...parts: unknown[]) => this.#print(`${parts.map(String).join(" ")}\r\n`),
      process: { env: { BOARD: board, VERSION: version } },
      getSerial: () => this.#serial(),
      getTime: () => clock.monotonicMs() / 1000,
      E: { CRC32: (text: string) => crc32(Buffer.from(text, "latin1")) },
      atob: (text: string) => Buffer.from(text, "base64").toString("latin1"),
      btoa: (text: string) => Buffer.from(text, "latin1").toString("base64"),
      reset: () => {
        this.#wish = () => {
          this.#reset();
          this.#banner();
        };
      },
      load: () => {
        this.#wish = () => this.powerOn();
      },
      require: (name: string) => {
        if (modules[name] === undefined) throw new Error(`Module "${name}" not found`);
        return modules[name];
      },
    };
  }

  #print(text: string): void {
    const { clock, random } = this.#options;
    for (let at = 0; at < text.length; ) {
      const piece = text.slice(at, at + 1 + Math.floor(random() * LONGEST_PIECE));
      at += piece.length;
      this.#outgoing.push(piece);
      clock.setTimer(() => this.#sendNext(), this.#faults.slowMs ?? 0);
    }
  }

  /** In order, whichever timer fires first. */
  #sendNext(): void {
    const piece = this.#outgoing.shift() ?? "";
    if (this.#isOpen && !this.#isPulled) this.#options.send(Buffer.from(piece, "latin1"));
  }
}

/** The header of a file that comes in packets; null when it is no such thing. */
function fileOf(data: string): { name: string; size: number; at: number } | null {
  let header: unknown;
  try {
    header = JSON.parse(data);
  } catch {
    return null; // damaged on the line: refused
  }
  const { fn, s } = (header ?? {}) as { fn?: unknown; s?: unknown };
  return typeof fn === "string" && typeof s === "number" && s > 0 ? { name: fn, size: s, at: 0 } : null;
}
