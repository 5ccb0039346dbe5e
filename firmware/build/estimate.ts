/** How many Espruino variables a bundle takes when it runs from Storage, where function bodies stay in
 *  flash. Unit costs were measured on the interpreter: a number 2, an object 2 and 2 per member, a
 *  function 5 and 1 per parameter, a string 1 per 11 bytes. An estimate to notice growth by, not a
 *  promise. */
import { type AnyNode, parse } from "acorn";
import { childrenOf } from "./scope.ts";

function costOf(node: AnyNode): number {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return 5 + node.params.length;
    case "Literal":
      return typeof node.value === "string" ? 1 + Math.ceil(node.value.length / 11) : 1;
    case "VariableDeclarator":
    case "Property":
      return 1 + (node.type === "VariableDeclarator" && !node.init ? 1 : 0) + inner(node);
    default:
      return (node.type === "ObjectExpression" || node.type === "ArrayExpression" ? 1 : 0) + inner(node);
  }
}

function inner(node: AnyNode): number {
  return childrenOf(node).reduce((sum, child) => sum + costOf(child), 0);
}

/** Variables of the bundle's top level, its functions' bodies left in flash. */
export function estimateVariables(code: string): number {
  return costOf(parse(code, { ecmaVersion: "latest", sourceType: "script" }));
}
