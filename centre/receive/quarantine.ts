/** What came over a hub's connection and is no record: kept to be looked at, bounded, and never an incident. A hub that sends
 *  rubbish without end fills no disk: beyond its rate it is only counted. */
import type { Ledger, Quarantined } from "../ledger/ledger.ts";

export const QUARANTINE_LIMITS = { kept: 1000, headBytes: 256, burst: 50, perSecond: 5 } as const;

export interface Quarantine {
  /** Settles when it is kept, or when it was only counted. Rejects when the ledger refuses. */
  put(item: Quarantined, monotonicMs: number): Promise<void>;
  /** All since the start. */
  readonly count: number;
}

export function createQuarantine(ledger: Pick<Ledger, "quarantine">): Quarantine {
  const budgets = new Map<string, { tokens: number; atMs: number }>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    async put(item, monotonicMs) {
      count += 1;
      const budget = budgets.get(item.hub) ?? { tokens: QUARANTINE_LIMITS.burst, atMs: monotonicMs };
      const earned = ((monotonicMs - budget.atMs) / 1000) * QUARANTINE_LIMITS.perSecond;
      budget.tokens = Math.min(QUARANTINE_LIMITS.burst, budget.tokens + earned);
      budget.atMs = monotonicMs;
      budgets.set(item.hub, budget);
      if (budget.tokens < 1) return;
      budget.tokens -= 1;
      const bytes = item.bytes.slice(0, QUARANTINE_LIMITS.headBytes);
      await ledger.quarantine({ ...item, bytes }, QUARANTINE_LIMITS.kept);
    },
  };
}
