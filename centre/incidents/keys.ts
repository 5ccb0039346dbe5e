/** What folds into one incident, and which record ends which trouble: as data. */
import { isOver } from "../../protocols/device/details.ts";
import type { EventRecord } from "../../protocols/event.ts";
import type { EventKind } from "../../protocols/hub-kinds.ts";
import type { Arrival, Fact, Incident, IncidentKind } from "./incident.ts";

/** The kind that says that a trouble is over. */
const ENDED_BY: Partial<Record<IncidentKind, EventKind>> = {
  deviceSilent: "deviceBack",
  gatewayLost: "gatewayBack",
  pathDown: "pathUp",
  busLost: "busBack",
  annunciatorLost: "annunciatorBack",
  diskFault: "diskRestored",
};

/** Kinds of the hub itself whose note names what is concerned: another gateway, bus or path is another incident. */
const NOTE_NAMES_SUBJECT: ReadonlySet<IncidentKind> = new Set<IncidentKind>([
  "gatewayLost",
  "busLost",
  "annunciatorLost",
  "busConflict",
  "pathDown",
]);

/** Kinds whose detail says what is wrong or near: another one is another incident. */
const DETAIL_NAMES_SUBJECT: ReadonlySet<IncidentKind> = new Set<IncidentKind>([
  "fault",
  "tamper",
  "preAlarm",
]);

/** Whether this record says that the incident's trouble is over. Hub, device and mode are compared by the caller. */
export function endsTrouble(incident: Incident, event: Pick<EventRecord, "kind" | "note">): boolean {
  return (
    ENDED_BY[incident.kind] === event.kind &&
    (!NOTE_NAMES_SUBJECT.has(incident.kind) || incident.note === event.note)
  );
}

/** Whether a restore without a reference is about this incident: it may name what is over. */
export function isRestoredBy(incident: Incident, event: Pick<EventRecord, "state">): boolean {
  if (incident.state === null || event.state === null) return true;
  return isOver(incident.kind, incident.state.detail, event.state.detail);
}

/** Records with the same key fold into one incident while it is open. Another device, kind, mode or drill never does, nor
 *  another fault of a device. */
export function foldKey(
  incident: Pick<Incident, "hub" | "device" | "kind" | "mode" | "drill" | "note" | "state">,
): string {
  const { hub, device, kind, mode, drill, note, state } = incident;
  const detail = DETAIL_NAMES_SUBJECT.has(kind) ? (state?.detail ?? null) : null;
  const subject = NOTE_NAMES_SUBJECT.has(kind) ? note : detail;
  // a contradiction is about the hub, whichever device the two records are about
  return JSON.stringify([
    hub,
    kind === "equivocation" ? null : device,
    kind,
    mode,
    kind === "equivocation" ? null : drill,
    subject,
  ]);
}

/** The key of the incident that `hubLostArrival` opens. No hub writes an empty note. */
export function hubLostKey(hub: string): string {
  return foldKey({ hub, device: null, kind: "pathDown", mode: "real", drill: null, note: "", state: null });
}

/** The centre's own finding in the shape of a record, for the one way by which incidents open. */
export function hubLostArrival(
  index: number,
  { hub, hubName, atMs, lastSeenMs }: Fact & { type: "hubLost" },
): Arrival {
  return {
    index,
    hash: "",
    receivedMs: atMs,
    badTime: false,
    equivocation: false,
    placement: { afterGap: false, chain: "linked", boot: "same", successor: null },
    event: {
      version: 1,
      hub,
      boot: 0,
      sequence: 0,
      previous: "",
      time: { unixMs: lastSeenMs, uncertaintyMs: 0, source: "centre" },
      monotonicMs: 0,
      device: null,
      eventNumber: null,
      ageMs: 0,
      kind: "pathDown",
      mode: "real",
      drill: null,
      place: { site: hubName, zone: "" },
      state: null,
      frameHash: null,
      receptions: [],
      provenance: "hub",
      configHash: "",
      refersTo: null,
      raw: null,
      note: "",
    },
  };
}
