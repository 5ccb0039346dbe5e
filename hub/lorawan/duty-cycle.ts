/** Duty cycle: how long each gateway may still transmit in each sub-band. A rolling hour in 60 buckets, so memory is
 *  bounded and the result errs towards less transmission, by one minute at most. */

export type Priority = "alarm" | "join" | "mac";

/** Part of the hour's budget that each priority may use up; the rest is kept for those above it. */
export const CEILING: Record<Priority, number> = { alarm: 1, join: 0.7, mac: 0.5 };

const HOUR_MS = 3_600_000;
const BUCKET_MS = 60_000;

interface SubBandLimit {
  minHz: number;
  maxHz: number;
  /** 0.01 = 1 %. */
  dutyCycle: number;
}

interface Bucket {
  startMs: number;
  airtimeMs: number;
}

export interface DutyCycleLedger {
  /** True when `airtimeMs` more still fits under the priority's ceiling. No sub-band: nobody may transmit there. */
  allows(gateway: string, subBand: SubBandLimit | null, airtimeMs: number, priority: Priority): boolean;
  /** Counts a transmission that starts at `atMs` (monotonic). */
  spend(gateway: string, subBand: SubBandLimit | null, airtimeMs: number): void;
  /** Takes a transmission back that the gateway refused. */
  refund(gateway: string, subBand: SubBandLimit | null, airtimeMs: number): void;
  /** Used part of the hour's budget, 0-1, for the status page. Keys: "gateway minHz-maxHz". */
  usage(): Record<string, number>;
  /** Something was spent since the last `save`. */
  readonly changed: boolean;
  /** JSON to be stored; ages instead of times, because the monotonic clock starts anew with the process. */
  save(): string;
}

interface Saved {
  version: 1;
  wallMs: number;
  airtimes: { key: string; dutyCycle: number; buckets: [ageMs: number, airtimeMs: number][] }[];
}

interface Account {
  dutyCycle: number;
  buckets: Bucket[];
}

/** `saved` is what an earlier ledger's `save` gave, or null. What cannot be read counts as nothing spent; a wall
 *  clock that went backwards since then counts as no time passed. */
export function createDutyCycleLedger(
  clock: { wallMs(): number; monotonicMs(): number },
  saved: string | null,
): DutyCycleLedger {
  const accounts = restore(saved, clock.wallMs(), clock.monotonicMs());
  let changed = false;
  const accountOf = (gateway: string, subBand: SubBandLimit): Account => {
    const key = `${gateway} ${subBand.minHz}-${subBand.maxHz}`;
    const account = accounts.get(key) ?? { dutyCycle: subBand.dutyCycle, buckets: [] };
    accounts.set(key, account);
    account.dutyCycle = subBand.dutyCycle;
    return account;
  };
  const add = (gateway: string, subBand: SubBandLimit | null, airtimeMs: number) => {
    if (subBand === null) return;
    changed = true;
    const { buckets } = accountOf(gateway, subBand);
    const nowMs = clock.monotonicMs();
    const newest = buckets.at(-1);
    if (newest !== undefined && nowMs - newest.startMs < BUCKET_MS) newest.airtimeMs += airtimeMs;
    else buckets.push({ startMs: nowMs, airtimeMs });
  };
  return {
    allows(gateway, subBand, airtimeMs, priority) {
      if (subBand === null) return false;
      if (subBand.dutyCycle >= 1) return true;
      const budgetMs = subBand.dutyCycle * HOUR_MS * CEILING[priority];
      return spentMs(accountOf(gateway, subBand), clock.monotonicMs()) + airtimeMs <= budgetMs;
    },
    spend: add,
    refund: (gateway, subBand, airtimeMs) => add(gateway, subBand, -airtimeMs),
    usage() {
      const nowMs = clock.monotonicMs();
      return Object.fromEntries(
        [...accounts].map(([key, account]) => [key, spentMs(account, nowMs) / (account.dutyCycle * HOUR_MS)]),
      );
    },
    get changed() {
      return changed;
    },
    save() {
      changed = false;
      const nowMs = clock.monotonicMs();
      const airtimes = [...accounts]
        .filter(([, account]) => spentMs(account, nowMs) > 0)
        .map(([key, { dutyCycle, buckets }]) => ({
          key,
          dutyCycle,
          buckets: buckets.map((b): [number, number] => [Math.round(nowMs - b.startMs), b.airtimeMs]),
        }));
      return JSON.stringify({ version: 1, wallMs: clock.wallMs(), airtimes } satisfies Saved);
    },
  };
}

/** Airtime of the last hour; forgets what is older. A bucket counts until its last millisecond is an hour old. */
function spentMs(account: Account, nowMs: number): number {
  while (account.buckets[0] !== undefined && nowMs - account.buckets[0].startMs >= HOUR_MS + BUCKET_MS) {
    account.buckets.shift();
  }
  return Math.max(
    0,
    account.buckets.reduce((sum, bucket) => sum + bucket.airtimeMs, 0),
  );
}

function restore(saved: string | null, wallMs: number, nowMs: number): Map<string, Account> {
  const ledger = parse(saved);
  if (ledger === null) return new Map();
  const passedMs = Math.max(0, wallMs - ledger.wallMs);
  return new Map(
    ledger.airtimes.map(({ key, dutyCycle, buckets }) => [
      key,
      {
        dutyCycle,
        buckets: buckets.map(([ageMs, airtimeMs]) => ({ startMs: nowMs - ageMs - passedMs, airtimeMs })),
      },
    ]),
  );
}

/** Null for anything but a ledger that `save` wrote: the file is our own, and an unreadable one must not stop the hub. */
function parse(saved: string | null): Saved | null {
  if (saved === null) return null;
  try {
    const ledger = JSON.parse(saved) as Saved | null;
    return ledger?.version === 1 && Array.isArray(ledger.airtimes) ? ledger : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
