/** One script out of modules: types stripped, imports and exports removed, modules one after another as
 *  they import each other. Names that two modules use privately are told apart. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { type Program, parse } from "acorn";
import { analyse } from "./scope.ts";

export interface Joined {
  readonly code: string;
  /** Source files in the order they stand in `code`, each with the line (0-based) of `code` at which it
   *  starts. */
  readonly files: readonly { readonly file: string; readonly firstLine: number }[];
}

interface Module {
  readonly file: string;
  readonly code: string;
  readonly program: Program;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function readModule(file: string): Module {
  // positions stay as they are in the source: types become blanks
  const code = stripTypeScriptTypes(readFileSync(file, "utf8"), { mode: "strip" });
  return { file, code, program: parse(code, { ecmaVersion: "latest", sourceType: "module" }) };
}

/** The entry's modules, every one after those it imports. A file that `insteadOf` names is left out for another in its
 *  folder. */
function collect(entry: string, insteadOf: Readonly<Record<string, string>>): Module[] {
  const modules = new Map<string, Module>();
  const chosen = (from: string, to: string) => {
    const file = path.resolve(path.dirname(from), to);
    return path.join(path.dirname(file), insteadOf[path.basename(file)] ?? path.basename(file));
  };
  const visit = (file: string, via: readonly string[]) => {
    if (via.includes(file)) throw new Error([...via, file].join(" imports ") + ": a cycle has no order");
    if (modules.has(file)) return;
    const module = readModule(file);
    for (const node of module.program.body)
      if (node.type === "ImportDeclaration") visit(chosen(file, String(node.source.value)), [...via, file]);
    modules.set(file, module);
  };
  visit(path.resolve(entry), []);
  return [...modules.values()];
}

function fail(module: Module, what: string): never {
  throw new Error(path.relative(process.cwd(), module.file) + ": " + what);
}

/** Takes out `import … ;` and the word `export`. Only plain named imports and exports are in the dialect. */
function unlink(module: Module): Edit[] {
  return module.program.body.flatMap((node): Edit[] => {
    if (node.type === "ImportDeclaration") {
      for (const specifier of node.specifiers)
        if (specifier.type !== "ImportSpecifier" || specifier.imported.start !== specifier.local.start)
          fail(module, "import " + specifier.local.name + " by its own name, in braces");
      return [{ start: node.start, end: node.end, text: blank(module.code.slice(node.start, node.end)) }];
    }
    if (node.type === "ExportNamedDeclaration" && node.declaration)
      return [{ start: node.start, end: node.declaration.start, text: "" }];
    if (node.type.startsWith("Export")) fail(module, "export each name where it is defined");
    return [];
  });
}

/** Keeps the line breaks, so that lines still count as in the source. */
function blank(text: string): string {
  return text.replace(/[^\n]+/g, "");
}

function exportsOf(module: Module): Set<string> {
  const exported = module.program.body.flatMap((node) =>
    node.type === "ExportNamedDeclaration" && node.declaration
      ? node.declaration.type === "VariableDeclaration"
        ? node.declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []))
        : [node.declaration.id.name]
      : [],
  );
  return new Set(exported);
}

function globalsOf(module: Module): string[] {
  return analyse(module.program).references.flatMap(({ binding, name }) => (binding === null ? [name] : []));
}

/** Gives private names that stand in another module too a name of their own. Names of all modules go into
 *  `taken`. */
function rename(module: Module, taken: Set<string>, reserved: ReadonlySet<string>): Edit[] {
  const { root, references, all } = analyse(module.program);
  const exported = exportsOf(module);
  const edits: Edit[] = [];
  for (const binding of root.bindings.values()) {
    if (binding.kind === "import") continue;
    const { name } = binding;
    if (exported.has(name) && taken.has(name))
      fail(module, "exports " + name + ", which another module defines too");
    let unique = name;
    const isTaken = () => taken.has(unique) || reserved.has(unique) || (unique !== name && all.has(unique));
    if (!exported.has(name)) for (let n = 2; isTaken(); n++) unique = name + "_" + n;
    taken.add(unique);
    if (unique === name) continue;
    edits.push({ start: binding.start, end: binding.start + name.length, text: unique });
    for (const { start, isShorthand } of references.filter((r) => r.binding === binding))
      edits.push({ start, end: start + name.length, text: isShorthand ? name + ": " + unique : unique });
  }
  return edits;
}

function apply(code: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, e) => text.slice(0, e.start) + e.text + text.slice(e.end), code);
}

/** Joins everything that `entry` imports, itself last. Throws on a cycle, on a default or renamed import,
 *  and when two modules export one name. */
export function join(entry: string, insteadOf: Readonly<Record<string, string>> = {}): Joined {
  const modules = collect(entry, insteadOf);
  const reserved = new Set(modules.flatMap((module) => [...exportsOf(module), ...globalsOf(module)]));
  const taken = new Set<string>();
  const files: { file: string; firstLine: number }[] = [];
  let code = "";
  for (const module of modules) {
    files.push({ file: module.file, firstLine: code.split("\n").length - 1 });
    code += apply(module.code, [...unlink(module), ...rename(module, taken, reserved)]) + "\n";
  }
  return { code, files };
}
