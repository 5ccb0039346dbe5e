/** `tugma hardware …`: what is built, whether it may be soldered, what to order for it, and how long its cell lasts. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { REGIONS, type RegionName } from "../protocols/lorawan/regions.ts";
import { isOnBattery, type LifeRow, lifeOf, printedRow, TABLE_HEAD, tableSf } from "./battery-table.ts";
import { bomCsv, bomOf } from "./bom.ts";
import { checkBuild } from "./check.ts";
import type { Build } from "./wiring/build.ts";
import { BUILDS, buildOf } from "./wiring/builds.ts";
import { drawSheet } from "./wiring/draw.ts";
import { profileOf } from "./wiring/profile.ts";

const USAGE = `usage: tugma hardware list    [--json]                        what is built
       tugma hardware check   [BUILD …] [--json]              what is wrong with it: exit status 1 if anything is
       tugma hardware bom     [BUILD …] [--count N] [--into DIR] [--json]
                                                              bill of materials of one, or of N of each
       tugma hardware wiring  [BUILD …] [--into DIR]          wiring sheet as SVG, A4
       tugma hardware profile BUILD                           the profile of its identity file
       tugma hardware battery [BUILD …] [--heartbeat S] [--region R] [--json]
                                                              years on a cell, from virtual days of the bundle
Without BUILD: every build. R is EU868 unless given, S 3600.`;

const OPTIONS = {
  json: { type: "boolean" },
  into: { type: "string" },
  count: { type: "string" },
  heartbeat: { type: "string" },
  region: { type: "string" },
} as const satisfies ParseArgsConfig["options"];

interface Io {
  print(line: string): void;
  printError(line: string): void;
}

/** The bundle of a role on an uplink; undefined where the firmware has none. */
export type BundleOf = (role: string, uplink: string) => Promise<string | undefined>;

interface Call {
  readonly builds: readonly Build[];
  readonly isNamed: boolean;
  readonly json: boolean;
  readonly into: string | undefined;
  readonly count: number;
  readonly heartbeatS: number;
  readonly region: RegionName;
  readonly io: Io;
  readonly bundleOf: BundleOf;
}

class WrongCall extends Error {}

function list({ builds, json, io }: Call): number {
  const rows = builds.map(({ name, title, firmware }) => ({ name, title, firmware: firmware ?? null }));
  if (json) io.print(JSON.stringify(rows, null, 2));
  else for (const { name, title } of rows) io.print(`${name.padEnd(26)}${title}`);
  return 0;
}

function check({ builds, json, io }: Call): number {
  const findings = builds.flatMap(checkBuild);
  if (json) io.print(JSON.stringify(findings, null, 2));
  else {
    for (const { build, code, says } of findings) io.print(`${build}: ${code}: ${says}`);
    if (findings.length === 0) io.print(`${builds.length} builds, nothing wrong`);
  }
  return findings.length === 0 ? 0 : 1;
}

/** Writes one file per build, or prints the only one. */
function deliver({ builds, into, io }: Call, ending: string, contentOf: (build: Build) => string): number {
  if (into === undefined) {
    for (const build of builds) {
      if (builds.length > 1) io.print(`# ${build.name}`);
      io.print(contentOf(build).trimEnd());
    }
    return 0;
  }
  mkdirSync(into, { recursive: true });
  for (const build of builds) {
    const file = path.join(into, `${build.name}.${ending}`);
    writeFileSync(file, contentOf(build));
    io.print(file);
  }
  return 0;
}

function bom(call: Call): number {
  if (!call.json) return deliver(call, "csv", (build) => bomCsv(bomOf(build, call.count)));
  const bills = call.builds.map((build) => ({ build: build.name, lines: bomOf(build, call.count) }));
  call.io.print(JSON.stringify(bills, null, 2));
  return 0;
}

function profile({ builds, isNamed, io }: Call): number {
  const [build] = builds;
  if (!isNamed || build === undefined || builds.length !== 1) throw new WrongCall("name one build");
  const found = profileOf(build);
  if (found === undefined) throw new WrongCall(`${build.name} runs no firmware of ours: it has no profile`);
  io.print(JSON.stringify(found, null, 2));
  return 0;
}

function wiring(call: Call): number {
  if (call.into === undefined && call.builds.length > 1) throw new WrongCall("name one build, or --into DIR");
  return deliver(call, "svg", drawSheet);
}

async function battery({ builds, json, heartbeatS, region, io, bundleOf }: Call): Promise<number> {
  const rows: LifeRow[] = [];
  if (!json) for (const line of TABLE_HEAD) io.print(line);
  for (const build of builds.filter(isOnBattery)) {
    const { role = "", uplink = "" } = build.firmware ?? {};
    const bundle = await bundleOf(role, uplink);
    if (bundle === undefined) io.printError(`${build.name}: the firmware has no ${role} on ${uplink}`);
    else
      for (const sf of tableSf(region)) {
        const row = await lifeOf(build, bundle, { region, sf, heartbeatS });
        rows.push(row);
        if (!json) io.print(printedRow(row));
      }
  }
  if (json) io.print(JSON.stringify(rows, null, 2));
  if (rows.length === 0) io.printError("tugma hardware battery: nothing of it lives on a cell");
  return rows.length === 0 ? 1 : 0;
}

const COMMANDS: Readonly<Record<string, (call: Call) => number | Promise<number>>> = {
  list,
  check,
  bom,
  wiring,
  profile,
  battery,
};

/** A whole number within bounds, or the one that is meant without it. */
function numberOf(
  name: string,
  text: string | undefined,
  otherwise: number,
  bounds: readonly [number, number],
): number {
  const [min, max] = bounds;
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new WrongCall(`--${name} ${text}: a whole number from ${min} to ${max}`);
}

function regionOf(text: string): RegionName {
  if (Object.hasOwn(REGIONS, text)) return text as RegionName;
  throw new WrongCall(`--region ${text}: one of ${Object.keys(REGIONS).join(", ")}`);
}

function readCall(args: readonly string[], io: Io, bundleOf: BundleOf): Call {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const builds = positionals.map((name) => {
    const build = buildOf(name);
    if (build === undefined) throw new WrongCall(`no build "${name}"; tugma hardware list names them`);
    return build;
  });
  const isNamed = builds.length > 0;
  return {
    builds: isNamed ? builds : BUILDS,
    isNamed,
    json: values.json ?? false,
    into: values.into,
    count: numberOf("count", values.count, 1, [1, 100_000]),
    heartbeatS: numberOf("heartbeat", values.heartbeat, 3600, [60, 86_400]),
    region: regionOf(values.region ?? "EU868"),
    io,
    bundleOf,
  };
}

function isWrongArguments(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

/** Runs one command. Exit status: 0, 1 findings or nothing to say, 64 wrong command line, 74 the disk refuses. */
export async function run(
  [name = "", ...args]: readonly string[],
  io: Io,
  bundleOf: BundleOf,
): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const asked = ["", "help", "--help", "-h"].includes(name);
    (asked ? io.print : io.printError)(asked ? USAGE : `tugma hardware: no command "${name}"\n${USAGE}`);
    return name === "" || !asked ? 64 : 0;
  }
  try {
    return await command(readCall(args, io, bundleOf));
  } catch (error) {
    if (error instanceof WrongCall || isWrongArguments(error)) {
      io.printError(`tugma hardware ${name}: ${error.message}`);
      return 64;
    }
    if (error instanceof Error && "syscall" in error) {
      io.printError(`tugma hardware ${name}: cannot write: ${error.message}`);
      return 74;
    }
    throw error;
  }
}
