/** Manual call point on a supervised loop. Its lamp says in plain colours how far the call has come: amber until the
 *  centre has it, then green, and red while nobody has. */
import { KINDS } from "../protocols/device/kinds.ts";
import { identity } from "./board.ts";
import { outbox } from "./device.ts";
import { AMBER, GREEN, LAMP, RED } from "./lamp.ts";
import { startLoop } from "./loop-sensor.ts";
import { CALL_POINT_STATES } from "./loop-states.ts";
import { lampMeaningOf } from "./outbox.ts";

/** A meaning that changes with time is noticed this late. */
const LOOK_MS = 1000;

const wired = identity.profile;

function colourOf(meaning: number): number {
  if (meaning === LAMP.off) return 0;
  if (meaning === LAMP.notDelivered) return RED;
  return meaning === LAMP.sending || meaning === LAMP.stored ? AMBER : GREEN;
}

startLoop(CALL_POINT_STATES, KINDS.callPoint, KINDS.fault, (nowMs) => {
  const said = lampMeaningOf(outbox, nowMs);
  // the last pin takes bit 0
  digitalWrite([wired.green, wired.amber, wired.red], colourOf(said));
  return said === LAMP.off ? Infinity : nowMs + LOOK_MS;
});
