/** What an operator may do with an incident, and what it becomes. Pure: a refusal is a value with its reason. */
import type { Stage } from "../../protocols/device/stage.ts";
import { line } from "./fold.ts";
import type { Act, HistoryEntry, Incident } from "./incident.ts";

export type ActVerdict =
  | { readonly ok: true; readonly incident: Incident; readonly stage: Stage | null }
  | { readonly ok: false; readonly reason: string };

/** Longest texts that evidence can carry. */
export const ACT_LIMITS = { operator: 120, text: 2000, key: 128, history: 1000 } as const;

/** An act that cannot be one at all: the reason, or null. Checked before anything is stored. */
export function flawOfAct(act: Act): string | null {
  const isText = (value: unknown, min: number, max: number) =>
    typeof value === "string" && value.trim().length >= min && value.length <= max;
  if (!["take", "dispatch", "close", "note"].includes(act.type))
    return `no act is called ${JSON.stringify(act.type)}`;
  if (!isText(act.operator, 1, ACT_LIMITS.operator)) return "an act names its operator";
  if (!isText(act.key, 1, ACT_LIMITS.key)) return "an act carries a key, so that it happens once";
  if (!Number.isSafeInteger(act.atMs)) return "an act has a time";
  if (act.text !== undefined && !isText(act.text, 0, ACT_LIMITS.text))
    return `a text has at most ${ACT_LIMITS.text} characters`;
  if (act.type === "close" && !isText(act.cause, 1, ACT_LIMITS.text)) return "closing needs a cause";
  if (act.type === "note" && !isText(act.text, 1, ACT_LIMITS.text)) return "a note needs a text";
  return null;
}

/** The incident after the act, and the stage that it has reached by it. */
export function applyAct(incident: Incident, act: Act): ActVerdict {
  switch (act.type) {
    case "take":
      return take(incident, act);
    case "dispatch":
      return dispatch(incident, act);
    case "close":
      return close(incident, act);
    case "note":
      return note(incident, act);
  }
}

function take(incident: Incident, act: Act): ActVerdict {
  if (incident.stage === "closed") return refused("It is closed.");
  if (incident.owner !== null) return refused(`${incident.owner} has it already.`);
  return reached({ ...incident, stage: "taken", owner: act.operator }, act, "taken");
}

function dispatch(incident: Incident, act: Act): ActVerdict {
  const flaw = notOwner(incident, act);
  if (flaw !== null) return refused(flaw);
  if (incident.stage === "dispatched") return refused("A team is on its way already.");
  return reached({ ...incident, stage: "dispatched" }, act, "dispatched");
}

function close(incident: Incident, act: Act): ActVerdict {
  const flaw = notOwner(incident, act);
  if (flaw !== null) return refused(flaw);
  return reached({ ...incident, stage: "closed", cause: act.cause ?? null }, act, "closed");
}

function note(incident: Incident, act: Act): ActVerdict {
  if (incident.history.length >= ACT_LIMITS.history) return refused("Its history is full.");
  return { ok: true, incident: withLine(incident, act, "note"), stage: null };
}

function notOwner(incident: Incident, act: Act): string | null {
  if (incident.stage === "closed") return "It is closed.";
  if (incident.owner === null) return "Take it first.";
  return incident.owner === act.operator ? null : `${incident.owner} has it.`;
}

function reached(incident: Incident, act: Act, stage: "taken" | "dispatched" | "closed"): ActVerdict {
  const stageTimes = { ...incident.stageTimes, [stage]: act.atMs };
  return { ok: true, incident: withLine({ ...incident, stageTimes }, act, stage), stage };
}

function withLine(incident: Incident, act: Act, type: HistoryEntry["type"]): Incident {
  const said = [act.cause, act.text].filter((text) => text !== undefined).join(": ");
  const entry = line({ type, atMs: act.atMs, by: act.operator, text: said.length > 0 ? said : null });
  const unseen = incident.unseen && act.operator !== incident.owner;
  return { ...incident, unseen, history: [...incident.history, entry] };
}

function refused(reason: string): ActVerdict {
  return { ok: false, reason };
}
