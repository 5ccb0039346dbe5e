/** A supervised loop: a wire with resistors at its far end, so that rest, alarm, a cut and a short each have a level of
 *  their own. Readings in, what stands out. Pure; what begins and what ends is the difference of `stands` between
 *  two states.
 *
 *  Each state is judged like a contact (contact.ts): it counts from its first touch, chatter included. What stands
 *  ends only at rest: a loop that is cut after an alarm is an alarm and a fault, never a restore. */
import {
  CONTACT,
  type Contact,
  type ContactTiming,
  contactDueMs,
  OPEN_CONTACT,
  stepContact,
} from "./contact.ts";

/** Code of the state at rest. */
export const AT_REST = 0;
/** Nothing but bounce: who closes this contact means it. */
export const LOOP_ALARM: ContactTiming = { holdMs: 50, releaseMs: 500, stuckMs: 0 };
export const LOOP_FAULT: ContactTiming = { holdMs: 2000, releaseMs: 2000, stuckMs: 0 };

/** Between samples of a loop on which nothing happens. An edge of its pin is a sample too. */
const SAMPLE_MS = 1000;

export interface LoopState {
  /** Of DETAIL, or AT_REST. */
  readonly code: number;
  readonly timing: ContactTiming;
}

export interface LoopWatch {
  /** One per state. */
  readonly contacts: readonly Contact[];
  /** Bit n: the condition with code n (DETAIL) stands. */
  readonly stands: number;
  /** When the next sample is due. */
  readonly dueMs: number;
}

export interface LoopSample {
  readonly nowMs: number;
  /** 0 to 1, as the ADC gives it. */
  readonly reading: number;
}

export const LOOP_AT_REST: LoopWatch = { contacts: [], stands: 0, dueMs: 0 };

/** Takes one sample. `bounds` part the readings of `states`, both rising: one less than states. */
export function stepLoop(
  loop: LoopWatch,
  states: readonly LoopState[],
  bounds: readonly number[],
  sample: LoopSample,
): LoopWatch {
  const nowMs = sample.nowMs;
  const at = bounds.filter((bound) => sample.reading >= bound).length;
  const isRest = states[at]?.code === AT_REST;
  let dueMs = nowMs + SAMPLE_MS;
  let stands = 0;
  const contacts = states.map((state, i) => {
    const before = loop.contacts[i] ?? OPEN_CONTACT;
    const isKept = before.phase === CONTACT.held && !isRest;
    const contact = stepContact(before, state.timing, { closed: i === at || isKept, atMs: nowMs })[0];
    dueMs = Math.min(dueMs, contactDueMs(contact, state.timing));
    if (contact.phase === CONTACT.held && state.code !== AT_REST) stands |= 1 << state.code;
    return contact;
  });
  return { contacts: contacts, stands: stands, dueMs: dueMs };
}
