/** Supplies and grounds: every part has both, of the right voltage, and no two supplies are joined. */
import { type Build, type End, endOf } from "./build.ts";
import { type Finding, finding } from "./finding.ts";

interface WiredNet {
  readonly name: string;
  readonly ends: readonly End[];
}

function checkSupplyInput(build: Build, end: End, net: WiredNet | undefined): Finding[] {
  const source = net?.ends.find(({ pin }) => pin?.role === "supply-out");
  const where = { ...(net === undefined ? {} : { net: net.name }), pins: [end.text] };
  if (source?.pin?.volts === undefined)
    return [finding(build, "supply-missing", where, `${end.text} has no supply: join it to one`)];
  const volts = source.pin.volts.value;
  const min = end.pin?.minVolts?.value ?? 0;
  const max = end.pin?.maxVolts?.value ?? Number.POSITIVE_INFINITY;
  if (volts >= min && volts <= max) return [];
  const says = `${end.text} takes ${min} to ${max} V and ${source.text} gives ${volts} V: put a regulator between`;
  return [finding(build, "supply-range", { ...where, pins: [end.text, source.text] }, says)];
}

/** A ground has to lead somewhere: to a ground of another part. */
function checkGround(build: Build, end: End, net: WiredNet | undefined): Finding[] {
  const isJoined = net?.ends.some((other) => other.ref !== end.ref && other.pin?.role === "ground");
  if (isJoined === true) return [];
  const where = { ...(net === undefined ? {} : { net: net.name }), pins: [end.text] };
  return [
    finding(build, "ground-missing", where, `${end.text} has no ground: join it to that of its supply`),
  ];
}

/** Findings about supplies and grounds. */
export function checkFeeding(build: Build): Finding[] {
  const nets = build.nets.map(({ name, ends }) => ({ name, ends: ends.map((text) => endOf(build, text)) }));
  const found: Finding[] = [];
  for (const ref of Object.keys(build.parts)) {
    const pins = Object.keys(endOf(build, `${ref}.`).part?.pins ?? {});
    for (const text of pins.map((pin) => `${ref}.${pin}`)) {
      const end = endOf(build, text);
      const net = nets.find(({ ends }) => ends.some((other) => other.text === text));
      if (end.pin?.role === "supply-in") found.push(...checkSupplyInput(build, end, net));
      if (end.pin?.role === "ground") found.push(...checkGround(build, end, net));
    }
  }
  for (const { name, ends } of nets) {
    const sources = ends.filter(({ pin }) => pin?.role === "supply-out");
    const grounds = ends.filter(({ pin }) => pin?.role === "ground");
    const joined =
      sources.length > 1
        ? sources
        : sources.length === 1 && grounds.length > 0
          ? [...sources, ...grounds]
          : [];
    if (joined.length > 0) {
      const pins = joined.map(({ text }) => text);
      const says = `${pins.join(" and ")} are joined: that is a short circuit; part them`;
      found.push(finding(build, "supply-clash", { net: name, pins }, says));
    }
  }
  return found;
}
