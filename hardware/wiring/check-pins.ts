/** Pins that are not there, that lie in two nets, or that the board keeps; and parts that nobody would order. */
import { type Build, endOf } from "./build.ts";
import { type Finding, finding } from "./finding.ts";

function checkBill(build: Build): Finding[] {
  const missing = new Set<string>();
  for (const { ends } of build.nets)
    for (const text of ends) {
      const { ref, mounted } = endOf(build, text);
      if (mounted === undefined) missing.add(ref);
    }
  const unlisted = [...missing].map((ref) =>
    finding(
      build,
      "bom",
      { pins: [ref] },
      `${ref} is wired and has no line in the bill: add it to the parts`,
    ),
  );
  const unvalued = Object.entries(build.parts).flatMap(([ref, { use, ohms, value }]) => {
    const isValued = use === "resistor" ? (ohms ?? 0) > 0 : use !== "capacitor" || Boolean(value);
    if (isValued) return [];
    return finding(build, "bom", { pins: [ref] }, `${ref} has no value: nobody could order it`);
  });
  return [...unlisted, ...unvalued];
}

/** Findings about single pins and about the bill of materials. */
export function checkPins(build: Build): Finding[] {
  const found: Finding[] = [];
  const seen = new Map<string, string>();
  for (const net of build.nets)
    for (const text of net.ends) {
      const { ref, part, pin, pinName } = endOf(build, text);
      const where = { net: net.name, pins: [text] };
      const other = seen.get(text);
      if (other !== undefined)
        found.push(
          finding(
            build,
            "pin-twice",
            where,
            `${text} is in "${other}" and "${net.name}": give one a free pin`,
          ),
        );
      else seen.set(text, net.name);
      if (part !== undefined && pin === undefined)
        found.push(
          finding(build, "pin-unknown", where, `${part.name} has no pin ${pinName}: correct the net`),
        );
      if (pin?.keptFor !== undefined)
        found.push(
          finding(build, "pin-kept", where, `${text} is kept for ${pin.keptFor}; take another pin of ${ref}`),
        );
    }
  return [...found, ...checkBill(build)];
}
