/** When an alarm that nobody takes calls the next person: times as data. */
import type { Priority } from "../../protocols/device/kinds.ts";
import type { Fact, Incident } from "./incident.ts";

/** Milliseconds from opening to each step. The first two lines are the answering times of EN 50518:2019: 80 % within the first,
 *  98,5 % within the second. */
export const ESCALATION_MS: Record<Priority, readonly number[]> = {
  life: [30_000, 60_000],
  intrusion: [90_000, 180_000],
  fault: [],
  info: [],
};

/** The steps that are due now and have not been taken. A drill or test calls nobody further. */
export function dueEscalations(open: readonly Incident[], nowMs: number): (Fact & { type: "escalated" })[] {
  return open.flatMap((incident) => {
    if (incident.stage !== "new" || incident.mode !== "real") return [];
    const level = ESCALATION_MS[incident.priority].filter((ms) => nowMs - incident.openedMs >= ms).length;
    return level > incident.escalation
      ? [{ type: "escalated", incident: incident.id, level, atMs: nowMs }]
      : [];
  });
}
