/** Entrance button: the one file of this role that touches the board. Levels, bytes and time go into the
 *  pure reducers, what they decide goes out to pins, modem and Storage. Who the board is says identity.ts.
 *  Button and tamper switch close to ground; the mains input is closed to ground while mains is lost. */
import type { Kind } from "../protocols/device/kinds.ts";
import type { Mode } from "../protocols/device/report.ts";
import { decodeStage, STAGE_FPORT, STAGES } from "../protocols/device/stage.ts";
import {
  CONTACT,
  type ContactEffect,
  type ContactTiming,
  contactDueMs,
  OPEN_CONTACT,
  stepContact,
} from "./contact.ts";
import { NUMBER_BLOCK, NUMBER_LOGS } from "./event-numbers.ts";
import type { Identity } from "./identity.ts";
import { BUZZER, type LampMeaning, lampAt } from "./lamp.ts";
import { createModem, DO, type ModemEffect, type ModemInput, PHASE, stepModem } from "./modem-rak3172.ts";
import { isModemIdentity, lowestRateOf } from "./modem-rak3172-lines.ts";
import { openNumberStore } from "./number-store.ts";
import {
  dueEvent,
  frameAnswered,
  frameOf,
  frameOnAir,
  lampMeaningOf,
  NO_NUMBER,
  type Outbox,
  outboxDueMs,
  PRESS_LENGTH,
  RESTARTED,
  raiseEvent,
  reachStage,
  releasePress,
} from "./outbox.ts";

const PRESS: ContactTiming = { holdMs: 60, releaseMs: 30, stuckMs: 30000 };
const CASE_OPEN: ContactTiming = { holdMs: 200, releaseMs: 1000, stuckMs: 0 };
const MAINS_LOST: ContactTiming = { holdMs: 2000, releaseMs: 2000, stuckMs: 0 };

/** Detail of a fault or tamper event, and of the restore that ends it. 1 is the restart's. */
const STUCK = 2;
const BATTERY = 3;
const MAINS = 4;
const NUMBERS = 5;
const CASE = 6;

const HEARTBEAT_S = 3600;
const LOW_PERCENT = 20;
const GOOD_PERCENT = 30;
const BLINK_MS = 60;
/** The buzzer of an undelivered alarm; its red light goes on. */
const BUZZER_MS = 180000;
const RESET_MS = 100;
const POWER_OFF_MS = 3000;
const SERVICE_MS = 120000;
const WATCHDOG_S = 30;
const TICK_MS = 1000;

const storage = require("Storage");

/** Milliseconds on the scale of `getTime`. */
function now(): number {
  return getTime() * 1000;
}

function readIdentity(): Identity {
  const found = (storage.readJSON("identity", true) ?? {}) as Identity;
  if (found.profile !== undefined && isModemIdentity(found)) return found;
  throw new Error("no identity for this board: flash it");
}

const identity = readIdentity();
const profile = identity.profile;
const bootMs = now();
const numbers = openNumberStore(storage, E.hwRand() & 0xffff, NUMBER_LOGS, NUMBER_BLOCK);

/** Bit 0 of a lamp's levels is the last. */
const LIGHTS = [profile.buzzer, profile.green, profile.amber, profile.red];

let outbox: Outbox = [];
let modem = createModem(identity, bootMs);
/** Number of the event whose frame the modem has. */
let sending = NO_NUMBER;
let pressNumber = NO_NUMBER;
let isUartOpen = false;
let timer: TimerId | undefined;
let heartbeatMs = bootMs;
let blinkMs = -BLINK_MS;
let lamp: LampMeaning = "off";
let lampMs = bootMs;
/** Bit n: fault n stands. */
let faults = 0;
let batteryPercent: number | null = null;
/** One reading function per contact; each says when it wants to be called again. */
const contacts: ((nowMs: number) => number)[] = [];

function isFault(code: number): boolean {
  return (faults & (1 << code)) !== 0;
}

function modeAt(nowMs: number): Mode {
  const isOver = nowMs - bootMs >= (identity.modeForS ?? Infinity) * 1000;
  return isOver ? "real" : (identity.mode ?? "real");
}

/** 0 to 1. Not Math.random, which begins alike on every board. */
function luck(): number {
  return (E.hwRand() & 0xffff) / 65536;
}

function raise(kind: Kind, number: number, atMs: number, detail: number): void {
  const nowMs = now();
  const raised = { kind: kind, mode: modeAt(nowMs), number: number, atMs: atMs, detail: detail };
  outbox = raiseEvent(outbox, raised, nowMs);
}

function setFault(code: number, isOn: boolean, atMs: number): void {
  if (isFault(code) === isOn) return;
  faults ^= 1 << code;
  raise(isOn ? (code === CASE ? "tamper" : "fault") : "restore", numbers.take(), atMs, code);
}

function measureBattery(nowMs: number): void {
  const wired = profile.battery;
  if (wired !== undefined) {
    const share = (analogRead(wired.pin) - wired.empty) / (wired.full - wired.empty);
    batteryPercent = Math.round(Math.max(0, Math.min(1, share)) * 100);
  } else if (E.getBattery !== undefined) batteryPercent = E.getBattery();
  const limit = isFault(BATTERY) ? GOOD_PERCENT : LOW_PERCENT;
  if (batteryPercent !== null) setFault(BATTERY, batteryPercent < limit, nowMs);
}

// ---- modem ---------------------------------------------------------------------------------------------

function take(hex: string, nowMs: number): void {
  try {
    const blank = new Uint8Array(hex.length >> 1);
    const answer = decodeStage(blank.map((_, i) => parseInt(hex.substr(i * 2, 2), 16)));
    outbox = reachStage(outbox, answer.eventNumber, STAGES.indexOf(answer.stage), nowMs);
  } catch (error) {
    // what cannot be read raises no stage; the ladder asks again
    print("downlink " + hex + ": " + error);
  }
}

/** Pulls a pin of the modem low for a while. */
function pull(pin: PinName | undefined, forMs: number): void {
  if (pin === undefined) return;
  digitalWrite(pin, 0);
  setTimeout(() => digitalWrite(pin, 1), forMs);
}

function obey(effect: ModemEffect, nowMs: number): void {
  if (effect.do === DO.write) Serial1.write(effect.line + "\r\n");
  else if (effect.do === DO.reset) pull(profile.modemReset, RESET_MS);
  else if (effect.do === DO.power) pull(profile.modemPower, POWER_OFF_MS);
  else if (effect.do === DO.answered) outbox = frameAnswered(outbox, sending, effect.isAcked, nowMs);
  else if (effect.do === DO.received) {
    if (effect.port === STAGE_FPORT) take(effect.hex, nowMs);
  } else {
    if (sending < 0 && modeAt(nowMs) === "commissioning") blinkMs = nowMs;
    outbox = frameOnAir(outbox, sending, nowMs, luck());
  }
}

function feedModem(input: ModemInput): void {
  const step = stepModem(modem, input, luck());
  modem = step[0];
  const isNeeded = modem.phase !== PHASE.idle;
  // an open UART costs an nRF52 1 mA
  if (isNeeded && !isUartOpen) Serial1.setup(115200, { rx: profile.rx, tx: profile.tx });
  if (!isNeeded && isUartOpen) Serial1.unsetup();
  isUartOpen = isNeeded;
  for (const effect of step[1]) obey(effect, input.nowMs);
}

function send(nowMs: number): void {
  const event = modem.phase === PHASE.idle ? dueEvent(outbox, nowMs) : undefined;
  if (event === undefined) return;
  sending = event.number;
  const state = {
    tamperOpen: isFault(CASE),
    batteryLow: isFault(BATTERY),
    mainsLost: isFault(MAINS),
    deviceFault: isFault(STUCK) || isFault(NUMBERS),
    batteryPercent: batteryPercent,
    lastNumber: numbers.last(),
  };
  const frame = frameOf(event, state, nowMs, lowestRateOf(identity));
  feedModem({ nowMs: nowMs, frame: frame });
}

// ---- the rest ------------------------------------------------------------------------------------------

/** Events that are still open are sign of life enough, and not to be disturbed. */
function beat(nowMs: number): void {
  if (nowMs < heartbeatMs) return;
  heartbeatMs = nowMs + (identity.heartbeatS ?? HEARTBEAT_S) * (900 + 200 * luck());
  measureBattery(nowMs);
  if (outbox.length > 0) return;
  numbers.refill();
  raise("heartbeat", NO_NUMBER, nowMs, 0);
}

function showLamp(nowMs: number): number {
  const said = lampMeaningOf(outbox, nowMs);
  const isBlink = said.meaning === "off" && nowMs < blinkMs + BLINK_MS;
  const meaning = isBlink ? "blink" : said.meaning;
  if (meaning !== lamp) lampMs = nowMs;
  lamp = meaning;
  const shown = lampAt(lamp, nowMs - lampMs);
  const lights = nowMs - lampMs < BUZZER_MS ? shown.lights : shown.lights & ~BUZZER;
  digitalWrite(LIGHTS, lights);
  return isBlink ? blinkMs + BLINK_MS : Math.min(said.nextMs, nowMs + shown.nextMs);
}

function onPress(effect: ContactEffect): void {
  if (effect.do === CONTACT.held) {
    pressNumber = numbers.take();
    raise("panic", pressNumber, effect.atMs, PRESS_LENGTH);
    feedModem({ nowMs: now(), isAlarm: true });
  } else if (effect.do === CONTACT.released) outbox = releasePress(outbox, pressNumber, effect.atMs);
  // the alarm of a contact that stays closed stands; that it stays closed is a fault besides
  if (effect.do !== CONTACT.held) setFault(STUCK, effect.do === CONTACT.stuck, effect.atMs);
}

function run(): void {
  const nowMs = now();
  // what throws below is printed and must not be the last thing this program does
  arm(TICK_MS);
  const contactsMs = contacts.reduce((due, poll) => Math.min(due, poll(nowMs)), Infinity);
  setFault(NUMBERS, numbers.isFaulty(), nowMs);
  feedModem({ nowMs: nowMs });
  beat(nowMs);
  send(nowMs);
  if (outbox.length === 0 && !numbers.isFaulty()) numbers.refill();
  const lampDueMs = showLamp(nowMs);
  const sendMs = modem.phase === PHASE.idle ? outboxDueMs(outbox) : modem.dueMs;
  arm(Math.min(Math.min(contactsMs, lampDueMs), Math.min(sendMs, heartbeatMs)) - nowMs);
}

function arm(delayMs: number): void {
  if (timer !== undefined) clearTimeout(timer);
  timer = setTimeout(run, Math.max(1, Math.ceil(delayMs)));
}

/** Follows a contact to ground. Returns what reads it once more and says when that is due again. */
function watchContact(
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
  contacts.push((nowMs) => {
    sample(digitalRead(pin) === 0, nowMs);
    return contactDueMs(contact, timing);
  });
}

function closeConsole(): void {
  // with the console open, keys could be read over the cable, and on some boards it sits on the modem's UART
  E.setConsole(null, { force: true });
  if (typeof NRF !== "undefined") NRF.sleep();
}

for (const pin of [profile.modemReset, profile.modemPower]) if (pin !== undefined) digitalWrite(pin, 1);
watchContact(profile.button, PRESS, onPress);
watchContact(profile.tamper, CASE_OPEN, (effect) => setFault(CASE, effect.do === CONTACT.held, effect.atMs));
watchContact(profile.mains, MAINS_LOST, (effect) => setFault(MAINS, effect.do === CONTACT.held, effect.atMs));
Serial1.on("data", (text) => {
  feedModem({ nowMs: now(), text: text });
  arm(0);
});
raise("heartbeat", NO_NUMBER, bootMs, RESTARTED);
beat(bootMs);
E.enableWatchdog(WATCHDOG_S, true);
run();
// a button held at power-up alarms like any press, and lets whoever holds it reach the board once more
if (digitalRead(profile.button) === 0) setTimeout(closeConsole, SERVICE_MS);
else closeConsole();
