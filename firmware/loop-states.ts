/** What the levels of a supervised loop mean, by what hangs at its end: codes by rising reading.
 *
 *  Call point: at the far end a resistor for rest, and in parallel with it, through the contact, a smaller one for
 *  alarm. Between these two levels, and above rest, lie only levels that neither can give.
 *    0 … short … alarm … drift … rest … drift … cut … 1, parted by five bounds
 *
 *  Guarded door: at the far end a resistor for closed, and in series with it a larger one that the closed contact
 *  bridges.
 *    0 … short … closed … drift … open … cut … 1, parted by four bounds */
import { DETAIL } from "../protocols/device/details.ts";
import { AT_REST } from "./loop.ts";

export const CALL_POINT_STATES: readonly number[] = [
  DETAIL.lineShort,
  DETAIL.callPoint,
  DETAIL.lineDrift,
  AT_REST,
  DETAIL.lineDrift,
  DETAIL.lineOpen,
];

export const DOOR_STATES: readonly number[] = [
  DETAIL.lineShort,
  AT_REST,
  DETAIL.lineDrift,
  DETAIL.door,
  DETAIL.lineOpen,
];
