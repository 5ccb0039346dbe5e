/** RN2483 (Microchip, firmware 1.0.x): a non-blocking driver of its text dialect. Pure: bytes and time in, lines to write
 *  and news out.
 *
 *  UART 57600 8N1. A command is words CR LF, and so is every answer. This driver says:
 *    start   NUL U (ends its sleep, answered ok if it slept) · sys get ver · mac reset 868|433 · mac set deveui <16 hex> · mac set appeui <16 hex> ·
 *            mac set appkey <32 hex> · mac set retx 0 · mac set adr on          each answered ok, the version by itself
 *    join    mac set dr <n> · mac join otaa → ok … accepted | denied. One try at a time, with pauses drawn here, four tries
 *            at each of four data rates from the highest down, as with the other modem.
 *    frame   NUL U · mac set adr on|off, mac set dr <n> only where they change, then mac tx cnf|uncnf <port> <hex> → ok …
 *            mac_tx_ok | mac_rx <port> <hex>, which stands in the place of mac_tx_ok when the downlink had a payload |
 *            mac_err
 *    sleep   sys sleep <ms>, answered by ok only when it ends: by a break and 0x55 on the line, or in 49 days
 *  Refusals: busy, no_free_ch (duty cycle), not_joined, frame_counter_err_rejoin_needed, keys_not_init, silent, mac_paused,
 *  invalid_param, invalid_data_len. A refused frame is not kept here: the core makes it anew when the modem is ready.
 *
 *  A restart of the board, or of the modem (it says its version unasked), costs a join: it is told everything afresh. A
 *  modem that answers nothing gets the line again, then the start from the beginning, then the reset pin, and every fourth
 *  time its power is cut. It ends in no state that waits for ever. The RN2483 has no RU864, AS923 and UZ923. */
import type { DeviceIdentity } from "./identity.ts";
import { DO, type Frame, PHASE, type Uplink, type UplinkEffect, type UplinkInput } from "./uplink.ts";

export const UART_BAUD = 57600;

/** Of `mac reset`. */
const BANDS = { EU433: 433, EU868: 868 };
/** A break, as near as a UART comes to it, and the byte by which the modem measures the line's pace. */
const WAKE = "\0U";
const SLEEP = "sys sleep 4294967295";
const TX = "mac tx ";
const JOIN = "mac join otaa";

const REPLY_MS = 1500;
/** An alarm does not wait as long for a modem that slept through its first byte. */
const SEND_REPLY_MS = 500;
/** A modem that was awake may pass the call over in silence. */
const WAKE_MS = 200;
const BUSY_MS = 1000;
/** The duty cycle does not say how long. */
const NO_CHANNEL_MS = 10000;
const BOOT_MS = 2000;
/** Longer than a confirmed frame at SF12 with both its windows. */
const AIR_MS = 20000;
/** Until the line that sends it to sleep has left the board. */
const LISTEN_MS = 100;
const JOIN_SPREAD_MS = 5000;
const JOIN_GAP_MS = 1000;
const JOIN_PAUSE_MS = 15000;
const LONGEST_JOIN_PAUSE_MS = 3600000;
const MANY_REFUSALS = 60;
const LONGEST_LINE = 300;

export interface RnUplink extends Uplink {
  readonly identity: DeviceIdentity;
  /** Of the last step. */
  readonly nowMs: number;
  /** Lines still to be written in this phase, the one that awaits its answer first. */
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
  /** Of the frame under way. */
  readonly isConfirmed: boolean;
}

/** The step being taken: a copy of the state, to be changed. It never leaves this file but whole. */
type Draft = { -readonly [K in keyof RnUplink]: RnUplink[K] } & {
  readonly luck: number;
  effects: UplinkEffect[];
};

/** True when this identity can be told to the modem. */
export function isUsable(identity: DeviceIdentity): boolean {
  return bandOf(identity) > 0;
}

function bandOf(identity: DeviceIdentity): number {
  return identity.region === "EU868" ? BANDS.EU868 : identity.region === "EU433" ? BANDS.EU433 : 0;
}

/** Lowest data rate with room for a report: no region of this modem has a dwell time. */
export function lowestRateOf(): number {
  return 0;
}

/** A modem that was just given power. */
export function createUplink(identity: DeviceIdentity, nowMs: number): RnUplink {
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

function write(d: Draft, line: string): void {
  d.effects.push({ do: DO.write, text: line + "\r\n" });
}

/** Writes the first line of `script`. */
function run(d: Draft, phase: number, script: readonly string[]): void {
  const replyMs = phase === PHASE.send ? SEND_REPLY_MS : REPLY_MS;
  rest(d, phase, script[0] === WAKE ? WAKE_MS : replyMs);
  d.script = script;
  write(d, script[0] + "");
}

/** After a frame on air whose end will not come any more. */
function loseFrame(d: Draft): void {
  if (d.phase === PHASE.air) d.effects.push({ do: DO.answered, isAcked: false });
}

function start(d: Draft): void {
  const id = d.identity;
  const keys =
    "|mac set deveui " + id.devEui + "|mac set appeui " + id.joinEui + "|mac set appkey " + id.appKey;
  loseFrame(d);
  d.isJoined = false;
  d.dataRate = -1;
  const script = WAKE + "|sys get ver|mac reset " + bandOf(id) + keys + "|mac set retx 0|mac set adr on";
  run(d, PHASE.start, script.split("|"));
}

function join(d: Draft): void {
  d.isJoined = false;
  run(d, PHASE.join, ["mac set dr " + Math.max(5 - 2 * ((d.joinFailures >> 2) % 4), 0), JOIN]);
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

/** Nothing more to say: the modem sleeps. */
function retire(d: Draft): void {
  write(d, SLEEP);
  rest(d, PHASE.listen, LISTEN_MS);
}

/** The first line of the script is done. */
function accept(d: Draft): void {
  const done = d.script[0];
  if (done === undefined) return;
  // the data rate of a join is only where ADR begins
  if (done.startsWith("mac set dr") && d.phase === PHASE.send) d.dataRate = parseInt(done.substr(11), 10);
  if (done === "mac set adr on") d.dataRate = -1;
  if (d.script.length > 1) run(d, d.phase, d.script.slice(1));
  else if (d.phase === PHASE.start) rest(d, PHASE.pause, d.isHurried ? 0 : JOIN_SPREAD_MS * d.luck);
  else {
    const isSend = d.phase === PHASE.send;
    d.refusals = 0;
    rest(d, isSend ? PHASE.air : PHASE.join, AIR_MS);
    if (isSend) d.effects.push({ do: DO.onAir });
  }
}

/** A command was refused, for the reason in `line`. */
function refuse(d: Draft, line: string): void {
  const asked = d.script[0] + "";
  const isSend = asked.startsWith(TX);
  if (d.script.length === 0) return;
  // a setting that this modem will not take must not keep an alarm from going out
  if (!isSend && asked !== JOIN) accept(d);
  else if (line === "not_joined" || line.startsWith("frame_counter")) join(d);
  else if (line === "keys_not_init" || line === "silent" || line === "mac_paused") start(d);
  else {
    d.refusals++;
    if (d.refusals >= MANY_REFUSALS) reset(d);
    else rest(d, isSend ? PHASE.wait : PHASE.pause, line === "no_free_ch" ? NO_CHANNEL_MS : BUSY_MS);
  }
}

/** The end of the frame on air. */
function end(d: Draft, isAcked: boolean): void {
  if (d.phase !== PHASE.air) return;
  d.effects.push({ do: DO.answered, isAcked: isAcked });
  retire(d);
}

function hearVersion(d: Draft): void {
  if (d.script[0] === "sys get ver") accept(d);
  // it restarted by itself, and has forgotten what it was told
  else if (d.phase !== PHASE.boot) start(d);
}

function takeLine(d: Draft, line: string): void {
  const words = line.split(" ");
  if (line === "") return;
  d.silences = 0;
  if (line === "ok") accept(d);
  else if (words[0] === "RN2483") hearVersion(d);
  else if (line === "accepted") {
    d.isJoined = true;
    d.isHurried = false;
    d.joinFailures = d.resets = 0;
    if (d.phase === PHASE.join || d.phase === PHASE.pause) retire(d);
  } else if (line === "denied") {
    if (d.phase === PHASE.join) pause(d);
  } else if (words[0] === "mac_rx") {
    end(d, d.isConfirmed);
    d.effects.push({ do: DO.received, port: parseInt(words[1] + "", 10), hex: words[2] + "" });
  } else if (line === "mac_tx_ok") end(d, d.isConfirmed);
  else if (line === "mac_err" || (line === "invalid_data_len" && d.phase === PHASE.air)) end(d, false);
  else if (/^(busy|no_free_ch|not_joined|frame_c|keys_not|silent|mac_pau|invalid_)/.test(line))
    refuse(d, line);
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
  else if (d.script[0] === WAKE) accept(d);
  else fallSilent(d);
}

function send(d: Draft, frame: Frame): void {
  const rate = frame.dataRate;
  const script = [WAKE];
  if (rate !== d.dataRate && (rate < 0 || d.dataRate < 0))
    script.push("mac set adr " + (rate < 0 ? "on" : "off"));
  if (rate !== d.dataRate && rate >= 0) script.push("mac set dr " + rate);
  script.push(TX + (frame.isConfirmed ? "cnf " : "uncnf ") + frame.port + " " + frame.hex);
  d.isConfirmed = frame.isConfirmed;
  run(d, PHASE.send, script);
}

/** Takes one input. `luck`: 0 to 1, another for every step. */
export function stepUplink(
  uplink: RnUplink,
  input: UplinkInput,
  luck: number,
): readonly [RnUplink, readonly UplinkEffect[]] {
  const d: Draft = Object.assign({}, uplink, { nowMs: input.nowMs, luck: luck, effects: [] });
  if (input.text !== undefined) takeBytes(d, input.text);
  else if (input.frame !== undefined) send(d, input.frame);
  else if (input.isAlarm) {
    d.isHurried = !d.isJoined;
    if (d.phase === PHASE.pause) join(d);
  } else tick(d);
  return [d, d.effects];
}
