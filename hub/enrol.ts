/** `tugma hub enrol`: the hub makes its keys, shows the one-time code to the centre that the code pins, and takes nothing
 *  that does not fit together. Nothing is written before all of it is verified. */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { request } from "node:https";
import path from "node:path";
import { connect } from "node:tls";
import { sha256 } from "../protocols/cose.ts";
import { type Algorithm, createSigningKey, type SigningKey } from "../protocols/signature.ts";
import { type CentreAccess, centreFolder, checkEnrolment, isEnrolled, writeEnrolment } from "./enrolments.ts";
import { KEY_FILES, makeKeys, readPrivate, words } from "./keys.ts";

export interface EnrolOptions {
  /** The hub's folder. */
  readonly dir: string;
  readonly code: string;
  readonly hubName: string;
  /** Which of the hub's centres this is to be. */
  readonly centre: string;
}

export interface Enrolled {
  readonly hub: string;
  readonly realm: string;
  /** The centre's name for itself. */
  readonly centre: string;
}

/** Why it did not come about, for the person at the keyboard. */
export class EnrolError extends Error {
  override readonly name = "EnrolError";
}

export interface EnrolCode {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the centre's CA certificate (DER), base64url. */
  readonly pin: string;
  readonly secret: string;
}

const CODE = /^tugma-enrol:v1:(.+):([0-9]{1,5}):([A-Za-z0-9_-]{43}):([A-Za-z0-9_-]{16,64})$/;
const TIMEOUT_MS = 15_000;
const MAX_ANSWER = 64 * 1024;

/** Throws an EnrolError for text that is no code. */
export function parseCode(code: string): EnrolCode {
  const [, host, port, pin, secret] = CODE.exec(code.trim()) ?? [];
  if (host === undefined || pin === undefined || secret === undefined || !(Number(port) < 65536)) {
    throw new EnrolError(
      'This is no enrolment code. It begins with "tugma-enrol:v1:"; copy all of it from the centre.',
    );
  }
  return { host, port: Number(port), pin, secret };
}

/** Enrols and writes the enrolment. Throws an EnrolError, or a FileProblem for the hub's own files. */
export async function enrolHub(options: EnrolOptions): Promise<Enrolled> {
  const code = parseCode(options.code);
  const folder = centreFolder(options.dir, options.centre);
  if (isEnrolled(folder)) {
    throw new EnrolError(
      `${folder}: this hub is enrolled as "${options.centre}" already. For a further centre add --centre NAME.`,
    );
  }
  makeKeys(options.dir);
  const key = createSigningKey(readPrivate(path.join(options.dir, KEY_FILES.sign)));
  const tlsKeyPem = readPrivate(path.join(options.dir, KEY_FILES.tls));
  const caPem = await pinnedCa(code);
  const answer = await ask(code, caPem, requestBody(options.hubName, code.secret, key, tlsKeyPem));
  const { access, sealed, certificatePem } = readAnswer(answer);
  checkCertificate(certificatePem, caPem, tlsKeyPem, key.kid);
  const enrolment = attempt("its enrolment", () => checkEnrolment(sealed, access, key.publicKey));
  writeEnrolment(folder, { sealed, access, certificatePem, caPem });
  return { hub: enrolment.hub, realm: enrolment.realm, centre: enrolment.centre };
}

/** The CA certificate that the code pins, from the chain that the server presents. Nothing secret is sent here. */
function pinnedCa({ host, port, pin }: EnrolCode): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      socket.destroy();
      reject(new EnrolError(`${host}:${port}: ${why}`));
    };
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: TIMEOUT_MS }, () => {
      const chain = new Set<Buffer>();
      for (
        let one = socket.getPeerCertificate(true);
        one?.raw && !chain.has(one.raw);
        one = one.issuerCertificate
      ) {
        if (Buffer.from(sha256(one.raw)).toString("base64url") === pin) {
          socket.destroy();
          return resolve(new X509Certificate(one.raw).toString());
        }
        chain.add(one.raw);
      }
      fail("this is not the centre that made the code: its certificate authority is another. Do not go on.");
    });
    socket.once("timeout", () => fail("no answer. Is this the right network?"));
    socket.once("error", (error) => fail(`cannot connect: ${error.message}`));
  });
}

function requestBody(hubName: string, secret: string, key: SigningKey, tlsKeyPem: string): string {
  const tlsPublicKeyPem = createPublicKey(tlsKeyPem).export({ type: "spki", format: "pem" }).toString();
  const proof = key.sign(Buffer.from(`tugma/enrol-proof/v1${secret}${tlsPublicKeyPem}`, "utf8"));
  return JSON.stringify({
    secret,
    hubName,
    signPublicKey: key.publicKey,
    signAlg: key.alg,
    tlsPublicKeyPem,
    proof: Buffer.from(proof).toString("hex"),
  });
}

/** Posts over TLS that believes the pinned CA and nobody else. Settles with the parsed answer. */
function ask({ host, port }: EnrolCode, caPem: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new EnrolError(`${host}:${port}: ${error.message}`));
    const post = request({
      host,
      port,
      path: "/enrol",
      method: "POST",
      ca: caPem,
      minVersion: "TLSv1.3",
      // The CA certifies the server's part for the centre only; names and addresses of a centre change.
      checkServerIdentity: () => undefined,
      timeout: TIMEOUT_MS,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    });
    post.once("error", fail);
    post.once("timeout", () => post.destroy(new Error("no answer")));
    post.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER) post.destroy(new Error("the answer is too long"));
      });
      response.once("error", fail);
      response.once("end", () => {
        const answer = parseJson(text);
        if (response.statusCode === 200) resolve(answer);
        else
          fail(new Error(`the centre refused: ${field(answer, "error") ?? `HTTP ${response.statusCode}`}`));
      });
    });
    post.end(body);
  });
}

function readAnswer(answer: unknown) {
  const text = (name: string): string => {
    const value = field(answer, name);
    if (value === undefined || value === "") throw new EnrolError(`The centre's answer lacks ${name}.`);
    return value;
  };
  const access: CentreAccess = {
    realm: text("realm"),
    receiptPublicKey: text("receiptPublicKey"),
    receiptAlg: Number(text("receiptAlg")) as Algorithm,
    mqttHost: text("mqttHost"),
    mqttPort: Number(text("mqttPort")),
  };
  if (!Number.isInteger(access.mqttPort) || access.mqttPort < 1 || access.mqttPort > 65535) {
    throw new EnrolError("The centre's answer has no usable mqttPort.");
  }
  return {
    access,
    sealed: Buffer.from(text("enrolment"), "base64"),
    certificatePem: text("tlsCertificatePem"),
  };
}

function checkCertificate(certificatePem: string, caPem: string, tlsKeyPem: string, hub: string): void {
  const ca = new X509Certificate(caPem);
  const own = attempt("its certificate for this hub", () => new X509Certificate(certificatePem));
  const flaw =
    !own.checkIssued(ca) || !own.verify(ca.publicKey)
      ? "is not signed by its own authority"
      : !own.checkPrivateKey(createPrivateKey(tlsKeyPem))
        ? "is for another key"
        : own.subject !== `CN=${hub}`
          ? `names ${own.subject}, expected CN=${hub}`
          : null;
  if (flaw !== null)
    throw new EnrolError(`The centre's certificate for this hub ${flaw}. Nothing was written.`);
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new EnrolError(
      `The centre's answer cannot be used: ${what}: ${words(cause)}. Nothing was written.`,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not the centre's own words; the status says enough.
    return null;
  }
}

/** A text or number of a JSON object, as text. */
function field(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null || !(name in value)) return undefined;
  const inner = (value as Record<string, unknown>)[name];
  return typeof inner === "string" || typeof inner === "number" ? String(inner) : undefined;
}
