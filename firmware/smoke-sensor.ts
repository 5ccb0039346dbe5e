/** Smoke sensor with an optical chamber. Its red light says that it alarms, its buzzer sounds, and the button silences
 *  the buzzer. */
import { KINDS } from "../protocols/device/kinds.ts";
import { identity } from "./board.ts";
import { modeAt, TEST } from "./configuration.ts";
import { CONTACT } from "./contact.ts";
import { startDevice, watchContact } from "./device.ts";
import { followSensor } from "./sensor.ts";
import type { SensorProfile } from "./sensor-identity.ts";
import { CLEAN_AIR, SMOKE_CODES, signalOf, silenceSmoke, stepSmoke } from "./smoke.ts";

const SILENCE = { holdMs: 60, releaseMs: 30, stuckMs: 0 };

const wired = identity.profile as typeof identity.profile & SensorProfile;
let smoke = CLEAN_AIR;

followSensor(KINDS.smoke, KINDS.fault, SMOKE_CODES, (nowMs) => {
  if (nowMs >= smoke.dueMs) {
    const sample = {
      nowMs: nowMs,
      reading: analogRead(wired.chamber.pin),
      isWalkTest: modeAt(nowMs) === TEST,
    };
    smoke = stepSmoke(smoke, wired.chamber, sample);
  }
  return smoke;
});
watchContact(wired.button, SILENCE, (effect) => {
  if (effect.do === CONTACT.held) smoke = silenceSmoke(smoke, effect.atMs);
});
startDevice(wired.button, (nowMs) => {
  // the last pin takes bit 0
  digitalWrite([wired.buzzer, wired.red], signalOf(smoke, nowMs));
  return Infinity;
});
