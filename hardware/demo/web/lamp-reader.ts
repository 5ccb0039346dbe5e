/** Reads a lamp as a person does: from what was lit and for how long, never from what the world knows behind it. The
 *  rhythms are those of the firmware's lamp language. Pure. */

export interface LampChange {
  readonly atMs: number;
  readonly red: boolean;
  readonly amber: boolean;
  readonly green: boolean;
}

export type LampWord =
  | "off"
  | "sending"
  | "stored"
  | "received"
  | "taken"
  | "dispatched"
  | "notDelivered"
  | "blink";

/** The longest dark of any rhythm is 1.55 s: after this the lamp is off. */
const DARK_MS = 1800;
/** Longer than any pulse of a rhythm. */
const STEADY_AMBER_MS = 250;
const STEADY_GREEN_MS = 700;
/** Changes that a reader needs to keep. */
export const KEPT_CHANGES = 16;

/** What the lamp says at `nowMs`, by its changes, oldest first. */
export function readLamp(changes: readonly LampChange[], nowMs: number): LampWord {
  const runs = runsOf(changes, nowMs);
  const last = runs.at(-1);
  if (!last || nowMs - last.endMs > DARK_MS) return "off";
  if (last.colour === "red") return "notDelivered";
  if (last.colour === "amber") return last.endMs - last.startMs > STEADY_AMBER_MS ? "stored" : "sending";
  return readGreen(last, runs.at(-2), nowMs);
}

interface Run {
  readonly colour: "red" | "amber" | "green";
  readonly startMs: number;
  /** `nowMs` while it is still lit. */
  readonly endMs: number;
}

function readGreen(last: Run, before: Run | undefined, nowMs: number): LampWord {
  if (last.endMs - last.startMs > STEADY_GREEN_MS) return "received";
  const isLit = last.endMs >= nowMs;
  const isSameRhythm = before?.colour === "green" && last.startMs - before.endMs <= DARK_MS;
  const whole = !isLit ? last : isSameRhythm ? before : undefined;
  // lit for the first time and still lit: a pulse or a steady light, and the steady one comes first on the road
  if (!whole || whole.endMs - whole.startMs > STEADY_GREEN_MS) return "received";
  const lengthMs = whole.endMs - whole.startMs;
  if (lengthMs < 100) return "blink";
  return lengthMs < 325 ? "dispatched" : "taken";
}

function runsOf(changes: readonly LampChange[], nowMs: number): Run[] {
  return changes.flatMap((change, i) => {
    const colour = change.red ? "red" : change.amber ? "amber" : change.green ? "green" : null;
    const endMs = changes[i + 1]?.atMs ?? nowMs;
    return colour === null ? [] : [{ colour, startMs: change.atMs, endMs } as const];
  });
}
