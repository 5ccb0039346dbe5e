/** The table on screen. */
import type { Skipped } from "./measure.ts";
import { type Figure, meets, ratioOf, show } from "./stats.ts";

const HEAD = ["figure", "value", "against", "ratio", "bound", ""];
/** Columns with numbers. */
const RIGHT = new Set([1, 3, 4]);

export function verdictOf(figure: Figure): "met" | "NOT MET" {
  return meets(figure) ? "met" : "NOT MET";
}

/** Lines of equal columns, what was not measured at the end. */
export function drawTable(figures: readonly Figure[], skipped: readonly Skipped[]): string[] {
  const rows = [HEAD, ...figures.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return [...lines, ...skipped.map(({ name, why }) => `not measured: ${name}: ${why}`)];
}

function cellsOf(figure: Figure): string[] {
  const { name, value, unit, reference, bound } = figure;
  return [
    name,
    `${show(value)} ${unit}`,
    reference === null ? "" : `${show(reference.value)}  ${reference.what}`,
    reference === null ? "" : show(ratioOf(figure)),
    `${bound.is === "<=" ? "≤" : "≥"} ${show(bound.limit)}`,
    verdictOf(figure),
  ];
}
