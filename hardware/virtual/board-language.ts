/** The language of the board in a node:vm context: JavaScript without what Espruino 2v29 lacks, so that a
 *  bundle that uses it fails here as it would there. What this cannot show: hoisting, the regex subset,
 *  promise order, memory, speed. */
import { type Context, createContext, runInContext } from "node:vm";

const GLOBALS =
  "AggregateError Atomics BigInt BigInt64Array BigUint64Array FinalizationRegistry Intl Iterator Map Proxy RangeError Reflect Set " +
  "SharedArrayBuffer Symbol WeakMap WeakRef WeakSet WebAssembly escape queueMicrotask setImmediate structuredClone unescape";

/** Members by the object that would have them. */
const MEMBERS: Readonly<Record<string, string>> = {
  Math: "acosh asinh atanh cbrt clz32 cosh expm1 fround hypot imul log10 log1p log2 sinh tanh trunc",
  Number:
    "EPSILON MAX_SAFE_INTEGER MIN_SAFE_INTEGER isFinite isInteger isNaN isSafeInteger parseFloat parseInt",
  Object: "freeze groupBy hasOwn is isExtensible isFrozen isSealed preventExtensions seal",
  Array: "from fromAsync of",
  String: "fromCodePoint raw",
  Promise: "allSettled any race try withResolvers",
  Date: "UTC",
  Uint8Array: "from of",
  "Array.prototype":
    "at copyWithin entries findLast findLastIndex flat flatMap keys lastIndexOf reduceRight toLocaleString toReversed toSorted " +
    "toSpliced values with",
  "String.prototype":
    "at codePointAt isWellFormed localeCompare matchAll normalize search toLocaleLowerCase toLocaleUpperCase toWellFormed trimEnd " +
    "trimLeft trimRight trimStart",
  "Number.prototype": "toExponential toLocaleString toPrecision",
  "Promise.prototype": "finally",
  "Object.prototype": "isPrototypeOf propertyIsEnumerable toLocaleString",
  "Object.getPrototypeOf(Uint8Array.prototype)":
    "at copyWithin entries findLast findLastIndex keys lastIndexOf reduceRight toLocaleString toReversed toSorted values with",
};

function deletions(): string {
  const members = Object.entries(MEMBERS).flatMap(([object, names]) =>
    names.split(" ").map((name) => `delete (${object}).${name};`),
  );
  // for-of over an array needs its iterator, which goes by no name
  return [...members, ...GLOBALS.split(" ").map((name) => `delete globalThis.${name};`)].join("\n");
}

/** A context in which `globals` are the board's own functions and the missing built-ins are missing. */
export function createBoardContext(globals: object): Context {
  const context = createContext({ ...globals });
  runInContext(deletions(), context);
  return context;
}
