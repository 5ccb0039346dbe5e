/** Operators' passwords: scrypt (RFC 7914) with a salt per person. 32 MiB and about 60 ms per guess, off the event loop. */
import { type BinaryLike, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const COST_LOG2 = 15;
const BLOCK = 8;
const PARALLEL = 1;
const HASH_BYTES = 32;
export const SALT_BYTES = 16;
export const MIN_PASSWORD = 10;
/** A bound only against someone who would make the server hash megabytes. */
export const MAX_PASSWORD = 200;

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

/** `scrypt$15$8$1$salt$hash`, both base64url: the cost travels with the hash, so that it can be raised later. */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  const hash = await run(password, salt, COST_LOG2, BLOCK, PARALLEL);
  return ["scrypt", COST_LOG2, BLOCK, PARALLEL, base64url(salt), base64url(hash)].join("$");
}

/** True when `password` made `stored`. Compared in constant time; a damaged row is false, never an exception. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, costLog2, block, parallel, salt = "", hash = ""] = stored.split("$");
  const expected = Buffer.from(hash, "base64url");
  if (scheme !== "scrypt" || expected.length !== HASH_BYTES || password.length > MAX_PASSWORD) return false;
  const actual = await run(
    password,
    Buffer.from(salt, "base64url"),
    Number(costLog2),
    Number(block),
    Number(parallel),
  );
  return timingSafeEqual(actual, expected);
}

/** What is wrong with a new password, or null. Length is the only rule that helps (NIST SP 800-63B 3.1.1.2). */
export function passwordFlaw(password: string): "short" | "long" | null {
  const length = [...password.normalize("NFKC")].length;
  if (length < MIN_PASSWORD) return "short";
  return password.length > MAX_PASSWORD ? "long" : null;
}

function run(
  password: string,
  salt: Uint8Array,
  costLog2: number,
  block: number,
  parallel: number,
): Promise<Buffer> {
  const options = { N: 2 ** costLog2, r: block, p: parallel, maxmem: 256 * 2 ** costLog2 * block };
  // the same letters typed on another keyboard layout or system must be the same password
  return derive(password.normalize("NFKC"), salt, HASH_BYTES, options);
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
