/** How old a source is: what is built from it is built again when it is older. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** When a file, or the newest thing in a folder, was last written: unix milliseconds. */
export function newestMs(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
