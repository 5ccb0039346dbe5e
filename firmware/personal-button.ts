/** Personal button of someone under a protection order: it has no light and no sound, so nobody beside her sees or hears a
 *  difference. Closes to ground.
 *
 *  The code checks in, and while a call is open it says that it was a mistake. That is one more report: it takes nothing
 *  back, for a hand can be forced. A check-in that does not come in its time is duress with a press of no length. */

import { DETAIL } from "../protocols/device/details.ts";
import { KINDS } from "../protocols/device/kinds.ts";
import { SETTING } from "../protocols/device/settings.ts";
import { bootMs, identity, now } from "./board.ts";
import { settingOf } from "./configuration.ts";
import { CONTACT } from "./contact.ts";
import { alarm, follow, outbox, release, setFault, startDevice, watchContact } from "./device.ts";
import { isAlarmOpen, NO_NUMBER, PRESS_LENGTH } from "./outbox.ts";
import { isPressing, NO_PRESSES, PATTERN, type PressInput, stepPresses } from "./press-pattern.ts";

const PRESS = { holdMs: 60, releaseMs: 30, stuckMs: 30000 };
const MINUTE_MS = 60000;
/** While something is pressed, or was just now. */
const LOOK_MS = 100;

const button = identity.profile.button;
let presses = NO_PRESSES;
/** First touch of the last press. */
let touchedMs = 0;
/** Number of what the press that is under way has raised. */
let pressNumber = NO_NUMBER;
let checkedMs = bootMs;

function feedPresses(input: PressInput): void {
  const nowMs = input.nowMs;
  const step = stepPresses(presses, input);
  const meaning = step[1];
  presses = step[0];
  if (meaning === PATTERN.code) {
    checkedMs = nowMs;
    alarm(isAlarmOpen(outbox) ? KINDS.cancel : KINDS.checkIn, nowMs, 0);
  } else if (meaning !== PATTERN.nothing) {
    release(pressNumber, nowMs);
    pressNumber = alarm(meaning === PATTERN.call ? KINDS.silentPanic : KINDS.duress, touchedMs, PRESS_LENGTH);
  }
}

/** When the check-in that is due next lapses. */
function lapseMs(): number {
  const minutes = settingOf(SETTING.checkIn);
  return minutes > 0 ? checkedMs + minutes * MINUTE_MS : Infinity;
}

watchContact(button, PRESS, (effect) => {
  if (effect.do === CONTACT.held) {
    touchedMs = effect.atMs;
    feedPresses({ nowMs: now(), touchedMs: touchedMs });
  } else if (effect.do === CONTACT.released) {
    feedPresses({ nowMs: now(), letGoMs: effect.atMs });
    release(pressNumber, effect.atMs);
    pressNumber = NO_NUMBER;
  }
  if (effect.do !== CONTACT.held) setFault(DETAIL.stuckContact, effect.do === CONTACT.stuck, effect.atMs);
});
follow((nowMs) => {
  feedPresses({ nowMs: nowMs });
  if (nowMs >= lapseMs()) {
    checkedMs = nowMs;
    alarm(KINDS.duress, nowMs, 0);
  }
  return Math.min(isPressing(presses) ? nowMs + LOOK_MS : Infinity, lapseMs());
});
startDevice(button, () => Infinity);
