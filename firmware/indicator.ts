/** The lamp and the buzzer of a role that shows how far its alarm has come. */
import { identity } from "./board.ts";
import { beatenMs, COMMISSIONING, modeAt, outbox } from "./device.ts";
import { BUZZER, LAMP, lampAt } from "./lamp.ts";
import { lampMeaningOf } from "./outbox.ts";

const BLINK_MS = 60;
/** The buzzer of an undelivered alarm; its red light goes on. */
const BUZZER_MS = 180000;

const wired = identity.profile;
/** Bit 0 of a lamp's levels is the last. */
const LIGHTS = [wired.buzzer, wired.green, wired.amber, wired.red];

let lamp: number = LAMP.off;
let lampMs = 0;

/** Shows what is true at `nowMs`. Returns when that changes. */
export function showStage(nowMs: number): number {
  const said = lampMeaningOf(outbox, nowMs);
  const isBeat = nowMs < beatenMs + BLINK_MS && modeAt(nowMs) === COMMISSIONING;
  const isBlink = said.meaning === LAMP.off && isBeat;
  const meaning = isBlink ? LAMP.blink : said.meaning;
  if (meaning !== lamp) lampMs = nowMs;
  lamp = meaning;
  const shown = lampAt(lamp, nowMs - lampMs);
  const lights = nowMs - lampMs < BUZZER_MS ? shown.lights : shown.lights & ~BUZZER;
  digitalWrite(LIGHTS, lights);
  return isBlink ? beatenMs + BLINK_MS : Math.min(said.nextMs, nowMs + shown.nextMs);
}
