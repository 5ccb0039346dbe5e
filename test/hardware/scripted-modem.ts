/** A RAK3172 on paper: answers each line as a test tells it to, on a byte stream that arrives in any pieces. Not the virtual
 *  modem, which has a radio; this one has only words. */
import type { Clock } from "../../hardware/virtual/clock.ts";

export interface ScriptedModem {
  readonly serial: { write(bytes: Uint8Array): void; onData(listener: (bytes: Uint8Array) => void): void };
  /** Every line the board wrote. */
  readonly lines: { readonly line: string; readonly atMs: number }[];
  /** The frames among them: the report's hex, and whether confirmed. */
  readonly frames: { readonly hex: string; readonly confirmed: boolean; readonly atMs: number }[];
  /** What was sent on the settings' port. */
  readonly answers: { readonly hex: string; readonly atMs: number }[];
  /** The modem says a line of its own. */
  say(line: string, delayMs?: number): void;
  /** Exchange it to change how it behaves. */
  manners: Manners;
}

export interface Manners {
  /** Answers nothing. */
  readonly mute?: boolean;
  /** Takes this long to join; null: never. */
  readonly joinMs?: number | null;
  /** What a confirmed frame ends with; default true. */
  readonly acks?: (hex: string) => boolean;
  /** Hex of the downlink that comes with a frame, null: none. */
  readonly downlink?: (hex: string) => string | null;
  /** Hex of the downlink on the settings' port that comes with a frame, null: none. */
  readonly settings?: () => string | null;
  /** Says this instead of OK. */
  readonly refuse?: (line: string) => string | null;
}

const REPLY_MS = 5;
const FRAME_MS = 2100;
const ACKED_MS = 1100;
const RX_LINE_MS = 20;

export function createScriptedModem(clock: Clock): ScriptedModem {
  const listeners: ((bytes: Uint8Array) => void)[] = [];
  let text = "";
  let confirmed = true;
  const modem: ScriptedModem = {
    lines: [],
    frames: [],
    answers: [],
    manners: {},
    say: (line, delayMs = 0) =>
      void clock.setTimer(() => {
        for (const listener of listeners) listener(Buffer.from("\r\n" + line + "\r\n", "latin1"));
      }, delayMs),
    serial: {
      onData: (listener) => void listeners.push(listener),
      write(bytes) {
        const lines = (text + Buffer.from(bytes).toString("latin1")).split("\r\n");
        text = lines.pop() ?? "";
        for (const line of lines) hear(line);
      },
    },
  };
  const hear = (line: string) => {
    modem.lines.push({ line, atMs: clock.monotonicMs() });
    if (modem.manners.mute) return;
    const refusal = modem.manners.refuse?.(line) ?? null;
    if (line === "AT+NJS=?") modem.say("AT+NJS=0", REPLY_MS);
    modem.say(refusal ?? "OK", REPLY_MS);
    if (refusal !== null) return;
    if (line.startsWith("AT+CFM=")) confirmed = line.endsWith("1");
    const { joinMs = 5500 } = modem.manners;
    if (line.startsWith("AT+JOIN") && joinMs !== null) modem.say("+EVT:JOINED", joinMs);
    if (line.startsWith("AT+SEND=2:")) transmit(line.slice("AT+SEND=2:".length));
    if (!line.startsWith("AT+SEND=3:")) return;
    modem.answers.push({ hex: line.slice("AT+SEND=3:".length), atMs: clock.monotonicMs() });
    modem.say("+EVT:TX_DONE", FRAME_MS);
  };
  const transmit = (hex: string) => {
    modem.frames.push({ hex, confirmed, atMs: clock.monotonicMs() });
    const isAcked = confirmed && (modem.manners.acks?.(hex) ?? true);
    const downlink = modem.manners.downlink?.(hex) ?? null;
    const settings = modem.manners.settings?.() ?? null;
    const afterMs = isAcked || downlink !== null || settings !== null ? ACKED_MS : FRAME_MS;
    const end = confirmed ? (isAcked ? "SEND_CONFIRMED_OK" : "SEND_CONFIRMED_FAILED(4)") : "TX_DONE";
    modem.say("+EVT:" + end, afterMs);
    if (downlink !== null) modem.say("+EVT:RX_1:-60:9:UNICAST:2:" + downlink, afterMs + RX_LINE_MS);
    if (settings !== null) modem.say("+EVT:RX_1:-60:9:UNICAST:3:" + settings, afterMs + RX_LINE_MS);
  };
  return modem;
}
