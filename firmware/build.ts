/** `npm run firmware`: one bundle per role and uplink into dist/firmware, linted, with its size. Exit status 1 when a
 *  bundle has a flaw or is over budget. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type MinifyOutput, minify } from "terser";
import { type Joined, join } from "./build/collect.ts";
import { estimateVariables } from "./build/estimate.ts";
import { lint } from "./build/lint.ts";
import { withPlaced } from "./build/place.ts";
import {
  foreignNames,
  tableKeys,
  withArrows,
  withLet,
  withoutMessages,
  withoutUnread,
  withPlaces,
  withShortEquals,
} from "./build/properties.ts";
import { withShared } from "./build/shared.ts";

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** Files that declare what comes from outside the bundle, whose names stay as they are. */
const FOREIGN = foreignNames(
  ["lib.espruino.d.ts", "identity.ts", "sensor-identity.ts"].map((file) =>
    readFileSync(path.join(HERE, file), "utf8"),
  ),
);

/** Uplinks: which files take the place of the RAK3172's, for which the core is written. */
export const UPLINKS = {
  rak3172: {},
  rn2483: { "uplink-rak3172.ts": "uplink-rn2483.ts" },
  wire: { "uplink-rak3172.ts": "uplink-wire.ts", "edge-modem.ts": "edge-wire.ts" },
  mqtt: { "uplink-rak3172.ts": "uplink-mqtt.ts", "edge-modem.ts": "edge-mqtt.ts" },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
export type UplinkName = keyof typeof UPLINKS;

/** Uplinks of each role. Its entry is the file of the same name. */
export const ROLES = {
  "entrance-button": ["rak3172", "rn2483", "wire"],
  "personal-button": ["rak3172"],
  "smoke-sensor": ["rak3172", "wire"],
  "heat-sensor": ["rak3172", "wire"],
  "call-point": ["rak3172", "wire"],
  "door-contact": ["rak3172", "wire"],
} as const satisfies Record<string, readonly UplinkName[]>;
export type Role = keyof typeof ROLES;

/** Bundles that take settings from a hub. The others have no room for them, and behave as their identity file says. */
const SETTABLE: Partial<Record<Role, readonly UplinkName[]>> = {
  "entrance-button": ["rak3172", "rn2483"],
  "personal-button": ["rak3172"],
  "door-contact": ["rak3172"],
};
const FIXED = { "configuration.ts": "configuration-fixed.ts" };

/** Files that stand in the place of others in a bundle. */
function insteadOf(role: Role, uplink: UplinkName): Readonly<Record<string, string>> {
  return { ...UPLINKS[uplink], ...(SETTABLE[role]?.includes(uplink) ? {} : FIXED) };
}

/** What the smallest board (nRF52832) takes: facts of Espruino 2v29, 2630 variables of which a program may
 *  use 60 %. */
export const BUDGET_BYTES = 10_240;
export const BUDGET_VARIABLES = 1578;

export interface FirmwareReport {
  readonly role: Role;
  readonly uplink: UplinkName;
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
  // no program of ours has a getter
  pure_getters: true,
  passes: 3,
} as const;

/** With the names of the source, and with short members, each with the way back to the joined source; and as it is
 *  flashed. */
interface Shrunk {
  readonly named: Mapped;
  readonly short: Mapped;
  readonly flashed: string;
}

interface Mapped {
  readonly code: string;
  readonly map: string;
}

/** First dead code goes, then what only dead code read, then names of members of ours are shortened; then what is said
 *  often is said once, and every other name is shortened. */
export async function shrink(joined: Joined): Promise<Shrunk> {
  const alive = await minify(withPlaces(joined.code), {
    toplevel: true,
    ecma: 2015,
    // constants stay before the functions that use them, so that the second pass can put their values there
    compress: { ...COMPRESS, hoist_funs: false },
    mangle: false,
    format: { beautify: true },
    sourceMap: { asObject: false },
  });
  const read = withLet(withArrows(withoutUnread(withoutMessages(alive.code ?? ""), FOREIGN)));
  const short = await minify(read, {
    ecma: 2015,
    compress: COMPRESS,
    mangle: {
      toplevel: false,
      properties: { builtins: true, reserved: [...FOREIGN, ...tableKeys(read)] },
    },
    sourceMap: { asObject: false, content: String(alive.map) },
  });
  const flashed = await minify(withShared(withPlaced(withShortEquals(short.code ?? ""))), {
    ecma: 2015,
    compress: false,
    mangle: { toplevel: true },
    format: { ascii_only: true },
  });
  return { named: mapped(alive), short: mapped(short), flashed: flashed.code ?? "" };
}

function mapped({ code, map }: MinifyOutput): Mapped {
  if (code === undefined || typeof map !== "string") throw new Error("terser gave no code");
  return { code, map };
}

/** Builds the bundle that starts at `entry`, with other files in the place of some (`insteadOf`, by name in its folder).
 *  Throws a FirmwareError that names file and line of every flaw. */
export async function bundle(
  entry: string,
  insteadOf: Readonly<Record<string, string>> = {},
): Promise<string> {
  const joined = join(entry, insteadOf);
  const { named, short, flashed } = await shrink(joined);
  // shortened, a missing method could not be told from one of ours
  const flaws = new Set([...flawsOf(named, joined), ...flawsOf(short, joined)]);
  if (flaws.size === 0)
    for (const { start, what } of lint(flashed)) flaws.add(`flashed code at ${start}: ${what}`);
  if (flaws.size > 0) throw new FirmwareError([...flaws]);
  return flashed;
}

/** Builds one role on one uplink: the code as it is flashed, its size, and what it takes of the smallest board. Throws a
 *  FirmwareError when it is over budget or has a flaw. */
export async function buildFirmware(role: Role, uplink: UplinkName = "rak3172"): Promise<FirmwareBundle> {
  const entry = path.join(HERE, `${role}.ts`);
  const files = insteadOf(role, uplink);
  const code = await bundle(entry, files);
  const bytes = Buffer.byteLength(code);
  const variables = estimateVariables(code);
  const modules = join(entry, files).files.map(({ file }) => path.relative(path.dirname(HERE), file));
  const report = {
    ...{ role, uplink, bytes, budgetBytes: BUDGET_BYTES },
    ...{ variables, budgetVariables: BUDGET_VARIABLES, modules },
  };
  const over = (what: string, is: number, budget: number) =>
    is > budget ? [`${role} on ${uplink}: ${is} ${what}, budget ${budget}. Make it smaller.`] : [];
  const flaws = [...over("bytes", bytes, BUDGET_BYTES), ...over("variables", variables, BUDGET_VARIABLES)];
  if (flaws.length > 0) throw new FirmwareError(flaws);
  return { code, bytes, report };
}

/** Every role on every uplink that it has. */
export function allBundles(): { readonly role: Role; readonly uplink: UplinkName }[] {
  return (Object.keys(ROLES) as Role[]).flatMap((role) => ROLES[role].map((uplink) => ({ role, uplink })));
}

/** The bundle of a role on an uplink by their names; undefined where there is none. */
export async function bundleFor(role: string, uplink: string): Promise<string | undefined> {
  const found = allBundles().find((one) => one.role === role && one.uplink === uplink);
  return found === undefined ? undefined : (await buildFirmware(found.role, found.uplink)).code;
}

/** Builds all of them into `into`. The messages of those with a flaw or over budget. */
async function buildAll(into: string): Promise<string[]> {
  const flaws: string[] = [];
  for (const { role, uplink } of allBundles()) {
    try {
      const { code, report } = await buildFirmware(role, uplink);
      const file = path.join(into, `${role}-${uplink}.js`);
      writeFileSync(file, code);
      console.log(
        `${path.relative(process.cwd(), file)}: ${report.bytes} of ${report.budgetBytes} bytes, about ` +
          `${report.variables} of ${report.budgetVariables} variables, ${report.modules.length} modules, no flaw`,
      );
    } catch (error) {
      if (!(error instanceof FirmwareError)) throw error;
      flaws.push(...error.flaws);
    }
  }
  return flaws;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const into = path.join(path.dirname(HERE), "dist", "firmware");
  mkdirSync(into, { recursive: true });
  const flaws = await buildAll(into);
  for (const flaw of flaws) console.error(flaw);
  if (flaws.length > 0) process.exitCode = 1;
}
