/** Builds the library that slows every sync of a process and its children, as slow storage would. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("slow-sync.c", import.meta.url));

/** The environment that slows syncs by `delayMs`, or in words why there is none here. */
export function buildSlowSync(
  dir: string,
  delayMs: number,
): { env: Record<string, string> } | { why: string } {
  if (process.platform !== "linux") return { why: "LD_PRELOAD needs Linux" };
  const library = path.join(dir, `slow-sync-${delayMs}.so`);
  const delayNs = `-DDELAY_NS=${Math.round(delayMs * 1e6)}L`;
  const built = spawnSync("gcc", ["-shared", "-fPIC", "-O2", delayNs, "-o", library, SOURCE, "-ldl"], {
    encoding: "utf8",
  });
  if (built.error) return { why: "gcc is not installed; with it, slow storage would be measured too" };
  if (built.status !== 0) return { why: `gcc: ${built.stderr.trim()}` };
  return { env: { LD_PRELOAD: library } };
}
