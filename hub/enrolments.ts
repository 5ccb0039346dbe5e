/** The centres this hub is enrolled with, as files below its folder. The hub's own folder is the first, "main", whose
 *  enrolment begins the chain; every further one has a folder of its own in `centres/`. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { sha256Hex } from "../protocols/cose.ts";
import { type Enrolment, openEnrolment } from "../protocols/enrolment.ts";
import { type Algorithm, createSigningKey, createVerifyingKey } from "../protocols/signature.ts";
import { FileProblem, KEY_FILES, readPrivate, words, writePrivate } from "./keys.ts";

/** What enrol wrote beside the sealed enrolment, in centre.json: how to reach the centre and open its word. */
export interface CentreAccess {
  readonly realm: string;
  readonly receiptPublicKey: string;
  readonly receiptAlg: Algorithm;
  readonly mqttHost: string;
  readonly mqttPort: number;
}

export interface EnrolledCentre {
  readonly name: string;
  readonly enrolment: Enrolment;
  /** SHA-256 of the sealed enrolment, 64 hex digits. */
  readonly hash: string;
  readonly access: CentreAccess;
  readonly caPem: string;
  readonly certificatePem: string;
}

/** Who the hub is, for everything it signs. */
export interface HubIdentity {
  /** 16 hex digits: the signing key's id. */
  readonly hub: string;
  readonly realm: string;
  /** What record 1 names as its previous. */
  readonly genesis: string;
  readonly signingKeyPem: string;
  readonly tlsKeyPem: string;
  readonly centres: readonly EnrolledCentre[];
}

const FILES = {
  enrolment: "enrolment.cose",
  access: "centre.json",
  certificate: "keys/tls-cert.pem",
  ca: "keys/ca.pem",
} as const;

export const MAIN_CENTRE = "main";
const CENTRE_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** The folder of one centre's enrolment. Throws a FileProblem for a name that cannot be a folder's. */
export function centreFolder(dir: string, name: string): string {
  if (!CENTRE_NAME.test(name)) {
    throw new FileProblem(`${JSON.stringify(name)} cannot be a centre's name here: use a-z, 0-9 and "-"`);
  }
  return name === MAIN_CENTRE ? dir : path.join(dir, "centres", name);
}

export function isEnrolled(folder: string): boolean {
  return existsSync(path.join(folder, FILES.enrolment));
}

/** Writes what `enrol` has verified; the enrolment itself last, since it makes the rest count. */
export function writeEnrolment(
  folder: string,
  files: {
    readonly sealed: Uint8Array;
    readonly access: CentreAccess;
    readonly certificatePem: string;
    readonly caPem: string;
  },
): void {
  mkdirSync(path.join(folder, "keys"), { recursive: true, mode: 0o700 });
  writePrivate(path.join(folder, FILES.certificate), files.certificatePem);
  writePrivate(path.join(folder, FILES.ca), files.caPem);
  writePrivate(path.join(folder, FILES.access), `${JSON.stringify(files.access, null, 2)}\n`);
  writePrivate(path.join(folder, FILES.enrolment), files.sealed);
}

/** Reads and checks everything. Throws a FileProblem that says what to do. */
export function loadIdentity(dir: string): HubIdentity {
  const signingKeyPem = readPrivate(path.join(dir, KEY_FILES.sign));
  const tlsKeyPem = readPrivate(path.join(dir, KEY_FILES.tls));
  const key = createSigningKey(signingKeyPem);
  if (!isEnrolled(dir)) {
    throw new FileProblem(
      `${dir}: this hub is not enrolled with a centre. Get a code there ("tugma centre invite"), then give it to: tugma hub enrol --dir ${dir}`,
    );
  }
  const further = path.join(dir, "centres");
  const names = existsSync(further)
    ? readdirSync(further)
        .filter((name) => CENTRE_NAME.test(name))
        .sort()
    : [];
  const centres = [MAIN_CENTRE, ...names.filter((name) => isEnrolled(path.join(further, name)))].map((name) =>
    loadCentre(centreFolder(dir, name), name, key.publicKey),
  );
  const [main] = centres;
  if (main === undefined) throw new FileProblem(`${dir}: no enrolment can be read`);
  for (const { name, enrolment } of centres) {
    if (enrolment.realm !== main.enrolment.realm) {
      throw new FileProblem(
        `${dir}: centre ${name} is of realm ${enrolment.realm}, ${MAIN_CENTRE} of ${main.enrolment.realm}; ` +
          "a hub signs for one realm, so remove one of the two",
      );
    }
  }
  return { hub: key.kid, realm: main.enrolment.realm, genesis: main.hash, signingKeyPem, tlsKeyPem, centres };
}

function loadCentre(folder: string, name: string, ownPublicKey: string): EnrolledCentre {
  try {
    const access = JSON.parse(readFileSync(path.join(folder, FILES.access), "utf8")) as CentreAccess;
    const sealed = readFileSync(path.join(folder, FILES.enrolment));
    const enrolment = checkEnrolment(sealed, access, ownPublicKey);
    return {
      name,
      enrolment,
      hash: sha256Hex(sealed),
      access,
      caPem: readFileSync(path.join(folder, FILES.ca), "utf8"),
      certificatePem: readFileSync(path.join(folder, FILES.certificate), "utf8"),
    };
  } catch (cause) {
    throw new FileProblem(
      `${folder}: the enrolment with centre ${name} cannot be used: ${words(cause)}. Restore it from a backup or enrol again.`,
    );
  }
}

/** The centre's signed word, opened with its receipt key and held against the hub's own key. Throws when they disagree. */
export function checkEnrolment(sealed: Uint8Array, access: CentreAccess, ownPublicKey: string): Enrolment {
  const key = createVerifyingKey(access.receiptPublicKey, access.receiptAlg);
  const { enrolment } = openEnrolment(sealed, access.realm, (kid) => (kid === key.kid ? key : undefined));
  if (enrolment.hubPublicKey !== ownPublicKey) throw new Error("the enrolment is for another hub's key");
  return enrolment;
}
