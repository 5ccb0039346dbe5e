/** Enrolment: the centre's signed word that this hub's key belongs to this realm, and which key signs its receipts.
 *  Its hash is the `previous` of the hub's first record, so the chain begins with it.
 *  A COSE_Sign1 by the centre's receipt key with the external_aad "tugma/enrolment/v1" ‖ realm. Payload, a CBOR map:
 *     1 version    3 hub id           5 hub's algorithm   7 centre's public key   9 issued ms
 *     2 realm      4 hub's public key 6 centre id         8 centre's algorithm   10 first sequence              */
import { domain, MAX_REALM_LENGTH, openSign1, sealSign1, sha256Hex } from "./cose.ts";
import { codecError } from "./device/codec-error.ts";
import { type Field, hex, integer, mapped, recordCodec, text, version, wrong } from "./fields.ts";
import { type Algorithm, ED25519, ESP256, type SigningKey, type VerifyingKey } from "./signature.ts";

export interface Enrolment {
  readonly version: 1;
  readonly realm: string;
  /** Hub id, 16 hex digits. */
  readonly hub: string;
  /** Hex, raw, as in signature.ts. */
  readonly hubPublicKey: string;
  readonly hubAlg: Algorithm;
  /** The centre's name for itself. */
  readonly centre: string;
  readonly receiptPublicKey: string;
  readonly receiptAlg: Algorithm;
  readonly issuedMs: number;
  /** The first sequence that this centre shall have: 1, more for a centre that joins a hub already at work. */
  readonly fromSequence: number;
}

export const algorithmField: Field<Algorithm> = mapped(
  integer(-19, -9),
  (alg: Algorithm) => alg,
  (number, name) => {
    if (number !== ED25519 && number !== ESP256)
      throw wrong(name, number, `${ED25519} (Ed25519) or ${ESP256} (ESP256)`);
    return number;
  },
);

export const publicKeyField: Field<string> = hex(32, 65);

const codec = recordCodec<Enrolment>("enrolment", {
  version: [1, version(1)],
  realm: [2, text(1, MAX_REALM_LENGTH)],
  hub: [3, hex(8)],
  hubPublicKey: [4, publicKeyField],
  hubAlg: [5, algorithmField],
  centre: [6, text(1, 64)],
  receiptPublicKey: [7, publicKeyField],
  receiptAlg: [8, algorithmField],
  issuedMs: [9, integer()],
  fromSequence: [10, integer(1)],
});

/** The payload, not yet signed. Throws a CodecError "field" for a value out of its bounds. */
export function encodeEnrolment(enrolment: Enrolment): Uint8Array {
  return codec.encode(enrolment);
}

/** Throws a CodecError: size, cbor, canonical, depth, range, version, missing, field, extra. */
export function decodeEnrolment(bytes: Uint8Array): Enrolment {
  return codec.decode(bytes);
}

/** The whole enrolment, signed with the receipt key that it names; its `hash` is the start of the hub's chain. */
export function sealEnrolment(enrolment: Enrolment, key: SigningKey): Uint8Array {
  return sealSign1(encodeEnrolment(enrolment), domain("enrolment", enrolment.realm), key);
}

/** Verifies first, then parses; then checks that it is for this realm and names the key that signed it (CodecError
 *  "enrolment"). Throws the CodecErrors of `openSign1` and `decodeEnrolment` too. */
export function openEnrolment(
  bytes: Uint8Array,
  realm: string,
  keyOf: (kid: string) => VerifyingKey | undefined,
): { enrolment: Enrolment; kid: string; hash: string } {
  const { payload, kid } = openSign1(bytes, domain("enrolment", realm), keyOf);
  const enrolment = decodeEnrolment(payload);
  if (enrolment.realm !== realm)
    throw codecError("enrolment", `enrolment: realm ${enrolment.realm}, expected ${realm}`);
  const signer = keyOf(kid);
  if (signer?.publicKey !== enrolment.receiptPublicKey || signer.alg !== enrolment.receiptAlg) {
    throw codecError("enrolment", "enrolment: not signed with the receipt key that it names");
  }
  return { enrolment, kid, hash: sha256Hex(bytes) };
}
