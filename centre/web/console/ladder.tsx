/** The stage ladder: five steps with their words and times; "received" carries the seal once its signature is checked. */
import { STAGES } from "../../../protocols/device/stage.ts";
import type { Incident } from "../../incidents/incident.ts";
import { clockText } from "./time.ts";
import { words } from "./words/words.ts";

export function Ladder({ incident }: { incident: Incident }) {
  const w = words.value;
  const isSealed = incident.proof.signature === "verified";
  return (
    <ol class="ladder">
      {STAGES.map((stage) => {
        const atMs = incident.stageTimes[stage];
        return (
          <li key={stage} class={atMs === undefined ? "step" : "step is-reached"}>
            <span class="step-mark" aria-hidden="true">
              {atMs !== undefined && <Tick />}
            </span>
            <span class="step-word">
              {w.stages[stage]}
              {stage === "received" && atMs !== undefined && isSealed && <Seal title={w.seal} />}
            </span>
            <span class="step-time">{atMs === undefined ? "–" : clockText(atMs, w)}</span>
          </li>
        );
      })}
    </ol>
  );
}

export function Seal({ title }: { title: string }) {
  return (
    <svg class="seal" width="18" height="18" viewBox="0 0 18 18" role="img" aria-label={title}>
      <title>{title}</title>
      <path d="M9 1l2 1.6 2.5-.2.7 2.4 2 1.5-.9 2.3.9 2.3-2 1.5-.7 2.4-2.5-.2L9 16.2l-2-1.6-2.5.2-.7-2.4-2-1.5.9-2.3-.9-2.3 2-1.5.7-2.4 2.5.2z" />
      <path class="seal-tick" d="M5.8 8.8l2.2 2.2 4.2-4.4" />
    </svg>
  );
}

function Tick() {
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <path
        d="M2.5 7.5l3 3 6-6.5"
        fill="none"
        stroke="currentColor"
        stroke-width="2.4"
        stroke-linecap="round"
      />
    </svg>
  );
}
