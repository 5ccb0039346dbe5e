/** A supervised loop: a wire with resistors at its far end, so that rest, alarm, a cut and a short each have a level of
 *  their own. Readings in, what stands out. Pure; what begins and what ends is the difference of `stands` between
 *  two states.
 *
 *  Each state is judged like a contact (contact.ts): it counts from its first touch, chatter included. An alarm needs no
 *  more than 50 ms, which is bounce: nobody is asked to confirm. A fault needs 2 s. What stands ends only at rest:
 *  a loop that is cut after an alarm is an alarm and a fault, never a restore. */
import { DETAIL } from "../protocols/device/details.ts";
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
const ALARM: ContactTiming = { holdMs: 50, releaseMs: 500, stuckMs: 0 };
const FAULT: ContactTiming = { holdMs: 2000, releaseMs: 2000, stuckMs: 0 };

/** Between samples of a loop on which nothing happens. An edge of its pin is a sample too. */
const SAMPLE_MS = 1000;

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

/** Takes one sample. `states` are codes (DETAIL, or AT_REST) by rising reading, and `bounds` part them: one less. */
export function stepLoop(
  loop: LoopWatch,
  states: readonly number[],
  bounds: readonly number[],
  sample: LoopSample,
): LoopWatch {
  const nowMs = sample.nowMs;
  const at = bounds.filter((bound) => sample.reading >= bound).length;
  let dueMs = nowMs + SAMPLE_MS;
  let stands = 0;
  const contacts = states.map((code, i) => {
    const timing = code < DETAIL.smoke ? FAULT : ALARM;
    const before = loop.contacts[i] ?? OPEN_CONTACT;
    const isKept = before.phase === CONTACT.held && states[at] !== AT_REST;
    const contact = stepContact(before, timing, { closed: i === at || isKept, atMs: nowMs })[0];
    dueMs = Math.min(dueMs, contactDueMs(contact, timing));
    if (contact.phase === CONTACT.held) stands |= 1 << code;
    return contact;
  });
  return { contacts: contacts, stands: stands & ~1, dueMs: dueMs };
}
