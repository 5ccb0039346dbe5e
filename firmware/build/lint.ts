/** What Espruino 2v29 does not have, or has and does otherwise without a word: found in the finished
 *  bundle, told with the line of the source it came from. A rule here is a program that was run on the
 *  interpreter. */
import { parse } from "acorn";
import type { Flaw } from "./flaw.ts";
import { nameFlaws } from "./lint-names.ts";
import { orderFlaws } from "./lint-order.ts";
import { syntaxFlaws } from "./lint-syntax.ts";
import { analyse } from "./scope.ts";

/** Every construct of `code` that is missing on the board or silently different there, in order. */
export function lint(code: string): Flaw[] {
  const program = parse(code, { ecmaVersion: "latest", sourceType: "module", locations: false });
  const names = analyse(program);
  return [...syntaxFlaws(program, code), ...nameFlaws(program, names), ...orderFlaws(names)].sort(
    (a, b) => a.start - b.start,
  );
}
