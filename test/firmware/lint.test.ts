import { describe, expect, test } from "vitest";
import { lint } from "../../firmware/build/lint.ts";

/** Each was run on Espruino 2v29, which refuses it or does something else. `@` stands before the place that is named. */
const WRONG: readonly [what: string, code: string][] = [
  ["default value", "function f(@a = 1) {} f();"],
  ["rest parameter", "function f(@...a) {} f();"],
  ["spread", "Math.max(@...[1]);"],
  ["spread", "const a = {}; const b = { @...a }; b;"],
  ["spread", "const a = [@...[1]]; a;"],
  ["destructuring", "const @{ a } = {}; a;"],
  ["destructuring", "let a; @[a] = [1];"],
  ["destructuring", "function f(@{ a }) { return a; } f();"],
  ["destructuring", "for (const @[a] of []) a;"],
  ["optional chaining ?.", "const a = {}; @a?.b;"],
  ["operator **", "@2 ** 3;"],
  ["operator **=", "let a = 1; @a **= 2;"],
  ["operator ??=", "let a; @a ??= 1;"],
  ["operator ||=", "let a; @a ||= 1;"],
  ["operator &&=", "let a; @a &&= 1;"],
  ["computed key", "const k = 'a'; const o = { @[k]: 1 }; o;"],
  ["label", "@a: for (;;) break a;"],
  ["generator", "@function* g() {} g;"],
  ["async function", "@async function f() {} f;"],
  ["async function", "const f = @async () => 1; f;"],
  ["await", "@await 1;"],
  ["#private name", "class A { @#x = 1; } A;"],
  ["tagged template", "@print`a`;"],
  ["import", "@import { a } from 'a'; a;"],
  ["import()", "@import('a');"],
  ["export", "@export const a = 1;"],
  ["BigInt", "@1n;"],
  ["\\u{} escape", "@'\\u{41}';"],
  ["character beyond 0xff: strings are bytes", "@'тревога';"],
  ["character beyond 0xff: strings are bytes", "`@€`;"],
  ["static block", "class A { @static { print(1); } } A;"],
  ["import.meta or new.target", "function f() { return @new.target; } f();"],
  ["class extends Error: instances are not errors", "@class A extends Error {} A;"],
  ["this in an arrow field: not bound", "class A { @f = () => this.v; } A;"],
  ["var: not hoisted, and from a branch that did not run it is another variable", "@var a = 1; a;"],
  ["return before a line break: returns what comes next", "function f() { @return\n 5; } f();"],
  ["assignment to length: throws", "const a = []; @a.length = 0;"],
  ["assignment to length: throws", "const a = []; @a.length--;"],
  ["regex {n,m}: never matches, and no error says so", "@/a{2}/.test('aa');"],
  ["regex \\b: never matches, and no error says so", "@/\\ba/.test('a');"],
  ["regex non-greedy quantifier: never matches, and no error says so", "@/a+?/.test('a');"],
  [
    "regex lookaround, named or non-capturing group: never matches, and no error says so",
    "@/(?=a)/.test('a');",
  ],
  [
    "regex lookaround, named or non-capturing group: never matches, and no error says so",
    "@/(?<n>a)/.test('a');",
  ],
  ["regex flag u: unknown, and no error says so", "@/a/u.test('a');"],
  ["a is used before its definition: nothing is hoisted", "@a(); function a() {}"],
  ["b is used before its definition: nothing is hoisted", "function f() { @b(); function b() {} } f();"],
  ["a is used before its definition: nothing is hoisted", "[1].forEach(() => @a()); function a() {}"],
  ["f needs a, which is defined later: nothing is hoisted", "function f() { return a; } @f(); const a = 1;"],
  [
    "f needs h, which is defined later: nothing is hoisted",
    "const g = () => h(); function f() { return g(); } @f(); function h() {}",
  ],
  [
    "closure over i of a loop: all turns share one variable",
    "for (let i = 0; i < 2; i++) setTimeout(() => print(@i), 1);",
  ],
  [
    "closure over a of a loop: all turns share one variable",
    "for (const a of [1]) setTimeout(() => print(@a), 1);",
  ],
  [
    "closure over b of a loop: all turns share one variable",
    "while (true) { const b = 1; setTimeout(() => print(@b), 1); }",
  ],
  ["replace of a string by a function: inserts its source text", "@'a-b'.replace('-', () => '+');"],
  ["reduce from undefined: starts at the first element", "@[1].reduce((a, b) => a, undefined);"],
  ["reduce from undefined: starts at the first element", "@[1].reduce((a, b) => a, void 0);"],
  ["Array.prototype: its methods are not there ([].slice works)", "Array.@prototype.slice.call([1]);"],
  ...["Map", "Set", "WeakMap", "Symbol", "BigInt", "Proxy", "Reflect", "queueMicrotask", "setImmediate"].map(
    missing,
  ),
  ...["structuredClone", "TextEncoder", "TextDecoder", "performance", "module", "exports", "window"].map(
    missing,
  ),
  ...[
    "Array.from",
    "Array.of",
    "Object.freeze",
    "Object.is",
    "Number.isInteger",
    "Number.MAX_SAFE_INTEGER",
  ].map(missing),
  ...[
    "Math.imul",
    "Math.trunc",
    "Math.log2",
    "Promise.race",
    "Promise.any",
    "Promise.allSettled",
    "Date.UTC",
  ].map(missing),
  ...["String.raw", "Uint8Array.from", "Object.hasOwn"].map(missing),
  ...[
    "at",
    "flat",
    "flatMap",
    "reduceRight",
    "codePointAt",
    "trimStart",
    "finally",
    "matchAll",
    "findLast",
  ].map((name): [string, string] => [`.${name} is missing`, `const a = []; a.@${name}(1);`]),
];

function missing(name: string): [string, string] {
  return [name + " is missing", name.includes(".") ? name.replace(".", ".@") + ";" : `@${name};`];
}

describe("a bundle with what Espruino lacks or does otherwise is refused", () => {
  test.each(WRONG)("%s: %s", (what, marked) => {
    const start = marked.indexOf("@");
    expect(lint(marked.replace("@", ""))).toContainEqual({ start, what });
  });
});

describe("what Espruino runs as it is passes", () => {
  test.each([
    "const f = (a) => a ?? 1; print(f(undefined));",
    "class A { constructor() { this.v = 1; } get w() { return this.v; } static s() { return 2; } } print(new A().w + A.s());",
    "class A {} class B extends A { constructor() { super(); } } new B();",
    "for (const a of [1, 2]) print(a); for (let i = 0; i < 2; i++) [i].forEach((x) => print(x));",
    "try { throw new Error('a'); } catch { print(1); }",
    "const o = Object.assign({}, { a: 1 }); const { length } = 'a';".replace(
      "const { length } = 'a';",
      "print(o.a);",
    ),
    "function even(n) { return n === 0 || odd(n - 1); } function odd(n) { return n !== 0 && even(n - 1); } print(even(4));",
    "let timer; function run() { arm(); } function arm() { timer = setTimeout(run, 5); } run(); print(timer);",
    "print('a-b'.replace('-', '+')); print('ab'.replace(/b/g, (x) => x + x)); print([].slice.call([1]));",
    `print(/^[a-z]+\\d*$/i.exec('ab1')[0]); print(\`a\${1}\`); print(0b11 + 1_000);`,
    "print([1].reduce((a, b) => a + b, 0)); const at = (i) => i; print(at(1));",
    "function f() { return; } f(); function g() { if (f()) return\n} g();",
    "new Uint8Array(2).map((_, i) => i); print('\\xff\\0');",
  ])("%s", (code) => {
    expect(lint(code)).toEqual([]);
  });
});
