/** What a sensor has said and not taken back, by the words of the hub's own broker. Pure. */
import { DETAIL, detailOf } from "../../protocols/device/details.ts";
import type { SensorWord } from "./entrance-site.ts";

/** Codes (DETAIL) of what stands. */
export type Standing = ReadonlySet<number>;

const ALARMS: readonly number[] = [DETAIL.smoke, DETAIL.heat];

/** After an event of this kind with this detail byte. */
export function stepStanding(standing: Standing, kind: string, detail: number): Standing {
  if (kind === "smoke" || kind === "heat") return new Set([...standing, DETAIL[kind]]);
  if (kind === "preAlarm") return new Set([...standing, DETAIL.preAlarm]);
  if (kind === "fault" || kind === "tamper") return new Set([...standing, detail]);
  if (kind !== "restore") return standing;
  // a restore that names nothing known says it of all, as it does at the centre
  if (detailOf(kind, detail) === undefined) return new Set();
  return new Set([...standing].filter((code) => code !== detail));
}

/** The gravest of what stands. */
export function wordOf(standing: Standing): SensorWord {
  if (ALARMS.some((code) => standing.has(code))) return "alarm";
  if (standing.has(DETAIL.preAlarm)) return "preAlarm";
  return standing.size > 0 ? "fault" : "quiet";
}
