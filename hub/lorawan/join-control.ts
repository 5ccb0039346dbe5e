/** A gateway is deaf on every channel while it transmits. In a crowd of joining devices, one join-accept in RX2 at SF12
 *  takes as long as twenty-five in RX1 at SF7 and drowns the requests of everybody else: those who lose their RX1 do
 *  better to ask again. Pure. */
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Calendar } from "./calendar.ts";
import { downlinkAirtimeMs, type Window } from "./windows.ts";

/** An RX2 as short as this is no burden. */
const SHORT_MS = 300;
/** So much must be free around a long one: where an alarm was just answered, the next must be heard. */
const CLEAR_MS = 2_000;
/** The accept for each request heard so far is booked within this time. */
const JOIN_HORIZON_MS = 7_000;

/** RX1 always; RX2 only when it is short, or when nobody else wants the gateway. */
export function mayJoinUse(region: Region, window: Window, calendar: Calendar, sizeBytes: number): boolean {
  if (window.name !== "rx2") return true;
  const airtimeMs = downlinkAirtimeMs(region, window.dataRate, sizeBytes);
  if (airtimeMs <= SHORT_MS) return true;
  const endMs = window.startMs + airtimeMs;
  const quiet = calendar.busyMs(window.startMs - CLEAR_MS, endMs + CLEAR_MS) === 0;
  return quiet && calendar.count("join", window.startMs - JOIN_HORIZON_MS) === 0;
}

/** So many accepts of late are a crowd. */
const CROWD = 3;

/** Settings that nobody waits for let a crowd pass: each would drown requests, and any later uplink can fetch them. */
export function maySettingsUse(window: Window, calendar: Calendar): boolean {
  return calendar.count("join", window.startMs - JOIN_HORIZON_MS) < CROWD;
}
