/** Records without a receipt: first they are sent again, then the connection is doubted, and once it is told. */
export interface OverdueOptions {
  /** When the longest unanswered record was sent, or null. Monotonic ms. */
  oldestMs(): number | null;
  sendAgain(): void;
  renew(): void;
  /** Once per outage. `forMs`: since the last receipt or the first unanswered sending. */
  tell(forMs: number): void;
}

export interface Overdue {
  /** Call it about every second while the path is up. */
  check(nowMs: number): void;
  /** A receipt has been verified. */
  answered(): void;
  readonly count: number;
}

const RECEIPT_DUE_MS = 8_000;
const TELL_AFTER_MS = 30_000;

export function createOverdue(options: OverdueOptions): Overdue {
  let count = 0;
  let sinceMs: number | null = null;
  let sentAgain = false;
  let told = false;
  return {
    get count() {
      return count;
    },
    check(nowMs) {
      const oldestMs = options.oldestMs();
      if (oldestMs === null) return;
      sinceMs ??= oldestMs;
      if (!told && nowMs - sinceMs >= TELL_AFTER_MS) {
        told = true;
        options.tell(nowMs - sinceMs);
      }
      if (nowMs - oldestMs < RECEIPT_DUE_MS) return;
      count++;
      if (sentAgain) options.renew();
      else options.sendAgain();
      sentAgain = !sentAgain;
    },
    answered() {
      sinceMs = null;
      sentAgain = false;
      told = false;
    },
  };
}
