/** StandardFirmata 2.4 for the Uno as others have compiled it. It is not ours to keep (LGPL-2.1), so it is taken out of a
 *  package of npm when it is needed, and kept in the system's folder for temporary files. Nothing of it is installed. */
import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { needs } from "../debian.ts";

const PACKAGE = "avrgirl-arduino@5.0.1";
const FILE = "package/junk/hex/uno/StandardFirmata.cpp.hex";
const SHA256 = "6d57ea7cf30e26c9c2f3a01ee37907d2c951f8bc9c27f84dddad12fa9c8b8f36";
const FETCH_MS = 30_000;

/** What stands in its place where tests are skipped: no instruction, and the end. */
export const NO_PROGRAM = ":00000001FF";

/** Intel HEX; null where it or socat cannot be had, with a line that says what is missing. Rejects another file of the
 *  same name. Use: `test.skipIf(hex === null)(…)`. */
export function standardFirmata(): string | null {
  if (!needs("socat")) return null;
  const kept = path.join(tmpdir(), `tugma-standard-firmata-${SHA256.slice(0, 16)}.hex`);
  if (!existsSync(kept) && !fetchTo(kept)) return null;
  const hex = readFileSync(kept);
  const hash = createHash("sha256").update(hex).digest("hex");
  if (hash !== SHA256) throw new Error(`${kept}: SHA-256 is ${hash}, not ${SHA256}; delete it`);
  return hex.toString("latin1");
}

function fetchTo(kept: string): boolean {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-firmata-"));
  try {
    const options: ExecFileSyncOptions = { cwd: dir, timeout: FETCH_MS, stdio: "ignore" };
    execFileSync(
      "npm",
      ["pack", PACKAGE, "--prefer-offline", "--ignore-scripts", "--fetch-retries=0"],
      options,
    );
    execFileSync("tar", ["xzf", "avrgirl-arduino-5.0.1.tgz", FILE], options);
    renameSync(path.join(dir, FILE), kept);
    return true;
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    console.warn(
      `Skipped: StandardFirmata could not be had (${why}). Run with a network: npm pack ${PACKAGE}`,
    );
    return false;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
