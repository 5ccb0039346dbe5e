import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { join } from "../../firmware/build/collect.ts";
import { withPlaced } from "../../firmware/build/place.ts";
import {
  foreignNames,
  tableKeys,
  withArrows,
  withLet,
  withoutMessages,
  withoutUnread,
  withPlaces,
  withShortEquals,
} from "../../firmware/build/properties.ts";
import { withShared } from "../../firmware/build/shared.ts";
import {
  allBundles,
  BUDGET_BYTES,
  BUDGET_VARIABLES,
  buildFirmware,
  bundle,
  FirmwareError,
} from "../../firmware/build.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "firmware-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes modules, the last is the entry; returns its path. */
function modules(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return path.join(folder, Object.keys(files).at(-1) ?? "");
}

/** What a bundle prints. */
function run(code: string): unknown[] {
  const printed: unknown[] = [];
  runInNewContext(code, { print: (value: unknown) => printed.push(value) });
  return printed;
}

describe("a bundle", () => {
  test("joins modules in import order, without types, imports and exports", async () => {
    const entry = modules({
      "a.ts": "export interface A { readonly n: number }\nexport const one: number = 1;\n",
      "b.ts": 'import { one } from "./a.ts";\nexport function two(): number { return one + one; }\n',
      "main.ts":
        'import { type A, one } from "./a.ts";\nimport { two } from "./b.ts";\nconst a: A = { n: two() };\nprint(a.n + one);\n',
    });
    expect(run(await bundle(entry))).toEqual([3]);
  });

  test("tells names apart that two modules use privately", async () => {
    const entry = modules({
      "c.ts": "const VERSION = 1;\nexport const c = () => ({ VERSION, of: VERSION });\n",
      "d.ts":
        "const VERSION = 2;\nexport function d(VERSION_2: number) { return VERSION * 10 + VERSION_2; }\n",
      "main.ts":
        'import { c } from "./c.ts";\nimport { d } from "./d.ts";\nconst VERSION = 3;\nprint(c().VERSION + d(5) + VERSION);\n',
    });
    expect(run(await bundle(entry))).toEqual([1 + 25 + 3]);
  });

  test("with a flaw is refused with the file and the line of the source", async () => {
    const entry = modules({
      "e.ts": "export const fine = 1;\n",
      "flawed.ts":
        "\n// a comment\n\nexport interface Gone {}\nexport const flat = (list: number[][]) => list.flat();\n",
      "main.ts":
        'import { fine } from "./e.ts";\nimport { flat } from "./flawed.ts";\nprint(flat([[fine]]));\n\nprint(new Map());\n',
    });
    const error = await bundle(entry).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FirmwareError);
    const flaws = (error as FirmwareError).flaws.map((flaw) => flaw.replace(/^.*\//, ""));
    expect(flaws).toEqual(["flawed.ts:5: .flat is missing", "main.ts:5: Map is missing"]);
  });

  test.each([
    [
      "a cycle",
      {
        "f.ts": 'import { g } from "./g.ts";\nexport const f = () => g;\n',
        "g.ts": 'import { f } from "./f.ts";\nexport const g = () => f;\n',
      },
    ],
    [
      "by its own name",
      { "h.ts": "export const h = 1;\n", "main.ts": 'import { h as other } from "./h.ts";\nprint(other);\n' },
    ],
    [
      "by its own name",
      { "h.ts": "export const h = 1;\n", "main.ts": 'import * as all from "./h.ts";\nprint(all);\n' },
    ],
    ["export each name", { "main.ts": "const k = 1;\nexport { k };\n" }],
    [
      "another module defines",
      {
        "m.ts": "export const same = 1;\n",
        "n.ts": 'import { same } from "./m.ts";\nprint(same);\nexport const other = 1;\n',
        "p.ts": "export const same = 2;\n",
        "main.ts": 'import { other } from "./n.ts";\nimport { same } from "./p.ts";\nprint(same + other);\n',
      },
    ],
  ])("modules that no order or no name fits are refused: %s", (what, files) => {
    expect(() => join(modules(files))).toThrow(what);
  });
});

describe("shortening", () => {
  test("leaves out what nobody reads, and keeps what comes from outside or is looked up by its text", () => {
    const code =
      "const T = { a: { id: 1, sia: 2 }, b: { id: 3 } };\nprint(T['a'].id, { outside: 4, unread: 5 });";
    expect(withoutUnread(code, new Set(["outside"])).replace(/ +/g, " ")).toBe(
      "const T = { a: { id: 1, }, };\nprint(T['a'].id, { outside: 4, });",
    );
  });

  test("takes outside names from declarations, never from comments", () => {
    const names = foreignNames([
      '/** seen: not */ interface A { readonly one?: "text"; two(): void } // three: no',
    ]);
    expect([...names].sort()).toEqual(["one", "text", "two"]);
  });

  test("writes functions as arrows without changing them", () => {
    const code = "function f(a, b) { return a + b; }\nfunction g() { print(f(1, 2)); }\ng();";
    expect(run(withArrows(code))).toEqual([3]);
  });

  test("says of a malformed frame what code it has, and keeps the words for those who can read them", () => {
    const code = 'const x = () => {\n  throw codecError("length", "stage: " + f(1, 2) + " bytes");\n};\n';
    expect(withoutMessages(code)).toBe('const x = () => {\n  throw "length";\n};\n');
    const asks = code + "print(isCodecError(1));";
    expect(withoutMessages(asks)).toBe(asks);
  });
});

describe("what is said often", () => {
  test("is said once, and means the same", () => {
    const code =
      'const a = { length: 1, x: "a longer text" };\nprint(a.length, [1, 2].length, "abc".length, "a longer text".length, Math.max(1, 2), Math.max(3, 4), Math.max(5, 4), a.missing === void 0, a["x"] === "a longer text", a.other === void 0, a.b === void 0, a.c === void 0);';
    const shared = withShared(code);
    expect(run(shared)).toEqual(run(code));
    expect(shared.match(/Math\.max|void 0|a longer text/g)?.length).toBe(3);
    expect(shared).toContain("{ length: 1, x:");
  });

  test("keeps words apart that need no blank before a text", () => {
    const code =
      'const f = (x) => { if (x) return"some text"; throw"some text" };\nprint(f(1) + f(2) + f(3), "some text");';
    expect(run(withShared(code))).toEqual(run(code));
  });

  test("the place of a text in a constant list is its number", () => {
    const code =
      'const L = ["a", "b"];\nprint(L.indexOf("b"), L.indexOf(x), L.indexOf("c"), [1].indexOf("b"));';
    expect(withPlaces(code)).toBe(code.replace('L.indexOf("b")', "1"));
  });

  test("constants become variables, and neighbours one declaration", () => {
    const code = "const a = 1;\nfunction f() { const b = a; return b; }\nprint(f());";
    expect(withLet(code)).toBe(code.replaceAll("const", "let"));
  });

  test("what is compared with a number, a word or nothing is compared the short way, texts of digits are not", () => {
    const code = 'print(a === 1, a !== "x", a === undefined_, a === void 0, a === "", a === "12", a === b);';
    expect(withShortEquals(code)).toBe(
      'print(a == 1, a != "x", a === undefined_, a == void 0, a === "", a === "12", a === b);',
    );
  });

  test("a function that is used once stands where it is used, but for one at the top, in a loop, or with a name that means another thing there", () => {
    const once =
      "let f = (x) => x + one, one = 1, g = () => f(2) + f_(3), f_ = (x) => x * one;\nprint(g(), g());";
    expect(withPlaced(once)).not.toMatch(/\bf(_?) =/);
    expect(run(withPlaced(once))).toEqual(run(once));
    const looped = "let f = (x) => x, g = () => { for (let i = 0; i < 2; i++) print(f(i)); };\ng(); g();";
    expect(withPlaced(looped)).toBe(looped);
    const shadowed = "let one = 1, f = () => one, g = (one) => f() + one;\nprint(g(5), g(6));";
    expect(withPlaced(shadowed)).toBe(shadowed);
    const handed = "let f = (x) => x * 2, g = (list) => list.map(f);\nprint(g([1]), g([2]));";
    expect(withPlaced(handed)).toBe("let  g = (list) => list.map(((x) => x * 2));\nprint(g([1]), g([2]));");
    const itself = "let f = (n) => n > 0 ? f(n - 1) : 0;\nprint(1);";
    expect(withPlaced(itself)).toBe(itself);
  });

  test("names of parameters are nobody's; members of what is handed over are", () => {
    const names = foreignNames([
      "declare function f(one: number, two: { three: number }): { four: string };",
    ]);
    expect([...names].sort()).toEqual(["f", "four", "three"]);
  });

  test("a table that is never looked up by text has short keys", () => {
    const code = "const T = { a: { id: 1 } }; const U = { b: { id: 2 } };\nprint(T.a.id, U[x].id);";
    expect(tableKeys(code)).toEqual(["b"]);
  });
});

test.each(allBundles())("$role on $uplink fits its budget", async ({ role, uplink }) => {
  const { bytes, report } = await buildFirmware(role, uplink);
  expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
  expect(report.variables).toBeLessThan(BUDGET_VARIABLES);
  expect(report.modules).toContain("firmware/uplink-" + uplink + ".ts");
});

describe("the entrance button", () => {
  test("fits its budget, has no flaw, and is plain ASCII", async () => {
    const { code, bytes, report } = await buildFirmware("entrance-button");
    expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(bytes).toBe(Buffer.byteLength(code));
    expect(report.variables).toBeLessThan(BUDGET_VARIABLES);
    expect(report.modules).toContain("protocols/device/report.ts");
    expect(report.modules.at(-1)).toBe("firmware/entrance-button.ts");
    expect(/^[\x20-\x7e\n]*$/.test(code)).toBe(true);
  });

  test("is the same every time it is built", async () => {
    const [one, two] = await Promise.all([
      buildFirmware("entrance-button"),
      buildFirmware("entrance-button"),
    ]);
    expect(one.code).toBe(two.code);
  });
});
