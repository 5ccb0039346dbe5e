/** `npm run firmware`: one bundle per role into dist/firmware, linted, with its size. Exit status 1 when a
 *  bundle has a flaw or is over budget. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type MinifyOutput, minify } from "terser";
import { type Joined, join } from "./build/collect.ts";
import { estimateVariables } from "./build/estimate.ts";
import { lint } from "./build/lint.ts";
import { foreignNames, tableKeys, withArrows, withoutMessages, withoutUnread } from "./build/properties.ts";

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** Files that declare what comes from outside the bundle, whose names stay as they are. */
const FOREIGN = foreignNames(
  ["lib.espruino.d.ts", "identity.ts"].map((file) => readFileSync(path.join(HERE, file), "utf8")),
);

/** Entry of each role. */
export const ROLES = { "entrance-button": "entrance-button.ts" } as const;
export type Role = keyof typeof ROLES;

/** What the smallest board (nRF52832) takes: facts of Espruino 2v29, 2630 variables of which a program may
 *  use 60 %. */
export const BUDGET_BYTES = 10_240;
export const BUDGET_VARIABLES = 1578;

export interface FirmwareReport {
  readonly role: Role;
  readonly bytes: number;
  readonly budgetBytes: number;
  /** Estimate of Espruino variables in use when run from Storage. */
  readonly variables: number;
  readonly budgetVariables: number;
  readonly modules: readonly string[];
}

export interface FirmwareBundle {
  readonly code: string;
  readonly bytes: number;
  readonly report: FirmwareReport;
}

export class FirmwareError extends Error {
  override readonly name = "FirmwareError";
  readonly flaws: readonly string[];
  constructor(flaws: readonly string[]) {
    super(flaws.join("\n"));
    this.flaws = flaws;
  }
}

/** File and line from which a place in the joined code came. */
function sourceOf({ files }: Joined, line: number): string {
  const from = files.findLast(({ firstLine }) => firstLine <= line);
  if (from === undefined) return "?";
  return path.relative(process.cwd(), from.file) + ":" + (line - from.firstLine + 1);
}

function flawsOf({ code, map }: Mapped, joined: Joined): string[] {
  const sourceMap = new SourceMap(JSON.parse(map));
  return lint(code).map(({ start, what }) => {
    const before = code.slice(0, start).split("\n");
    const entry = sourceMap.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    return ("originalLine" in entry ? sourceOf(joined, entry.originalLine) : "?") + ": " + what;
  });
}

/** Terser's compressor, told to leave alone what Espruino would understand otherwise. */
const COMPRESS = {
  toplevel: true,
  hoist_funs: true,
  hoist_vars: false,
  inline: 1,
  reduce_funcs: false,
  collapse_vars: false,
  sequences: false,
  unsafe_arrows: true,
  passes: 3,
} as const;

/** With the names of the source, and as it is flashed; each with the way back to the joined source. */
interface Shrunk {
  readonly named: Mapped;
  readonly flashed: Mapped;
}

interface Mapped {
  readonly code: string;
  readonly map: string;
}

/** First dead code goes, then what only dead code read, then every name of ours is shortened. */
async function shrink(joined: Joined): Promise<Shrunk> {
  const alive = await minify(joined.code, {
    toplevel: true,
    ecma: 2015,
    // constants stay before the functions that use them, so that the second pass can put their values there
    compress: { ...COMPRESS, hoist_funs: false },
    mangle: false,
    format: { beautify: true },
    sourceMap: { asObject: false },
  });
  const read = withArrows(withoutUnread(withoutMessages(alive.code ?? ""), FOREIGN));
  const short = await minify(read, {
    toplevel: true,
    ecma: 2015,
    compress: COMPRESS,
    mangle: { properties: { builtins: true, reserved: [...FOREIGN, ...tableKeys(read)] } },
    format: { ascii_only: true },
    sourceMap: { asObject: false, content: String(alive.map) },
  });
  return { named: mapped(alive), flashed: mapped(short) };
}

function mapped({ code, map }: MinifyOutput): Mapped {
  if (code === undefined || typeof map !== "string") throw new Error("terser gave no code");
  return { code, map };
}

/** Builds the bundle that starts at `entry`. Throws a FirmwareError that names file and line of every
 *  flaw. */
export async function bundle(entry: string): Promise<string> {
  const joined = join(entry);
  const { named, flashed } = await shrink(joined);
  // shortened, a missing method could not be told from one of ours
  const flaws = new Set([...flawsOf(named, joined), ...flawsOf(flashed, joined)]);
  if (flaws.size > 0) throw new FirmwareError([...flaws]);
  return flashed.code;
}

/** Builds one role: the code as it is flashed, its size, and what it takes of the smallest board. Throws a
 *  FirmwareError when it is over budget or has a flaw. */
export async function buildFirmware(role: Role): Promise<FirmwareBundle> {
  const entry = path.join(HERE, ROLES[role]);
  const code = await bundle(entry);
  const bytes = Buffer.byteLength(code);
  const variables = estimateVariables(code);
  const modules = join(entry).files.map(({ file }) => path.relative(path.dirname(HERE), file));
  const report = {
    role,
    bytes,
    budgetBytes: BUDGET_BYTES,
    variables,
    budgetVariables: BUDGET_VARIABLES,
    modules,
  };
  if (bytes > BUDGET_BYTES)
    throw new FirmwareError([`${role}: ${bytes} bytes, budget ${BUDGET_BYTES}. Make it smaller.`]);
  return { code, bytes, report };
}

async function main(): Promise<void> {
  const into = path.join(path.dirname(HERE), "dist", "firmware");
  mkdirSync(into, { recursive: true });
  for (const role of Object.keys(ROLES) as Role[]) {
    const { code, report } = await buildFirmware(role);
    const file = path.join(into, role + ".js");
    writeFileSync(file, code);
    console.log(
      `${path.relative(process.cwd(), file)}: ${report.bytes} of ${report.budgetBytes} bytes, about ` +
        `${report.variables} of ${report.budgetVariables} variables, ${report.modules.length} modules, no flaw`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main().catch((error: unknown) => {
    if (!(error instanceof FirmwareError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
