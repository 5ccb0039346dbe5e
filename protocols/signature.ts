/** Signatures in two suites, named by their COSE algorithm (RFC 9864, RFC 9053):
 *    -19  Ed25519, RFC 8032, by libsodium         public key: 32 bytes
 *     -9  ESP256, ECDSA P-256 with SHA-256        public key: 65 bytes, uncompressed point 04 ‖ x ‖ y
 *  Signatures are 64 bytes in both. The algorithm belongs to the key and is never taken from a message. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signEcdsa,
  verify as verifyEcdsa,
} from "node:crypto";
import sodium from "sodium-native";
import { codecError } from "./device/codec-error.ts";

export type Algorithm = -19 | -9;
export const ED25519 = -19;
export const ESP256 = -9;
export const SIGNATURE_LENGTH = 64;

export interface SigningKey {
  readonly alg: Algorithm;
  /** 16 hex digits: the first 8 bytes of SHA-256(public key). */
  readonly kid: string;
  /** Hex, raw: 32 bytes, or 65 for ESP256. */
  readonly publicKey: string;
  /** 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

export interface VerifyingKey {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly publicKey: string;
  /** False for a wrong signature, and for one of a wrong length. Never throws. */
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

const PUBLIC_KEY_HEX: Record<Algorithm, RegExp> = { [-19]: /^[0-9a-f]{64}$/, [-9]: /^04[0-9a-f]{128}$/ };

/** (r, s) and (r, n - s) are both valid for ECDSA. Only the lower s is made and taken, so that nobody can make a second
 *  record with another hash out of a signed one. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256_HALF_ORDER = bigEndian32(P256_ORDER >> 1n);

/** 16 hex digits: how records name a key. */
export function keyIdOf(publicKeyHex: string): string {
  return createHash("sha256").update(Buffer.from(publicKeyHex, "hex")).digest("hex").slice(0, 16);
}

/** A new private key as PKCS#8 PEM. Keep it in a file with mode 0600. */
export function generatePrivateKeyPem(alg: Algorithm = ED25519): string {
  const { privateKey } =
    alg === ED25519 ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** From a PKCS#8 PEM; its kind of key decides the algorithm. Throws a CodecError "key" for any other text or kind. */
export function createSigningKey(privateKeyPem: string): SigningKey {
  const key = readPrivateKey(privateKeyPem);
  const publicKey = rawPublicKey(key);
  const named = { kid: keyIdOf(publicKey), publicKey };
  if (key.asymmetricKeyType === "ed25519")
    return { alg: ED25519, ...named, sign: ed25519Signer(key, publicKey) };
  return { alg: ESP256, ...named, sign: (bytes) => lowS(signEcdsa("sha256", bytes, ieeeP1363(key))) };
}

/** Throws a CodecError "key" when the hex is not a public key of this algorithm. */
export function createVerifyingKey(publicKeyHex: string, alg: Algorithm): VerifyingKey {
  if (!PUBLIC_KEY_HEX[alg]?.test(publicKeyHex)) {
    throw codecError("key", `public key: ${publicKeyHex.slice(0, 16)}… is not a key of algorithm ${alg}`);
  }
  const raw = Buffer.from(publicKeyHex, "hex");
  const named = { alg, kid: keyIdOf(publicKeyHex), publicKey: publicKeyHex };
  return { ...named, verify: alg === ED25519 ? ed25519Verifier(raw) : esp256Verifier(raw) };
}

function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw codecError("key", `private key: not a PEM that can be read (${String(cause)})`);
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== "ed25519" && curve !== "prime256v1") {
    throw codecError("key", `private key: ${curve ?? key.asymmetricKeyType}, expected Ed25519 or P-256`);
  }
  return key;
}

function rawPublicKey(key: KeyObject): string {
  const { x = "", y } = key.export({ format: "jwk" });
  const hex = (part: string) => Buffer.from(part, "base64url").toString("hex");
  return y === undefined ? hex(x) : `04${hex(x)}${hex(y)}`;
}

function ed25519Signer(key: KeyObject, publicKey: string): SigningKey["sign"] {
  const { d = "" } = key.export({ format: "jwk" });
  const secretKey = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(publicKey, "hex")]);
  return (bytes) => {
    const signature = new Uint8Array(SIGNATURE_LENGTH);
    sodium.crypto_sign_detached(signature, bytes, secretKey);
    return signature;
  };
}

function ed25519Verifier(publicKey: Buffer): VerifyingKey["verify"] {
  if (!sodium.crypto_core_ed25519_is_valid_point(publicKey)) {
    throw codecError("key", "public key: not a point that Ed25519 allows");
  }
  return (bytes, signature) =>
    signature.length === SIGNATURE_LENGTH && sodium.crypto_sign_verify_detached(signature, bytes, publicKey);
}

function esp256Verifier(publicKey: Buffer): VerifyingKey["verify"] {
  const part = (from: number) => publicKey.subarray(from, from + 32).toString("base64url");
  let key: KeyObject;
  try {
    key = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: part(1), y: part(33) } });
  } catch {
    throw codecError("key", "public key: not a point on P-256");
  }
  return (bytes, signature) =>
    signature.length === SIGNATURE_LENGTH &&
    Buffer.compare(signature.subarray(32), P256_HALF_ORDER) <= 0 &&
    verifyEcdsa("sha256", bytes, ieeeP1363(key), signature);
}

function ieeeP1363(key: KeyObject) {
  return { key, dsaEncoding: "ieee-p1363" } as const;
}

function lowS(signature: Buffer): Uint8Array {
  const s = signature.subarray(32);
  if (Buffer.compare(s, P256_HALF_ORDER) > 0) {
    signature.set(bigEndian32(P256_ORDER - BigInt(`0x${s.toString("hex")}`)), 32);
  }
  return new Uint8Array(signature);
}

function bigEndian32(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}
