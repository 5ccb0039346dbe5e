/** Contact of a guarded door: what the levels of its loop mean. At the far end a resistor for closed, and in series
 *  with it a larger one that the closed contact bridges.
 *
 *    reading   0 … short … closed … drift … open … cut … 1, parted by four bounds
 *
 *  An opening is an intrusion and a closing its restore: whether anybody is allowed in is not decided at the door. A
 *  short or a cut is somebody's work on the wire, which makes it a tamper. */
import { DETAIL } from "../protocols/device/details.ts";
import { AT_REST, LOOP_ALARM, LOOP_FAULT, type LoopState } from "./loop.ts";

export const DOOR_STATES: readonly LoopState[] = [
  { code: DETAIL.lineShort, timing: LOOP_FAULT },
  { code: AT_REST, timing: LOOP_FAULT },
  { code: DETAIL.lineDrift, timing: LOOP_FAULT },
  { code: DETAIL.door, timing: LOOP_ALARM },
  { code: DETAIL.lineOpen, timing: LOOP_FAULT },
];
