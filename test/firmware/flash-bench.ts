/** A virtual board at the end of a cable, for the tests of whoever flashes it. */
import type { ByteStream, ConsoleTiming } from "../../firmware/flash/console.ts";
import { createBoardStorage, type StorageFaults } from "../../hardware/virtual/board-storage.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import type { ConsoleFaults } from "../../hardware/virtual/console.ts";
import { type ConsoleBoard, createConsoleBoard } from "../../hardware/virtual/console-board.ts";
import { createRandom } from "../../hardware/virtual/random.ts";

/** Short, so that what never answers is noticed soon; long enough for a busy machine. */
export const BENCH_TIMING: ConsoleTiming = { answerMs: 1_000, eraseMs: 1_000, greetMs: 1_000, startMs: 50 };

export interface BenchBoard extends ConsoleBoard {
  readonly stream: ByteStream;
}

export interface BenchOptions {
  readonly faults?: ConsoleFaults;
  readonly storageFaults?: StorageFaults;
  readonly files?: Readonly<Record<string, string>>;
  readonly board?: string;
  readonly version?: string;
  readonly serial?: string;
  readonly seed?: number;
  /** At power-up a finger is on its button. */
  readonly isHeld?: boolean;
}

/** A board with power, and the cable's other end. */
export function createBenchBoard(options: BenchOptions = {}): BenchBoard {
  const listeners: ((bytes: Uint8Array) => void)[] = [];
  const enders: ((reason: string) => void)[] = [];
  const storage = createBoardStorage(options.files);
  storage.faults = options.storageFaults ?? {};
  const board = createConsoleBoard({
    board: options.board ?? "MDBT42Q",
    version: options.version ?? "2v29",
    serial: options.serial ?? "0a1b2c3d-4e5f6071",
    ...(options.faults && { faults: options.faults }),
    pins: options.isHeld ? { button: 0 } : {},
    storage,
    clock: createRealClock(),
    random: createRandom(options.seed ?? 1),
    send: (bytes) => {
      for (const listener of listeners) listener(bytes);
    },
    unplug: () => {
      for (const ender of enders) ender("the adapter is gone");
    },
  });
  board.powerOn();
  const stream: ByteStream = {
    write: (bytes) => board.receive(bytes),
    onData: (listener) => void listeners.push(listener),
    onEnd: (ender) => void enders.push(ender),
    close: async () => {},
  };
  return { ...board, stream };
}
