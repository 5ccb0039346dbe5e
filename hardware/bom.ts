/** Bill of materials of a build, as CSV (RFC 4180): what to order for one, or for a crate. */
import { partOf } from "./boards.ts";
import type { Build, Mounted } from "./wiring/build.ts";

export interface BomLine {
  /** References on the wiring sheet. */
  readonly reference: string;
  readonly part: string;
  readonly value: string;
  readonly quantity: number;
  readonly note: string;
}

const OHM_STEPS: readonly (readonly [number, string])[] = [
  [1e6, "MΩ"],
  [1e3, "kΩ"],
  [1, "Ω"],
];

/** Value of a part as it is printed: 4.7 MΩ, 100 nF; empty where it has none. */
export function printedValue({ ohms, value }: Mounted): string {
  if (ohms === undefined) return value ?? "";
  const [unit, name] = OHM_STEPS.find(([step]) => ohms >= step) ?? [1, "Ω"];
  return `${Number((ohms / unit).toFixed(3))} ${name}`;
}

/** Lines of a build for `count` of them; parts that are ordered alike stand together. */
export function bomOf(build: Build, count = 1): BomLine[] {
  const lines = new Map<string, { references: string[]; notes: Set<string>; mounted: Mounted }>();
  for (const [reference, mounted] of Object.entries(build.parts)) {
    const key = `${mounted.use} ${printedValue(mounted)}`;
    const line = lines.get(key) ?? { references: [], notes: new Set(), mounted };
    line.references.push(reference);
    if (mounted.note !== undefined) line.notes.add(`${reference}: ${mounted.note}`);
    lines.set(key, line);
  }
  return [...lines.values()].map(({ references, notes, mounted }) => ({
    reference: references.join(" "),
    part: partOf(mounted.use).order,
    value: printedValue(mounted),
    quantity: references.length * count,
    note: [...notes].join("; "),
  }));
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** CSV with a header line; every line ends with CRLF. */
export function bomCsv(lines: readonly BomLine[]): string {
  const rows = lines.map((line) => [line.reference, line.part, line.value, line.quantity, line.note]);
  return [["reference", "part", "value", "quantity", "note"], ...rows]
    .map((row) => `${row.map(field).join(",")}\r\n`)
    .join("");
}
