/** Built-ins that Espruino 2v29 lacks. What it has was asked of the interpreter, member by member. */
import type { AnyNode, CallExpression, Program } from "acorn";
import type { Flaw } from "./flaw.ts";
import { childrenOf, type Names } from "./scope.ts";

const words = (text: string) => new Set(text.split(" "));

const GLOBALS = words(
  "Array ArrayBuffer Boolean DataView Date E Error Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array " +
    "JSON Math Modules NRF NaN Number Object Pin Promise ReferenceError RegExp Serial1 Serial2 String SyntaxError TypeError " +
    "Uint16Array Uint32Array Uint8Array Uint8ClampedArray arguments analogRead analogWrite atob btoa changeInterval clearInterval " +
    "clearTimeout clearWatch console decodeURIComponent digitalPulse digitalRead digitalWrite encodeURIComponent eval getTime " +
    "global globalThis isFinite isNaN parseFloat parseInt pinMode print process require setInterval setTimeout setWatch undefined",
);

/** Static members that exist. Of a global that is not named here any member may be used. */
const STATICS = new Map([
  [
    "Math",
    words(
      "abs acos asin atan atan2 ceil clip cos exp floor log max min pow random round sign sin sqrt tan wrap randInt E LN2 LN10 PI SQRT2 LOG2E LOG10E SQRT1_2",
    ),
  ],
  ["Number", words("MAX_VALUE MIN_VALUE NaN NEGATIVE_INFINITY POSITIVE_INFINITY")],
  [
    "Object",
    words(
      "assign create defineProperties defineProperty entries fromEntries getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames getPrototypeOf keys setPrototypeOf values",
    ),
  ],
  ["Array", words("isArray")],
  ["String", words("fromCharCode")],
  ["Promise", words("all reject resolve")],
  ["JSON", words("parse stringify")],
  ["Date", words("now parse")],
  ...["Uint8Array", "Uint16Array", "Uint32Array", "Int8Array", "Int16Array", "Int32Array"].map(
    (name) => [name, words("")] as const,
  ),
]);

/** Methods that no object of the board has. */
const METHODS = words(
  "allSettled at codePointAt copyWithin findLast findLastIndex flat flatMap finally isPrototypeOf isWellFormed localeCompare matchAll " +
    "normalize propertyIsEnumerable reduceRight toExponential toLocaleLowerCase toLocaleString toLocaleUpperCase toPrecision toReversed " +
    "toSorted toSpliced toWellFormed trimEnd trimStart",
);

function memberOf(node: AnyNode): { object: string | null; property: string } | null {
  if (node.type !== "MemberExpression") return null;
  const property =
    !node.computed && node.property.type === "Identifier"
      ? node.property.name
      : node.property.type === "Literal" && typeof node.property.value === "string"
        ? node.property.value
        : null;
  if (property === null) return null;
  return { object: node.object.type === "Identifier" ? node.object.name : null, property };
}

function memberFlaw(node: AnyNode, isGlobal: (name: string) => boolean): string | undefined {
  const member = memberOf(node);
  if (member === null) return undefined;
  if (member.object === null || !isGlobal(member.object)) {
    return METHODS.has(member.property) ? "." + member.property + " is missing" : undefined;
  }
  const name = member.object + "." + member.property;
  if (member.property === "prototype") return name + ": its methods are not there ([].slice works)";
  const known = STATICS.get(member.object);
  return known !== undefined && !known.has(member.property) ? name + " is missing" : undefined;
}

/** Calls that Espruino answers otherwise. */
function callFlaw(node: CallExpression): string | undefined {
  const method = memberOf(node.callee)?.property;
  const [first, second] = node.arguments;
  if (
    method === "replace" &&
    first?.type === "Literal" &&
    typeof first.value === "string" &&
    second !== undefined
  )
    return second.type === "Literal" || second.type === "TemplateLiteral"
      ? undefined
      : "replace of a string by a function: inserts its source text";
  const isVoid = second?.type === "UnaryExpression" && second.operator === "void";
  if (method === "reduce" && (isVoid || (second?.type === "Identifier" && second.name === "undefined")))
    return "reduce from undefined: starts at the first element";
  return undefined;
}

/** All uses of names and members that do not exist, or do something else. */
export function nameFlaws(program: Program, names: Names): Flaw[] {
  const flaws: Flaw[] = [];
  const globals = new Set<string>();
  for (const reference of names.references) {
    if (reference.binding !== null) continue;
    globals.add(reference.name);
    if (!GLOBALS.has(reference.name))
      flaws.push({ start: reference.start, what: reference.name + " is missing" });
  }
  const visit = (node: AnyNode) => {
    const member = memberFlaw(node, (name) => globals.has(name));
    if (member !== undefined && node.type === "MemberExpression")
      flaws.push({ start: node.property.start, what: member });
    const call = node.type === "CallExpression" ? callFlaw(node) : undefined;
    if (call !== undefined) flaws.push({ start: node.start, what: call });
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program);
  return flaws;
}
