/** Espruino hoists nothing, and a variable of a loop is one for all its turns. Both pass without an error
 *  and do something else. */
import type { Flaw } from "./flaw.ts";
import { type Binding, functionOf, isWithin, type Names, type Reference, type Scope } from "./scope.ts";

/** Where code of `scope` runs: a function that is an argument may run where it stands. */
function runsIn(scope: Scope): Scope {
  let at = functionOf(scope);
  while (at.isArgument && at.parent !== null) at = functionOf(at.parent);
  return at;
}

/** What running the function `body` may touch: its own references and those of the functions it refers to. */
function reachOf(
  body: Scope,
  references: readonly Reference[],
  cache: Map<Scope, Set<Binding>>,
): Set<Binding> {
  const known = cache.get(body);
  if (known !== undefined) return known;
  const reach = new Set<Binding>();
  cache.set(body, reach);
  for (const { binding, scope } of references) {
    if (binding === null || !isWithin(scope, body)) continue;
    reach.add(binding);
    if (binding.body !== null) for (const more of reachOf(binding.body, references, cache)) reach.add(more);
  }
  return reach;
}

function early(
  reference: Reference,
  references: readonly Reference[],
  cache: Map<Scope, Set<Binding>>,
): string | undefined {
  const { binding, start, scope } = reference;
  if (binding === null || binding.kind === "parameter") return undefined;
  const here = runsIn(scope);
  if (functionOf(binding.scope) !== here) return undefined;
  if (start < binding.start) return binding.name + " is used before its definition: nothing is hoisted";
  if (binding.body === null) return undefined;
  for (const needed of reachOf(binding.body, references, cache)) {
    const isLater = needed.kind !== "parameter" && functionOf(needed.scope) === here && needed.start > start;
    if (isLater)
      return binding.name + " needs " + needed.name + ", which is defined later: nothing is hoisted";
  }
  return undefined;
}

function shared({ binding, scope }: Reference): string | undefined {
  if (binding === null || binding.kind === "parameter") return undefined;
  const isOfLoop = (at: Scope | null, end: Scope): boolean =>
    at !== null && (at.isLoop || (at !== end && isOfLoop(at.parent, end)));
  const home = functionOf(binding.scope);
  if (functionOf(scope) === home || !isOfLoop(binding.scope, home)) return undefined;
  return "closure over " + binding.name + " of a loop: all turns share one variable";
}

/** All uses before a definition, and closures over variables of loops. */
export function orderFlaws({ references }: Names): Flaw[] {
  const cache = new Map<Scope, Set<Binding>>();
  return references.flatMap((reference) => {
    const what = early(reference, references, cache) ?? shared(reference);
    return what === undefined ? [] : [{ start: reference.start, what }];
  });
}
