/** How the queue is cut into its parts. Within them, the centre's own order: a drill, a test or a commissioning press
 *  never stands above a real alarm, whatever its priority. */
import { compareIncidents, type Incident } from "../../incidents/incident.ts";

export interface Queue {
  readonly real: readonly Incident[];
  /** Drills, tests and commissioning. */
  readonly other: readonly Incident[];
  /** Newest first. */
  readonly closed: readonly Incident[];
}

/** Cuts the queue. `search` narrows it by words, but an untaken real alarm is always kept. */
export function queueOf(
  incidents: Iterable<Incident>,
  search: string,
  textOf: (incident: Incident) => string,
): Queue {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (incident: Incident) => {
    const text = wanted.length > 0 ? textOf(incident).toLowerCase() : "";
    return isUntaken(incident) || wanted.every((word) => text.includes(word));
  };
  const kept = [...incidents].filter(matches);
  const open = kept.filter((incident) => incident.stage !== "closed").sort(compareIncidents);
  return {
    real: open.filter((incident) => incident.mode === "real"),
    other: open.filter((incident) => incident.mode !== "real"),
    closed: kept.filter((incident) => incident.stage === "closed").sort((a, b) => closedMs(b) - closedMs(a)),
  };
}

/** A real alarm that nobody has taken: it sounds, it counts in the title, and no filter hides it. */
export function isUntaken(incident: Incident): boolean {
  return incident.mode === "real" && incident.stage === "new";
}

function closedMs(incident: Incident): number {
  return incident.stageTimes.closed ?? incident.openedMs;
}
