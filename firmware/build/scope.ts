/** Names of a program: where each is defined and where it is used (ECMA-262 scopes, without `with` and
 *  `eval`). */
import type { AnyNode, Node, Program } from "acorn";

export interface Scope {
  readonly kind: "function" | "block";
  readonly parent: Scope | null;
  readonly bindings: Map<string, Binding>;
  /** The scope belongs to a loop: made anew for every turn. */
  readonly isLoop: boolean;
  /** For a function: an argument of a call, so it may run at once. */
  readonly isArgument: boolean;
}

export interface Binding {
  readonly name: string;
  readonly start: number;
  readonly kind: "var" | "let" | "const" | "function" | "class" | "parameter" | "import";
  readonly scope: Scope;
  /** Scope of the function that the name stands for, if it does. */
  body: Scope | null;
}

export interface Reference {
  readonly name: string;
  readonly start: number;
  readonly scope: Scope;
  /** `{ name }` in an object: a renaming has to spell out the key. */
  readonly isShorthand: boolean;
  /** null: a global. */
  binding: Binding | null;
}

export interface Names {
  readonly root: Scope;
  /** Every name that is defined or used anywhere. */
  readonly all: ReadonlySet<string>;
  readonly references: readonly Reference[];
}

/** Child nodes in source order. */
export function childrenOf(node: Node): AnyNode[] {
  const isNode = (value: unknown): value is AnyNode =>
    typeof value === "object" && value !== null && typeof (value as Node).type === "string";
  return Object.values(node)
    .flat()
    .filter(isNode)
    .sort((a, b) => a.start - b.start);
}

/** The function (or the program) in which code of this scope runs. */
export function functionOf(scope: Scope): Scope {
  let at = scope;
  while (at.kind !== "function" && at.parent !== null) at = at.parent;
  return at;
}

export function isWithin(scope: Scope, outer: Scope): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at === outer) return true;
  return false;
}

function makeScope(
  parent: Scope | null,
  kind: Scope["kind"],
  is: { loop?: boolean; argument?: boolean } = {},
): Scope {
  return { kind, parent, bindings: new Map(), isLoop: is.loop ?? false, isArgument: is.argument ?? false };
}

/** Identifier nodes that a pattern defines. Only plain names are in the dialect; the lint reports the
 *  others. */
function namesIn(pattern: AnyNode): { name: string; start: number }[] {
  if (pattern.type === "Identifier") return [pattern];
  if (pattern.type === "AssignmentPattern") return namesIn(pattern.left);
  if (pattern.type === "Property") return namesIn(pattern.value);
  if (pattern.type === "MemberExpression") return [];
  return childrenOf(pattern).flatMap(namesIn);
}

type FunctionNode = AnyNode & {
  type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression";
};

function isFunction(node: AnyNode): node is FunctionNode {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** Children that are code. Keys, labels and what an import names are not. */
function codeIn(node: AnyNode): AnyNode[] {
  switch (node.type) {
    case "MemberExpression":
      return node.computed ? [node.object, node.property] : [node.object];
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return childrenOf(node).filter((child) => child !== node.key || node.computed);
    case "LabeledStatement":
      return [node.body];
    case "ClassDeclaration":
    case "ClassExpression":
    case "CatchClause":
      return node.type === "CatchClause"
        ? [node.body]
        : node.superClass
          ? [node.superClass, node.body]
          : [node.body];
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
    case "ImportDeclaration":
      return [];
    default:
      return childrenOf(node);
  }
}

function scopeFor(node: AnyNode, scope: Scope): Scope {
  if (/^(For|ForIn|ForOf|While|DoWhile)Statement$/.test(node.type))
    return makeScope(scope, "block", { loop: true });
  return /^(BlockStatement|SwitchStatement|CatchClause)$/.test(node.type) ? makeScope(scope, "block") : scope;
}

class Walk {
  readonly references: Reference[] = [];
  readonly bodies = new Map<AnyNode, Scope>();
  readonly names = new Set<string>();

  define(pattern: AnyNode, kind: Binding["kind"], scope: Scope): Binding[] {
    const into = kind === "var" ? functionOf(scope) : scope;
    return namesIn(pattern).map(({ name, start }) => {
      const binding: Binding = { name, start, kind, scope: into, body: null };
      if (!into.bindings.has(name)) into.bindings.set(name, binding);
      this.names.add(name);
      return binding;
    });
  }

  visit(node: AnyNode, scope: Scope, isArgument = false): void {
    if (node.type === "Identifier") this.use(node, scope, false);
    else if (isFunction(node)) this.visitFunction(node, scope, isArgument);
    else if (node.type === "VariableDeclaration") this.visitVariables(node, scope);
    else if (node.type === "Property" && node.shorthand && node.value.type === "Identifier")
      this.use(node.value, scope, true);
    else this.visitInside(node, scope);
  }

  use(node: AnyNode & { type: "Identifier" }, scope: Scope, isShorthand: boolean): void {
    this.names.add(node.name);
    this.references.push({ name: node.name, start: node.start, scope, isShorthand, binding: null });
  }

  visitInside(node: AnyNode, scope: Scope): void {
    const inner = scopeFor(node, scope);
    if (node.type === "ClassDeclaration" && node.id) this.define(node.id, "class", scope);
    if (node.type === "CatchClause" && node.param) this.define(node.param, "let", inner);
    if (node.type === "ImportDeclaration")
      for (const specifier of node.specifiers) this.define(specifier.local, "import", scope);
    const isCall = node.type === "CallExpression" || node.type === "NewExpression";
    for (const child of codeIn(node)) this.visit(child, inner, isCall);
  }

  visitFunction(node: FunctionNode, scope: Scope, isArgument: boolean): void {
    const inner = makeScope(scope, "function", { argument: isArgument });
    this.bodies.set(node, inner);
    if (node.type === "FunctionDeclaration" && node.id)
      for (const binding of this.define(node.id, "function", scope)) binding.body = inner;
    if (node.type === "FunctionExpression" && node.id) this.define(node.id, "function", inner);
    for (const parameter of node.params) this.define(parameter, "parameter", inner);
    const body = node.body.type === "BlockStatement" ? node.body.body : [node.body];
    for (const part of body) this.visit(part, inner);
  }

  visitVariables(node: AnyNode & { type: "VariableDeclaration" }, scope: Scope): void {
    for (const { id, init } of node.declarations) {
      const bindings = this.define(
        id,
        node.kind === "var" || node.kind === "let" ? node.kind : "const",
        scope,
      );
      if (!init) continue;
      this.visit(init, scope);
      for (const binding of bindings) binding.body = this.bodies.get(init) ?? null;
    }
  }
}

/** Finds every definition and every use, and ties the one to the other. */
export function analyse(program: Program): Names {
  const walk = new Walk();
  const root = makeScope(null, "function");
  for (const statement of program.body) walk.visit(statement, root);
  for (const reference of walk.references) {
    let at: Scope | null = reference.scope;
    while (at !== null && !at.bindings.has(reference.name)) at = at.parent;
    reference.binding = at?.bindings.get(reference.name) ?? null;
  }
  return { root, references: walk.references, all: walk.names };
}
