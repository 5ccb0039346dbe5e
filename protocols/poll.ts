/** Poll, hub → centre: "I am here, this is the head of my chain, and you hear from me again within the interval".
 *  The interval is the hub's own signed promise, so that it is never typed in at two ends.
 *  A COSE_Sign1 by the hub's key with the external_aad "tugma/poll/v1" ‖ realm. Payload, a CBOR map:
 *     1 version   3 boot           5 hash of the head   7 monotonic ms              9 records without a receipt
 *     2 hub id    4 head sequence  6 interval ms        8 [unix ms, ± ms, source]                              */
import { domain, openSign1, sealSign1, sha256Hex } from "./cose.ts";
import { type EventTime, timeField } from "./event.ts";
import { hex, integer, recordCodec, version } from "./fields.ts";
import type { SigningKey, VerifyingKey } from "./signature.ts";

export interface Poll {
  readonly version: 1;
  readonly hub: string;
  readonly boot: number;
  /** The newest record; 0 before the first. */
  readonly sequence: number;
  /** 64 hex digits: hash of the newest record; of the sealed enrolment before the first. */
  readonly headHash: string;
  readonly intervalMs: number;
  readonly monotonicMs: number;
  readonly time: EventTime;
  /** Records that still wait for this centre's receipt. */
  readonly backlog: number;
}

const codec = recordCodec<Poll>("poll", {
  version: [1, version(1)],
  hub: [2, hex(8)],
  boot: [3, integer()],
  sequence: [4, integer()],
  headHash: [5, hex(32)],
  intervalMs: [6, integer(1)],
  monotonicMs: [7, integer()],
  time: [8, timeField],
  backlog: [9, integer()],
});

/** The payload, not yet signed. Throws a CodecError "field" for a value out of its bounds. */
export function encodePoll(poll: Poll): Uint8Array {
  return codec.encode(poll);
}

/** Throws a CodecError: size, cbor, canonical, depth, range, version, missing, field, extra. */
export function decodePoll(bytes: Uint8Array): Poll {
  return codec.decode(bytes);
}

/** The whole poll, signed for this realm. */
export function sealPoll(poll: Poll, realm: string, key: SigningKey): Uint8Array {
  return sealSign1(encodePoll(poll), domain("poll", realm), key);
}

/** Verifies first, then parses. Throws the CodecErrors of `openSign1` and `decodePoll`. */
export function openPoll(
  bytes: Uint8Array,
  realm: string,
  keyOf: (kid: string) => VerifyingKey | undefined,
): { poll: Poll; kid: string; hash: string } {
  const { payload, kid } = openSign1(bytes, domain("poll", realm), keyOf);
  return { poll: decodePoll(payload), kid, hash: sha256Hex(bytes) };
}
