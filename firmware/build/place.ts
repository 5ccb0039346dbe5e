/** Functions that are used at one place stand there instead of at the top: no name, and on a board no variables of their
 *  own. A function that is written in another is made anew whenever that one runs, from text that stays in flash. */
import { type AnyNode, type ArrowFunctionExpression, parse, type VariableDeclarator } from "acorn";
import { analyse, type Names, type Reference, type Scope } from "./scope.ts";

interface Move {
  readonly declarator: VariableDeclarator;
  readonly arrow: ArrowFunctionExpression;
  readonly use: Reference;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function within({ start, end }: Span, at: number): boolean {
  return start <= at && at < end;
}

/** Whether every outer name of a function means the same where it is used. */
function meansTheSame(arrow: Span, use: Reference, { references, root }: Names): boolean {
  const local = new Set<string>();
  for (let at: Scope | null = use.scope; at !== null && at !== root; at = at.parent)
    for (const name of at.bindings.keys()) local.add(name);
  return references.every(
    ({ start, name, binding }) =>
      !within(arrow, start) || (binding !== null && binding.scope !== root) || !local.has(name),
  );
}

function isInLoop(scope: Scope): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.isLoop) return true;
  return false;
}

function declaratorsOf(node: AnyNode): VariableDeclarator[] {
  return node.type === "VariableDeclaration" ? node.declarations : [];
}

/** The first function that can be moved; null: there is none. */
function nextMove(code: string): Move | null {
  const program = parse(code, { ecmaVersion: "latest", sourceType: "script" });
  const names = analyse(program);
  for (const declarator of program.body.flatMap(declaratorsOf)) {
    const { id, init } = declarator;
    if (id.type !== "Identifier" || init?.type !== "ArrowFunctionExpression") continue;
    const uses = names.references.filter(({ binding }) => binding?.start === id.start);
    const [use] = uses;
    if (use === undefined || uses.length > 1 || use.isShorthand || within(declarator, use.start)) continue;
    // at the top it would be made there and then, before what it uses
    if (use.scope === names.root || isInLoop(use.scope) || !meansTheSame(init, use, names)) continue;
    return { declarator, arrow: init, use };
  }
  return null;
}

/** The declarator's text and a comma beside it; the whole of a declaration of nothing else. */
function withoutDeclarator(code: string, { start, end }: Span): string {
  const before = code.slice(0, start).trimEnd();
  const after = code.slice(end).trimStart();
  if (before.endsWith(",")) return before.slice(0, -1) + after;
  if (after.startsWith(",")) return `${before} ${after.slice(1)}`;
  return before.replace(/(let|const)$/, "") + after.replace(/^;/, "");
}

/** `code` with each function of its top level that is used once written at that place. */
export function withPlaced(code: string): string {
  for (let text = code; ; ) {
    const move = nextMove(text);
    if (move === null) return text;
    const { declarator, arrow, use } = move;
    const written = `(${text.slice(arrow.start, arrow.end)})`;
    const put = (from: string, at: number) => from.slice(0, at) + written + from.slice(at + use.name.length);
    text =
      use.start > declarator.start
        ? withoutDeclarator(put(text, use.start), declarator)
        : put(withoutDeclarator(text, declarator), use.start);
  }
}
