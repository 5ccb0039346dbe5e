/** Makes the receipts that answer one hub's part of a committed group. Pure but for the signature.
 *
 *  `complete` lets one receipt answer many records, and a hub forgets what it covers. So it must never cover a record that the
 *  hub has and the ledger has not. That could happen with a hub that was set back to an old image and has written other
 *  records under numbers that are here already; therefore `complete` goes no further than what this very connection has
 *  shown: a record with the hash that stands here fixes, through the chain, all records before it.                   */
import { MAX_MORE, type Receipt, type ReceiptEntry, sealReceipt } from "../../protocols/receipt.ts";
import type { SigningKey } from "../../protocols/signature.ts";
import type { Extent } from "../ledger/ledger.ts";
import type { HubSession } from "./hub-link.ts";

export interface Answered extends ReceiptEntry {
  readonly ledgerIndex: number;
  readonly incident: string | null;
  /** It stands against another record of the same place. */
  readonly equivocation: boolean;
}

/** All but the receiver's name, which the signer adds. */
export type UnsignedReceipt = Omit<Receipt, "receiver">;

export interface ReceiptSigner {
  readonly realm: string;
  readonly receiver: string;
  readonly key: SigningKey;
}

/** One receipt, or more when there is more to name than one can carry. `nowMs`: the centre's clock. */
export function makeReceipts(
  hub: string,
  answers: readonly Answered[],
  extent: Extent,
  session: Pick<HubSession, "seen" | "proven">,
  nowMs: number,
): UnsignedReceipt[] {
  for (const { sequence, equivocation } of answers) {
    if (equivocation) continue;
    session.seen = Math.max(session.seen, sequence);
    if (sequence <= extent.complete) session.proven = Math.max(session.proven, sequence);
  }
  if (session.seen <= extent.complete) session.proven = Math.max(session.proven, session.seen);
  const complete = session.proven;
  const covering = answers.reduce<Answered | undefined>(
    (best, answer) =>
      !answer.equivocation && answer.sequence <= complete && answer.sequence > (best?.sequence ?? 0)
        ? answer
        : best,
    undefined,
  );
  const byName = answers.filter(
    (a) => a !== covering && (a.equivocation || a.sequence > complete || a.result !== "stored"),
  );
  const named = covering === undefined ? byName : [covering, ...byName];
  const receipts: UnsignedReceipt[] = [];
  for (let at = 0; at < named.length; at += MAX_MORE + 1) {
    const [first, ...more] = named.slice(at, at + MAX_MORE + 1);
    if (first !== undefined) receipts.push(receiptOf(hub, first, more, complete, nowMs));
  }
  return receipts;
}

function receiptOf(
  hub: string,
  first: Answered,
  more: readonly Answered[],
  complete: number,
  nowMs: number,
): UnsignedReceipt {
  const { sequence, recordHash, result, ledgerIndex, incident } = first;
  return {
    version: 1,
    hub,
    sequence,
    recordHash,
    result,
    centreMs: nowMs,
    ledgerIndex,
    stage: "received",
    incident,
    complete,
    more: more.map((entry) => ({
      sequence: entry.sequence,
      recordHash: entry.recordHash,
      result: entry.result,
    })),
  };
}

/** Signed, as it goes to the hub. */
export function signReceipt(receipt: UnsignedReceipt, { realm, receiver, key }: ReceiptSigner): Uint8Array {
  return sealReceipt({ ...receipt, receiver }, realm, key);
}
