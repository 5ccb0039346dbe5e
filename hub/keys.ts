/** Private keys in files: made here, mode 0600, never printed, never overwritten. */
import { generateKeyPairSync } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { generatePrivateKeyPem } from "../protocols/signature.ts";

/** Something about a file that a person must put right; the message says what to do. */
export class FileProblem extends Error {
  override readonly name = "FileProblem";
}

const PRIVATE_MODE = 0o600;
const PRIVATE_FOLDER_MODE = 0o700;

/** Where the hub's keys lie below its folder. */
export const KEY_FILES = { sign: "keys/sign.pem", tls: "keys/tls.pem" } as const;

/** Makes the signing key (Ed25519) and the TLS key (P-256) where they are missing. Existing ones are kept. */
export function makeKeys(dir: string): void {
  mkdirSync(path.join(dir, "keys"), { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const sign = path.join(dir, KEY_FILES.sign);
  const tls = path.join(dir, KEY_FILES.tls);
  if (!existsSync(sign)) writePrivate(sign, generatePrivateKeyPem());
  if (!existsSync(tls)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writePrivate(tls, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  }
}

/** Reads a file that nobody but its owner may read. Throws a FileProblem when it is missing or others can read it. */
export function readPrivate(file: string): string {
  let mode: number;
  try {
    mode = statSync(file).mode;
  } catch (cause) {
    throw new FileProblem(
      `${file}: ${words(cause)}. Run "tugma hub enrol" first, or restore it from a backup.`,
    );
  }
  if ((mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(3, "0");
    throw new FileProblem(
      `${file}: its mode is ${octal}, so other users can read it. If nobody has: chmod 600 ${file}. ` +
        "If somebody may have, enrol the hub again with new keys.",
    );
  }
  return readFileSync(file, "utf8");
}

/** Writes a whole file or nothing: under another name first, to stable storage, then in its place. */
export function writePrivate(file: string, content: string | Uint8Array): void {
  const draft = `${file}.new`;
  const handle = openSync(draft, "w", PRIVATE_MODE);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    writeSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, file);
  syncFolder(path.dirname(file));
}

/** A rename is on stable storage only once the folder is. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
