/** What the operator is doing: who, since when, where the cursor stands, what is being asked. Kept over a reload in
 *  this tab only. */
import { computed, effect, signal } from "@preact/signals";
import type { Incident } from "../../incidents/incident.ts";
import { isUntaken, queueOf } from "./order.ts";
import { incidents, isLoaded } from "./picture.ts";
import { placeText } from "./place.ts";
import { words } from "./words/words.ts";

export type Dialog = "dispatch" | "note" | "close" | "help" | null;

export const operator = signal<string | null>(null);
/** Unix ms of this workstation; null before the shift has begun. */
export const shiftSince = signal<number | null>(Number(sessionStorage.getItem("tugma.shift")) || null);
/** The line under the cursor and the open card: one thing, so that a key can never act on another line. */
export const openId = signal<string | null>(sessionStorage.getItem("tugma.open"));
export const dialog = signal<Dialog>(null);
export const search = signal("");
export const showClosed = signal(false);

export const queue = computed(() => queueOf(incidents.value.values(), search.value, searchText));
/** The lines the cursor walks over, top to bottom. */
export const lines = computed<readonly Incident[]>(() => {
  const { real, other, closed } = queue.value;
  return [...real, ...other, ...(showClosed.value ? closed : [])];
});
export const openIncident = computed(() => incidents.value.get(openId.value ?? "") ?? null);
export const untaken = computed(() => [...incidents.value.values()].filter(isUntaken));

effect(() => {
  if (openId.value === null) sessionStorage.removeItem("tugma.open");
  else sessionStorage.setItem("tugma.open", openId.value);
});

// with no line under the cursor there is nothing a new alarm could take away: open the most urgent one
effect(() => {
  if (isLoaded.value && openIncident.value === null) openId.value = lines.value[0]?.id ?? null;
});

export function startShift(): void {
  shiftSince.value = Date.now();
  sessionStorage.setItem("tugma.shift", String(shiftSince.value));
}

export function endShift(): void {
  shiftSince.value = null;
  sessionStorage.removeItem("tugma.shift");
}

/** Moves the cursor by lines; stops at both ends. */
export function moveCursor(by: number): void {
  const at = lines.value.findIndex((incident) => incident.id === openId.value);
  const next = lines.value[Math.max(0, Math.min(lines.value.length - 1, at + by))];
  if (next) openId.value = next.id;
}

/** The most urgent untaken alarm, or the top of the queue. */
export function openFirst(): void {
  const first = queue.value.real.find((incident) => incident.stage === "new") ?? lines.value[0];
  if (first) openId.value = first.id;
}

function searchText(incident: Incident): string {
  const { kinds, modes } = words.value;
  const names = [
    kinds[incident.kind],
    modes[incident.mode],
    incident.deviceName,
    incident.drill,
    incident.owner,
  ];
  return [placeText(incident.place), ...names, incident.device, incident.id].filter(Boolean).join(" ");
}
