/** Which sound the present picture calls for, and what a screen reader is told. */
import { effect, signal } from "@preact/signals";
import type { Incident } from "../../incidents/incident.ts";
import { isUntaken } from "./order.ts";
import { incidents, isLoaded, isSignedOut, LOST_AFTER_MS, silentMs } from "./picture.ts";
import { placeText } from "./place.ts";
import { keepSounding, playOnce, type Voice } from "./sound.ts";
import { shiftSince, untaken } from "./state.ts";
import { words } from "./words/words.ts";

/** Read out at once: real alarms. */
export const urgentNews = signal("");
/** Read out in turn: drills, tests and everything else. */
export const quietNews = signal("");

/** The sound that repeats now: lost link first, then untaken life, then any other untaken alarm. */
export function voiceOf(untakenNow: readonly Incident[], isBlind: boolean): Voice | null {
  if (isBlind) return "link";
  if (untakenNow.some((incident) => incident.priority === "life")) return "life";
  return untakenNow.length > 0 ? "other" : null;
}

/** Called at every beat of the metronome. */
export function beatVoice(): void {
  const isBlind = silentMs.value > LOST_AFTER_MS || isSignedOut.value;
  keepSounding(shiftSince.value === null ? null : voiceOf(untaken.value, isBlind), performance.now());
}

/** Announces what is new, from now on. */
export function announceArrivals(): void {
  let known: ReadonlyMap<string, Incident> | null = null;
  effect(() => {
    const now = incidents.value;
    if (!isLoaded.value) return;
    // what the first picture holds is on the screen already and sounds by itself
    if (known) for (const incident of now.values()) announce(incident, known.get(incident.id));
    known = now;
  });
}

function announce(incident: Incident, before: Incident | undefined): void {
  const w = words.peek();
  const isNew = before === undefined && incident.stage === "new";
  const isAgain = before !== undefined && incident.unseen && !before.unseen;
  if (!isNew && !isAgain) return;
  const mode = incident.mode === "real" ? "" : `${w.modes[incident.mode]}: `;
  const text = `${mode}${w.queue.newAlarm(w.kinds[incident.kind], placeText(incident.place))}`;
  if (isUntaken(incident)) urgentNews.value = text;
  else quietNews.value = text;
  if (incident.mode === "drill") playOnce("drill");
  // a further press of somebody whose alarm is in work: heard once, shown until the owner acts
  else if (isAgain && incident.mode === "real") playOnce(incident.priority === "life" ? "life" : "other");
}
