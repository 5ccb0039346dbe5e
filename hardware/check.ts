/** Looks for what is wrong in a build before anybody solders it: `checkBuild` finds it by the data of its parts. */

import type { Build } from "./wiring/build.ts";
import { checkCurrents } from "./wiring/check-currents.ts";
import { checkFeeding } from "./wiring/check-feeding.ts";
import { checkPins } from "./wiring/check-pins.ts";
import { checkSignals } from "./wiring/check-signals.ts";
import type { Finding } from "./wiring/finding.ts";

const CHECKS: readonly ((build: Build) => Finding[])[] = [
  checkPins,
  checkFeeding,
  checkSignals,
  checkCurrents,
];

/** Everything that is wrong with a build; nothing, when it may be soldered. */
export function checkBuild(build: Build): Finding[] {
  return CHECKS.flatMap((check) => check(build));
}
