/** Entrance button: a press calls for help, and the lamp says how far the call has come. Closes to ground. */
import { DETAIL } from "../protocols/device/details.ts";
import { KINDS } from "../protocols/device/kinds.ts";
import { identity } from "./board.ts";
import { CONTACT } from "./contact.ts";
import { alarm, release, setFault, startDevice, watchContact } from "./device.ts";
import { showStage } from "./indicator.ts";
import { NO_NUMBER, PRESS_LENGTH } from "./outbox.ts";

const PRESS = { holdMs: 60, releaseMs: 30, stuckMs: 30000 };

const button = identity.profile.button;
let pressNumber = NO_NUMBER;

watchContact(button, PRESS, (effect) => {
  if (effect.do === CONTACT.held) pressNumber = alarm(KINDS.panic, effect.atMs, PRESS_LENGTH);
  else if (effect.do === CONTACT.released) release(pressNumber, effect.atMs);
  // the alarm of a contact that stays closed stands; that it stays closed is a fault besides
  if (effect.do !== CONTACT.held) setFault(DETAIL.stuckContact, effect.do === CONTACT.stuck, effect.atMs);
});
startDevice(button, showStage);
