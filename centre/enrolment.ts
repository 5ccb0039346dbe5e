/** Enrolment of hubs: a one-time code from this centre, keys from the hub, and back the centre's signed word that they belong
 *  together. The code carries the CA's pin, so the hub knows the centre; its secret lets the centre know the hub.       */
import { createHash, randomBytes } from "node:crypto";
import { type Enrolment, sealEnrolment } from "../protocols/enrolment.ts";
import { type Algorithm, createVerifyingKey, type SigningKey } from "../protocols/signature.ts";
import {
  type CertificateAuthority,
  certificateFingerprint,
  certificatePin,
  importTlsPublicKey,
} from "./ca.ts";
import type { Clock } from "./clock.ts";
import type { EnrolResult, Ledger } from "./ledger/ledger.ts";

const CODE_PREFIX = "tugma-enrol:v1";
const SECRET_BYTES = 16;
const MAX_NAME_LENGTH = 64;

export interface EnrolRequest {
  readonly secret: string;
  readonly hubName: string;
  /** Hex, raw. */
  readonly signPublicKey: string;
  readonly signAlg: Algorithm;
  /** SubjectPublicKeyInfo, P-256. */
  readonly tlsPublicKeyPem: string;
  /** Hex: signature by the signing key over "tugma/enrol-proof/v1" ‖ secret ‖ tlsPublicKeyPem. */
  readonly proof: string;
}

export interface EnrolAnswer {
  readonly hubId: string;
  readonly tlsCertificatePem: string;
  readonly caPem: string;
  /** Sealed, base64. */
  readonly enrolment: string;
  readonly receiptPublicKey: string;
  readonly receiptAlg: Algorithm;
  readonly realm: string;
  readonly mqttHost: string;
  readonly mqttPort: number;
}

/** Why a request was not granted. `status` is the HTTP status for it. */
export class EnrolRefusal extends Error {
  override readonly name = "EnrolRefusal";
  readonly status: 400 | 403;
  constructor(status: 400 | 403, message: string) {
    super(message);
    this.status = status;
  }
}

export interface EnrolOptions {
  readonly ledger: Pick<Ledger, "addInvite" | "enrol">;
  readonly clock: Clock;
  readonly ca: CertificateAuthority;
  readonly receiptKey: SigningKey;
  readonly realm: string;
  readonly centre: string;
}

export interface Invitation {
  readonly code: string;
  readonly expiresMs: number;
}

/** Makes a code for one hub. `validMs` from now; the secret itself is kept nowhere. */
export async function invite(
  { ledger, clock, ca }: Pick<EnrolOptions, "ledger" | "clock" | "ca">,
  door: { readonly host: string; readonly port: number },
  validMs: number,
): Promise<Invitation> {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const expiresMs = clock.wallMs() + validMs;
  await ledger.addInvite(secretHash(secret), expiresMs);
  const pin = certificatePin(ca.certificatePem);
  return { code: `${CODE_PREFIX}:${door.host}:${door.port}:${pin}:${secret}`, expiresMs };
}

/** Grants or refuses. Throws an EnrolRefusal with the reason; the code is consumed before the answer exists. */
export async function enrol(
  options: EnrolOptions,
  body: unknown,
  mqtt: { readonly host: string; readonly port: number },
): Promise<EnrolAnswer> {
  const { ledger, clock, ca, receiptKey, realm, centre } = options;
  const request = parseRequest(body);
  const key = provenKey(request);
  const tlsCertificatePem = ca.issueHub(key.kid, tlsKey(request.tlsPublicKeyPem));
  const nowMs = clock.wallMs();
  const statement: Enrolment = {
    version: 1,
    realm,
    hub: key.kid,
    hubPublicKey: key.publicKey,
    hubAlg: key.alg,
    centre,
    receiptPublicKey: receiptKey.publicKey,
    receiptAlg: receiptKey.alg,
    issuedMs: nowMs,
    fromSequence: 1,
  };
  const result = await ledger.enrol(secretHash(request.secret), nowMs, {
    id: key.kid,
    name: request.hubName,
    publicKey: key.publicKey,
    alg: key.alg,
    tlsFingerprint: certificateFingerprint(tlsCertificatePem),
    enrolment: sealEnrolment(statement, receiptKey),
    enrolledMs: nowMs,
  });
  if (result.type !== "ok") throw new EnrolRefusal(403, REFUSALS[result.type]);
  return {
    hubId: key.kid,
    tlsCertificatePem,
    caPem: ca.certificatePem,
    enrolment: Buffer.from(result.enrolment).toString("base64"),
    receiptPublicKey: receiptKey.publicKey,
    receiptAlg: receiptKey.alg,
    realm,
    mqttHost: mqtt.host,
    mqttPort: mqtt.port,
  };
}

const REFUSALS: Record<Exclude<EnrolResult["type"], "ok">, string> = {
  unknown: 'This code was not made here. Ask for one with "tugma centre invite".',
  expired: 'This code has expired. Ask for a new one with "tugma centre invite".',
  used: 'This code has been used by another hub. Ask for a new one with "tugma centre invite".',
  revoked: "This hub was revoked here. Give it a new signing key, or ask the centre.",
};

/** What a hub signs to show that it holds the key that it enrols. */
export function enrolProof(secret: string, tlsPublicKeyPem: string): Uint8Array {
  return Buffer.from(`tugma/enrol-proof/v1${secret}${tlsPublicKeyPem}`, "utf8");
}

function parseRequest(body: unknown): EnrolRequest {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: keyof EnrolRequest, pattern: RegExp): string => {
    const value = fields[name];
    if (typeof value !== "string" || !pattern.test(value))
      throw new EnrolRefusal(400, `${name}: missing or malformed`);
    return value;
  };
  const { signAlg } = fields;
  if (signAlg !== -19 && signAlg !== -9) throw new EnrolRefusal(400, "signAlg: -19 (Ed25519) or -9 (ESP256)");
  return {
    secret: text("secret", /^[A-Za-z0-9_-]{22}$/),
    // it goes to screens: no control characters
    hubName: text("hubName", new RegExp(`^[^\\p{Cc}]{1,${MAX_NAME_LENGTH}}$`, "u")),
    signPublicKey: text("signPublicKey", /^[0-9a-f]{64,130}$/),
    signAlg,
    tlsPublicKeyPem: text("tlsPublicKeyPem", /^[\x20-\x7e\r\n]{50,1000}$/),
    proof: text("proof", /^[0-9a-f]{128}$/),
  };
}

function provenKey(request: EnrolRequest) {
  let key: ReturnType<typeof createVerifyingKey>;
  try {
    key = createVerifyingKey(request.signPublicKey, request.signAlg);
  } catch (cause) {
    throw new EnrolRefusal(400, `signPublicKey: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const signed = enrolProof(request.secret, request.tlsPublicKeyPem);
  if (!key.verify(signed, Buffer.from(request.proof, "hex"))) {
    throw new EnrolRefusal(403, "proof: not signed by the key that is to be enrolled");
  }
  return key;
}

function tlsKey(pem: string) {
  try {
    return importTlsPublicKey(pem);
  } catch (cause) {
    throw new EnrolRefusal(400, `tlsPublicKeyPem: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function secretHash(secret: string): string {
  return createHash("sha256").update(`${CODE_PREFIX}:${secret}`).digest("hex");
}
