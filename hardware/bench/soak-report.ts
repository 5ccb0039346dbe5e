/** What a soak says: its rows as CSV, which is also what it goes on from, percentiles, and a picture. Pure. */
import { isLost, type SoakPress, type SoakStage } from "./soak-run.ts";

const COLUMNS = [
  "press",
  "wallMs",
  "eventNumber",
  "sequence",
  "storedMs",
  "receivedMs",
  "lampMs",
] as const satisfies readonly (keyof SoakPress)[];

export const CSV_HEAD = COLUMNS.join(",");

/** One line, without its end. Times in whole milliseconds; nothing for what never came. */
export function csvLine(press: SoakPress): string {
  return COLUMNS.map((column) => {
    const value = press[column];
    return value === null ? "" : String(Math.round(value));
  }).join(",");
}

/** The presses in a file that `csvLine` wrote; a last line that was cut off is left out. Throws for anything else. */
export function readCsv(text: string): SoakPress[] {
  const lines = text.split("\n");
  // what stands behind the last line end was not written to its end
  const rows = lines.slice(1, -1);
  if (lines[0] !== CSV_HEAD) throw new Error(`line 1: it is not "${CSV_HEAD}"`);
  return rows.map((line, index) => {
    const cells = line.split(",");
    const isRow = cells.length === COLUMNS.length && cells.every((cell) => /^\d*$/.test(cell));
    const at = (column: keyof SoakPress) => {
      const cell = cells[COLUMNS.indexOf(column)] ?? "";
      return cell === "" ? null : Number(cell);
    };
    if (!isRow || at("press") !== index + 1)
      throw new Error(`line ${index + 2}: it is not press ${index + 1}`);
    return {
      press: index + 1,
      wallMs: at("wallMs") ?? 0,
      eventNumber: at("eventNumber"),
      sequence: at("sequence"),
      storedMs: at("storedMs"),
      receivedMs: at("receivedMs"),
      lampMs: at("lampMs"),
    };
  });
}

const STAGES = ["stored", "received", "lamp"] as const satisfies readonly SoakStage[];

export interface SoakSummary {
  readonly presses: number;
  readonly lost: number;
  /** Milliseconds from the press, by nearest rank; a stage that no press reached is left out. */
  readonly stages: Partial<Record<SoakStage, Percentiles>>;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function summarise(presses: readonly SoakPress[], until: SoakStage): SoakSummary {
  const stages: SoakSummary["stages"] = {};
  for (const stage of STAGES) {
    const sorted = samplesOf(presses, stage);
    if (sorted.length === 0) continue;
    const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
    stages[stage] = { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
  }
  return {
    presses: presses.length,
    lost: presses.filter((press) => isLost(press, until)).length,
    stages,
  };
}

function samplesOf(presses: readonly SoakPress[], stage: SoakStage): number[] {
  return presses
    .map((press) => press[`${stage}Ms`])
    .filter((ms) => ms !== null)
    .map(Math.round)
    .sort((a, b) => a - b);
}

/** Lines for a terminal. */
export function describeSoak({ presses, lost, stages }: SoakSummary): string[] {
  const rows = Object.entries(stages).map(([stage, { count, p50, p90, p99, max }]) =>
    [stage.padEnd(10), count, p50, p90, p99, max].map((cell) => String(cell).padStart(8)).join(""),
  );
  const head = ["press to".padEnd(10), "count", "p50 ms", "p90 ms", "p99 ms", "max ms"];
  return [`${presses} presses, lost ${lost}`, head.map((cell) => cell.padStart(8)).join(""), ...rows];
}

const WIDTH = 760;
const PLOT = { left: 70, right: 560, top: 70, bottom: 330 } as const;
const COLOURS = { stored: "#0b6e99", received: "#2f7d4f", lamp: "#c2571a" } as const;
const STYLE = `text{font:13px "Segoe UI",system-ui,"DejaVu Sans",sans-serif;fill:#1d2b36}.f{fill:#6b7885;font-size:12px}
.h{font-size:19px;font-weight:600}.g{stroke:#e3e8ec}`;
const GRID_STEPS = 5;

/** To GRID_STEPS times 1, 2 or 5 times a power of ten. */
function roundUp(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms / GRID_STEPS));
  const factor = [1, 2, 5, 10].find((one) => one * power * GRID_STEPS >= ms) ?? 10;
  return factor * power * GRID_STEPS;
}

/** Which part of the presses was through after so long. */
export function drawSoak(presses: readonly SoakPress[], until: SoakStage): string {
  const summary = summarise(presses, until);
  const longest = roundUp(Math.max(1, ...Object.values(summary.stages).map(({ max }) => max)));
  const x = (ms: number) => PLOT.left + (ms / longest) * (PLOT.right - PLOT.left);
  const y = (part: number) => PLOT.bottom - part * (PLOT.bottom - PLOT.top);
  const out = [
    `<text x="${PLOT.left}" y="32" class="h">${summary.presses} presses, lost ${summary.lost}</text>`,
    `<text x="${PLOT.left}" y="52" class="f">part of the presses that was through, by time from the press</text>`,
  ];
  for (let step = 0; step <= GRID_STEPS; step++) {
    const part = step / GRID_STEPS;
    const ms = part * longest;
    out.push(`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(part)}" y2="${y(part)}" class="g"/>`);
    out.push(
      `<text x="${PLOT.left - 8}" y="${y(part) + 4}" text-anchor="end">${Math.round(part * 100)} %</text>`,
    );
    out.push(
      `<text x="${x(ms)}" y="${PLOT.bottom + 20}" class="f" text-anchor="middle">${Math.round(ms)} ms</text>`,
    );
  }
  for (const [index, stage] of (Object.keys(summary.stages) as SoakStage[]).entries()) {
    const sorted = samplesOf(presses, stage);
    const steps = sorted.map((ms, n) => `H${x(ms).toFixed(1)}V${y((n + 1) / presses.length).toFixed(1)}`);
    const colour = COLOURS[stage];
    const at = PLOT.top + 10 + index * 46;
    const { p50 = 0, p99 = 0 } = summary.stages[stage] ?? {};
    out.push(
      `<path d="M${x(0)},${y(0)}${steps.join("")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<rect x="${PLOT.right + 24}" y="${at}" width="12" height="12" fill="${colour}"/>`,
      `<text x="${PLOT.right + 44}" y="${at + 11}">${stage}</text>`,
      `<text x="${PLOT.right + 44}" y="${at + 28}" class="f">p50 ${p50} · p99 ${p99} ms</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 370" width="${WIDTH}" height="370">
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="#fff"/>
${out.join("\n")}
</svg>
`;
}
