/** A contact that people, doors or mains relays close: samples of its level in, what they mean out. Pure.
 *
 *  A press counts from the first touch of the contact, and only `releaseMs` without any touch ends it. So
 *  a worn contact that chatters under a thumb still alarms, and a brush shorter than `holdMs` does not.
 *  Samples carry the time of their edge, not of their reading: a press that began and ended while the
 *  board was busy is judged by its real length. */

export interface ContactTiming {
  /** Shorter closures mean nothing. */
  readonly holdMs: number;
  /** An opening shorter than this is bounce. */
  readonly releaseMs: number;
  /** A closure as long as this is a fault of the contact; 0: may stay closed for ever. */
  readonly stuckMs: number;
}

/** Touched: not yet long enough to mean anything. Names become numbers in the bundle. */
export const CONTACT = { open: 0, touched: 1, held: 2, stuck: 3, released: 4 } as const;

export interface Contact {
  /** CONTACT.open, touched, held or stuck. */
  readonly phase: number;
  /** First touch of this closure. */
  readonly closedMs: number;
  /** When the level last opened, -1 while it is closed. */
  readonly openedMs: number;
}

export interface ContactEffect {
  readonly do: typeof CONTACT.held | typeof CONTACT.released | typeof CONTACT.stuck;
  /** Held, stuck: when the closure began. Released: when it ended. */
  readonly atMs: number;
}

export const OPEN_CONTACT: Contact = { phase: CONTACT.open, closedMs: 0, openedMs: 0 };

/** Takes one sample: the level from `atMs` on. Until then the level was that of the sample before. */
export function stepContact(
  contact: Contact,
  timing: ContactTiming,
  sample: { readonly closed: boolean; readonly atMs: number },
): readonly [Contact, readonly ContactEffect[]] {
  const effects: ContactEffect[] = [];
  let phase: number = contact.phase;
  let closedMs = contact.closedMs;
  let openedMs = contact.openedMs;
  if (phase !== CONTACT.open) {
    const heldMs = (openedMs < 0 ? sample.atMs : openedMs) - closedMs;
    if (phase === CONTACT.touched && heldMs >= timing.holdMs) {
      phase = CONTACT.held;
      effects.push({ do: CONTACT.held, atMs: closedMs });
    }
    if (phase === CONTACT.held && timing.stuckMs > 0 && heldMs >= timing.stuckMs) {
      phase = CONTACT.stuck;
      effects.push({ do: CONTACT.stuck, atMs: closedMs });
    }
    if (openedMs >= 0 && sample.atMs - openedMs >= timing.releaseMs) {
      if (phase !== CONTACT.touched) effects.push({ do: CONTACT.released, atMs: openedMs });
      phase = CONTACT.open;
    }
  }
  if (!sample.closed) {
    if (phase !== CONTACT.open && openedMs < 0) openedMs = sample.atMs;
  } else {
    if (phase === CONTACT.open) {
      phase = CONTACT.touched;
      closedMs = sample.atMs;
    }
    openedMs = -1;
  }
  return [{ phase: phase, closedMs: closedMs, openedMs: openedMs }, effects];
}

/** When the next sample is due even if no edge comes; Infinity: never. */
export function contactDueMs(contact: Contact, timing: ContactTiming): number {
  if (contact.phase === CONTACT.open) return Infinity;
  if (contact.openedMs >= 0) return contact.openedMs + timing.releaseMs;
  if (contact.phase === CONTACT.touched) return contact.closedMs + timing.holdMs;
  return contact.phase === CONTACT.held && timing.stuckMs > 0 ? contact.closedMs + timing.stuckMs : Infinity;
}
