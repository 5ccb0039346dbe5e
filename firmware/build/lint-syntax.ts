/** Syntax that Espruino refuses, or parses and means otherwise. */
import type { AnyNode, Program } from "acorn";
import type { Flaw } from "./flaw.ts";
import { childrenOf } from "./scope.ts";

/** Node types that are wrong wherever they stand. */
const MISSING: Partial<Record<AnyNode["type"], string>> = {
  AssignmentPattern: "default value",
  RestElement: "rest parameter",
  SpreadElement: "spread",
  ObjectPattern: "destructuring",
  ArrayPattern: "destructuring",
  ChainExpression: "optional chaining ?.",
  LabeledStatement: "label",
  YieldExpression: "generator",
  AwaitExpression: "await",
  PrivateIdentifier: "#private name",
  TaggedTemplateExpression: "tagged template",
  WithStatement: "with",
  ImportDeclaration: "import",
  ImportExpression: "import()",
  ExportNamedDeclaration: "export",
  ExportDefaultDeclaration: "export",
  ExportAllDeclaration: "export",
  MetaProperty: "import.meta or new.target",
  StaticBlock: "static block",
};

const MISSING_OPERATORS = new Set(["**", "**=", "??=", "||=", "&&="]);

type Rule = (node: AnyNode, code: string) => string | undefined;

const operator: Rule = (node) =>
  (node.type === "BinaryExpression" || node.type === "AssignmentExpression") &&
  MISSING_OPERATORS.has(node.operator)
    ? "operator " + node.operator
    : undefined;

const functions: Rule = (node) => {
  if (
    node.type !== "FunctionDeclaration" &&
    node.type !== "FunctionExpression" &&
    node.type !== "ArrowFunctionExpression"
  )
    return undefined;
  return node.async ? "async function" : node.generator ? "generator" : undefined;
};

const keys: Rule = (node) =>
  (node.type === "Property" || node.type === "MethodDefinition" || node.type === "PropertyDefinition") &&
  node.computed
    ? "computed key"
    : undefined;

const declarations: Rule = (node) =>
  node.type === "VariableDeclaration" && node.kind === "var"
    ? "var: not hoisted, and from a branch that did not run it is another variable"
    : undefined;

const REGEX: readonly [RegExp, string][] = [
  [/\{\d*,?\d*\}/, "{n,m}"],
  [/\\[bB]/, "\\b"],
  [/[*+?}]\?/, "non-greedy quantifier"],
  [/\(\?[=!<:]/, "lookaround, named or non-capturing group"],
  [/\\[pPu]/, "unicode escape"],
];

const literals: Rule = (node) => {
  if (node.type !== "Literal") return undefined;
  if (typeof node.value === "bigint") return "BigInt";
  if (node.regex) {
    const { pattern, flags } = node.regex;
    if (/[suyvd]/.test(flags)) return "regex flag " + flags + ": unknown, and no error says so";
    const found = REGEX.find(([shape]) => shape.test(pattern));
    return found && "regex " + found[1] + ": never matches, and no error says so";
  }
  if (typeof node.value !== "string") return undefined;
  if (/\\u\{/.test(node.raw ?? "")) return "\\u{} escape";
  return wideText(node.value);
};

function wideText(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the bytes that a string of the board can hold
  return /[^\u0000-\u00ff]/.test(text) ? "character beyond 0xff: strings are bytes" : undefined;
}

const templates: Rule = (node) =>
  node.type === "TemplateElement" ? wideText(node.value.cooked ?? "") : undefined;

const ERRORS = /^(Error|TypeError|RangeError|SyntaxError|ReferenceError|EvalError|URIError)$/;

function usesThis(node: AnyNode): boolean {
  if (node.type === "ThisExpression") return true;
  return node.type !== "FunctionExpression" && childrenOf(node).some(usesThis);
}

const classes: Rule = (node) => {
  if (node.type === "ClassDeclaration" || node.type === "ClassExpression") {
    const isError = node.superClass?.type === "Identifier" && ERRORS.test(node.superClass.name);
    return isError ? "class extends Error: instances are not errors" : undefined;
  }
  if (node.type !== "PropertyDefinition" || node.value?.type !== "ArrowFunctionExpression") return undefined;
  return usesThis(node.value) ? "this in an arrow field: not bound" : undefined;
};

const returns: Rule = (node, code) => {
  if (node.type !== "ReturnStatement" || node.argument) return undefined;
  const after = code.slice(node.start + "return".length);
  return /^[ \t]*\r?\n\s*[^\s}]/.test(after)
    ? "return before a line break: returns what comes next"
    : undefined;
};

const lengths: Rule = (node) => {
  const target =
    node.type === "AssignmentExpression"
      ? node.left
      : node.type === "UpdateExpression"
        ? node.argument
        : undefined;
  const isLength =
    target?.type === "MemberExpression" &&
    target.property.type === "Identifier" &&
    !target.computed &&
    target.property.name === "length";
  return isLength ? "assignment to length: throws" : undefined;
};

const RULES: readonly Rule[] = [
  (node) => MISSING[node.type],
  operator,
  functions,
  keys,
  declarations,
  literals,
  templates,
  classes,
  returns,
  lengths,
];

/** All syntax flaws of a program whose text is `code`. */
export function syntaxFlaws(program: Program, code: string): Flaw[] {
  const flaws: Flaw[] = [];
  const visit = (node: AnyNode) => {
    for (const rule of RULES) {
      const what = rule(node, code);
      if (what !== undefined) flaws.push({ start: node.start, what });
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program);
  return flaws;
}
