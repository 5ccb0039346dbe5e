/** Which acts make sense for an incident now. Only to offer keys and to explain a refusal: the centre decides. */
import type { Act, Incident } from "../../incidents/incident.ts";
import type { Words } from "./words/shape.ts";

export type ActType = Act["type"];

/** What `operator` may ask for; the first is the natural next step. */
export function allowedActs(incident: Incident, operator: string | null): readonly ActType[] {
  if (incident.stage === "closed") return ["note"];
  if (incident.owner === null) return ["take", "note"];
  if (incident.owner !== operator) return ["note"];
  return incident.stage === "taken" ? ["dispatch", "note", "close"] : ["close", "note"];
}

/** Why the centre said no, in the operator's language; null when the incident does not tell. */
export function reasonOf(
  type: ActType,
  incident: Incident,
  operator: string | null,
  w: Words,
): string | null {
  const { reasons } = w.acts;
  if (incident.stage === "closed") return reasons.closed;
  if (incident.owner === null) return type === "take" ? null : reasons.notTaken;
  if (incident.owner !== operator) return reasons.owner(incident.owner);
  return type === "dispatch" && incident.stage === "dispatched" ? reasons.dispatched : null;
}
