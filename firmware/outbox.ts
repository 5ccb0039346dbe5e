/** What this device still has to say: its open events, the ladder by which each is repeated, and how far
 *  each has come. Pure: inputs carry time and luck, the frame to send next is read from the state.
 *
 *  Ladder: at once, then 3, 6, 15 and 30 s after the first frame, then every 60 s, each gap ±20 % so that
 *  a whole street pressing at once spreads out. Every repeat is a new frame with the same event number.
 *  Frames that nobody answered lower the data rate: two at the network's own, then SF10, SF11, SF12. From
 *  `received` on an alarm only asks how far it is, unconfirmed: the hub answers when it has something to
 *  say and may save its transmitter when a whole building asks. 10 s apart for a minute, then 60 s, for
 *  ten minutes at most: 15 frames, 2.8 s of airtime at SF9 and 20 s at SF12 of the 36 s that an hour in a
 *  1 % band allows.
 *
 *  The heartbeat that announces a restart goes out once unconfirmed, so that a street whose power came back does not
 *  fill the gateway's air with acknowledgements, and from a minute later on confirmed, until a hub has it.
 *
 *  Every press is an event of its own. The newest is sent first, once; then all take turns by what is due,
 *  so that a hand that keeps pressing cannot silence an earlier press. CAPACITY events are kept. When more
 *  are open, the one that matters least goes: what a hub has stored before what it has not, heartbeats
 *  before faults before tamper before alarms, exercises before the real, old before new, but never the
 *  very first press. Its number is then missing at the hub, which reports a lost press. */

import type { KindRow } from "../protocols/device/kinds.ts";
import { REPORT_FPORT } from "../protocols/device/report.ts";
import { STAGES } from "../protocols/device/stage.ts";
import { change } from "./change.ts";
import { LAMP } from "./lamp.ts";
import { reportText } from "./report-text.ts";
import type { Frame } from "./uplink.ts";

export const CAPACITY = 8;
/** Number of a heartbeat in the outbox: it carries the last event's when it is sent, and has none of its
 *  own. */
export const NO_NUMBER = -1;
/** Number of a heartbeat that tries the way to the hub: confirmed, a few times, until it is acknowledged. */
export const SELF_TEST = -2;
const MOST_TESTS = 3;
/** Detail of a heartbeat: nothing, or "restarted, numbers go on from here". */
export const RESTARTED = 1;
/** Detail of an event whose detail is the length of its press, read when a frame is made. */
export const PRESS_LENGTH = -1;

const LADDER_GAP_S = [3, 3, 9, 15, 60];
const RED_AFTER_MS = 15000;
const GREEN_MS = 10000;
const ASK_S = 10;
const ASK_LATER_S = 60;
const ASK_FAST_MS = 60000;
const ASK_UNTIL_MS = 600000;
/** The lamp of an alarm that stays where it is goes dark after this, to spare the battery. The reports go
 *  on. */
const DARK_AFTER_MS = 1800000;
const STORED = STAGES.indexOf("stored");
const RECEIVED = STAGES.indexOf("received");
const CLOSED = STAGES.indexOf("closed");

export interface OpenEvent {
  readonly kind: KindRow;
  /** Index into MODES. */
  readonly mode: number;
  /** 0-65535, or NO_NUMBER. */
  readonly number: number;
  /** When it happened; for a press, the first touch. */
  readonly atMs: number;
  /** When the contact was let go, -1: still held. */
  readonly releasedMs: number;
  /** 0-255, or PRESS_LENGTH. */
  readonly detail: number;
  /** Index into STAGES, -1: not even stored. */
  readonly stage: number;
  readonly stageMs: number;
  /** When `received` was first believed. */
  readonly receivedMs: number;
  readonly frames: number;
  /** Frames without any answer. */
  readonly misses: number;
  readonly dueMs: number;
}

export type Outbox = readonly OpenEvent[];

/** What happened. For a press, `atMs` is its first touch. */
export type Raised = Pick<OpenEvent, "kind" | "mode" | "number" | "atMs" | "detail">;

/** What every frame says besides its event. */
export interface DeviceState {
  /** Bit n: what has detail n stands. */
  readonly standing: number;
  /** 255: unknown. */
  readonly batteryPercent: number;
  readonly lastNumber: number;
}

/** 0 heartbeat, 1 notes and faults, 2 intrusion, 3 alarms; real ones above every exercise. */
function rankOf(event: OpenEvent): number {
  const priority = event.kind.priority;
  const rank = event.number < 0 ? 0 : priority === "life" ? 3 : priority === "intrusion" ? 2 : 1;
  return rank + (event.mode > 0 ? 0 : 4);
}

function isAlarm(event: OpenEvent): boolean {
  return rankOf(event) % 4 === 3;
}

/** Whether an alarm is open: then Storage is left alone. */
export function isAlarmOpen(outbox: Outbox): boolean {
  return outbox.some(isAlarm);
}

/** The event to drop from a full outbox. */
function leastOf(outbox: Outbox): OpenEvent | undefined {
  const worth = (event: OpenEvent) => rankOf(event) + (event.stage < STORED ? 10 : 0);
  return outbox
    .slice(1)
    .reduce(
      (least, event) => (least !== undefined && worth(event) >= worth(least) ? least : event),
      outbox[1],
    );
}

/** A new event. It takes the place of alarms that are received already: the lamp is its own from now on. */
export function raiseEvent(outbox: Outbox, raised: Raised, nowMs: number): Outbox {
  const fresh = {
    releasedMs: -1,
    stage: -1,
    stageMs: nowMs,
    receivedMs: 0,
    frames: 0,
    misses: 0,
    dueMs: nowMs,
  };
  const event: OpenEvent = Object.assign(fresh, raised);
  const isBehind = (e: OpenEvent) => e.stage >= RECEIVED && isAlarm(event) && rankOf(e) <= rankOf(event);
  const settled = outbox.filter((e) => !isBehind(e));
  const dropped = settled.length < CAPACITY ? undefined : leastOf(settled);
  return settled.filter((e) => e !== dropped).concat([event]);
}

function gapMs(event: OpenEvent, nowMs: number, luck: number): number {
  const isAsking = event.stage >= RECEIVED;
  const askS = nowMs - event.receivedMs < ASK_FAST_MS ? ASK_S : ASK_LATER_S;
  const ladderS = LADDER_GAP_S[Math.min(event.frames, LADDER_GAP_S.length - 1)] ?? ASK_LATER_S;
  return (isAsking ? askS : event.number < 0 ? ASK_LATER_S : ladderS) * (800 + 400 * luck);
}

/** An alarm stays until it is closed or its time to ask is over; a heartbeat until it went out, the one
 *  that announces a restart until a hub has it; every other event until it is received. */
function isOpen(event: OpenEvent, nowMs: number): boolean {
  const isTrying = event.number === SELF_TEST ? event.misses < MOST_TESTS : event.frames === 0;
  if (event.number < 0) return event.stage < STORED && (event.detail === RESTARTED || isTrying);
  if (!isAlarm(event)) return event.stage < RECEIVED;
  return event.stage < RECEIVED || (event.stage < CLOSED && nowMs - event.receivedMs < ASK_UNTIL_MS);
}

function update(
  outbox: Outbox,
  number: number,
  nowMs: number,
  by: (event: OpenEvent) => Partial<OpenEvent>,
): Outbox {
  return outbox
    .map((event) => (event.number === number ? change(event, by(event)) : event))
    .filter((event) => isOpen(event, nowMs));
}

/** The contact of a press was let go. */
export function releasePress(outbox: Outbox, number: number, atMs: number): Outbox {
  return update(outbox, number, atMs, () => ({ releasedMs: atMs }));
}

/** The frame of an event went on air. `luck` is 0 to 1, for the jitter. */
export function frameOnAir(outbox: Outbox, number: number, nowMs: number, luck: number): Outbox {
  return update(outbox, number, nowMs, (event) => ({
    frames: event.frames + 1,
    dueMs: nowMs + gapMs(event, nowMs, luck),
  }));
}

/** An event has come to a stage (index into STAGES). For another number, or not above what is believed,
 *  nothing changes. */
export function reachStage(outbox: Outbox, number: number, stage: number, nowMs: number): Outbox {
  return update(outbox, number, nowMs, (event) => {
    if (stage <= event.stage) return {};
    if (stage < RECEIVED || event.stage >= RECEIVED) return { stage: stage, stageMs: nowMs };
    return { stage: stage, stageMs: nowMs, receivedMs: nowMs, dueMs: nowMs + ASK_S * 1000 };
  });
}

/** The frame of an event is over. An acknowledgement means stored and no more: before LoRaWAN 1.1 it is
 *  bound to no particular uplink. */
export function frameAnswered(outbox: Outbox, number: number, isAcked: boolean, nowMs: number): Outbox {
  if (isAcked) return reachStage(outbox, number, STORED, nowMs);
  return update(outbox, number, nowMs, (event) => ({
    misses: event.misses + (event.stage < RECEIVED ? 1 : 0),
  }));
}

/** Heartbeats say which number was the last, so they wait while any event before it may still be unknown
 *  to the hub. */
function mayGo(outbox: Outbox, event: OpenEvent): boolean {
  return event.number >= 0 || outbox.every((e) => e.number < 0 || e.stage >= STORED);
}

function goesBefore(a: OpenEvent, b: OpenEvent): boolean {
  if (rankOf(a) !== rankOf(b)) return rankOf(a) > rankOf(b);
  if (a.frames > 0 && b.frames > 0) return a.dueMs < b.dueMs;
  return a.frames === 0;
}

/** The event whose frame is to be sent now, or undefined. */
export function dueEvent(outbox: Outbox, nowMs: number): OpenEvent | undefined {
  let best: OpenEvent | undefined;
  for (const event of outbox) {
    if (event.dueMs > nowMs || !mayGo(outbox, event)) continue;
    if (best === undefined || goesBefore(event, best)) best = event;
  }
  return best;
}

/** When `dueEvent` is worth asking again; Infinity: nothing is open. */
export function outboxDueMs(outbox: Outbox): number {
  return outbox.reduce((due, event) => (mayGo(outbox, event) ? Math.min(due, event.dueMs) : due), Infinity);
}

function detailOf(event: OpenEvent, nowMs: number): number {
  if (event.detail !== PRESS_LENGTH) return event.detail;
  const heldMs = (event.releasedMs < 0 ? nowMs : event.releasedMs) - event.atMs;
  return Math.min(255, Math.floor(heldMs / 50));
}

/** The frame of an event as it is true at `nowMs`. `lowestRate` is the region's lowest data rate with room
 *  for a report. */
export function frameOf(event: OpenEvent, state: DeviceState, nowMs: number, lowestRate: number): Frame {
  const isHeartbeat = event.number < 0;
  const text = reportText({
    kindId: event.kind.id,
    mode: event.mode,
    standing: state.standing,
    number: isHeartbeat ? state.lastNumber : event.number,
    ageS: (nowMs - event.atMs) / 1000,
    batteryPercent: state.batteryPercent,
    detail: detailOf(event, nowMs),
  });
  return {
    port: REPORT_FPORT,
    hex: text,
    isConfirmed: isHeartbeat
      ? event.number === SELF_TEST || (event.detail === RESTARTED && event.frames > 0)
      : event.stage < RECEIVED,
    dataRate: isHeartbeat || event.misses < 2 ? -1 : Math.max(lowestRate, 4 - event.misses),
  };
}

/** Of LAMP. Up to `dispatched` it is the stage itself. */
function meaningOf(event: OpenEvent, nowMs: number): number {
  const shownMs = nowMs - event.stageMs;
  if (shownMs >= DARK_AFTER_MS) return LAMP.off;
  if (event.stage < STORED) return nowMs - event.atMs < RED_AFTER_MS ? LAMP.sending : LAMP.notDelivered;
  return event.stage === RECEIVED && shownMs >= GREEN_MS ? LAMP.off : event.stage;
}

/** What the lamp says (LAMP): how far the newest alarm has come, a real one before any exercise. */
export function lampMeaningOf(outbox: Outbox, nowMs: number): number {
  let shown: OpenEvent | undefined;
  for (const event of outbox) {
    if (isAlarm(event) && (shown === undefined || rankOf(event) >= rankOf(shown))) shown = event;
  }
  return shown === undefined ? LAMP.off : meaningOf(shown, nowMs);
}
