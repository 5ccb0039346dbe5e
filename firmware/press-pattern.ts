/** What presses of a hidden button mean, for a hand in a pocket that shakes and cannot see. Pure.
 *    held for 1 s                       a silent call for help, said while the thumb is still down
 *    three presses, 1.5 s apart at most the same, for who cannot hold
 *    held on to 5 s                     duress besides: whoever cannot let go, or will not, needs more
 *    two presses, and no third          the code: a check-in, or the wish to take a call back
 *  One short press is nothing: keys and seats make those. Each needs 60 ms, which contact.ts sees to. A call never waits to
 *  see whether more comes; only the code does. */

const CALL_MS = 1000;
const DURESS_MS = 5000;
const GAP_MS = 1500;
const CALL_PRESSES = 3;
const CODE_PRESSES = 2;

/** Names become numbers in the bundle. A call and duress in the order in which a press comes to mean them. */
export const PATTERN = { nothing: 0, call: 1, duress: 2, code: 3 } as const;

export interface Presses {
  /** Presses so far, each within GAP_MS of the one before. */
  readonly count: number;
  /** First touch of this press, -1: let go. */
  readonly touchedMs: number;
  readonly letGoMs: number;
  /** What this press has meant so far, of PATTERN. */
  readonly meant: number;
}

export const NO_PRESSES: Presses = { count: 0, touchedMs: -1, letGoMs: 0, meant: PATTERN.nothing };

/** What happened by `nowMs`: a press, touched at `touchedMs`, or it was let go at `letGoMs`, or nothing but time. */
export interface PressInput {
  readonly nowMs: number;
  readonly touchedMs?: number;
  readonly letGoMs?: number;
}

/** Takes one input. Returns what it means too, of PATTERN. */
export function stepPresses(presses: Presses, input: PressInput): readonly [Presses, number] {
  let count = presses.count;
  let touchedMs = input.touchedMs ?? presses.touchedMs;
  let meant = presses.meant;
  let meaning: number = PATTERN.nothing;
  const letGoMs = input.letGoMs ?? presses.letGoMs;
  if (input.touchedMs !== undefined) {
    count = touchedMs - letGoMs > GAP_MS ? 1 : count + 1;
    meant = PATTERN.nothing;
  }
  const heldMs = touchedMs < 0 ? -1 : (input.letGoMs ?? input.nowMs) - touchedMs;
  const isCall = heldMs >= CALL_MS || (heldMs >= 0 && count === CALL_PRESSES);
  const means = heldMs >= DURESS_MS ? PATTERN.duress : isCall ? PATTERN.call : PATTERN.nothing;
  if (means > meant) {
    meant = meaning = means;
    count = CALL_PRESSES;
  }
  if (input.letGoMs !== undefined) touchedMs = -1;
  if (touchedMs < 0 && input.nowMs - letGoMs >= GAP_MS) {
    if (count === CODE_PRESSES) meaning = PATTERN.code;
    count = 0;
  }
  return [{ count: count, touchedMs: touchedMs, letGoMs: letGoMs, meant: meant }, meaning];
}

/** Whether time alone may come to mean something. */
export function isPressing(presses: Presses): boolean {
  return presses.touchedMs < 0 ? presses.count > 0 : presses.meant < PATTERN.duress;
}
