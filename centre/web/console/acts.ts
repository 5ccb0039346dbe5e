/** Sends what the operator decided. Each intention has one key until it is answered: pressing twice, or again after a
 *  lost answer, asks the centre for the same act and never for a second one. */
import { signal } from "@preact/signals";
import { type ActType, reasonOf } from "./allowed.ts";
import { incidents } from "./picture.ts";
import { operator } from "./state.ts";
import { words } from "./words/words.ts";

export interface Outcome {
  readonly incident: string;
  readonly state: "pending" | "done" | "failed";
  readonly text: string;
  /** Grows with every outcome, so that the same sentence twice is announced twice. */
  readonly serial: number;
}

/** The last act's result, shown in its card. */
export const outcome = signal<Outcome | null>(null);

const ANSWER_MS = 6000;
const keys = new Map<string, string>();
const underway = new Set<string>();
let serial = 0;

export interface Detail {
  readonly cause?: string;
  readonly text?: string;
}

/** Performs one act; true when the centre has done it. A press while the same act is under way does nothing. */
export async function perform(type: ActType, incident: string, detail: Detail = {}): Promise<boolean> {
  const intention = JSON.stringify([type, incident, detail]);
  if (underway.has(intention)) return false;
  const key = keys.get(intention) ?? newKey();
  keys.set(intention, key);
  underway.add(intention);
  say(incident, "pending", words.value.acts.pending);
  try {
    const answer = await post("/api/acts", { type, incident, key, ...detail }, ANSWER_MS);
    // answered either way: the next press is a new intention
    if (answer.status !== 504) keys.delete(intention);
    if (answer.ok) say(incident, "done", words.value.acts.done[type]);
    else say(incident, "failed", failureText(type, incident, answer));
    return answer.ok;
  } catch {
    say(incident, "failed", words.value.acts.noAnswer);
    return false;
  } finally {
    underway.delete(intention);
  }
}

export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly error: string | null;
  readonly waitMs: number;
}

/** POST of JSON to our own server; rejects when there is no answer within `timeoutMs`. */
export async function post(path: string, body: object, timeoutMs = 10_000): Promise<Answer> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-tugma": "console" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const json: { error?: string; waitMs?: number } = await response.json();
  return { ok: response.ok, status: response.status, error: json.error ?? null, waitMs: json.waitMs ?? 0 };
}

function say(incident: string, state: Outcome["state"], text: string): void {
  outcome.value = { incident, state, text, serial: ++serial };
}

function failureText(type: ActType, id: string, { status, error }: Answer): string {
  const w = words.value;
  if (status === 504) return w.acts.noAnswer;
  const incident = incidents.value.get(id);
  const reason = incident ? reasonOf(type, incident, operator.value, w) : null;
  return `${w.acts.refused}: ${reason ?? error ?? status}`;
}

/** crypto.randomUUID exists only on https and loopback; a centre's test page may be neither. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
