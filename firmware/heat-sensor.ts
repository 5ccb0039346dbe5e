/** Heat sensor of class A1R on a thermistor. Its red light says that it alarms. */
import { DETAIL } from "../protocols/device/details.ts";
import { KINDS } from "../protocols/device/kinds.ts";
import { identity } from "./board.ts";
import { stands } from "./conditions.ts";
import { startDevice } from "./device.ts";
import { COLD, HEAT_CODES, stepHeat } from "./heat.ts";
import { followSensor } from "./sensor.ts";
import type { SensorProfile } from "./sensor-identity.ts";

const wired = identity.profile as typeof identity.profile & SensorProfile;
let heat = COLD;

followSensor(KINDS.heat, KINDS.fault, HEAT_CODES, (nowMs) => {
  if (nowMs >= heat.dueMs) {
    const reading = analogRead(wired.thermistor.pin);
    heat = stepHeat(heat, wired.thermistor, { nowMs: nowMs, reading: reading });
  }
  return heat;
});
startDevice(wired.tamper, () => {
  digitalWrite(wired.red, stands(heat.stands, DETAIL.heat) ? 1 : 0);
  return Infinity;
});
