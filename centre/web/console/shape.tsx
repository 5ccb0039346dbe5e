/** The sign of a priority: shape, letter and colour together, so that no one of them has to be seen. */
import type { Incident } from "../../incidents/incident.ts";
import { words } from "./words/words.ts";

const OUTLINES = {
  life: "M16 3 30 28H2Z",
  intrusion: "M16 1.5 30.5 16 16 30.5 1.5 16Z",
  fault: "M4 4h24v24H4Z",
  info: "M16 2a14 14 0 1 1 0 28a14 14 0 1 1 0-28Z",
} as const;

/** The letter sits lower in a triangle, where there is room. */
const LETTER_Y = { life: 25, intrusion: 21.5, fault: 21.5, info: 21.5 } as const;

export function Shape({ incident, size }: { incident: Incident; size: number }) {
  const { priority } = incident;
  return (
    <svg
      class="shape"
      width={size}
      height={size}
      viewBox="0 0 32 32"
      role="img"
      aria-label={words.value.priorities[priority]}
    >
      <path d={OUTLINES[priority]} />
      <text x="16" y={LETTER_Y[priority]} text-anchor="middle">
        {words.value.letters[priority]}
      </text>
    </svg>
  );
}

/** The class names that give an incident its colours: `drill` and `test` take the place of the priority's colour, and
 *  only what nobody has taken is saturated. */
export function toneOf(incident: Incident): string {
  const tone = incident.mode === "real" ? incident.priority : incident.mode === "drill" ? "drill" : "test";
  return `tone-${tone} ${incident.stage === "new" ? "is-untaken" : "is-taken"}${incident.unseen ? " is-again" : ""}`;
}
