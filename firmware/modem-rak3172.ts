/** RAK3172 with RUI3 4.x: a non-blocking driver of its AT dialect. Pure: bytes and time in, lines to write
 *  and news out.
 *
 *  UART 115200 8N1. A command is `AT+…` CR LF; every status line stands between CR LF. This driver says:
 *    start   AT · AT+NWM=1 · AT+NJM=1 · AT+CLASS=A · AT+BAND=<n> · AT+DEVEUI=<16 hex> · AT+APPEUI=<16 hex> ·
 *            AT+APPKEY=<32 hex> · AT+RETY=0 · AT+LPM=1 · AT+ADR=1 · AT+CFM=1 · AT+NJS=?        each answered OK
 *            (AT+NWM answers with a reboot and `Current Work Mode: LoRaWAN.` when it changes the mode;
 *            AT+NJS=? with `AT+NJS=1` or `AT+NJS=0` before its OK: a modem that kept its session is not joined again)
 *    join    AT+DR=<n> · AT+JOIN=1:0:10:0 → OK … +EVT:JOINED | +EVT:JOIN_FAILED_<why>. One try at a time: the modem's
 *            own repetitions keep a street whose power came back in step, so the pauses are drawn here. Four tries at
 *            the highest data rate, four each at lower ones, and after the lowest the highest again: a button far from
 *            its gateway joins in minutes, and a street that joins all at once does not do it at SF12.
 *    frame   AT+ADR=0|1, AT+DR=<n>, AT+CFM=0|1 only where they change, then AT+SEND=<port>:<hex> → OK …
 *            +EVT:SEND_CONFIRMED_OK | +EVT:SEND_CONFIRMED_FAILED[(n)] | +EVT:TX_DONE when unconfirmed, and only
 *            after it, if the downlink had a payload, +EVT:RX_<slot>:<rssi>:<snr>:UNICAST:<port>:<hex>
 *  Refusals: any line that begins AT_ (AT_BUSY_ERROR, AT_NO_NETWORK_JOINED, AT_PARAM_ERROR, …), and
 *  Restricted_Wait_<n>_ms where the duty cycle allows nothing yet. A refused frame is not kept here:
 *  whoever has it makes it anew when the modem is ready, with its age, and perhaps a newer press, as they
 *  are then.
 *
 *  A modem that answers nothing: the line again, then the start from the beginning, then the reset pin,
 *  and every fourth reset its power. It ends in no state that waits for ever. */
import type { DeviceIdentity } from "./identity.ts";
import { frameScript, lowestRateOf, startScript } from "./modem-rak3172-lines.ts";
import type { Frame } from "./outbox.ts";

const REPLY_MS = 1500;
/** An alarm does not wait as long for a modem that slept through its first byte. */
const SEND_REPLY_MS = 500;
const BUSY_MS = 1000;
const BOOT_MS = 2000;
/** Longer than a confirmed frame at SF12 with both its windows. */
const AIR_MS = 20000;
/** The downlink's line comes after the end of the frame; the UART stays open for it. */
const LISTEN_MS = 200;
/** Up to this after power-up, and up to that between the tries of a round: with these most streets of thirty are in within
 *  30 s through one gateway, which can answer about ten a second. */
const JOIN_SPREAD_MS = 5000;
const JOIN_GAP_MS = 1000;
const JOIN_PAUSE_MS = 15000;
const LONGEST_JOIN_PAUSE_MS = 3600000;
const LONGEST_WAIT_MS = 60000;
const MANY_REFUSALS = 10;
const LONGEST_LINE = 300;

/** boot: after power or reset · start: being configured · join · pause: between joins · wait: refused, or
 *  busy · idle · send: the frame's lines · air: on air, its windows too · listen: for the downlink's line.
 *  Numbers in the bundle. */
export const PHASE = {
  boot: 0,
  start: 1,
  join: 2,
  pause: 3,
  wait: 4,
  idle: 5,
  send: 6,
  air: 7,
  listen: 8,
} as const;

/** What a step asks for. write: a line · reset: hold the reset pin · power: take the power away for a
 *  moment · onAir: the frame is being transmitted · answered: the frame is over · received: a downlink. */
export const DO = { write: 0, reset: 1, power: 2, onAir: 3, answered: 4, received: 5 } as const;

export interface Modem {
  readonly identity: DeviceIdentity;
  /** Of the last step. */
  readonly nowMs: number;
  /** Of PHASE. */
  readonly phase: number;
  /** Lines still to be written in this phase, the one that awaits its status first. */
  readonly script: readonly string[];
  readonly dueMs: number;
  /** Bytes of a line whose end has not come. */
  readonly line: string;
  readonly isJoined: boolean;
  /** Deadlines in a row at which nothing had been heard. */
  readonly silences: number;
  readonly resets: number;
  readonly refusals: number;
  /** Joins that failed in a row. */
  readonly joinFailures: number;
  /** An alarm waits for the join: only short pauses. */
  readonly isHurried: boolean;
  /** What the modem was last told; -1: the network decides (ADR). */
  readonly dataRate: number;
  readonly isConfirmed: boolean;
}

/** What happened: bytes came, a frame is to be sent (only when `phase` is idle), a new alarm waits (ends a
 *  pause between joins now, and makes only short ones until joined), or nothing but time. */
export interface ModemInput {
  readonly nowMs: number;
  readonly text?: string;
  readonly frame?: Frame;
  readonly isAlarm?: boolean;
}

export type ModemEffect =
  | { readonly do: typeof DO.write; readonly line: string }
  | { readonly do: typeof DO.reset | typeof DO.power | typeof DO.onAir }
  | { readonly do: typeof DO.answered; readonly isAcked: boolean }
  | { readonly do: typeof DO.received; readonly port: number; readonly hex: string };

export type ModemStep = readonly [Modem, readonly ModemEffect[]];

/** The step being taken: a copy of the state, to be changed. It never leaves this file but whole. */
type Draft = { -readonly [K in keyof Modem]: Modem[K] } & { readonly luck: number; effects: ModemEffect[] };

/** A modem that was just given power. */
export function createModem(identity: DeviceIdentity, nowMs: number): Modem {
  return {
    identity: identity,
    nowMs: nowMs,
    phase: PHASE.boot,
    script: [],
    dueMs: nowMs + 300,
    line: "",
    isJoined: false,
    silences: 0,
    resets: 0,
    refusals: 0,
    joinFailures: 0,
    isHurried: false,
    dataRate: -1,
    isConfirmed: true,
  };
}

function rest(d: Draft, phase: number, forMs: number): void {
  d.phase = phase;
  d.script = [];
  d.dueMs = d.nowMs + forMs;
}

/** Writes the first line of `script`. */
function run(d: Draft, phase: number, script: readonly string[]): void {
  rest(d, phase, phase === PHASE.send ? SEND_REPLY_MS : REPLY_MS);
  d.script = script;
  d.effects.push({ do: DO.write, line: "AT" + script[0] });
}

/** After a frame on air whose end will not come any more. */
function loseFrame(d: Draft): void {
  if (d.phase === PHASE.air) d.effects.push({ do: DO.answered, isAcked: false });
}

function start(d: Draft): void {
  loseFrame(d);
  d.isJoined = false;
  d.dataRate = -1;
  d.isConfirmed = true;
  run(d, PHASE.start, startScript(d.identity));
}

function join(d: Draft): void {
  d.isJoined = false;
  const rate = Math.max(5 - 2 * ((d.joinFailures >> 2) % 4), lowestRateOf(d.identity));
  run(d, PHASE.join, ["+DR=" + rate, "+JOIN=1:0:10:0"]);
}

function pause(d: Draft): void {
  d.joinFailures++;
  const rounds = d.isHurried ? 0 : Math.min(d.joinFailures >> 2, 10) - 1;
  const roundMs = Math.min(JOIN_PAUSE_MS * (1 << Math.max(rounds, 0)), LONGEST_JOIN_PAUSE_MS);
  rest(d, PHASE.pause, d.joinFailures % 4 > 0 ? JOIN_GAP_MS * d.luck : roundMs * (0.8 + 0.4 * d.luck));
}

function reset(d: Draft): void {
  loseFrame(d);
  d.resets++;
  d.refusals = 0;
  d.effects.push({ do: d.resets % 4 === 0 ? DO.power : DO.reset });
  rest(d, PHASE.boot, BOOT_MS);
}

/** `OK`: the first line of the script is done. */
function accept(d: Draft): void {
  const done = d.script[0];
  if (done === undefined) return;
  // the data rate of a join is only where ADR begins
  if (done.startsWith("+DR=") && d.phase === PHASE.send) d.dataRate = parseInt(done.substr(4), 10);
  if (done === "+ADR=1") d.dataRate = -1;
  if (done.startsWith("+CFM=")) d.isConfirmed = done === "+CFM=1";
  if (d.script.length > 1) run(d, d.phase, d.script.slice(1));
  else if (d.phase === PHASE.start) {
    if (d.isJoined) rest(d, PHASE.idle, Infinity);
    else rest(d, PHASE.pause, d.isHurried ? 0 : JOIN_SPREAD_MS * d.luck);
  } else {
    const isSend = d.phase === PHASE.send;
    d.refusals = 0;
    rest(d, isSend ? PHASE.air : PHASE.join, AIR_MS);
    if (isSend) d.effects.push({ do: DO.onAir });
  }
}

function refuse(d: Draft, line: string): void {
  const isRestricted = line.startsWith("Restricted_Wait_");
  const isSend = d.phase === PHASE.send;
  const isSetting = !"+SEND+JOIN".includes((d.script[0] + "").substr(0, 5));
  if (d.script.length === 0) return;
  if (isSend && line.startsWith("AT_NO_NETWORK")) join(d);
  // a setting that this modem will not take must not keep an alarm from going out
  else if (isSetting && !isRestricted && line !== "AT_BUSY_ERROR") accept(d);
  else {
    const asked = isRestricted ? parseInt(line.substr(16), 10) : 0;
    d.refusals++;
    if (d.refusals >= MANY_REFUSALS) reset(d);
    else
      rest(
        d,
        isSend ? PHASE.wait : d.phase === PHASE.join ? PHASE.pause : PHASE.boot,
        asked > 0 ? Math.min(asked, LONGEST_WAIT_MS) : BUSY_MS,
      );
  }
}

function happen(d: Draft, line: string): void {
  const part = line.split(":");
  const what = part[1] + "";
  const isAcked = what === "SEND_CONFIRMED_OK";
  const isOver = d.isConfirmed ? what.startsWith("SEND_CONFIRMED_") : what === "TX_DONE";
  if (part[4] === "UNICAST")
    d.effects.push({ do: DO.received, port: parseInt(part[5] + "", 10), hex: part[6] + "" });
  else if (what === "JOINED") {
    d.isJoined = true;
    d.isHurried = false;
    d.joinFailures = d.resets = 0;
    if (d.phase === PHASE.join || d.phase === PHASE.pause) rest(d, PHASE.idle, Infinity);
  } else if (what.startsWith("JOIN_FAILED") && d.phase === PHASE.join) pause(d);
  else if (isOver && d.phase === PHASE.air) {
    d.effects.push({ do: DO.answered, isAcked: isAcked });
    rest(d, PHASE.listen, LISTEN_MS);
  }
}

function takeLine(d: Draft, line: string): void {
  if (line === "") return;
  d.silences = 0;
  if (line === "OK") accept(d);
  else if (line.startsWith("AT_") || line.startsWith("Restricted")) refuse(d, line);
  else if (line.startsWith("+EVT")) happen(d, line);
  else if (line.includes("NJS=1")) d.isJoined = true;
  else if (line.includes("Current Work Mode")) {
    // the modem restarted: by AT+NWM, or by itself, and then it has forgotten what it was told
    if (d.script[0] === "+NWM=1") accept(d);
    else start(d);
  }
}

function takeBytes(d: Draft, text: string): void {
  const lines = (d.line + text).split("\n");
  for (const line of lines.slice(0, -1)) takeLine(d, line.trim());
  d.line = (lines[lines.length - 1] + "").slice(-LONGEST_LINE);
}

function fallSilent(d: Draft): void {
  d.silences++;
  d.line = "";
  if (d.silences >= 4) {
    d.silences = 1;
    reset(d);
    // the first line to a modem asleep may be what woke it
  } else if (d.silences === 1 && d.script.length > 0) run(d, d.phase, d.script);
  else start(d);
}

function tick(d: Draft): void {
  const phase = d.phase;
  if (d.nowMs < d.dueMs) return;
  if (phase === PHASE.boot) start(d);
  else if (phase === PHASE.pause) join(d);
  else if (phase === PHASE.wait || phase === PHASE.listen) rest(d, PHASE.idle, Infinity);
  else if (phase === PHASE.join && d.script.length === 0) pause(d);
  else fallSilent(d);
}

/** Takes one input. `luck`: 0 to 1, another for every step. */
export function stepModem(modem: Modem, input: ModemInput, luck: number): ModemStep {
  const d: Draft = Object.assign({}, modem, { nowMs: input.nowMs, luck: luck, effects: [] });
  if (input.text !== undefined) takeBytes(d, input.text);
  else if (input.frame !== undefined) run(d, PHASE.send, frameScript(d, input.frame));
  else if (input.isAlarm) {
    d.isHurried = !d.isJoined;
    if (d.phase === PHASE.pause) join(d);
  } else tick(d);
  return [d, d.effects];
}
