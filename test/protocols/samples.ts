/** One hub, one centre and records of theirs, with fixed keys, for the tests of signed formats. */
import { createPrivateKey } from "node:crypto";
import { sha256Hex } from "../../protocols/cose.ts";
import { type Enrolment, sealEnrolment } from "../../protocols/enrolment.ts";
import { type EventRecord, sealEvent } from "../../protocols/event.ts";
import { type Receipt, sealReceipt } from "../../protocols/receipt.ts";
import {
  createSigningKey,
  createVerifyingKey,
  ED25519,
  ESP256,
  type SigningKey,
  type VerifyingKey,
} from "../../protocols/signature.ts";

export const REALM = "toshkent-test";

/** RFC 8410: the PKCS#8 frame of an Ed25519 seed. */
export function ed25519Pem(seedHex: string): string {
  const der = Buffer.from(`302e020100300506032b657004220420${seedHex}`, "hex");
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** RFC 5915 inside PKCS#8: a P-256 key with its public point, both hex. */
export function p256Pem(d: string, x: string, y: string): string {
  const base64url = (hex: string) => Buffer.from(hex, "hex").toString("base64url");
  const key = { kty: "EC", crv: "P-256", d: base64url(d), x: base64url(x), y: base64url(y) };
  return createPrivateKey({ key, format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
}

/** RFC 8032 section 7.1, TEST 1 and TEST 2. */
export const HUB_KEY = createSigningKey(
  ed25519Pem("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
);
export const CENTRE_KEY = createSigningKey(
  ed25519Pem("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
);
/** RFC 6979 section A.2.5. */
export const TPM_KEY = createSigningKey(
  p256Pem(
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  ),
);

export const SUITES = [
  { suite: "Ed25519", alg: ED25519, key: HUB_KEY },
  { suite: "ESP256", alg: ESP256, key: TPM_KEY },
] as const;

/** Finds these keys, and no other, by kid. */
export function keyring(...keys: readonly SigningKey[]): (kid: string) => VerifyingKey | undefined {
  const verifying = keys.map(({ publicKey, alg }) => createVerifyingKey(publicKey, alg));
  return (kid) => verifying.find((key) => key.kid === kid);
}

export const ENROLMENT: Enrolment = {
  version: 1,
  realm: REALM,
  hub: HUB_KEY.kid,
  hubPublicKey: HUB_KEY.publicKey,
  hubAlg: HUB_KEY.alg,
  centre: "toshkent-1",
  receiptPublicKey: CENTRE_KEY.publicKey,
  receiptAlg: CENTRE_KEY.alg,
  issuedMs: 1_790_000_000_000,
  fromSequence: 1,
};

export function event(changes: Partial<EventRecord> = {}): EventRecord {
  return {
    version: 1,
    hub: HUB_KEY.kid,
    boot: 3,
    sequence: 1,
    previous: "11".repeat(32),
    time: { unixMs: 1_790_000_000_123, uncertaintyMs: 40, source: "ntp" },
    monotonicMs: 86_400_123,
    device: "70b3d57ed0000001",
    eventNumber: 7,
    ageMs: 1250,
    kind: "panic",
    mode: "real",
    drill: null,
    place: { site: "Chilonzor 5", zone: "2-podyezd" },
    state: {
      detail: 24,
      batteryPercent: 91,
      tamperOpen: false,
      batteryLow: false,
      mainsLost: true,
      deviceFault: false,
    },
    frameHash: "22".repeat(32),
    receptions: [
      { carrier: "semtech-udp", gateway: "a84041ffff000001", rssiDbm: -91, snrDb: 9.25, dataRate: 5 },
    ],
    provenance: "authenticated",
    configHash: "0123456789abcdef",
    refersTo: null,
    raw: null,
    note: null,
    ...changes,
  };
}

export function receipt(changes: Partial<Receipt> = {}): Receipt {
  return {
    version: 1,
    hub: HUB_KEY.kid,
    sequence: 1,
    recordHash: "33".repeat(32),
    result: "stored",
    receiver: "toshkent-1",
    centreMs: 1_790_000_000_456,
    ledgerIndex: 77,
    stage: "received",
    incident: null,
    complete: 1,
    more: [],
    ...changes,
  };
}

export const SEALED_ENROLMENT = sealEnrolment(ENROLMENT, CENTRE_KEY);

/** `count` sealed records from the enrolment on, each naming the hash of the one before it. */
export function chain(
  count: number,
  changes: (sequence: number) => Partial<EventRecord> = () => ({}),
): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const previous = sha256Hex(records.at(-1) ?? SEALED_ENROLMENT);
    records.push(sealEvent(event({ sequence, previous, ...changes(sequence) }), REALM, HUB_KEY));
  }
  return records;
}

/** A sealed receipt for a record of `chain`. */
export function receiptFor(record: Uint8Array, sequence: number, changes: Partial<Receipt> = {}): Uint8Array {
  const bound = { sequence, recordHash: sha256Hex(record), complete: sequence };
  return sealReceipt(receipt({ ...bound, ...changes }), REALM, CENTRE_KEY);
}
