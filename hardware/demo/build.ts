/** `tugma build`: what cannot run as it is written (web pages, firmware bundles), when it is older than its sources. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildFirmware } from "../../firmware/build.ts";
import { buildPages } from "./build-pages.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
}

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

/** Settles with the bundle of the entrance button. It takes under a second, so it is always built anew. */
export async function buildButton(): Promise<string> {
  const { code } = await buildFirmware("entrance-button");
  const folder = path.join(DIST, "firmware");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "entrance-button-rak3172.js"), code);
  return code;
}

/** Exit status 0, or 64 for a wrong command line. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let force: boolean;
  try {
    force = parseArgs({ args: [...args], options: { force: { type: "boolean" } } }).values.force ?? false;
  } catch (error) {
    io.printError(`build: ${(error as Error).message}\nusage: npx tugma build [--force]`);
    return 64;
  }
  const pages = await buildPages({ force });
  io.print(pages.length > 0 ? `built the pages: ${pages.join(", ")}` : "the pages are up to date");
  const bundle = await buildButton();
  io.print(`built the entrance button's firmware: ${bundle.length} bytes`);
  return 0;
}
