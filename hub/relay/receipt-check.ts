/** Whether a receipt settles anything: signed by the centre's pinned key for this realm, for this hub, and naming each
 *  record by the hash that the hub's own journal has. Green on a button's lamp means that this said yes. */
import { openReceipt, type Receipt } from "../../protocols/receipt.ts";
import type { VerifyingKey } from "../../protocols/signature.ts";

export interface Confirmed {
  readonly receipt: Receipt;
  readonly bytes: Uint8Array;
  /** Records named with their right hash. */
  readonly sequences: readonly number[];
  /** Every record up to here is at the centre; 0: the receipt proves no such thing. */
  readonly upTo: number;
  /** Records named with a hash that is not theirs. */
  readonly mismatches: readonly number[];
}

export interface ReceiptCheckOptions {
  readonly hub: string;
  readonly realm: string;
  /** The centre's receipt key, from the enrolment. */
  readonly key: VerifyingKey;
  /** The hash of the hub's own record, or undefined where there is none. */
  hashOf(sequence: number): Promise<string | undefined> | string | undefined;
}

/** Throws a CodecError when it is not the centre's receipt for this hub at all. */
export async function confirmReceipt(bytes: Uint8Array, options: ReceiptCheckOptions): Promise<Confirmed> {
  const { key, hub } = options;
  const { receipt } = openReceipt(bytes, options.realm, (kid) => (kid === key.kid ? key : undefined));
  const sequences: number[] = [];
  const mismatches: number[] = [];
  if (receipt.hub !== hub) return { receipt, bytes, sequences, upTo: 0, mismatches: [receipt.sequence] };
  for (const { sequence, recordHash } of [receipt, ...receipt.more]) {
    const own = await options.hashOf(sequence);
    (own === recordHash ? sequences : mismatches).push(sequence);
  }
  // A hash fixes, through the chain, the records before it and no others: `complete` holds as far as a named one.
  const proven = sequences.reduce((highest, sequence) => Math.max(highest, sequence), 0);
  return { receipt, bytes, sequences, upTo: Math.min(receipt.complete, proven), mismatches };
}
