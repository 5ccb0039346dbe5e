/** Tests that compare us with programs from Debian. */
import { accessSync, constants } from "node:fs";
import path from "node:path";

/** Program → the Debian package that brings it. */
const PACKAGES = {
  chromium: "chromium",
  gcc: "gcc",
  mosquitto: "mosquitto",
  mosquitto_pub: "mosquitto-clients",
  openssl: "openssl",
  socat: "socat",
  tshark: "tshark",
  zbarimg: "zbar-tools",
} as const;

/** Whether the program is here. Where it is missing: in CI (environment variable CI) an error, since a proof must not
 *  go missing unnoticed; elsewhere false, with a line that says what to install.
 *  Use: `test.skipIf(!needs("tshark"))(…)`. */
export function needs(program: keyof typeof PACKAGES): boolean {
  const found = (process.env["PATH"] ?? "").split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // not in this folder: look in the next
    }
  });
  const advice = `${program} is not installed. Run: sudo apt-get install ${PACKAGES[program]}`;
  if (!found && process.env["CI"]) throw new Error(advice);
  if (!found) console.warn(`Skipped: ${advice}`);
  return found;
}
