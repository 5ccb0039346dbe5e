/** What one path has sent, what is settled and what comes next. Pure; sequences only, so a backlog costs no memory. */

export interface SentRecord {
  readonly hash: string;
  readonly sentMs: number;
}

export interface Window {
  /** Every record up to here is settled. */
  readonly complete: number;
  /** The next record in order. */
  readonly next: number;
  readonly inFlight: number;
  /** Records that may still be sent before receipts must come. */
  readonly room: number;
  /** A new connection: what was sent without a receipt is sent again. */
  restart(): void;
  /** Neither settled nor in flight. */
  isDue(sequence: number): boolean;
  /** Records up to `sequence` have been sent or needed no sending. */
  advance(sequence: number): void;
  sent(sequence: number, record: SentRecord): void;
  sentRecord(sequence: number): SentRecord | undefined;
  /** When the longest unanswered record was sent, or null. */
  oldestMs(): number | null;
  settle(sequence: number): void;
  settleUpTo(sequence: number): void;
  /** Settled records beyond `complete`. */
  isSettled(sequence: number): boolean;
}

/** Records in flight per path: two full round trips of batches on a slow line. */
export const MAX_IN_FLIGHT = 512;

/** `complete` and `beyond` as the journal has them. */
export function createWindow(complete: number, beyond: readonly number[]): Window {
  const settled = new Set(beyond);
  /** In the order of sending. */
  const sent = new Map<number, SentRecord>();
  let next = complete + 1;

  const absorb = () => {
    while (settled.delete(complete + 1)) complete++;
    if (next <= complete) next = complete + 1;
  };
  const isSettled = (sequence: number) => sequence <= complete || settled.has(sequence);

  return {
    get complete() {
      return complete;
    },
    get next() {
      return next;
    },
    get inFlight() {
      return sent.size;
    },
    get room() {
      return Math.max(0, MAX_IN_FLIGHT - sent.size);
    },
    restart() {
      sent.clear();
      next = complete + 1;
    },
    isDue: (sequence) => !isSettled(sequence) && !sent.has(sequence),
    advance(sequence) {
      next = Math.max(next, sequence + 1);
    },
    sent: (sequence, record) => void sent.set(sequence, record),
    sentRecord: (sequence) => sent.get(sequence),
    oldestMs() {
      const [first] = sent.values();
      return first?.sentMs ?? null;
    },
    settle(sequence) {
      sent.delete(sequence);
      if (sequence > complete) settled.add(sequence);
      absorb();
    },
    settleUpTo(sequence) {
      if (sequence <= complete) return;
      complete = sequence;
      for (const one of settled) if (one <= complete) settled.delete(one);
      for (const one of sent.keys()) if (one <= complete) sent.delete(one);
      absorb();
    },
    isSettled,
  };
}
