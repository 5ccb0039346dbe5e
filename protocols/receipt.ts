/** Receipt, centre → hub: "stored", and how far the event has come since. A COSE_Sign1 by the centre's receipt key with
 *  the external_aad "tugma/receipt/v1" ‖ realm. Later stages are further receipts for the same sequence.
 *  Payload, a CBOR map:
 *     1 version    3 sequence               5 result     7 centre time ms    9 stage     11 complete
 *     2 hub id     4 SHA-256 of the record  6 receiver   8 ledger index     10 incident  12 further records answered
 *  `complete` covers every record up to it: the named hash fixes all before it through the chain.                */
import { domain, openSign1, sealSign1, sha256Hex } from "./cose.ts";
import { STAGES, type Stage } from "./device/stage.ts";
import { hex, integer, listOf, oneOf, optional, recordCodec, text, tuple, version } from "./fields.ts";
import type { SigningKey, VerifyingKey } from "./signature.ts";

/** Index = wire value. */
export const RECEIPT_RESULTS = ["stored", "duplicate", "storedAfterGap", "storedBadTime"] as const;
export type ReceiptResult = (typeof RECEIPT_RESULTS)[number];

/** One record answered. */
export interface ReceiptEntry {
  readonly sequence: number;
  /** 64 hex digits: SHA-256 of the whole record. */
  readonly recordHash: string;
  readonly result: ReceiptResult;
}

export interface Receipt extends ReceiptEntry {
  readonly version: 1;
  readonly hub: string;
  readonly receiver: string;
  readonly centreMs: number;
  readonly ledgerIndex: number;
  /** "received" first. */
  readonly stage: Stage;
  readonly incident: string | null;
  /** The hub's records 1 … complete are all in this centre's ledger; 0 for none. */
  readonly complete: number;
  /** Further records that this receipt answers: alarms that overtook a backlog, beyond `complete`. */
  readonly more: readonly ReceiptEntry[];
}

export const MAX_MORE = 256;

const codec = recordCodec<Receipt>("receipt", {
  version: [1, version(1)],
  hub: [2, hex(8)],
  sequence: [3, integer(1)],
  recordHash: [4, hex(32)],
  result: [5, oneOf(RECEIPT_RESULTS)],
  receiver: [6, text(1, 64)],
  centreMs: [7, integer()],
  ledgerIndex: [8, integer()],
  // the same numbers as on the device's wire
  stage: [9, oneOf(STAGES, 1)],
  incident: [10, optional(text(1, 64))],
  complete: [11, integer()],
  more: [
    12,
    listOf(
      tuple<ReceiptEntry>({ sequence: integer(1), recordHash: hex(32), result: oneOf(RECEIPT_RESULTS) }),
      MAX_MORE,
    ),
  ],
});

/** The payload, not yet signed. Throws a CodecError "field" for a value out of its bounds. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  return codec.encode(receipt);
}

/** Throws a CodecError: size, cbor, canonical, depth, range, version, missing, field, extra. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  return codec.decode(bytes);
}

/** The whole receipt, signed for this realm. */
export function sealReceipt(receipt: Receipt, realm: string, key: SigningKey): Uint8Array {
  return sealSign1(encodeReceipt(receipt), domain("receipt", realm), key);
}

/** Verifies first, then parses. Throws the CodecErrors of `openSign1` and `decodeReceipt`. */
export function openReceipt(
  bytes: Uint8Array,
  realm: string,
  keyOf: (kid: string) => VerifyingKey | undefined,
): { receipt: Receipt; kid: string; hash: string } {
  const { payload, kid } = openSign1(bytes, domain("receipt", realm), keyOf);
  return { receipt: decodeReceipt(payload), kid, hash: sha256Hex(bytes) };
}
