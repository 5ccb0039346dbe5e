/** What a board's console makes of the bytes that reach it: lines with or without echo, packets, Ctrl-C. As Espruino 2v29
 *  does it (README_Protocol for the packets). Text is an 8-bit string. */

export interface ConsoleInput {
  readonly line: string;
  /** A DLE at the beginning of this line: it is not echoed. */
  readonly isQuiet: boolean;
  /** A DLE came just now: a SOH makes it a packet. */
  readonly hadDle: boolean;
  /** Bytes of a packet so far; null outside of one. */
  readonly packet: string | null;
}

export type ConsoleEvent =
  | { readonly type: "echo"; readonly text: string }
  | { readonly type: "line"; readonly text: string; readonly isQuiet: boolean }
  | { readonly type: "packet"; readonly kind: number; readonly data: string }
  | { readonly type: "interrupt" };

export const EMPTY_INPUT: ConsoleInput = { line: "", isQuiet: false, hadDle: false, packet: null };

const SOH = "\x01";
const CTRL_C = "\x03";
const BACKSPACE = "\b";
const DLE = "\x10";
const LENGTH_BYTES = 2;
const LENGTH_MASK = 0x1fff;
const KIND_MASK = 0xe000;

/** Takes one byte. */
export function stepConsoleInput(
  input: ConsoleInput,
  char: string,
): readonly [ConsoleInput, readonly ConsoleEvent[]] {
  if (input.packet !== null) return stepPacket(input, input.packet + char);
  const next = { ...input, hadDle: false };
  switch (char) {
    case CTRL_C:
      return [EMPTY_INPUT, [{ type: "interrupt" }]];
    case DLE:
      return [{ ...next, hadDle: true, isQuiet: input.isQuiet || input.line === "" }, []];
    case SOH:
      return [input.hadDle ? { ...next, isQuiet: false, packet: "" } : next, []];
    case "\r":
    case "\n":
      return [EMPTY_INPUT, [{ type: "line", text: input.line, isQuiet: input.isQuiet }]];
    case BACKSPACE:
      return [{ ...next, line: input.line.slice(0, -1) }, []];
    default:
      if (char < " ") return [next, []];
      return [{ ...next, line: input.line + char }, input.isQuiet ? [] : [{ type: "echo", text: char }]];
  }
}

function stepPacket(input: ConsoleInput, packet: string): readonly [ConsoleInput, readonly ConsoleEvent[]] {
  const header = (packet.charCodeAt(0) << 8) | packet.charCodeAt(1);
  if (packet.length < LENGTH_BYTES || packet.length < LENGTH_BYTES + (header & LENGTH_MASK))
    return [{ ...input, packet }, []];
  const data = packet.slice(LENGTH_BYTES);
  return [{ ...input, packet: null }, [{ type: "packet", kind: header & KIND_MASK, data }]];
}
