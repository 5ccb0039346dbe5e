/** The lamp and the buzzer of a role that shows how far its alarm has come. */
import { SETTING } from "../protocols/device/settings.ts";
import { identity } from "./board.ts";
import { COMMISSIONING, modeAt, settingOf } from "./configuration.ts";
import { beatenMs, outbox } from "./device.ts";
import { BUZZER, LAMP, lampAt } from "./lamp.ts";
import { lampMeaningOf } from "./outbox.ts";

const BLINK_MS = 60;
/** A meaning that changes with time is noticed this late. */
const LOOK_MS = 1000;
/** The buzzer of an undelivered alarm; its red light goes on. */
const BUZZER_MS = 180000;

const wired = identity.profile;
/** Bit 0 of a lamp's levels is the last. */
const LIGHTS = [wired.buzzer, wired.green, wired.amber, wired.red];

let lamp: number = LAMP.off;
let lampMs = 0;

/** Shows what is true at `nowMs`. Returns when to look again. */
export function showStage(nowMs: number): number {
  const said = lampMeaningOf(outbox, nowMs);
  const isBeat = nowMs < beatenMs + BLINK_MS && modeAt(nowMs) === COMMISSIONING;
  const meaning = said === LAMP.off && isBeat ? LAMP.blink : said;
  if (meaning !== lamp) lampMs = nowMs;
  lamp = meaning;
  const shown = lampAt(lamp, nowMs - lampMs);
  const isLit = settingOf(SETTING.lights) === 0 || lamp === LAMP.notDelivered;
  const isLoud = settingOf(SETTING.sound) === 0 && nowMs - lampMs < BUZZER_MS;
  digitalWrite(LIGHTS, isLit ? shown.lights & (isLoud ? ~0 : ~BUZZER) : 0);
  return (
    nowMs +
    (lamp === LAMP.blink ? BLINK_MS : Math.min(lamp === LAMP.off ? shown.nextMs : LOOK_MS, shown.nextMs))
  );
}
