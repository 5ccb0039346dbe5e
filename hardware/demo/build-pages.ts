/** Builds both pages when they are older than what they are made of. Vite is loaded only then. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newestMs } from "./age.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Page {
  readonly name: string;
  readonly config: string;
  /** Folders and files that end up in the page. */
  readonly sources: readonly string[];
}

const PAGES: readonly Page[] = [
  {
    name: "console",
    config: "centre/web/vite.config.ts",
    sources: [
      "centre/web/console",
      "centre/web/vite.config.ts",
      "centre/incidents/incident.ts",
      "protocols/device",
      "protocols/hub-kinds.ts",
    ],
  },
  {
    name: "entrance",
    config: "hardware/demo/web/vite.config.ts",
    sources: ["hardware/demo/web", "hardware/demo/entrance-site.ts", "hardware/demo/site-view.ts"],
  },
];

/** Returns the names of the pages that were built. `force` builds them whatever their age. */
export async function buildPages({ force = false }: { force?: boolean } = {}): Promise<string[]> {
  const old = PAGES.filter((page) => force || isOld(page));
  if (old.length === 0) return [];
  const { build } = await import("vite");
  for (const page of old) await build({ configFile: join(ROOT, page.config), logLevel: "warn" });
  return old.map((page) => page.name);
}

function isOld(page: Page): boolean {
  const built = join(ROOT, "dist", page.name, "index.html");
  if (!existsSync(built)) return true;
  // the lockfile stands for preact and vite themselves
  const sources = [...page.sources, "package-lock.json"].map((source) => newestMs(join(ROOT, source)));
  return Math.max(...sources) > statSync(built).mtimeMs;
}
