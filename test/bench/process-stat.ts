/** What Linux says about another process. */
import { readFileSync } from "node:fs";

/** Linux counts in hundredths of a second whatever the kernel's own tick is (USER_HZ). */
const TICKS_PER_S = 100;

/** CPU seconds so far, all threads, user and system. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // the name in parentheses may hold anything; utime and stime are the 12th and 13th field behind it
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Resident memory in MB of 10^6 bytes. */
export function residentMbOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return (Number(line?.[1]) * 1024) / 1e6;
}
