/** A virtual board with its console: blank as it comes out of the box, flashed over its cable, and from then on the board
 *  that its Storage says it is. */
import { createBoard } from "./board.ts";
import { type BoardStorage, createBoardStorage } from "./board-storage.ts";
import type { Board, BoardOptions } from "./board-types.ts";
import { type ConsoleOptions, createConsole, type VirtualConsole } from "./console.ts";

export interface ConsoleBoardOptions
  extends Omit<ConsoleOptions, "start" | "storage">,
    Pick<BoardOptions, "pins"> {
  readonly storage?: BoardStorage;
  /** The wire to its modem, if it has one. */
  readonly modem?: BoardOptions["serial"];
}

export interface ConsoleBoard extends VirtualConsole {
  readonly storage: BoardStorage;
  /** The program that runs now; null while none does. */
  board(): Board | null;
}

const NO_MODEM: BoardOptions["serial"] = { write: () => {}, onData: () => {} };

/** Made without power. */
export function createConsoleBoard(options: ConsoleBoardOptions): ConsoleBoard {
  const { storage = createBoardStorage(), modem = NO_MODEM, pins = {}, clock, random } = options;
  let board: Board | null = null;
  const start = () => {
    board?.powerOff();
    board = null;
    const bundle = storage.read(".bootcde");
    if (bundle === undefined) return { printed: "", isOpen: true };
    try {
      board = createBoard({ bundle, clock, random, serial: modem, storage, pins });
    } catch (error) {
      return { printed: `Uncaught ${String(error)}`, isOpen: true }; // an identity that is no JSON
    }
    board.powerOn();
    return { printed: saidBy(board), isOpen: !closesConsole(board) };
  };
  return { ...{ storage, board: () => board }, ...bound(createConsole({ ...options, storage, start })) };
}

function bound(console: VirtualConsole): VirtualConsole {
  return { receive: (bytes) => console.receive(bytes), powerOn: () => console.powerOn() };
}

function saidBy({ errors, log }: Board): string {
  const printed = log.filter(({ what, text }) => what === "console" && !text.startsWith("console on "));
  return [...printed.map(({ text }) => text), ...errors.map(({ message }) => `Uncaught ${message}`)].join(
    "\r\n",
  );
}

function closesConsole({ log }: Board): boolean {
  return log.some(({ what, text }) => what === "console" && text === "console on null");
}
