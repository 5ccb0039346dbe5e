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
import { DO, PHASE, type Uplink, type UplinkEffect, type UplinkInput } from "./uplink.ts";
import { frameScript, startScript } from "./uplink-rak3172-lines.ts";

export const UART_BAUD = 115200;

/** AT+BAND of each region. UZ923 joins on channels of its own: it takes a modem built with them in the
 *  place of AS923. */
const BANDS = { EU433: 0, RU864: 2, EU868: 4, AS923: 8, UZ923: 8 };

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

export interface RakUplink extends Uplink {
  readonly identity: DeviceIdentity;
  /** Of the last step. */
  readonly nowMs: number;
  /** Lines still to be written in this phase, the one that awaits its status first. */
  readonly script: readonly string[];
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

type RakStep = readonly [RakUplink, readonly UplinkEffect[]];

/** The step being taken: a copy of the state, to be changed. It never leaves this file but whole. */
type Draft = { -readonly [K in keyof RakUplink]: RakUplink[K] } & {
  readonly luck: number;
  effects: UplinkEffect[];
};

/** True when this identity can be told to the modem. */
export function isUsable(identity: DeviceIdentity): boolean {
  return BANDS[identity.region] !== undefined;
}

/** Lowest data rate with room for a report: 400 ms of dwell time leave none to DR0 and DR1 in AS923. */
export function lowestRateOf(identity: DeviceIdentity): number {
  return BANDS[identity.region] === BANDS.AS923 ? 2 : 0;
}

/** A modem that was just given power. */
export function createUplink(identity: DeviceIdentity, nowMs: number): RakUplink {
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
  d.effects.push({ do: DO.write, text: "AT" + script[0] + "\r\n" });
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
  run(d, PHASE.start, startScript(d.identity, BANDS[d.identity.region]));
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
export function stepUplink(uplink: RakUplink, input: UplinkInput, luck: number): RakStep {
  const d: Draft = Object.assign({}, uplink, { nowMs: input.nowMs, luck: luck, effects: [] });
  if (input.text !== undefined) takeBytes(d, input.text);
  else if (input.frame !== undefined) run(d, PHASE.send, frameScript(d, input.frame));
  else if (input.isAlarm) {
    d.isHurried = !d.isJoined;
    if (d.phase === PHASE.pause) join(d);
  } else tick(d);
  return [d, d.effects];
}
