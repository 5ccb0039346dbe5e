/** Which of a device's reports are new and which say again what the hub already has. Pure: a device's memory goes in and
 *  a verdict comes out. Event numbers are 16 bits and wrap; "ahead" and "behind" are by the shorter way round. */
import { isCodecError } from "../protocols/device/codec-error.ts";
import { decodeReport, type Mode, type Report } from "../protocols/device/report.ts";
import type { Stage } from "../protocols/device/stage.ts";
import { EVENT_KINDS, type EventKind } from "../protocols/hub-kinds.ts";
import { REMEMBERED_EVENTS } from "./journal/events.ts";

/** An event the hub has, or is just storing. */
export interface KnownEvent {
  readonly devEui: string;
  readonly eventNumber: number;
  readonly kind: EventKind;
  readonly mode: Mode;
  stage: Stage;
  /** Null until it is on stable storage. */
  sequence: number | null;
  /** Settles when its storage is decided: true when it is stored. */
  stored: Promise<boolean>;
  /** Repeats recorded as evidence. */
  repeats: number;
  /** How often this stage went down unasked, in answer to heartbeats. */
  tellings: number;
}

export interface DeviceEvents {
  /** Null before the first report. */
  highest: number | null;
  flags: number;
  /** By `eventKey`; null before the first. */
  events: Map<string, KnownEvent> | null;
}

export type Verdict =
  | { readonly type: "repeat"; readonly event: KnownEvent }
  | {
      readonly type: "new";
      /** Highest event number after this report. */
      readonly highest: number;
      /** First and last number that should have come before, or null. */
      readonly lost: readonly [number, number] | null;
      /** The device counts from another place than before: its memory was replaced or erased. */
      readonly restarted: boolean;
    };

/** In a heartbeat's `detail`: the device has just restarted and left out event numbers it had reserved. */
export const RESTARTED_DETAIL = 1;

/** So young is the first event after a restart, and no event that many newer ones have overtaken. */
const FRESH_S = 10;
const HALF = 0x8000;
const WRAP = 0xffff;

export function createDeviceEvents(): DeviceEvents {
  return { highest: null, flags: 0, events: null };
}

/** The device's events, to be added to. The table is made with the first: most devices have none to tell. */
export function eventsOf(device: DeviceEvents): Map<string, KnownEvent> {
  device.events ??= new Map();
  return device.events;
}

/** Where an event is kept; it takes the place of the one 32 numbers before. */
export function eventKey(eventNumber: number, kind: EventKind, mode: Mode): string {
  return `${eventNumber % REMEMBERED_EVENTS}/${kind}/${mode}`;
}

/** The report, or in words why it is none. */
export function readReport(payload: Uint8Array): Report | string {
  try {
    return decodeReport(payload);
  } catch (error) {
    if (isCodecError(error)) return error.message;
    throw error;
  }
}

/** Judges a report that says an event happened, under the mode it will be recorded with. */
export function judgeEvent(device: DeviceEvents, report: Report, mode: Mode): Verdict {
  const { eventNumber, kind } = report;
  const known = device.events?.get(eventKey(eventNumber, kind, mode));
  if (known?.eventNumber === eventNumber) return { type: "repeat", event: known };
  return judgeNumber(device.highest, report);
}

/** True for a number that is not ahead of the highest: what is no repeat by memory may be one by the journal. */
export function mayBeOld({ highest }: DeviceEvents, { eventNumber }: Report): boolean {
  return highest !== null && !isAhead(eventNumber, highest);
}

/** Judges the number of the last event that a heartbeat carries. Null: nothing new. A heartbeat is no event itself, so
 *  its number is among the lost when the hub has not heard of it. */
export function judgeHeartbeat(
  device: DeviceEvents,
  report: Report,
): Extract<Verdict, { type: "new" }> | null {
  const { highest } = device;
  const { eventNumber } = report;
  if (highest === eventNumber) return null;
  if (highest === null) return { type: "new", highest: eventNumber, lost: null, restarted: false };
  const ahead = (eventNumber - highest) & WRAP;
  if (report.detail === RESTARTED_DETAIL || ahead >= HALF) {
    return { type: "new", highest: eventNumber, lost: null, restarted: true };
  }
  return { type: "new", highest: eventNumber, lost: [(highest + 1) & WRAP, eventNumber], restarted: false };
}

function judgeNumber(
  highest: number | null,
  { eventNumber, ageS }: Report,
): Extract<Verdict, { type: "new" }> {
  if (highest === null) return { type: "new", highest: eventNumber, lost: null, restarted: false };
  const ahead = (eventNumber - highest) & WRAP;
  if (ahead < HALF) {
    const lost = ahead > 1 ? ([(highest + 1) & WRAP, (eventNumber - 1) & WRAP] as const) : null;
    return { type: "new", highest: eventNumber, lost, restarted: false };
  }
  // A little behind, or old: its first frames were lost and later events came first. Far behind and fresh: the counter
  // began anew.
  const restarted = WRAP + 1 - ahead >= REMEMBERED_EVENTS && ageS < FRESH_S;
  return { type: "new", highest: restarted ? eventNumber : highest, lost: null, restarted };
}

/** True for what somebody waits for. */
export function isAlarm({ kind }: Pick<KnownEvent, "kind">): boolean {
  const { priority } = EVENT_KINDS[kind];
  return priority === "life" || priority === "intrusion";
}

/** True when `number` comes after `than` by the shorter way round. */
export function isAhead(number: number, than: number): boolean {
  const ahead = (number - than) & WRAP;
  return ahead > 0 && ahead < HALF;
}

/** The four flag bits of a report as one number. */
export function flagsOf(r: Pick<Report, "tamperOpen" | "batteryLow" | "mainsLost" | "deviceFault">): number {
  return (r.tamperOpen ? 8 : 0) | (r.batteryLow ? 4 : 0) | (r.mainsLost ? 2 : 0) | (r.deviceFault ? 1 : 0);
}
