/** The board: all open incidents and those closed last. A reducer over the ledger's entries in their order: the same entries
 *  give the same board, so a restart rebuilds it. No clock, no disk, no randomness; what must happen goes out as effects.
 *  It changes in place, because a copy of thousands of incidents for each record would cost more than the record.      */
import type { Stage } from "../../protocols/device/stage.ts";
import { applyAct } from "./acts.ts";
import { dueEscalations } from "./escalation.ts";
import { addReceptions, foldRepeat, line, markOnce, openIncident, settleChain } from "./fold.ts";
import type { Act, Arrival, Fact, Incident, IncidentKind, RecordRef } from "./incident.ts";
import { priorityOf } from "./incident.ts";
import { endsTrouble, foldKey, hubLostArrival, hubLostKey, isRestoredBy } from "./keys.ts";

export type Input =
  | { readonly type: "record"; readonly arrival: Arrival }
  | { readonly type: "act"; readonly index: number; readonly act: Act }
  | { readonly type: "fact"; readonly index: number; readonly fact: Fact }
  | { readonly type: "tick"; readonly nowMs: number };

export type Effect =
  /** `urgent`: something a person must see now, not one more repeat. */
  | { readonly do: "show"; readonly incident: Incident; readonly urgent: boolean }
  /** The hub shall hear that these records have come to this stage. */
  | {
      readonly do: "stage";
      readonly incident: Incident;
      readonly stage: Stage;
      readonly records: readonly RecordRef[];
    }
  /** To be appended to the ledger. */
  | { readonly do: "fact"; readonly fact: Fact }
  | { readonly do: "answer"; readonly key: string; readonly ok: true; readonly incident: Incident }
  | { readonly do: "answer"; readonly key: string; readonly ok: false; readonly reason: string };

export interface Board {
  /** Index of the last entry that was applied. */
  readonly upTo: number;
  step(input: Input): Effect[];
  get(id: string): Incident | undefined;
  /** The incident that a record belongs to, for its receipt. */
  incidentOf(hub: string, sequence: number): string | null;
  /** Whether an incident about the hub's silence is open. */
  isHubLost(hub: string): boolean;
  /** All open ones and those closed last. */
  all(): Incident[];
}

/** Closed incidents that stay in memory for the console; the ledger keeps all. */
export const CLOSED_KEPT = 500;

/** `saved` are the incidents as they were after entry `upTo`, in the order of their closing. */
export function createBoard(saved: readonly Incident[] = [], upTo = 0): Board {
  const incidents = new Map<string, Incident>();
  const openByKey = new Map<string, string>();
  const byRecord = new Map<string, string>();
  const closed = new Set<string>();
  let applied = upTo;

  function put(incident: Incident): Incident {
    const before = incidents.get(incident.id);
    incidents.set(incident.id, incident);
    if (before?.records !== incident.records) reindex(incident, before?.records ?? []);
    if (incident.stage !== "closed") openByKey.set(foldKey(incident), incident.id);
    else if (!closed.has(incident.id)) retire(incident);
    return incident;
  }

  /** Records only grow at their end; a full list drops its second one for it. */
  function reindex({ id, records }: Incident, before: readonly RecordRef[]): void {
    const dropped = records.length === before.length ? before[1] : undefined;
    if (dropped !== undefined) byRecord.delete(recordKey(dropped.hub, dropped.sequence));
    for (const ref of before.length === 0 ? records : records.slice(-1))
      byRecord.set(recordKey(ref.hub, ref.sequence), id);
  }

  function retire(incident: Incident): void {
    const key = foldKey(incident);
    if (openByKey.get(key) === incident.id) openByKey.delete(key);
    closed.add(incident.id);
    for (const oldest of closed) {
      if (closed.size <= CLOSED_KEPT) return;
      for (const ref of incidents.get(oldest)?.records ?? [])
        byRecord.delete(recordKey(ref.hub, ref.sequence));
      incidents.delete(oldest);
      closed.delete(oldest);
    }
  }

  function of(hub: string, sequence: number): Incident | undefined {
    return incidents.get(byRecord.get(recordKey(hub, sequence)) ?? "");
  }

  function change(
    before: Incident | undefined,
    next: (incident: Incident) => Incident,
    urgent = true,
  ): Effect[] {
    if (before === undefined) return [];
    const after = next(before);
    return after === before ? [] : [{ do: "show", incident: put(after), urgent }];
  }

  function raise(id: string, arrival: Arrival, kind: IncidentKind): Effect[] {
    const fresh = openIncident(id, arrival, kind);
    const open = incidents.get(openByKey.get(foldKey(fresh)) ?? "");
    if (open === undefined) return [{ do: "show", incident: put(fresh), urgent: true }];
    const grown = put(foldRepeat(open, arrival));
    return [
      {
        do: "show",
        incident: grown,
        urgent: grown.eventNumbers !== open.eventNumbers || grown.marks !== open.marks,
      },
    ];
  }

  function record(arrival: Arrival): Effect[] {
    const { event, index, placement, receivedMs } = arrival;
    const effects: Effect[] = [];
    if (placement.successor !== null) {
      const fits = placement.successor === "linked";
      effects.push(...change(of(event.hub, event.sequence + 1), (i) => settleChain(i, fits, receivedMs)));
    }
    if (arrival.equivocation) effects.push(...contradiction(arrival));
    if (event.kind === "moreReceptions" && event.refersTo !== null) {
      return [...effects, ...change(of(event.hub, event.refersTo), (i) => addReceptions(i, arrival), false)];
    }
    if (priorityOf(event.kind) !== "info") return [...effects, ...raise(String(index), arrival, event.kind)];
    return [...effects, ...ending(arrival)];
  }

  function contradiction(arrival: Arrival): Effect[] {
    const { event, index, receivedMs } = arrival;
    const first = change(of(event.hub, event.sequence), (incident) => ({
      ...markOnce(incident, "equivocation", { type: "equivocation", atMs: receivedMs, text: null }),
      proof: { ...incident.proof, equivocation: true },
    }));
    return [...first, ...raise(`${index}e`, arrival, "equivocation")];
  }

  /** A restore, a cancel, or the end of a trouble. Never closes what a person has in hand, and never an alarm. */
  function ending({ event, receivedMs }: Arrival): Effect[] {
    const effects: Effect[] = [];
    for (const id of openByKey.values()) {
      const incident = incidents.get(id);
      if (incident?.hub !== event.hub || incident.device !== event.device || incident.mode !== event.mode)
        continue;
      if (endsTrouble(incident, event)) {
        effects.push(...end(incident, receivedMs));
      } else if (isAbout(incident, event) && (event.kind === "restore" || event.kind === "cancel")) {
        const mark = event.kind === "restore" ? "restored" : "cancelled";
        effects.push(
          ...change(incident, (i) => markOnce(i, mark, { type: mark, atMs: receivedMs, text: event.note })),
        );
      }
    }
    return effects;
  }

  /** A record that names an earlier one is about that one's incident, and no other of the device. A restore that names
   *  what is over is about that. */
  function isAbout(incident: Incident, event: Arrival["event"]): boolean {
    if (event.refersTo !== null) return event.device !== null && of(event.hub, event.refersTo) === incident;
    return event.device !== null && (event.kind !== "restore" || isRestoredBy(incident, event));
  }

  function end(incident: Incident, atMs: number): Effect[] {
    const ended = markOnce(incident, "ended", { type: "ended", atMs, text: null });
    if (incident.stage !== "new") return change(incident, () => ended);
    const after = put({ ...ended, stage: "closed", stageTimes: { ...ended.stageTimes, closed: atMs } });
    return [{ do: "show", incident: after, urgent: true }, stageEffect(after, "closed")];
  }

  function act(given: Act): Effect[] {
    const before = incidents.get(given.incident);
    if (before === undefined)
      return [{ do: "answer", key: given.key, ok: false, reason: "There is no such incident." }];
    const verdict = applyAct(before, given);
    if (!verdict.ok) return [{ do: "answer", key: given.key, ok: false, reason: verdict.reason }];
    const after = put(verdict.incident);
    const shown: Effect[] = [{ do: "show", incident: after, urgent: true }];
    if (verdict.stage !== null) shown.push(stageEffect(after, verdict.stage));
    return [...shown, { do: "answer", key: given.key, ok: true, incident: after }];
  }

  function fact(index: number, given: Fact): Effect[] {
    if (given.type === "hubLost") return raise(String(index), hubLostArrival(index, given), "pathDown");
    if (given.type === "hubBack") {
      const incident = lostHub(given.hub);
      return incident === undefined ? [] : end(incident, given.atMs);
    }
    return change(incidents.get(given.incident), (i) => escalate(i, given.level, given.atMs));
  }

  function lostHub(hub: string): Incident | undefined {
    return incidents.get(openByKey.get(hubLostKey(hub)) ?? "");
  }

  function tick(nowMs: number): Effect[] {
    const open = [...openByKey.values()].flatMap((id) => incidents.get(id) ?? []);
    return dueEscalations(open, nowMs).map((due): Effect => ({ do: "fact", fact: due }));
  }

  for (const incident of saved) put(incident);
  return {
    get upTo() {
      return applied;
    },
    step(input) {
      if (input.type === "tick") return tick(input.nowMs);
      const index = input.type === "record" ? input.arrival.index : input.index;
      applied = Math.max(applied, index);
      if (input.type === "record") return record(input.arrival);
      return input.type === "act" ? act(input.act) : fact(input.index, input.fact);
    },
    get: (id) => incidents.get(id),
    incidentOf: (hub, sequence) => byRecord.get(recordKey(hub, sequence)) ?? null,
    isHubLost: (hub) => lostHub(hub) !== undefined,
    all: () => [...incidents.values()],
  };
}

function stageEffect(incident: Incident, stage: Stage): Effect {
  return { do: "stage", incident, stage, records: incident.records };
}

function escalate(incident: Incident, level: number, atMs: number): Incident {
  if (incident.stage !== "new" || level <= incident.escalation) return incident;
  const marks = incident.marks.includes("escalated")
    ? incident.marks
    : [...incident.marks, "escalated" as const];
  const entry = line({ type: "escalated", atMs, text: `level ${level}` });
  return { ...incident, escalation: level, marks, history: [...incident.history, entry] };
}

function recordKey(hub: string, sequence: number): string {
  return `${hub}/${sequence}`;
}
