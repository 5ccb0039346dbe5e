/** Names cost a board as much as code does. Ours are shortened, what nobody reads is left out, functions
 *  are written the short way; names that come from outside, and keys that are looked up by their text,
 *  stay. */
import { type AnyNode, type ObjectExpression, type Program, parse } from "acorn";
import { childrenOf } from "./scope.ts";

function parseModule(code: string): Program {
  return parse(code, { ecmaVersion: "latest", sourceType: "module" });
}

function nodesOf(node: AnyNode): AnyNode[] {
  return [node, ...childrenOf(node).flatMap(nodesOf)];
}

/** Names of members, functions and values that these declarations (TypeScript) declare, and texts that they allow. Names
 *  of parameters are nobody's. */
export function foreignNames(declarations: readonly string[]): Set<string> {
  const code = declarations.join("\n").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  const names = new Set<string>();
  const open: string[] = [];
  for (const [token, name] of code.matchAll(/[({[]|[)}\]]|([A-Za-z_]\w*)(?=\??\s*[:(<]|")/g)) {
    if (name === undefined) {
      if ("({[".includes(token)) open.push(token);
      else open.pop();
    } else if (open.at(-1) !== "(") names.add(name);
  }
  return names;
}

/** Constants of the top level, by name, with what they are. */
function constantsOf(program: Program): Map<string, AnyNode> {
  const declarations = program.body.flatMap((node) =>
    node.type === "VariableDeclaration" && node.kind === "const" ? node.declarations : [],
  );
  return new Map(
    declarations.flatMap(({ id, init }) => (id.type === "Identifier" && init ? [[id.name, init]] : [])),
  );
}

/** Names that are used for more than `NAME.member`: their members may be looked up by text. */
function lookedUp(nodes: readonly AnyNode[]): Set<string> {
  const plain = new Set<AnyNode>();
  for (const node of nodes) {
    if (node.type === "MemberExpression" && !node.computed) plain.add(node.object).add(node.property);
    if (node.type === "Property" && !node.computed && !node.shorthand) plain.add(node.key);
    if (node.type === "VariableDeclarator") plain.add(node.id);
  }
  return new Set(
    nodes.flatMap((node) => (node.type === "Identifier" && !plain.has(node) ? [node.name] : [])),
  );
}

/** Keys of rows: members of constants that are objects or lists. */
function rowKeys(constants: readonly AnyNode[]): string[] {
  return constants
    .flatMap((init) => (init.type === "ObjectExpression" ? init.properties : []))
    .flatMap((row) =>
      row.type === "Property" &&
      /^(Object|Array)Expression$/.test(row.value.type) &&
      row.key.type === "Identifier"
        ? [row.key.name]
        : [],
    );
}

/** Keys of the tables in `code` that are looked up by text: constants whose rows are objects or lists. */
export function tableKeys(code: string): string[] {
  const program = parseModule(code);
  const byText = lookedUp(nodesOf(program));
  return rowKeys([...constantsOf(program)].flatMap(([name, init]) => (byText.has(name) ? [init] : [])));
}

/** `code` in which the place of a text in a constant list of texts is its number: `LIST.indexOf("text")`. */
export function withPlaces(code: string): string {
  const program = parseModule(code);
  const lists = constantsOf(program);
  const placeOf = (list: AnyNode | undefined, text: unknown) => {
    if (list?.type !== "ArrayExpression" || typeof text !== "string") return -1;
    return list.elements.findIndex((item) => item?.type === "Literal" && item.value === text);
  };
  return nodesOf(program)
    .flatMap((node) => {
      if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return [];
      const { object, property } = node.callee;
      const isIndexOf =
        property.type === "Identifier" && property.name === "indexOf" && !node.callee.computed;
      const [text] = node.arguments;
      if (!isIndexOf || object.type !== "Identifier" || text?.type !== "Literal") return [];
      const place = placeOf(lists.get(object.name), text.value);
      return place < 0 ? [] : [{ start: node.start, end: node.end, place }];
    })
    .sort((one, other) => other.start - one.start)
    .reduce((text, { start, end, place }) => text.slice(0, start) + place + text.slice(end), code);
}

/** `code` without what nobody can read: properties that no code names, and rows of tables whose key is
 *  nowhere spelled, neither here nor in what comes from outside. Lines stay as they are. Dead code must be
 *  gone before. */
export function withoutUnread(code: string, foreign: ReadonlySet<string>): string {
  const program = parseModule(code);
  const nodes = nodesOf(program);
  const byText = lookedUp(nodes);
  const constants = [...constantsOf(program)];
  const keys = new Set(rowKeys(constants.map(([, init]) => init)));
  const named = new Set(rowKeys(constants.flatMap(([name, init]) => (byText.has(name) ? [] : [init]))));
  const read = new Set(foreign);
  for (const node of nodes) {
    if (node.type === "MemberExpression" && node.property.type === "Identifier") read.add(node.property.name);
    // a row that is only reached by its name is not read by a text that is spelled the same
    if (node.type === "Literal" && typeof node.value === "string" && !named.has(node.value))
      read.add(node.value);
  }
  const isUnread = (property: ObjectExpression["properties"][number]) =>
    property.type === "Property" &&
    property.key.type === "Identifier" &&
    !read.has(property.key.name) &&
    (keys.has(property.key.name) || /^(Literal|Identifier)$/.test(property.value.type));
  const dead = nodes.flatMap((node) =>
    node.type === "ObjectExpression" ? node.properties.filter(isUnread) : [],
  );
  return dead
    .filter(({ start, end }) => !dead.some((outer) => outer.start < start && end < outer.end))
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end }) => text.slice(0, start) + text.slice(end).replace(/^\s*,/, ""), code);
}

/** `code` in which a codec error is its code alone: a board has nobody to read the message, and what throws is told
 *  from nothing else. Code that asks `isCodecError` is left as it is. */
export function withoutMessages(code: string): string {
  const nodes = nodesOf(parseModule(code));
  if (nodes.some((node) => node.type === "Identifier" && node.name === "isCodecError")) return code;
  return nodes
    .flatMap((node) =>
      node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "codecError"
        ? [node]
        : [],
    )
    .reverse()
    .reduce((text, { start, end, arguments: [kind] }) => {
      if (kind === undefined) return text;
      return text.slice(0, start) + text.slice(kind.start, kind.end) + text.slice(end);
    }, code);
}

/** `code` with the functions of its top level as arrows, in the same places. None of ours uses `this` or
 *  `arguments`. */
export function withArrows(code: string): string {
  return parseModule(code)
    .body.filter((node) => node.type === "FunctionDeclaration")
    .reverse()
    .reduce((text, { id, params, body, start, end }) => {
      const named = params.map((parameter) => code.slice(parameter.start, parameter.end)).join(",");
      const arrow = `const ${id.name} = (${named}) => ${text.slice(body.start, body.end)};`;
      return text.slice(0, start) + arrow + text.slice(end);
    }, code);
}

/** `code` with `let` for `const`, which is shorter and lets neighbours be one declaration. Nothing assigns to a constant:
 *  the type check has seen to that, and the board would only have told when it is too late. */
export function withLet(code: string): string {
  return nodesOf(parseModule(code))
    .filter((node) => node.type === "VariableDeclaration" && node.kind === "const")
    .sort((one, other) => other.start - one.start)
    .reduce((text, { start }) => `${text.slice(0, start)}let${text.slice(start + "const".length)}`, code);
}

/** `code` with `==` for `===` where one side is a number, a text that is no number, or `undefined`: there the
 *  two mean the same for all that the type check lets through, which compares like with like, and has no `null`. */
export function withShortEquals(code: string): string {
  const isPlain = (node: AnyNode) => {
    const value = node.type === "Literal" ? node.value : undefined;
    if (typeof value === "number") return true;
    if (typeof value === "string") return value !== "" && Number.isNaN(Number(value));
    return node.type === "UnaryExpression" && (node.operator === "void" || node.operator === "-");
  };
  return nodesOf(parseModule(code))
    .flatMap((node) =>
      node.type === "BinaryExpression" &&
      /^[!=]==$/.test(node.operator) &&
      (isPlain(node.left) || isPlain(node.right))
        ? [{ from: node.left.end, to: node.right.start, operator: node.operator }]
        : [],
    )
    .sort((one, other) => other.from - one.from)
    .reduce((text, { from, to, operator }) => {
      const between = text.slice(from, to).replace(operator, operator.slice(0, 2));
      return text.slice(0, from) + between + text.slice(to);
    }, code);
}
