/** The README of every folder, held against the source: files, commands and limits that it names exist and are as it says. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { buildFirmware } from "../firmware/build.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PAGES = globSync("{,*/}README.md", { cwd: ROOT }).sort();

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

/** What stands in backticks outside of blocks of code. */
function quotedIn(page: string): string[] {
  const prose = read(page).replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
}

/** A file of the source by its name: with or without folders, made of plain characters, perhaps with one `*`. */
const SOURCE_FILE = /^[\w.*/-]+\.(ts|tsx|mjs|json|c|css|md)$/;
const FOLDER = /^[\w./-]+\/$/;
/** Made at run time, or by the build. */
const MADE = /^(data|dist|node_modules|keys|labels)\/|^(centre|identity|flash-pending)\.json$|^centres\//;

/** Where a name on a page may lead: from the page's folder, from the top, or beside a file named before it on its line. */
function placesOf(page: string, name: string): string[] {
  const folder = path.dirname(page);
  const lines = read(page)
    .split("\n")
    .filter((line) => line.includes(`\`${name}\``));
  const beside = lines.flatMap((line) =>
    [...line.matchAll(/`([\w./-]+\/)[^`/]*`/g)].map(([, dir = ""]) => dir),
  );
  return [folder, ".", ...beside.flatMap((dir) => [path.join(folder, dir), dir])].map((dir) =>
    path.join(dir, name),
  );
}

function isThere(place: string): boolean {
  return place.includes("*") ? globSync(place, { cwd: ROOT }).length > 0 : existsSync(path.join(ROOT, place));
}

describe.each(PAGES)("%s", (page) => {
  const quoted = [...new Set(quotedIn(page))];

  test("names files and folders that exist", () => {
    const names = quoted.filter((text) => (SOURCE_FILE.test(text) || FOLDER.test(text)) && !MADE.test(text));
    const missing = names.filter((name) => !placesOf(page, name).some(isThere));
    expect(missing).toEqual([]);
  });

  test("names commands that exist", () => {
    const text = read(page);
    const commands = [...text.matchAll(/npx tugma ([a-z]+)(?: ([a-z]+))?/g)];
    const known = read("tugma.ts");
    for (const [, command = "", part] of commands) {
      expect(known, `npx tugma ${command}`).toContain(`\n  ${command}: {`);
      const owner = `${command}/cli.ts`;
      if (part === undefined || !existsSync(path.join(ROOT, owner))) continue;
      expect(read(owner), `npx tugma ${command} ${part}`).toMatch(new RegExp(`^ .*\\b${part} `, "m"));
    }
    const scripts = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const [, script = ""] of text.matchAll(/npm run ([\w:]+)/g))
      expect(Object.keys(scripts.scripts), `npm run ${script}`).toContain(script);
  });

  const limits = limitsOn(page);
  if (limits.length > 0)
    test.each(limits)("$where is $says", ({ where, says, file, constant, value }) => {
      expect(literalOf(read(file), constant), `${where}: the page says ${says}`).toBe(value);
    });
});

interface Limit {
  readonly where: string;
  readonly says: string;
  readonly file: string;
  readonly constant: string;
  /** In the constant's own unit. */
  readonly value: number;
}

/** Rows `| what | 1,000 ms | `file.ts:CONSTANT` | … |`. */
function limitsOn(page: string): Limit[] {
  const rows = read(page).matchAll(/^\|[^|]+\|([^|]+)\| `([\w./-]+\.tsx?):([\w.]+)` \|/gm);
  return [...rows].map(([, cell = "", name = "", constant = ""]) => {
    const places = [path.join(path.dirname(page), name), name];
    const file = places.find((place) => existsSync(path.join(ROOT, place))) ?? name;
    const says = cell.trim();
    return { where: `${name}:${constant}`, says, file, constant, value: numberOf(says, constant) };
  });
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2 };

/** A cell's number in the unit that the constant's name ends with; NaN for anything else. */
function numberOf(cell: string, constant: string): number {
  const [, digits = "", unit = ""] = /^(\d[\d,]*(?:\.\d+)?)(?: (\w+))?$/.exec(cell) ?? [];
  const number = digits === "" ? Number.NaN : Number(digits.replaceAll(",", ""));
  const inSeconds = /(_S|[a-z]S)$/.test(constant);
  const scale = unit === "" ? 1 : (BYTES[unit] ?? (MS[unit] ?? Number.NaN) / (inSeconds ? 1000 : 1));
  return number * scale;
}

const NUMBER = String.raw`(?:0x[\da-f_]+|\d[\d_.]*)`;

/** The value of `NAME = …` or, for `TABLE.name` and options, of `name: …`; null where no such plain number stands. */
function literalOf(source: string, constant: string): number | null {
  const [table = "", row] = constant.split(".");
  const body = row === undefined ? source : (source.split(new RegExp(`\\bconst ${table}\\b`))[1] ?? "");
  const name = String.raw`\b${row ?? table}(?:: \w+)?(?: = |: )`;
  const [, text] = new RegExp(`${name}(${NUMBER}(?: [*+] ${NUMBER})*)`).exec(body) ?? [];
  return text === undefined ? null : sum(text);
}

/** Sums of products, as limits are written. */
function sum(text: string): number {
  const product = (term: string) =>
    term.split(" * ").reduce((value, factor) => value * Number(factor.replaceAll("_", "")), 1);
  return text.split(" + ").reduce((value, term) => value + product(term), 0);
}

test("firmware/README.md: the bundle's size is today's", async () => {
  const { report } = await buildFirmware("entrance-button");
  const page = read("firmware/README.md");
  const figure = (number: number) => number.toLocaleString("en-US");
  expect(page).toContain(
    `| entrance button, bytes | ${figure(report.bytes)} | ${figure(report.budgetBytes)} |`,
  );
  expect(page).toContain(
    `| entrance button, variables in use (estimate) | ${figure(report.variables)} | ${figure(report.budgetVariables)} |`,
  );
});
