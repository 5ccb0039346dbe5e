/** How often somebody may try a password. Each pair of account and source waits longer after every miss, and each
 *  source has a budget over all accounts; the account as such is never locked, so that no stranger can keep a
 *  colleague out of the console. Pure but for the map it keeps. */

export interface Attempts {
  /** Milliseconds to wait before this pair may try again; 0 now. */
  waitMs(account: string, source: string): number;
  failed(account: string, source: string): void;
  succeeded(account: string, source: string): void;
}

interface Misses {
  count: number;
  untilMs: number;
  lastMs: number;
}

const FREE_PER_PAIR = 4;
const FREE_PER_SOURCE = 20;
const LONGEST_WAIT_MS = 60_000;
const FORGET_MS = 15 * 60_000;
const MAX_ENTRIES = 10_000;

/** `now` in ms, any origin, never backwards. */
export function createAttempts(now: () => number): Attempts {
  const misses = new Map<string, Misses>();
  const keys = (account: string, source: string) =>
    [
      [`${account}\n${source}`, FREE_PER_PAIR],
      [`\n${source}`, FREE_PER_SOURCE],
    ] as const;
  return {
    waitMs(account, source) {
      const untils = keys(account, source).map(([key]) => misses.get(key)?.untilMs ?? 0);
      return Math.max(0, Math.max(...untils) - now());
    },
    failed(account, source) {
      for (const [key, free] of keys(account, source)) miss(misses, key, free, now());
    },
    succeeded(account, source) {
      misses.delete(`${account}\n${source}`);
      const shared = misses.get(`\n${source}`);
      if (shared) shared.count--;
    },
  };
}

function miss(misses: Map<string, Misses>, key: string, free: number, now: number): void {
  const before = misses.get(key);
  const count = before && now - before.lastMs < FORGET_MS ? before.count + 1 : 1;
  const wait = count <= free ? 0 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** Math.min(count - free, 10));
  misses.delete(key);
  misses.set(key, { count, untilMs: now + wait, lastMs: now });
  const oldest = misses.keys().next();
  if (misses.size > MAX_ENTRIES && !oldest.done) misses.delete(oldest.value);
}
