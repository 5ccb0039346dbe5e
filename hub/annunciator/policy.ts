/** What an annunciator shows: stored records and a silence key in, a pattern for each output out. Pure; time comes in.
 *  A rule goes on for its time from its newest alarm. Silence stops the sirens of what goes on now, and of nothing that
 *  comes later. Bounded: one entry a rule. */
import type { EventRecord } from "../../protocols/event.ts";
import { type AnnunciatorConfig, SHOWN_KINDS } from "./config.ts";
import type { Pattern } from "./pattern.ts";

/** By the index of its rule; null for a rule that nothing has set off. */
export type Shown = readonly (Showing | null)[];

export interface Showing {
  readonly untilMs: number;
  readonly isSilenced: boolean;
}

/** A pattern, or null for off, for each output by its name. */
export type Outputs = Readonly<Record<string, Pattern | null>>;

export type ShownEvent = Pick<EventRecord, "kind" | "mode" | "place" | "refersTo" | "provenance">;

type Policy = Pick<AnnunciatorConfig, "outputs" | "rules">;

const SHOWN: ReadonlySet<string> = new Set(SHOWN_KINDS);

/** Nothing is shown. */
export function nothingShown({ rules }: Pick<Policy, "rules">): Shown {
  return rules.map(() => null);
}

/** A record has come, `atMs`. The same list when it sets nothing off. */
export function raise({ rules }: Policy, shown: Shown, event: ShownEvent, atMs: number): Shown {
  // what a hub says of itself is no alarm, and what adds to an earlier record is no new one
  if (!SHOWN.has(event.kind) || event.provenance === "hub" || event.refersTo !== null) return shown;
  const next = shown.map((showing, index) => {
    const rule = rules[index];
    if (rule === undefined || !fits(rule, event)) return showing;
    const untilMs = Math.max(showing?.untilMs ?? Number.NEGATIVE_INFINITY, atMs + rule.forS * 1000);
    return { untilMs, isSilenced: false };
  });
  return next.some((showing, index) => showing !== shown[index]) ? next : shown;
}

function fits({ kinds, site, exercises }: AnnunciatorConfig["rules"][number], event: ShownEvent): boolean {
  return (
    (kinds as readonly string[]).includes(event.kind) &&
    (site === undefined || site === event.place.site) &&
    (event.mode === "real" || exercises.includes(event.mode))
  );
}

/** Somebody turned the key. */
export function silence(shown: Shown): Shown {
  return shown.map((showing) => (showing === null ? null : { ...showing, isSilenced: true }));
}

/** What is to be seen and heard at `nowMs`. */
export function outputsAt({ outputs, rules }: Policy, shown: Shown, nowMs: number): Outputs {
  const patternOf = ({ name, type }: AnnunciatorConfig["outputs"][number]) =>
    rules.find((rule, index) => {
      const showing = shown[index];
      if (showing === null || showing === undefined || showing.untilMs <= nowMs) return false;
      return rule.outputs.includes(name) && !(showing.isSilenced && type === "siren");
    })?.pattern ?? null;
  return Object.fromEntries(outputs.map((output) => [output.name, patternOf(output)]));
}

/** When `outputsAt` may change by itself; null: never. */
export function dueMs(shown: Shown, nowMs: number): number | null {
  const ends = shown.flatMap((showing) =>
    showing !== null && showing.untilMs > nowMs ? [showing.untilMs] : [],
  );
  return ends.length === 0 ? null : Math.min(...ends);
}
