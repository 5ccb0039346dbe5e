/** The shape of the source, as rules: who may import whom, no cycles, no barrels, no default exports, no long files. */
import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { assert, describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const FILES = globSync("{tugma.ts,{protocols,firmware,hardware,hub,centre}/**/*.{ts,tsx}}", { cwd: ROOT })
  .map((file) => file.split(path.sep).join("/"))
  .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file))
  .sort();

/** What a folder may import besides itself, most particular first. `npm:` stands before packages. */
const RULES: readonly (readonly [own: RegExp, may: RegExp])[] = [
  // the road's worlds meet in the demo and in the command line
  [/^hardware\/demo\//, /./],
  [/^tugma\.ts$/, /./],
  // runs on Espruino
  [/^protocols\/device\//, /^$/],
  [/^protocols\/signature\.ts$/, /^(protocols\/|node:crypto$|npm:sodium-native$)/],
  [/^protocols\/(cose|lorawan\/crypto)\.ts$/, /^(protocols\/|node:crypto$)/],
  [/^protocols\//, /^$/],
  // the tools that make a bundle run on Node; the programs in it do not
  [/^firmware\/(build\.ts$|(build|flash)\/)/, /^(firmware\/|protocols\/|node:|npm:)/],
  [/^firmware\//, /^protocols\/device\//],
  [/^hardware\//, /^(protocols\/|node:|npm:)/],
  [/^hub\//, /^(protocols\/|hardware\/boards\.ts$|node:|npm:)/],
  [/^centre\//, /^(protocols\/|node:|npm:)/],
];

/** Rows of words and numbers, which get longer and no harder to read. */
const DATA = /(^|\/)(words\/[a-z]+|boards|kinds|hub-kinds|region-plans)\.ts$/;
/** Read by their tools as a default export. */
const CONFIGURATION = /(^|\/)(vite|vitest)[.a-z]*\.config\.ts$/;
const MAX_LINES = 300;

const IMPORT = /^(?:import|export)\b[^;"]*\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
/** Handing on values hides where they live. The types of a file's own signatures may be named again. */
const BARREL = /^export\s+(type\s+\*|\*|\{[^}]*\})\s*(as\s+\w+\s*)?from\b/m;

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

/** What a file imports: paths from the root, `node:x`, or `npm:x`. */
function importsOf(file: string): string[] {
  const specifiers = [...read(file).matchAll(IMPORT)].map(([, a, b, c]) => a ?? b ?? c ?? "");
  return specifiers.map((specifier) => {
    if (specifier.startsWith(".")) return path.posix.join(path.posix.dirname(file), specifier);
    return isBuiltin(specifier) ? `node:${specifier.replace(/^node:/, "")}` : `npm:${specifier}`;
  });
}

describe.each(FILES)("%s", (file) => {
  test("imports what its folder may", () => {
    const [own, may] = RULES.find(([folder]) => folder.test(file)) ?? assert.fail("no rule for this folder");
    for (const to of importsOf(file))
      assert.isTrue(own.test(to) || may.test(to), `${file} must not import ${to}`);
  });

  test("is no barrel and has no default export", () => {
    const source = read(file);
    assert.notMatch(source, BARREL, "hands on what another file exports");
    if (!CONFIGURATION.test(file)) assert.notMatch(source, /^export\s+(default\b|\{[^}]*\bas default\b)/m);
  });

  test(`has at most ${MAX_LINES} lines`, () => {
    if (!DATA.test(file)) expect(read(file).trimEnd().split("\n").length).toBeLessThanOrEqual(MAX_LINES);
  });
});

test("no file imports itself by way of others", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, road: readonly string[]) => {
    if (road.includes(file)) cycles.push([...road.slice(road.indexOf(file)), file].join(" → "));
    else if (!done.has(file) && FILES.includes(file)) {
      for (const next of importsOf(file)) visit(next, [...road, file]);
      done.add(file);
    }
  };
  for (const file of FILES) visit(file, []);
  expect(cycles).toEqual([]);
});

test("the rules see what they are for", () => {
  expect(importsOf("protocols/signature.ts")).toEqual([
    "node:crypto",
    "npm:sodium-native",
    "protocols/device/codec-error.ts",
  ]);
  expect(FILES.length).toBeGreaterThan(20);
});
