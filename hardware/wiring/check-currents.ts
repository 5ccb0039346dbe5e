/** Currents: what each pin and each supply has to give. */
import { type Build, type End, endOf } from "./build.ts";
import { type Finding, finding } from "./finding.ts";

/** What hangs on a pin of a controller, mA. */
function loadOf(build: Build, text: string): number {
  const net = build.nets.find(({ ends }) => ends.includes(text));
  const others = (net?.ends ?? []).filter((end) => end !== text);
  return others.reduce((sum, end) => sum + (endOf(build, end).pin?.loadMa?.value ?? 0), 0);
}

/** What a part and everything behind it draws at most, mA. A part is counted once on its way. */
function drawOf(build: Build, ref: string, seen: ReadonlySet<string>): number {
  if (seen.has(ref)) return 0;
  const { part } = endOf(build, `${ref}.`);
  const on = new Set([...seen, ref]);
  return Object.entries(part?.pins ?? {}).reduce((sum, [name, { role }]) => {
    if (role === "io") return sum + loadOf(build, `${ref}.${name}`);
    return role === "supply-out" ? sum + suppliedBy(build, `${ref}.${name}`, on) : sum;
  }, part?.peakMa?.value ?? 0);
}

/** What all parts on a supply draw at most, mA; a siren on a relay's contact is on the supply behind it. */
function suppliedBy(build: Build, text: string, seen: ReadonlySet<string>): number {
  const net = build.nets.find(({ ends }) => ends.includes(text));
  const fed = (net?.ends ?? []).map((end) => endOf(build, end)).filter(({ ref }) => !seen.has(ref));
  return fed.reduce((sum, end) => sum + drawAt(build, end, seen), 0);
}

function drawAt(build: Build, end: End, seen: ReadonlySet<string>): number {
  if (end.pin?.role === "supply-in") return drawOf(build, end.ref, seen);
  if (end.pin?.role === "load") return end.part?.peakMa?.value ?? 0;
  if (end.mounted?.use !== "relays" || !end.pinName.startsWith("COM")) return 0;
  return suppliedBy(build, `${end.ref}.${end.pinName.replace("COM", "NO")}`, new Set([...seen, end.ref]));
}

/** Findings about currents. */
export function checkCurrents(build: Build): Finding[] {
  const found: Finding[] = [];
  for (const { name, ends } of build.nets)
    for (const text of ends) {
      const { pin, ref } = endOf(build, text);
      const max = pin?.maxMa?.value;
      if (max === undefined) continue;
      const drawn =
        pin?.role === "supply-out" ? suppliedBy(build, text, new Set([ref])) : loadOf(build, text);
      if (drawn <= max) continue;
      const code = pin?.role === "supply-out" ? "supply-current" : "pin-current";
      const todo = code === "pin-current" ? "put a transistor between" : "take a stronger supply";
      const says = `${text} gives ${max} mA and "${name}" draws ${Math.round(drawn)} mA: ${todo}`;
      found.push(finding(build, code, { net: name, pins: [text] }, says));
    }
  return found;
}
