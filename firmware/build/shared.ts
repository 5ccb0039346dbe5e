/** What a bundle spells out again and again is said once, in a name that is shortened like any other: names of members
 *  that come from outside (`.length`, `.startsWith`), functions of Math, texts, and `undefined`. */
import { type AnyNode, parse } from "acorn";
import { childrenOf } from "./scope.ts";

/** How long a name is once it is short. */
const NAME_BYTES = 2;

/** Functions and objects of the board that are what they are under any name. */
const BOARD = new Set([
  ...["digitalRead", "digitalWrite", "analogRead", "setTimeout", "clearTimeout", "setWatch", "pinMode"],
  ...["parseInt", "Serial1", "Infinity"],
]);

interface Place {
  readonly start: number;
  readonly end: number;
  readonly isMember: boolean;
}

function isMath(node: AnyNode): boolean {
  return node.type === "Identifier" && node.name === "Math";
}

/** What a node says that may be said once: the code of it, and which part of the node is replaced. */
function saidBy(
  node: AnyNode,
): { readonly said: string; readonly at: AnyNode; readonly isMember: boolean } | null {
  if (node.type === "UnaryExpression" && node.operator === "void")
    return { said: "void 0", at: node, isMember: false };
  if (node.type === "Literal" && typeof node.value === "number" && node.raw !== undefined)
    return { said: node.raw, at: node, isMember: false };
  if (node.type === "Literal" && typeof node.value === "string")
    return { said: JSON.stringify(node.value), at: node, isMember: false };
  if (node.type === "Identifier" && BOARD.has(node.name))
    return { said: node.name, at: node, isMember: false };
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier") return null;
  const { name } = node.property;
  if (isMath(node.object)) return { said: `Math.${name}`, at: node, isMember: false };
  return { said: JSON.stringify(name), at: node.property, isMember: true };
}

/** Nodes within which more may be said. */
function rest(node: AnyNode): AnyNode[] {
  if (node.type === "MemberExpression" && !node.computed) return isMath(node.object) ? [] : [node.object];
  return node.type === "Property" && !node.computed ? [node.value] : childrenOf(node);
}

/** Every place where something is said that may be shared: from what is said to where. */
function placesIn(program: AnyNode): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  const visit = (node: AnyNode): void => {
    const found = saidBy(node);
    if (found !== null) {
      const { start, end } = found.at;
      places.set(found.said, [...(places.get(found.said) ?? []), { start, end, isMember: found.isMember }]);
    }
    for (const child of rest(node)) visit(child);
  };
  visit(program);
  return places;
}

/** Bytes won by saying it once. A member `.name` becomes `[x]`. */
function gain(said: string, places: readonly Place[]): number {
  const each = places.map(({ isMember }) => said.length - NAME_BYTES - (isMember ? 3 : 0));
  return each.reduce((sum, bytes) => sum + bytes, 0) - (said.length + NAME_BYTES + 2);
}

/** `code` with everything that is worth it said once, in names that start with `prefix`, which no name in `code` may.
 *  Nothing may look into `code` for texts or members after this. */
export function withShared(code: string, prefix = "shared_"): string {
  if (code.includes(prefix)) throw new Error(`the bundle has a name in ${prefix}…`);
  const places = [...placesIn(parse(code, { ecmaVersion: "latest", sourceType: "script" }))];
  const worth = places.filter(([said, at]) => gain(said, at) > 0);
  if (worth.length === 0) return code;
  const edits = worth.flatMap(([, at], i) => at.map((place) => ({ ...place, name: prefix + i })));
  const definitions = worth.map(([said], i) => `${prefix}${i} = ${said}`);
  const body = edits
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, isMember, name }) => {
      const before = text.slice(0, start);
      if (isMember) return `${before.replace(/\.\s*$/, "")}[${name}]${text.slice(end)}`;
      // `return"x"` and `"x"in y` need no blank, their names do
      return `${before} ${name} ${text.slice(end)}`;
    }, code);
  const first = `let ${definitions.join(", ")}`;
  return body.startsWith("let ") ? first + "," + body.slice("let".length) : `${first};\n${body}`;
}
