/** `tugma build`: what cannot run as it is written (web pages, firmware bundles), when it is older than its sources. */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildFirmware, type Role, type UplinkName } from "../../firmware/build.ts";
import { newestMs } from "./age.ts";
import { buildPages } from "./build-pages.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BUNDLES = path.join(ROOT, "dist", "firmware");
/** The lockfile stands for the tools of the build. */
const SOURCES = ["firmware", "protocols/device", "package-lock.json"];

const fileOf = (role: Role, uplink: UplinkName) => path.join(BUNDLES, `${role}-${uplink}.js`);

async function buildBundle(role: Role, uplink: UplinkName): Promise<string> {
  const { code } = await buildFirmware(role, uplink);
  mkdirSync(BUNDLES, { recursive: true });
  // by another name first: who reads while this is written gets the whole one from before
  const draft = `${fileOf(role, uplink)}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, fileOf(role, uplink));
  return code;
}

/** Settles with the bundle of the entrance button for the radio, built anew. */
export function buildButton(): Promise<string> {
  return buildBundle("entrance-button", "rak3172");
}

/** Settles with the bundle of a role; built when it is older than its sources. */
export async function openBundle(role: Role, uplink: UplinkName = "rak3172"): Promise<string> {
  const file = fileOf(role, uplink);
  const changedMs = Math.max(...SOURCES.map((source) => newestMs(path.join(ROOT, source))));
  const isFresh = existsSync(file) && statSync(file).mtimeMs > changedMs;
  return isFresh ? readFileSync(file, "utf8") : buildBundle(role, uplink);
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
