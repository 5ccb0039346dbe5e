/** The lamp of an entrance button, and how to read it: from its rhythm, as a person does. */

export interface Lamp {
  readonly red: boolean;
  readonly amber: boolean;
  readonly green: boolean;
  readonly buzzer: boolean;
}

export interface LampChange {
  readonly lamp: Lamp;
  readonly atMs: number;
}

export type LampMeaning = "off" | "sending" | "stored" | "received" | "taken" | "dispatched" | "notDelivered";

export const DARK: Lamp = { red: false, amber: false, green: false, buzzer: false };

/** Longer than any pause within a rhythm. */
const PAUSE_MS = 1800;
/** Longer than a flash of "sending", shorter than anybody would call steady. */
const STEADY_MS = 200;
/** Between the pulse of "taken" and the pulses of "dispatched". */
const SHORT_PULSE_MS = 300;
/** A single blink shorter than this is the heartbeat's. */
const BLINK_MS = 100;
/** Longer than the pulse of "taken". */
const LONG_PULSE_MS = 600;

type Colour = "red" | "amber" | "green";

interface Flash {
  readonly fromMs: number;
  readonly forMs: number;
}

/** When `colour` was lit, oldest first; a flash that still shines ends now. */
function flashesOf(history: readonly LampChange[], colour: Colour, nowMs: number): Flash[] {
  const flashes: Flash[] = [];
  let fromMs: number | null = null;
  for (const { lamp, atMs } of history) {
    if (lamp[colour] && fromMs === null) fromMs = atMs;
    if (!lamp[colour] && fromMs !== null) {
      flashes.push({ fromMs, forMs: atMs - fromMs });
      fromMs = null;
    }
  }
  return fromMs === null ? flashes : [...flashes, { fromMs, forMs: nowMs - fromMs }];
}

function greenMeaning(flashes: readonly Flash[], isLit: boolean): LampMeaning {
  const last = flashes.at(-1);
  const before = flashes.at(-2);
  if (last === undefined) return "off";
  if (isLit && last.forMs > LONG_PULSE_MS) return "received";
  // a pulse that has just begun says nothing yet: the one before it does
  const told =
    isLit && before !== undefined && last.fromMs - before.fromMs - before.forMs < PAUSE_MS ? before : last;
  if (told.forMs > LONG_PULSE_MS) return isLit ? "received" : "off";
  if (isLit && told === last) return "received";
  if (told.forMs <= BLINK_MS) return "off";
  return told.forMs < SHORT_PULSE_MS ? "dispatched" : "taken";
}

/** What the lamp says at `nowMs` (default: at the last change), read from its changes, oldest first. Two
 *  seconds of them are enough, and as long a steady light has shone. A meaning shows in its rhythm only,
 *  so it is read up to half a second after it begins. */
export function lampMeaning(history: readonly LampChange[], nowMs = history.at(-1)?.atMs ?? 0): LampMeaning {
  const lamp = history.at(-1)?.lamp ?? DARK;
  const recent = (colour: Colour) => {
    const flashes = flashesOf(history, colour, nowMs);
    const last = flashes.at(-1);
    return last !== undefined && nowMs - last.fromMs - last.forMs < PAUSE_MS ? flashes : [];
  };
  if (recent("red").length > 0 && !lamp.amber && !lamp.green) return "notDelivered";
  const amber = recent("amber").at(-1);
  const green = recent("green");
  const isAmberNewer =
    amber !== undefined && amber.fromMs >= (green.at(-1)?.fromMs ?? Number.NEGATIVE_INFINITY);
  if (!isAmberNewer) return greenMeaning(green, lamp.green);
  if (lamp.amber) return amber.forMs > STEADY_MS ? "stored" : "sending";
  return amber.forMs <= STEADY_MS && nowMs - amber.fromMs - amber.forMs <= STEADY_MS ? "sending" : "off";
}
