/** Contact of a guarded door on a supervised loop: an opening is an intrusion and a closing its restore, for whether
 *  anybody is allowed in is not decided at the door. What is wrong with the wire is somebody's work on it, a tamper. It
 *  shows nothing: who opens the door learns nothing from it. */
import { KINDS } from "../protocols/device/kinds.ts";
import { startLoop } from "./loop-sensor.ts";
import { DOOR_STATES } from "./loop-states.ts";

startLoop(DOOR_STATES, KINDS.intrusion, KINDS.tamper, () => Infinity);
