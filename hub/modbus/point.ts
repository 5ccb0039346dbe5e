/** What of a reading is news: the memory of a point goes in, what begins and what ends come out. What is the same
 *  as before is no news, whoever was restarted in between. */
import type { EventKind } from "../../protocols/hub-kinds.ts";
import type { Condition, Reading } from "./decode.ts";

/** A condition that the journal knows of. */
export interface OpenCondition {
  readonly name: string;
  readonly kind: EventKind;
  /** Of the record that said so. */
  readonly sequence: number;
  /** When it was last read. */
  seenMs: number;
}

export interface PointState {
  readonly point: string;
  lastNumber: number;
  readonly open: Map<string, OpenCondition>;
}

export interface News {
  readonly raised: readonly Condition[];
  /** No longer there. */
  readonly ended: readonly OpenCondition[];
  /** Those of them to say so for: nothing of the same kind stands in their place. One for each kind, its newest. */
  readonly restored: readonly OpenCondition[];
}

/** What was there is over when it has not been read for this long: a contact that flutters is one event. */
export const CLEAR_MS = 5_000;

/** Notes in `state` what was seen, and changes nothing else of it. */
export function newsOf(state: PointState, { conditions, isComplete }: Reading, nowMs: number): News {
  for (const { key } of conditions) {
    const known = state.open.get(key);
    if (known !== undefined) known.seenMs = nowMs;
  }
  const raised = conditions.filter(
    ({ key }, at) => !state.open.has(key) && conditions.findIndex((one) => one.key === key) === at,
  );
  const present = new Set(conditions.map(({ key }) => key));
  const ended = isComplete
    ? [...state.open.values()].filter(({ name, seenMs }) => !present.has(name) && nowMs - seenMs >= CLEAR_MS)
    : [];
  return { raised, ended, restored: lastOfEachKind(state, raised, ended) };
}

function lastOfEachKind(
  state: PointState,
  raised: readonly Condition[],
  ended: readonly OpenCondition[],
): OpenCondition[] {
  const staying = new Set<EventKind>(raised.map(({ kind }) => kind));
  for (const one of state.open.values()) if (!ended.includes(one)) staying.add(one.kind);
  const newest = new Map<EventKind, OpenCondition>();
  for (const one of ended) {
    const before = newest.get(one.kind);
    if (!staying.has(one.kind) && (before === undefined || before.sequence < one.sequence))
      newest.set(one.kind, one);
  }
  return [...newest.values()];
}
