/** What this page knows of the centre, and its link to it. The stream gives one snapshot, then changes; a page that
 *  was away for a moment resumes behind the last change it saw. */
import { batch, signal } from "@preact/signals";
import type { Incident } from "../../incidents/incident.ts";
import type { ToWeb } from "../../web-link.ts";

type Snapshot = Extract<ToWeb, { type: "snapshot" }>;
type Change = Extract<ToWeb, { type: "change" }>;

export const incidents = signal<ReadonlyMap<string, Incident>>(new Map());
export const hubs = signal<Snapshot["hubs"]>([]);
export const quarantine = signal<Snapshot["quarantine"] | null>(null);
export const status = signal<Snapshot["status"] | null>(null);
/** False until the first snapshot: then an empty list means "no alarms", before that "not known yet". */
export const isLoaded = signal(false);
export const isSignedOut = signal(false);
/** The centre's clock, so that ages are right on a workstation whose own clock is wrong. */
export const centreMs = signal(Date.now());
/** Milliseconds since the centre was last heard. */
export const silentMs = signal(0);

/** The core is heard every 2 s: one beat may be missed, and the cover is still up within 5 s. */
export const LOST_AFTER_MS = 4300;

let source: EventSource | null = null;
let lastId: string | null = null;
let heardAt = performance.now();
let openedAt = Number.NEGATIVE_INFINITY;
let clockOffsetMs = 0;

/** Opens the stream; `beat` then keeps it open. */
export function connect(): void {
  source?.close();
  openedAt = performance.now();
  const next = new EventSource(`/api/stream${lastId === null ? "" : `?after=${encodeURIComponent(lastId)}`}`);
  source = next;
  on<Snapshot>(next, "snapshot", (snapshot) => {
    incidents.value = new Map(snapshot.incidents.map((incident) => [incident.id, incident]));
    hubs.value = snapshot.hubs;
    quarantine.value = snapshot.quarantine;
    status.value = snapshot.status;
    isLoaded.value = true;
  });
  on<Change>(next, "change", ({ incident }) => {
    incidents.value = new Map(incidents.value).set(incident.id, incident);
  });
  on<Snapshot["hubs"]>(next, "hubs", (value) => {
    hubs.value = value;
  });
  on<Snapshot["quarantine"]>(next, "quarantine", (value) => {
    quarantine.value = value;
  });
  on<Snapshot["status"]>(next, "status", (value) => {
    status.value = value;
  });
  on<{ nowMs: number }>(next, "beat", ({ nowMs }) => {
    clockOffsetMs = nowMs - Date.now();
  });
  on<null>(next, "signedOut", () => {
    isSignedOut.value = true;
    next.close();
  });
  next.onerror = () => {
    // a refusal closes the stream for good, and only the session says why
    if (next.readyState === EventSource.CLOSED) void askWhy();
  };
}

/** Twice a second: moves the clocks, and replaces a stream that has said nothing for too long. */
export function beat(): void {
  const now = performance.now();
  batch(() => {
    silentMs.value = now - heardAt;
    // whole seconds: what shows ages draws once a second
    centreMs.value = Math.floor((Date.now() + clockOffsetMs) / 1000) * 1000;
  });
  if (source === null || isSignedOut.value) return;
  // a network that swallows packets leaves the stream "open" for minutes: open a new one
  const stuck = now - heardAt > LOST_AFTER_MS && now - openedAt > LOST_AFTER_MS;
  const closed = source.readyState === EventSource.CLOSED && now - openedAt > 1000;
  if (stuck || closed) connect();
}

async function askWhy(): Promise<void> {
  try {
    const answer = await fetch("/api/session", { signal: AbortSignal.timeout(2000) });
    const session: { operator: string | null } = await answer.json();
    isSignedOut.value = session.operator === null;
  } catch {
    // no answer at all: that is the lost link, which the cover already tells and `beat` already works on
    isSignedOut.value = false;
  }
}

function on<T>(stream: EventSource, name: string, take: (data: T) => void): void {
  stream.addEventListener(name, (event: MessageEvent<string>) => {
    if (stream !== source) return;
    heardAt = performance.now();
    if (event.lastEventId) lastId = event.lastEventId;
    batch(() => {
      silentMs.value = 0;
      take(JSON.parse(event.data));
    });
  });
}
