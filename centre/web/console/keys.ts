/** The keyboard. Letters act on the open card wherever the focus is, except while somebody types; a key held down
 *  repeats nothing but the arrows. Keys are read by position too (`code`), so that a Russian layout works the same. */
import { perform } from "./acts.ts";
import { allowedActs } from "./allowed.ts";
import { isSignedOut, LOST_AFTER_MS, silentMs } from "./picture.ts";
import { dialog, moveCursor, openFirst, openIncident, operator, search, shiftSince } from "./state.ts";

/** Listens until the page goes. */
export function listenToKeys(): void {
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (shiftSince.value === null || dialog.value !== null || isCovered()) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") leaveSearch();
      return;
    }
    // Enter on a button that has the focus means that button
    if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.matches("button, a"))
      return;
    const act = MOVES[event.key] ?? (event.repeat ? undefined : (CHARACTERS[event.key] ?? ACTS[event.code]));
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** True while the page shows old news: no key may act on it. */
export function isCovered(): boolean {
  return silentMs.value > LOST_AFTER_MS || isSignedOut.value;
}

/** Opens a dialog if the open incident allows that act now. */
export function ask(type: "dispatch" | "note" | "close"): void {
  const incident = openIncident.value;
  if (incident && allowedActs(incident, operator.value).includes(type)) dialog.value = type;
}

/** Takes the open incident; the centre decides whether that still can be. */
export function take(): void {
  const incident = openIncident.value;
  if (incident && allowedActs(incident, operator.value).includes("take")) void perform("take", incident.id);
}

const MOVES: Readonly<Record<string, () => void>> = {
  ArrowDown: () => moveCursor(1),
  ArrowUp: () => moveCursor(-1),
  PageDown: () => moveCursor(8),
  PageUp: () => moveCursor(-8),
};

const ACTS: Readonly<Record<string, () => void>> = {
  Home: openFirst,
  KeyT: take,
  KeyD: () => ask("dispatch"),
  KeyN: () => ask("note"),
  KeyC: () => ask("close"),
  Slash: focusSearch,
};

const CHARACTERS: Readonly<Record<string, () => void>> = {
  Enter: () => document.getElementById("card")?.focus(),
  Escape: () => document.getElementById("queue")?.focus(),
  "/": focusSearch,
  "?": () => {
    dialog.value = "help";
  },
};

function focusSearch(): void {
  document.getElementById("search")?.focus();
}

function leaveSearch(): void {
  search.value = "";
  document.getElementById("queue")?.focus();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}
