/** Manual call point: what the levels of its loop mean. At the far end a resistor for rest, and in parallel with it,
 *  through the contact, a smaller one for alarm. Between these two levels, and above rest, lie only levels that neither
 *  can give.
 *
 *    reading   0 … short … alarm … drift … rest … drift … cut … 1, parted by five bounds
 *
 *  It alarms on activation, after nothing but the contact's bounce: nobody is asked to confirm, and no second look
 *  is taken. */
import { DETAIL } from "../protocols/device/details.ts";
import { AT_REST, LOOP_ALARM, LOOP_FAULT, type LoopState } from "./loop.ts";

export const CALL_POINT_STATES: readonly LoopState[] = [
  { code: DETAIL.lineShort, timing: LOOP_FAULT },
  { code: DETAIL.callPoint, timing: LOOP_ALARM },
  { code: DETAIL.lineDrift, timing: LOOP_FAULT },
  { code: AT_REST, timing: LOOP_FAULT },
  { code: DETAIL.lineDrift, timing: LOOP_FAULT },
  { code: DETAIL.lineOpen, timing: LOOP_FAULT },
];
