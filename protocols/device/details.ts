/** What the detail byte of a Report names, in one table. In the Espruino subset.
 *    heartbeat                 nothing (0), or `restarted`
 *    fault, tamper             what is wrong
 *    preAlarm                  what is near its alarm: smoke or heat
 *    restore                   what is over: the code of the fault or tamper, or of the alarm (preAlarm, smoke, heat,
 *                              callPoint, door)
 *    smoke                     no code: obscuration in 0.1 %/m, 255 that or more
 *    heat                      no code: °C + 40
 *    panic and its like        no code: length of the press in 50 ms
 *  A device keeps what stands as bits of one number, so codes stay below 31. */
import type { Kind } from "./kinds.ts";

/** Names become numbers in the bundle. */
export const DETAIL = {
  restarted: 1,
  /** A contact is closed for longer than any hand would hold it. */
  stuckContact: 2,
  battery: 3,
  mains: 4,
  /** Storage takes no reservation of event numbers. */
  numbers: 5,
  case: 6,
  headRemoved: 7,
  /** The smoke chamber sees less than clean air: its light or its eye has failed. */
  chamber: 8,
  /** Drift compensation is at its limit: clean or exchange the detector. */
  dirty: 9,
  sensorOpen: 10,
  sensorShort: 11,
  /** The daily self-test of the way to the hub had no answer. */
  radioPath: 12,
  lineOpen: 13,
  lineShort: 14,
  /** Between the levels that its resistors can give: leakage, damp, a corroding joint. */
  lineDrift: 15,
  smoke: 16,
  heat: 17,
  callPoint: 18,
  door: 19,
  preAlarm: 20,
} as const;

export type Detail = keyof typeof DETAIL;

/** Codes that name an alarm, and its kind. All others name a fault or a tamper. */
const ALARMS: Partial<Record<Detail, Kind>> = {
  smoke: "smoke",
  heat: "heat",
  callPoint: "callPoint",
  door: "intrusion",
  preAlarm: "preAlarm",
};

const NAMED_BY_DETAIL: readonly string[] = ["heartbeat", "fault", "tamper", "preAlarm", "restore"];

/** The name of a report's detail; undefined when this kind's detail is a measure, or says nothing, or nothing known. */
export function detailOf(kind: string, detail: number): Detail | undefined {
  if (NAMED_BY_DETAIL.indexOf(kind) < 0) return undefined;
  return (Object.keys(DETAIL) as Detail[]).find((name) => DETAIL[name] === detail);
}

/** Whether a restore with detail `over` says that an event of `kind` with `detail` is over; a kind may also be a hub's. A
 *  restore that names nothing known says it of all: a mark too many is looked at, a mark too few is missed. */
export function isOver(kind: string, detail: number, over: number): boolean {
  const name = detailOf("restore", over);
  if (name === undefined) return true;
  if (kind === "fault" || kind === "tamper") return detail === over;
  return ALARMS[name] === kind;
}
