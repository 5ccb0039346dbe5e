/** What a panel's codes and bits can mean. "fire" and "alarm" take the kind that the installer gave the point: a panel
 *  says that its zone burns, and not whether the detector there smells or feels it. */
import type { EventKind } from "../../protocols/hub-kinds.ts";

/** Null: nothing is wrong. */
const MEANINGS = {
  normal: null,
  fire: "smoke",
  alarm: "intrusion",
  smoke: "smoke",
  heat: "heat",
  callPoint: "callPoint",
  panic: "panic",
  silentPanic: "silentPanic",
  duress: "duress",
  medical: "medical",
  intrusion: "intrusion",
  tamper: "tamper",
  technical: "technical",
  preAlarm: "preAlarm",
  fault: "fault",
} as const satisfies Record<string, EventKind | null>;

/** What a point may be said to be. */
export const POINT_KINDS = [
  "smoke",
  "heat",
  "callPoint",
  "panic",
  "silentPanic",
  "duress",
  "medical",
  "intrusion",
  "tamper",
  "technical",
] as const satisfies readonly EventKind[];
export type PointKind = (typeof POINT_KINDS)[number];

const FIRE_KINDS: readonly EventKind[] = ["smoke", "heat", "callPoint"];

/** A meaning and, behind a space, what a person reads: `fault line short`. */
export const MEANING_PATTERN = `^(${Object.keys(MEANINGS).join("|")})( .{1,60})?$`;

export interface Meaning {
  /** Null: nothing is wrong. */
  readonly kind: EventKind | null;
  readonly text: string;
}

/** `said` fits MEANING_PATTERN; anything else throws: it is a bug of what checked it. */
export function meaningOf(said: string, pointKind: PointKind | undefined): Meaning {
  const [word = "", ...rest] = said.split(" ");
  if (!Object.hasOwn(MEANINGS, word)) throw new Error(`modbus: "${said}" has no meaning`);
  const kind = MEANINGS[word as keyof typeof MEANINGS];
  const takesPointKind = word === "alarm" || (word === "fire" && FIRE_KINDS.includes(pointKind ?? "fault"));
  return {
    kind: takesPointKind ? (pointKind ?? kind) : kind,
    text: rest.length > 0 ? rest.join(" ") : word,
  };
}
