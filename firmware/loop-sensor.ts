/** What call point and door have in common: a loop on a pin whose edges wake the board. */
import type { KindRow } from "../protocols/device/kinds.ts";
import { identity } from "./board.ts";
import { startDevice, wakeOn } from "./device.ts";
import { LOOP_AT_REST, stepLoop } from "./loop.ts";
import { followSensor } from "./sensor.ts";
import type { SensorProfile } from "./sensor-identity.ts";

/** Runs a role on a loop: its states, the kinds of its alarm and of its troubles, and what it shows. */
export function startLoop(
  states: readonly number[],
  kind: KindRow,
  trouble: KindRow,
  show: (nowMs: number) => number,
): void {
  const wired = identity.profile as typeof identity.profile & SensorProfile;
  const loop = wired.loop;
  let watch = LOOP_AT_REST;
  // a mode that is set stays when the pin is read as an analog one: its edges go on
  pinMode(loop.pin, "input");
  wakeOn(loop.pin);
  followSensor(kind, trouble, states, (nowMs) => {
    watch = stepLoop(watch, states, loop.bounds, { nowMs: nowMs, reading: analogRead(loop.pin) });
    return watch;
  });
  startDevice(wired.tamper, show);
}
