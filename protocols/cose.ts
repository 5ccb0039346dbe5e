/** COSE_Sign1 (RFC 9052 section 4.2) in the one form used here:
 *    d2 84                                     tag 18, array of 4
 *    4d a2 01 alg 04 48 kid(8)                 protected header {1: alg, 4: kid}; alg 0x32 = -19, 0x28 = -9
 *    a0                                        no unprotected header
 *    bstr payload ‖ 58 40 signature(64)
 *  Everything but kid, payload and signature is fixed, so the decoder compares bytes and no second encoding is taken.
 *  `openSign1` is the only way to a payload: nothing unverified is ever parsed. */
import { hash } from "node:crypto";
import { MAX_RECORD_LENGTH } from "./cbor.ts";
import { codecError } from "./device/codec-error.ts";
import type { Algorithm, SigningKey, VerifyingKey } from "./signature.ts";

/** What a signature is for. It enters the signed bytes, so that none can serve for another purpose or realm. */
export type Purpose = "event" | "receipt" | "enrolment" | "poll" | "command";

const START = 2; // d2 84
const PROTECTED_LENGTH = 14;
const ALG_AT = START + 3;
const KID_AT = START + 6;
const PAYLOAD_AT = START + PROTECTED_LENGTH + 1;
const SIGNATURE_LENGTH = 64;
const TAIL_LENGTH = 2 + SIGNATURE_LENGTH;
const ALG_BYTE: Record<Algorithm, number> = { [-19]: 0x32, [-9]: 0x28 };
/** Sig_structure: array of 4, "Signature1" (RFC 9052 section 4.4). */
const CONTEXT = Buffer.from("846a5369676e617475726531", "hex");

export const MAX_REALM_LENGTH = 64;

/** The external_aad: "tugma/<name>/v1" and then the realm. Throws a CodecError "realm" for an empty or over-long one. */
export function domain(name: Purpose, realm: string): Uint8Array {
  if (realm.length < 1 || realm.length > MAX_REALM_LENGTH || !realm.isWellFormed()) {
    throw codecError("realm", `realm: ${realm.length} characters, expected 1 to ${MAX_REALM_LENGTH}`);
  }
  return Buffer.from(`tugma/${name}/v1${realm}`, "utf8");
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}

export function sha256Hex(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

/** The whole tagged COSE_Sign1. Throws a CodecError "size" for a payload over 64 KiB less the framing. */
export function sealSign1(payload: Uint8Array, externalAad: Uint8Array, key: SigningKey): Uint8Array {
  const head = protectedHeader(key);
  const length = PAYLOAD_AT + bstrHeadLength(payload.length) + payload.length + TAIL_LENGTH;
  if (length > MAX_RECORD_LENGTH)
    throw codecError("size", `COSE_Sign1: ${length} bytes, more than ${MAX_RECORD_LENGTH}`);
  const signature = key.sign(toBeSigned(head, externalAad, payload));
  const out = new Uint8Array(length);
  out.set([0xd2, 0x84]);
  out.set(head, START);
  out[PAYLOAD_AT - 1] = 0xa0;
  const at = writeBstr(out, PAYLOAD_AT, payload);
  out.set([0x58, SIGNATURE_LENGTH], at);
  out.set(signature, at + 2);
  return out;
}

/** Verifies, then gives the payload. Throws a CodecError: cose (not the one form), size, key (kid unknown),
 *  algorithm (header and key disagree), signature. */
export function openSign1(
  bytes: Uint8Array,
  externalAad: Uint8Array,
  keyOf: (kid: string) => VerifyingKey | undefined,
): { payload: Uint8Array; kid: string } {
  const length = sign1Length(bytes, 0);
  if (length !== bytes.length)
    throw codecError("cose", `COSE_Sign1: ${bytes.length} bytes, its payload says ${length}`);
  const kid = Buffer.from(bytes.buffer, bytes.byteOffset + KID_AT, 8).toString("hex");
  const key = keyOf(kid);
  if (key === undefined) throw codecError("key", `COSE_Sign1: no key ${kid} is known here`);
  if (bytes[ALG_AT] !== ALG_BYTE[key.alg]) {
    throw codecError("algorithm", `COSE_Sign1: the header does not name algorithm ${key.alg} of key ${kid}`);
  }
  const end = length - TAIL_LENGTH;
  const head = bytes.subarray(START, START + PROTECTED_LENGTH);
  const payload = bytes.subarray(PAYLOAD_AT + payloadHead(bytes, PAYLOAD_AT).headLength, end);
  if (!key.verify(toBeSigned(head, externalAad, payload), bytes.subarray(end + 2))) {
    throw codecError(
      "signature",
      `COSE_Sign1: the signature is not by key ${kid} for this purpose and realm`,
    );
  }
  return { payload, kid };
}

/** Length of the COSE_Sign1 that starts at `at`, its framing checked. Throws a CodecError: cose, size. */
export function sign1Length(bytes: Uint8Array, at: number): number {
  if (bytes.length - at < PAYLOAD_AT + 1 + TAIL_LENGTH) throw codecError("cose", "COSE_Sign1: cut short");
  const alg = bytes[at + ALG_AT];
  if (alg !== ALG_BYTE[-19] && alg !== ALG_BYTE[-9])
    throw codecError("cose", "COSE_Sign1: header of an unknown form");
  for (const [offset, byte] of FIXED) {
    if (bytes[at + offset] !== byte)
      throw codecError("cose", `COSE_Sign1: byte ${offset} is not 0x${byte.toString(16)}`);
  }
  const { headLength, length } = payloadHead(bytes, at + PAYLOAD_AT);
  const total = PAYLOAD_AT + headLength + length + TAIL_LENGTH;
  if (total > MAX_RECORD_LENGTH)
    throw codecError("size", `COSE_Sign1: ${total} bytes, more than ${MAX_RECORD_LENGTH}`);
  const tail = at + total - TAIL_LENGTH;
  if (at + total > bytes.length || bytes[tail] !== 0x58 || bytes[tail + 1] !== SIGNATURE_LENGTH) {
    throw codecError("cose", "COSE_Sign1: cut short, or no 64-byte signature behind the payload");
  }
  return total;
}

/** Offset and value of every byte before the payload that is the same in all, but for the algorithm. */
const FIXED: readonly (readonly [offset: number, byte: number])[] = [
  [0, 0xd2],
  [1, 0x84],
  [2, 0x4d],
  [3, 0xa2],
  [4, 0x01],
  [6, 0x04],
  [7, 0x48],
  [16, 0xa0],
];

function toBeSigned(head: Uint8Array, externalAad: Uint8Array, payload: Uint8Array): Uint8Array {
  const strings =
    bstrHeadLength(externalAad.length) + externalAad.length + bstrHeadLength(payload.length) + payload.length;
  const out = new Uint8Array(CONTEXT.length + head.length + strings);
  out.set(CONTEXT);
  out.set(head, CONTEXT.length);
  writeBstr(out, writeBstr(out, CONTEXT.length + head.length, externalAad), payload);
  return out;
}

const protectedHeaders = new WeakMap<SigningKey, Uint8Array>();

function protectedHeader(key: SigningKey): Uint8Array {
  let header = protectedHeaders.get(key);
  if (header === undefined) {
    header = Buffer.concat([
      Buffer.from([0x4d, 0xa2, 0x01, ALG_BYTE[key.alg], 0x04, 0x48]),
      Buffer.from(key.kid, "hex"),
    ]);
    protectedHeaders.set(key, header);
  }
  return header;
}

/** Of a string below 64 KiB: nothing longer is ever framed here. */
function bstrHeadLength(length: number): number {
  if (length < 24) return 1;
  return length < 0x100 ? 2 : 3;
}

/** Returns the offset behind what it wrote. */
function writeBstr(out: Uint8Array, at: number, content: Uint8Array): number {
  const { length } = content;
  const headLength = bstrHeadLength(length);
  if (headLength === 1) out[at] = 0x40 | length;
  else if (headLength === 2) out.set([0x58, length], at);
  else out.set([0x59, length >> 8, length & 0xff], at);
  out.set(content, at + headLength);
  return at + headLength + length;
}

function payloadHead(bytes: Uint8Array, at: number): { headLength: number; length: number } {
  const byte = (i: number) => bytes[at + i] ?? 0;
  const initial = byte(0);
  if (initial >= 0x40 && initial < 0x58) return { headLength: 1, length: initial & 0x1f };
  const wide = initial === 0x59;
  const length = wide ? (byte(1) << 8) | byte(2) : byte(1);
  const headLength = bstrHeadLength(length);
  if ((initial !== 0x58 && !wide) || headLength !== (wide ? 3 : 2)) {
    throw codecError(
      "cose",
      "COSE_Sign1: the payload is no byte string in its shortest form of at most 65535 bytes",
    );
  }
  return { headLength, length };
}
