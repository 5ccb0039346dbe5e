/** The centre's own certificate authority: X.509 v3 certificates (RFC 5280) for its server and for each hub, ECDSA P-256.
 *  They are valid from 1970 to 9999: a hub that boots with its clock in 1970 must still connect, and what ends a hub's
 *  right to connect is the registry in the ledger, not a date.                                                          */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  explicit,
  implicit,
  octetString,
  oid,
  sequence,
  set,
  TRUE,
  time,
  tlv,
  unsigned,
  utf8,
} from "./der.ts";

const NOT_BEFORE = new Date("1970-01-01T00:00:00Z");
/** "No well-defined expiration date", RFC 5280 4.1.2.5. */
const NOT_AFTER = new Date("9999-12-31T23:59:59Z");

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  extendedKeyUsage: "2.5.29.37",
  subjectAltName: "2.5.29.17",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** KeyUsage bits (RFC 5280 4.2.1.3), first octet. */
const DIGITAL_SIGNATURE = 0x80;
const CERTIFICATE_SIGN_AND_CRL_SIGN = 0x06;

/** A P-256 key pair; the private half as PKCS#8 PEM. */
export function generateTlsKeyPem(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
}

export interface CertificateAuthority {
  /** The CA's own certificate. */
  readonly certificatePem: string;
  /** For TLS servers: DNS names and addresses in subjectAltName. PEM. */
  issueServer(names: readonly string[], publicKey: KeyObject): string;
  /** For a hub's TLS client; CN = hub id. PEM. */
  issueHub(hub: string, publicKey: KeyObject): string;
}

/** Makes the CA's self-signed certificate. `name` is its common name; the answer is PEM. */
export function createCaCertificate(name: string, privateKeyPem: string): string {
  const privateKey = createPrivateKey(privateKeyPem);
  return certificate({
    name,
    issuer: name,
    publicKey: createPublicKey(privateKeyPem),
    signer: privateKey,
    use: "ca",
    names: [],
  });
}

/** Opens a CA over its private key and certificate (both PEM). Throws when the two do not belong together. */
export function openCa(privateKeyPem: string, certificatePem: string): CertificateAuthority {
  const signer = createPrivateKey(privateKeyPem);
  const own = new X509Certificate(certificatePem);
  if (!own.checkPrivateKey(signer))
    throw new Error("the CA's certificate does not belong to the CA's private key");
  const issuer = own.subject.replace(/^CN=/, "");
  const issue = (name: string, publicKey: KeyObject, use: Use, names: readonly string[]) =>
    certificate({ name, issuer, publicKey, signer, use, names });
  return {
    certificatePem,
    issueServer: (names, publicKey) => issue(names[0] ?? "localhost", publicKey, "server", names),
    issueHub: (hub, publicKey) => issue(hub, publicKey, "hub", []),
  };
}

/** SHA-256 of the certificate's DER in base64url: what an enrolment code pins. */
export function certificatePin(certificatePem: string): string {
  return createHash("sha256").update(new X509Certificate(certificatePem).raw).digest("base64url");
}

/** SHA-256 of the certificate's DER in lower-case hex: how the ledger knows a hub's certificate. */
export function certificateFingerprint(certificatePem: string): string {
  return createHash("sha256").update(new X509Certificate(certificatePem).raw).digest("hex");
}

/** The P-256 public key in a SubjectPublicKeyInfo PEM. Throws with the reason when it is anything else. */
export function importTlsPublicKey(pem: string): KeyObject {
  if (!/^-----BEGIN PUBLIC KEY-----\s/.test(pem)) throw new Error("not a PEM with BEGIN PUBLIC KEY");
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Error(`a ${key.asymmetricKeyType} key, not P-256`);
  }
  return key;
}

type Use = "ca" | "server" | "hub";

interface CertificateRequest {
  name: string;
  issuer: string;
  publicKey: KeyObject;
  signer: KeyObject;
  use: Use;
  names: readonly string[];
}

/** TBSCertificate and its signature, RFC 5280 4.1. */
function certificate(request: CertificateRequest): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const toBeSigned = sequence(
    explicit(0, unsigned(Uint8Array.of(2))),
    unsigned(randomBytes(16)),
    algorithm,
    distinguishedName(request.issuer),
    sequence(time(NOT_BEFORE), time(NOT_AFTER)),
    distinguishedName(request.name),
    request.publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions(request))),
  );
  const der = sequence(toBeSigned, algorithm, bitString(sign("sha256", toBeSigned, request.signer)));
  return pem(der);
}

function distinguishedName(commonName: string): Uint8Array {
  return sequence(set(sequence(oid(OID.commonName), utf8(commonName))));
}

function extensions({ publicKey, signer, use, names }: CertificateRequest): Uint8Array[] {
  const ca = use === "ca";
  const list = [
    extension(OID.basicConstraints, true, sequence(...(ca ? [TRUE, unsigned(Uint8Array.of(0))] : []))),
    extension(
      OID.keyUsage,
      true,
      ca
        ? bitString(Uint8Array.of(CERTIFICATE_SIGN_AND_CRL_SIGN), 1)
        : bitString(Uint8Array.of(DIGITAL_SIGNATURE), 7),
    ),
    extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey))),
    extension(
      OID.authorityKeyIdentifier,
      false,
      sequence(implicit(0, keyIdentifier(createPublicKey(signer)))),
    ),
  ];
  if (ca) return list;
  const purpose = oid(use === "server" ? OID.serverAuth : OID.clientAuth);
  list.push(extension(OID.extendedKeyUsage, false, sequence(purpose)));
  if (use === "server") list.push(extension(OID.subjectAltName, false, sequence(...names.map(generalName))));
  return list;
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octetString(value));
}

/** RFC 7093 method 1: the leftmost 160 bits of SHA-256 over the public key's bits. */
function keyIdentifier(publicKey: KeyObject): Uint8Array {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return createHash("sha256").update(point).digest().subarray(0, 20);
}

/** dNSName [2] or iPAddress [7], RFC 5280 4.2.1.6. */
function generalName(name: string): Uint8Array {
  if (isIP(name) === 4) return implicit(7, Uint8Array.from(name.split(".").map(Number)));
  return tlv(0x82, Buffer.from(name, "ascii"));
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
