/** What the console must show, as the core last said it, and the changes of the last while, so that a page that was
 *  away for a moment takes up where it left. No I/O. */
import type { Incident } from "../incidents/incident.ts";
import type { Change, ToWeb } from "../web-link.ts";

type Snapshot = Extract<ToWeb, { type: "snapshot" }>;

/** One server-sent event: `id` only where a page can resume from it. */
export interface FeedEvent {
  readonly event: "snapshot" | "change" | "hubs" | "quarantine" | "status";
  readonly id: string | null;
  readonly data: unknown;
}

export interface Feed {
  /** Takes a message of the core; returns what every open stream must be told. */
  apply(message: ToWeb): readonly FeedEvent[];
  /** What a page needs that has seen everything up to `lastEventId` (null: nothing). */
  since(lastEventId: string | null): readonly FeedEvent[];
  /** The whole picture as JSON, or null before the core has spoken. */
  picture(): object | null;
  incident(id: string): Incident | undefined;
}

const KEPT_CHANGES = 2000;
/** Closed incidents stay on the screen for the shift's memory; the ledger keeps them all. */
const KEPT_CLOSED = 500;

/** `epoch` tells this process from an earlier one, whose cursors mean nothing here. */
export function createFeed(epoch: string): Feed {
  const incidents = new Map<string, Incident>();
  const changes: Change[] = [];
  let base: Snapshot | null = null;
  let cursor = 0;

  const picture = () => base && { ...base, cursor, incidents: [...incidents.values()] };
  const idOf = (at: number) => `${epoch}-${at}`;
  const whole = (): FeedEvent[] => (base ? [{ event: "snapshot", id: idOf(cursor), data: picture() }] : []);
  const changeEvent = (change: Change): FeedEvent => ({
    event: "change",
    id: idOf(change.cursor),
    data: change,
  });

  function take(change: Change): FeedEvent {
    const { incident } = change;
    cursor = change.cursor;
    incidents.delete(incident.id);
    incidents.set(incident.id, incident);
    if (incident.stage === "closed") forgetClosed(incidents);
    changes.push(change);
    if (changes.length > KEPT_CHANGES) changes.shift();
    return changeEvent(change);
  }

  return {
    picture,
    incident: (id) => incidents.get(id),
    since(lastEventId) {
      const at = cursorOf(lastEventId, epoch);
      const oldest = changes[0]?.cursor ?? cursor + 1;
      if (base === null || at === null || at > cursor || at < oldest - 1) return whole();
      const missed = changes.filter((change) => change.cursor > at).map(changeEvent);
      // these carry no cursor: always said anew
      return [...missed, ...sides(base)];
    },
    apply(message) {
      if (message.type === "snapshot") {
        base = message;
        cursor = message.cursor;
        changes.length = 0;
        incidents.clear();
        for (const incident of message.incidents) incidents.set(incident.id, incident);
        return whole();
      }
      if (base === null) return [];
      if (message.type === "change") return [take(message)];
      if (message.type === "changes") return message.changes.map(take);
      if (message.type === "hubs") base = { ...base, hubs: message.hubs };
      else if (message.type === "quarantine") base = { ...base, quarantine: message.quarantine };
      else if (message.type === "status") base = { ...base, status: message.status };
      else return [];
      return sides(base).filter((event) => event.event === message.type);
    },
  };
}

/** Map order is order of last change: the first closed one found is the one closed longest ago. */
function forgetClosed(incidents: Map<string, Incident>): void {
  const closed = [...incidents.values()].filter((incident) => incident.stage === "closed");
  for (const incident of closed.slice(0, Math.max(0, closed.length - KEPT_CLOSED)))
    incidents.delete(incident.id);
}

function sides(base: Snapshot): FeedEvent[] {
  return [
    { event: "hubs", id: null, data: base.hubs },
    { event: "quarantine", id: null, data: base.quarantine },
    { event: "status", id: null, data: base.status },
  ];
}

function cursorOf(lastEventId: string | null, epoch: string): number | null {
  if (lastEventId === null || !lastEventId.startsWith(`${epoch}-`)) return null;
  const digits = lastEventId.slice(epoch.length + 1);
  return /^\d{1,15}$/.test(digits) ? Number(digits) : null;
}
