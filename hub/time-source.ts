/** What disciplines this machine's clock. The only place that looks at the operating system for it. */
import { existsSync } from "node:fs";
import type { WallSource } from "./time.ts";

/** systemd-timesyncd touches it when it has set the clock; chrony and ntpd installations on Debian do the same. */
const SYNCHRONIZED = "/run/systemd/timesync/synchronized";
const RTC = "/dev/rtc0";

/** "none" also where a clock runs that nobody has set: then the time of the last record is all that is known. */
export function wallSourceOfMachine(): WallSource {
  if (existsSync(SYNCHRONIZED)) return "ntp";
  return existsSync(RTC) ? "rtc" : "none";
}
