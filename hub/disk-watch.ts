/** Disk trouble: noticed by the first refused write, tried again until it is over, then told in the journal with its
 *  length. While it lasts, nothing is acknowledged and the status says why. */
import type { Clock } from "./clock.ts";
import { hubDraft } from "./drafts.ts";
import { DiskRefused, type DiskTrouble } from "./journal/disk.ts";
import type { Journal } from "./journal/journal.ts";

export interface DiskWatch {
  /** True when the error was the disk's; anything else is a bug and stays the caller's. */
  refused(error: unknown): boolean;
  /** Null while the disk takes writes. */
  readonly trouble: DiskTrouble | null;
  readonly refusals: number;
}

const RETRY_MS = 2_000;

export function createDiskWatch(
  journal: Pick<Journal, "appendAll">,
  clock: Clock,
  log: (event: "disk.fault" | "disk.restored", fields: Record<string, unknown>) => void,
): DiskWatch {
  let trouble: { kind: DiskTrouble; sinceMs: number; refusals: number } | null = null;
  let refusals = 0;

  async function retry(): Promise<void> {
    if (trouble === null) return;
    const { kind, sinceMs, refusals: lost } = trouble;
    const seconds = Math.round((clock.monotonicMs() - sinceMs) / 1000);
    const told = hubDraft("diskFault", `${kind}, for ${seconds} s; ${lost} writes refused`);
    try {
      await journal.appendAll([told, hubDraft("diskRestored", null)]);
      trouble = null;
      log("disk.restored", { seconds, refusals: lost });
    } catch (error) {
      if (!(error instanceof DiskRefused)) throw error;
      clock.setTimer(() => void retry(), RETRY_MS);
    }
  }

  return {
    refused(error) {
      if (!(error instanceof DiskRefused)) return false;
      refusals++;
      if (trouble !== null) {
        trouble.refusals++;
        return true;
      }
      trouble = { kind: error.trouble, sinceMs: clock.monotonicMs(), refusals: 1 };
      log("disk.fault", { trouble: error.trouble, error: error.message });
      clock.setTimer(() => void retry(), RETRY_MS);
      return true;
    },
    get trouble() {
      return trouble?.kind ?? null;
    },
    get refusals() {
      return refusals;
    },
  };
}
