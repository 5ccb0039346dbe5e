/** Stores verified receipts: at once, and what comes while one write runs goes together into the next. */
import type { Clock } from "../clock.ts";
import type { BatchedReceipt, Journal } from "../journal/journal.ts";
import type { Confirmed } from "./receipt-check.ts";

export interface ReceiptWriter {
  /** `complete` and `beyond`: what is settled on this path with this receipt. */
  put(confirmed: Confirmed, complete: number, beyond: readonly number[]): void;
  /** Settles when what was put is stored, or has been refused. */
  close(): Promise<void>;
}

const RETRY_MS = 2_000;

/** While the disk refuses, receipts wait in memory; beyond this they are dropped, and the centre is asked again after a
 *  restart by sending the records again. */
const MAX_WAITING = 4_096;

export function createReceiptWriter(
  journal: Pick<Journal, "putReceipts">,
  path: string,
  clock: Clock,
  onTrouble: (error: unknown) => void,
): ReceiptWriter {
  type Batch = { receipts: BatchedReceipt[]; complete: number; beyond: number[] };
  let waiting: Batch | null = null;
  let writing: Promise<void> | null = null;
  let closed = false;

  async function write(): Promise<void> {
    while (waiting !== null) {
      const batch: Batch = waiting;
      waiting = null;
      try {
        await journal.putReceipts({ path, ...batch });
      } catch (error) {
        onTrouble(error);
        merge(batch);
        if (!closed) clock.setTimer(start, RETRY_MS);
        return;
      }
    }
  }

  function start(): void {
    if (waiting === null || writing !== null) return;
    writing = write().finally(() => {
      writing = null;
    });
  }

  /** In front of what came since. */
  function merge(older: Batch): void {
    const newer: Batch = waiting ?? { receipts: [], complete: 0, beyond: [] };
    waiting = {
      receipts: [...older.receipts, ...newer.receipts].slice(0, MAX_WAITING),
      complete: Math.max(older.complete, newer.complete),
      beyond: [...older.beyond, ...newer.beyond].slice(0, MAX_WAITING),
    };
  }

  return {
    put({ receipt, upTo, bytes }, complete, beyond) {
      waiting ??= { receipts: [], complete: 0, beyond: [] };
      if (waiting.receipts.length < MAX_WAITING) {
        waiting.receipts.push({ sequence: receipt.sequence, stage: receipt.stage, upTo, bytes });
        waiting.beyond.push(...beyond);
      }
      waiting.complete = Math.max(waiting.complete, complete);
      start();
    },
    async close() {
      closed = true;
      start();
      while (writing !== null) await writing;
    },
  };
}
