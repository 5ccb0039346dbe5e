/** Pure steps of one incident: opened by a record, grown by further ones. Bounded: an incident that a runaway device feeds for
 *  days stays small, and still names every event number. */
import type { EventReception } from "../../protocols/event.ts";
import {
  type Arrival,
  type HistoryEntry,
  type Incident,
  type IncidentKind,
  type Mark,
  priorityOf,
  type Range,
  type RecordRef,
} from "./incident.ts";

/** The first record and the newest ones. The ledger has them all. */
const MAX_RECORDS = 64;
const MAX_RECEPTIONS = 32;
const MAX_RANGES = 64;

/** A new incident. `kind` is the event's own, or the centre's finding about it. */
export function openIncident(id: string, arrival: Arrival, kind: IncidentKind): Incident {
  const { event, receivedMs } = arrival;
  return {
    id,
    kind,
    priority: priorityOf(kind),
    mode: kind === "equivocation" ? "real" : event.mode,
    drill: event.drill,
    hub: event.hub,
    device: event.device,
    deviceName: null,
    place: event.place,
    eventNumber: event.eventNumber,
    eventNumbers: withNumber([], event.eventNumber),
    openedMs: receivedMs,
    stage: "new",
    owner: null,
    stageTimes:
      event.sequence === 0 ? { received: receivedMs } : { stored: event.time.unixMs, received: receivedMs },
    proof: proofOf(arrival),
    receptions: event.receptions.slice(0, MAX_RECEPTIONS),
    // sequence 0 is no record: a finding of the centre
    records: event.sequence === 0 ? [] : [refOf(arrival)],
    marks: marksOf(arrival),
    history: [
      line({
        type: "opened",
        atMs: receivedMs,
        text: event.note,
        eventNumbers: withNumber([], event.eventNumber),
      }),
    ],
    repeats: 0,
    unseen: false,
    escalation: 0,
    cause: null,
    state: event.state,
    note: event.note,
  };
}

/** One more record of the same device, kind and mode. */
export function foldRepeat(incident: Incident, arrival: Arrival): Incident {
  const { event, receivedMs } = arrival;
  const isNew = event.eventNumber !== null && !hasNumber(incident.eventNumbers, event.eventNumber);
  return {
    ...incident,
    eventNumber: event.eventNumber ?? incident.eventNumber,
    eventNumbers: withNumber(incident.eventNumbers, event.eventNumber),
    proof: worse(incident.proof, proofOf(arrival)),
    receptions: mergeReceptions(incident.receptions, event.receptions),
    records: event.sequence === 0 ? incident.records : appendRecord(incident.records, refOf(arrival)),
    marks: withMarks(incident.marks, marksOf(arrival)),
    history: withRepeat(incident.history, receivedMs, event.eventNumber, event.note),
    repeats: incident.repeats + 1,
    unseen: incident.unseen || (isNew && incident.stage !== "new"),
    state: event.state ?? incident.state,
    note: event.note ?? incident.note,
  };
}

/** Other gateways heard the same frame: evidence, not a repeat. */
export function addReceptions(incident: Incident, arrival: Arrival): Incident {
  const receptions = mergeReceptions(incident.receptions, arrival.event.receptions);
  return receptions.length === incident.receptions.length ? incident : { ...incident, receptions };
}

/** The record before one of ours has come, or does not fit. */
export function settleChain(incident: Incident, fits: boolean, atMs: number): Incident {
  if (fits)
    return incident.proof.chain === "pending"
      ? { ...incident, proof: { ...incident.proof, chain: "complete" } }
      : incident;
  const marked = markOnce(incident, "chainBroken", { type: "chain", atMs, text: null });
  return { ...marked, proof: { ...marked.proof, chain: "gap" } };
}

/** A mark and a line about it, once. */
export function markOnce(
  incident: Incident,
  mark: Mark,
  entry: Pick<HistoryEntry, "type" | "atMs" | "text">,
): Incident {
  if (incident.marks.includes(mark)) return incident;
  return { ...incident, marks: [...incident.marks, mark], history: [...incident.history, line(entry)] };
}

/** A line of the history; what is not given is empty. */
export function line(entry: Pick<HistoryEntry, "type" | "atMs"> & Partial<HistoryEntry>): HistoryEntry {
  return { by: null, text: null, count: 1, eventNumbers: [], ...entry };
}

export function withMarks(marks: readonly Mark[], more: readonly Mark[]): readonly Mark[] {
  const fresh = more.filter((mark) => !marks.includes(mark));
  return fresh.length === 0 ? marks : [...marks, ...fresh];
}

export function refOf({ event, hash, index }: Arrival): RecordRef {
  return { hub: event.hub, sequence: event.sequence, hash, index };
}

function marksOf({ event, placement, badTime, equivocation }: Arrival): Mark[] {
  const marks: Mark[] = [];
  if (placement.afterGap) marks.push("gap");
  if (placement.chain === "broken") marks.push("chainBroken");
  if (badTime) marks.push("badTime");
  if (placement.boot === "restart") marks.push("restart");
  if (placement.boot === "back") marks.push("bootBack");
  if (equivocation) marks.push("equivocation");
  if (event.provenance === "poller") marks.push("unauthenticated");
  return marks;
}

type Proof = Incident["proof"];

function proofOf({ placement, badTime, equivocation }: Arrival): Proof {
  return {
    signature: "verified",
    chain: placement.chain === "linked" ? "complete" : placement.chain === "pending" ? "pending" : "gap",
    time: badTime ? "uncertain" : "good",
    equivocation,
  };
}

function worse(a: Proof, b: Proof): Proof {
  const order = ["complete", "pending", "gap"] as const;
  return {
    signature: "verified",
    chain: order[Math.max(order.indexOf(a.chain), order.indexOf(b.chain))] ?? "gap",
    time: a.time === "good" ? b.time : a.time,
    equivocation: a.equivocation || b.equivocation,
  };
}

function appendRecord(records: readonly RecordRef[], ref: RecordRef): readonly RecordRef[] {
  if (records.length < MAX_RECORDS) return [...records, ref];
  return [...records.slice(0, 1), ...records.slice(2), ref];
}

function mergeReceptions(
  known: readonly EventReception[],
  more: readonly EventReception[],
): readonly EventReception[] {
  const fresh = more.filter((m) => !known.some((k) => k.carrier === m.carrier && k.gateway === m.gateway));
  return fresh.length === 0 ? known : [...known, ...fresh].slice(0, MAX_RECEPTIONS);
}

/** Repeats that follow each other share one line, which names their event numbers. */
function withRepeat(
  history: readonly HistoryEntry[],
  atMs: number,
  eventNumber: number | null,
  text: string | null,
): readonly HistoryEntry[] {
  const last = history.at(-1);
  if (last?.type !== "repeat")
    return [...history, line({ type: "repeat", atMs, text, eventNumbers: withNumber([], eventNumber) })];
  const grown = {
    ...last,
    atMs,
    text,
    count: last.count + 1,
    eventNumbers: withNumber(last.eventNumbers, eventNumber),
  };
  return [...history.slice(0, -1), grown];
}

function hasNumber(ranges: readonly Range[], number: number): boolean {
  return ranges.some(([from, to]) => number >= from && number <= to);
}

/** Keeps ranges sorted and joined. Beyond its bound the two lowest melt into one that spans both: an outer bound of what came. */
export function withNumber(ranges: readonly Range[], number: number | null): readonly Range[] {
  if (number === null || hasNumber(ranges, number)) return ranges;
  const newest = ranges.at(-1);
  if (newest !== undefined && number === newest[1] + 1) return [...ranges.slice(0, -1), [newest[0], number]];
  const joined: [number, number][] = [];
  for (const [from, to] of [...ranges, [number, number] as const].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  const [first, second] = joined;
  if (joined.length > MAX_RANGES && first !== undefined && second !== undefined)
    joined.splice(0, 2, [first[0], second[1]]);
  return joined;
}
