/** What all roles share: event numbers, outbox, uplink, heartbeat, battery, tamper, mains and faults, and the loop
 *  that drives them. Levels, bytes and time go into the pure reducers, what they decide goes out to pins, carrier and
 *  Storage. Tamper switch closes to ground; the mains input is closed to ground while mains is lost.
 *
 *  A role says what its inputs mean (`watchContact`, `sampleEvery`, then `alarm` and `setFault`), and what it shows:
 *  `startDevice(show)`. */
import { DETAIL } from "../protocols/device/details.ts";
import { KINDS, type KindRow } from "../protocols/device/kinds.ts";
import { SETTING, SETTINGS_FPORT } from "../protocols/device/settings.ts";
import { STAGE_FPORT } from "../protocols/device/stage.ts";
import { bootMs, identity, luck, now, storage } from "./board.ts";
import { answer, forgetAnswer, modeAt, obeySettings, settingOf, takeSettings } from "./configuration.ts";
import {
  CONTACT,
  type ContactEffect,
  type ContactTiming,
  contactDueMs,
  OPEN_CONTACT,
  stepContact,
} from "./contact.ts";
import { obeyEdge, openEdge } from "./edge-modem.ts";
import { NUMBER_BLOCK, NUMBER_LOGS } from "./event-numbers.ts";
import { digitsAt } from "./hex.ts";
import { openNumberStore } from "./number-store.ts";
import {
  dueEvent,
  frameAnswered,
  frameOf,
  frameOnAir,
  isAlarmOpen,
  NO_NUMBER,
  type Outbox,
  outboxDueMs,
  RESTARTED,
  raiseEvent,
  reachStage,
  releasePress,
  SELF_TEST,
} from "./outbox.ts";
import { stageIn } from "./report-text.ts";
import { readBattery, UNKNOWN } from "./supply.ts";
import { DO, PHASE, type UplinkEffect, type UplinkInput } from "./uplink.ts";
import { createUplink, lowestRateOf, stepUplink } from "./uplink-rak3172.ts";

const CASE_OPEN: ContactTiming = { holdMs: 200, releaseMs: 1000, stuckMs: 0 };
const MAINS_LOST: ContactTiming = { holdMs: 2000, releaseMs: 2000, stuckMs: 0 };

const LOW_PERCENT = 20;
const GOOD_PERCENT = 30;
/** In the place of an event number: an answer about settings. */
const ANSWER = -3;
const TEST_MS = 86400000;
/** From the word that a frame is on air to the battery's measurement: shorter than any frame. */
const LOAD_MS = 30;
const SERVICE_MS = 120000;
const WATCHDOG_S = 30;
const TICK_MS = 1000;

const wired = identity.profile;
/** Where counting starts on an empty board, and when in its first day it tries the way to the hub. */
const chance = luck();
const numbers = openNumberStore(storage, Math.floor(chance * 65536), NUMBER_LOGS, NUMBER_BLOCK);

export let outbox: Outbox = [];
/** When the last heartbeat went on air. */
export let beatenMs = -Infinity;
let uplink = createUplink(identity, bootMs);
/** Number of the event whose frame the carrier has. */
let sending = NO_NUMBER;
let timer: TimerId | undefined;
let show: (nowMs: number) => number = () => Infinity;
let beatMs = bootMs;
let testMs = bootMs + TEST_MS * chance;
/** Bit n: what has detail n stands. */
let standing = 0;
let batteryPercent = UNKNOWN;
/** One reading function per input; each says when it wants to be called again. */
const polls: ((nowMs: number) => number)[] = [];

function isStanding(code: number): boolean {
  return (standing & (1 << code)) !== 0;
}

function raise(kind: KindRow, number: number, atMs: number, detail: number): void {
  const nowMs = now();
  const raised = { kind: kind, mode: modeAt(nowMs), number: number, atMs: atMs, detail: detail };
  outbox = raiseEvent(outbox, raised, nowMs);
}

/** Raises an event that began at `atMs` and hurries the carrier. Returns its number. `detail`: 0-255, or PRESS_LENGTH. */
export function alarm(kind: KindRow, atMs: number, detail: number): number {
  const number = numbers.take();
  raise(kind, number, atMs, detail);
  feed({ nowMs: now(), isAlarm: true });
  return number;
}

/** The contact of a press was let go. */
export function release(number: number, atMs: number): void {
  outbox = releasePress(outbox, number, atMs);
}

/** Something (DETAIL) stands, or stands no longer. When that is new, `kind` is raised with `detail`, or its restore. */
export function setStanding(code: number, isOn: boolean, atMs: number, kind: KindRow, detail: number): void {
  if (isStanding(code) === isOn) return;
  standing ^= 1 << code;
  raise(isOn ? kind : KINDS.restore, numbers.take(), atMs, isOn ? detail : code);
}

/** A new alarm waits: the carrier cuts its pauses short. */
export function hurry(nowMs: number): void {
  feed({ nowMs: nowMs, isAlarm: true });
}

/** Alarms that stand are new again when they are next said. */
export function forgetAlarms(): void {
  standing &= (1 << DETAIL.smoke) - 1;
}

/** A fault (DETAIL) stands, or stands no longer. */
export function setFault(code: number, isOn: boolean, atMs: number): void {
  setStanding(code, isOn, atMs, KINDS.fault, code);
}

function measureBattery(): void {
  batteryPercent = readBattery();
  const limit = isStanding(DETAIL.battery) ? GOOD_PERCENT : LOW_PERCENT;
  if (batteryPercent !== UNKNOWN) setFault(DETAIL.battery, batteryPercent < limit, now());
}

// ---- uplink --------------------------------------------------------------------------------------------

/** An acknowledgement proves the way to the hub; a self-test that ends without one disproves it. */
function judgePath(isAcked: boolean, nowMs: number): void {
  const isOver = sending === SELF_TEST && outbox.every((event) => event.number !== SELF_TEST);
  if (isAcked || isOver) setFault(DETAIL.radioPath, !isAcked, nowMs);
}

function takeDownlink(port: number, text: string, nowMs: number): void {
  const stage = stageIn(text);
  // what cannot be read raises no stage; the ladder asks again
  if (port === SETTINGS_FPORT) takeSettings(text);
  else if (port === STAGE_FPORT && stage >= 0)
    outbox = reachStage(outbox, digitsAt(text, 4, 4), stage, nowMs);
}

function hear(effect: UplinkEffect, nowMs: number): void {
  if (effect.do === DO.answered) {
    outbox = frameAnswered(outbox, sending, effect.isAcked, nowMs);
    judgePath(effect.isAcked, nowMs);
  } else if (effect.do === DO.received) takeDownlink(effect.port, effect.hex, nowMs);
  else if (effect.do === DO.onAir) {
    if (sending === ANSWER) forgetAnswer();
    if (sending === NO_NUMBER) beatenMs = nowMs;
    outbox = frameOnAir(outbox, sending, nowMs, luck());
    // under the load of the transmitter
    setTimeout(measureBattery, LOAD_MS);
  }
}

function feed(input: UplinkInput): void {
  const step = stepUplink(uplink, input, luck());
  uplink = step[0];
  obeyEdge(uplink, step[1]);
  for (const effect of step[1]) hear(effect, input.nowMs);
}

function send(nowMs: number): void {
  const event = dueEvent(outbox, nowMs);
  if (uplink.phase !== PHASE.idle || (event === undefined && answer === "")) return;
  const state = { standing: standing, batteryPercent: batteryPercent, lastNumber: numbers.last() };
  const frame =
    event === undefined
      ? { port: SETTINGS_FPORT, hex: answer, isConfirmed: false, dataRate: -1 }
      : frameOf(event, state, nowMs, lowestRateOf(identity));
  sending = event === undefined ? ANSWER : event.number;
  feed({ nowMs: nowMs, frame: frame });
}

// ---- the loop ------------------------------------------------------------------------------------------

/** Events that are still open are sign of life enough, and not to be disturbed. */
function beat(nowMs: number): void {
  if (nowMs >= testMs) {
    testMs = nowMs + TEST_MS * (0.9 + 0.2 * luck());
    raise(KINDS.heartbeat, SELF_TEST, nowMs, 0);
  }
  if (nowMs < beatMs) return;
  beatMs = nowMs + settingOf(SETTING.heartbeat) * (9000 + 2000 * luck());
  if (outbox.length > 0) return;
  raise(KINDS.heartbeat, NO_NUMBER, nowMs, 0);
}

/** What must not be done while an alarm is open. */
function settle(nowMs: number): void {
  if (!obeySettings(nowMs)) return;
  if (settingOf(SETTING.selfTest) > 0) testMs = nowMs;
  beatMs = Math.min(beatMs, nowMs + settingOf(SETTING.heartbeat) * 10000);
}

function arm(delayMs: number): void {
  if (timer !== undefined) clearTimeout(timer);
  timer = setTimeout(run, Math.max(1, Math.ceil(delayMs)));
}

function run(): void {
  const nowMs = now();
  // what throws below is printed and must not be the last thing this program does
  arm(TICK_MS);
  const inputsMs = polls.reduce((due, poll) => Math.min(due, poll(nowMs)), Infinity);
  setFault(DETAIL.numbers, !numbers.refill(outbox.length === 0), nowMs);
  feed({ nowMs: nowMs, isQuiet: outbox.length === 0 });
  if (!isAlarmOpen(outbox)) settle(nowMs);
  beat(nowMs);
  send(nowMs);
  const showMs = show(nowMs);
  const sendMs = uplink.phase === PHASE.idle ? outboxDueMs(outbox) : uplink.dueMs;
  arm(Math.min(Math.min(inputsMs, showMs), Math.min(sendMs, Math.min(beatMs, testMs))) - nowMs);
}

/** Calls `poll` in every round of the loop; it says when it wants to be called again. */
export function follow(poll: (nowMs: number) => number): void {
  polls.push(poll);
}

/** An edge of this pin begins a round. */
export function wakeOn(pin: PinName): void {
  setWatch(() => arm(0), pin, { repeat: true, edge: "both" });
}

/** Follows a contact to ground, where there is one. */
export function watchContact(
  pin: PinName | undefined,
  timing: ContactTiming,
  take: (effect: ContactEffect) => void,
): void {
  if (pin === undefined) return;
  let contact = OPEN_CONTACT;
  const sample = (closed: boolean, atMs: number) => {
    const step = stepContact(contact, timing, { closed: closed, atMs: atMs });
    contact = step[0];
    step[1].forEach(take);
  };
  pinMode(pin, "input_pullup");
  const onEdge = (event: WatchEvent) => {
    sample(!event.state, event.time * 1000);
    // not at once: edges that came meanwhile are waiting, and are older than what the pin says now
    arm(0);
  };
  setWatch(onEdge, pin, { repeat: true, edge: "both" });
  polls.push((nowMs) => {
    sample(digitalRead(pin) === 0, nowMs);
    return contactDueMs(contact, timing);
  });
}

function closeConsole(): void {
  // with the console open, keys could be read over the cable, and on some boards it sits on the modem's UART
  E.setConsole(null, { force: true });
  if (typeof NRF !== "undefined") NRF.sleep();
}

/** Begins. `showNow` puts on the lamp what is true at a time, and says when that changes. A contact to ground at
 *  `servicePin` that is closed at power-up lets whoever closed it reach the board once more. */
export function startDevice(servicePin: PinName | undefined, showNow: (nowMs: number) => number): void {
  show = showNow;
  watchContact(wired.tamper, CASE_OPEN, (effect) =>
    setStanding(DETAIL.case, effect.do === CONTACT.held, effect.atMs, KINDS.tamper, DETAIL.case),
  );
  watchContact(wired.mains, MAINS_LOST, (effect) =>
    setFault(DETAIL.mains, effect.do === CONTACT.held, effect.atMs),
  );
  openEdge((input) => {
    feed(input);
    arm(0);
  });
  measureBattery();
  raise(KINDS.heartbeat, NO_NUMBER, bootMs, RESTARTED);
  beat(bootMs);
  E.enableWatchdog(WATCHDOG_S, true);
  run();
  if (servicePin !== undefined && digitalRead(servicePin) === 0) setTimeout(closeConsole, SERVICE_MS);
  else closeConsole();
}
