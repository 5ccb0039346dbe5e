/** One picture of a bench run as plain SVG: every promise beside its bound, latencies as cumulative distributions, rates as bars.
 *  No dependency, no script. */
import type { Bars, Curve } from "./measure.ts";
import { type Figure, meets, percentile, ratioOf, show } from "./stats.ts";
import { verdictOf } from "./table.ts";

export interface Picture {
  /** Under the title: when, on what. */
  readonly subtitle: string;
  readonly curves: readonly Curve[];
  readonly bars: readonly Bars[];
  readonly figures: readonly Figure[];
}

/** A part of the picture and the height it takes. */
interface Panel {
  readonly svg: string;
  readonly height: number;
}

const WIDTH = 960;
const LEFT = 40;
const RIGHT = WIDTH - 40;
const INK = "#1d2b36";
const FAINT = "#8a97a3";
const GOOD = "#2f7d4f";
const BAD = "#b3261e";
const COLOURS = ["#0b6e99", "#c2571a", "#6d4c9f", "#2f7d4f", "#8a6d1f", "#5c6770"];
const STYLE = `text{font:13px "Segoe UI",system-ui,"DejaVu Sans",sans-serif;fill:${INK}}
.h1{font-size:22px;font-weight:600}.h2{font-size:15px;font-weight:600}.faint{fill:${FAINT};font-size:12px}
.grid{stroke:#e3e8ec}.axis{stroke:${FAINT}}`;

function text(x: number, y: number, words: string, extra = ""): string {
  const safe = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${safe}</text>`;
}

function line(from: readonly [number, number], to: readonly [number, number], look = "grid"): string {
  const [x1, y1, x2, y2] = [...from, ...to].map((at) => at.toFixed(1));
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${look}"/>`;
}

function box(x: number, y: number, width: number, height: number, fill: string): string {
  const w = Math.max(0, width).toFixed(1);
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w}" height="${height}" rx="2" fill="${fill}"/>`;
}

const ROW = 24;
/** A promise's bar: its bound stands in the middle, and twice the bound at the right end. */
const TRACK = { from: 560, width: 180 } as const;

function drawPromises(figures: readonly Figure[]): Panel {
  const bound = TRACK.from + TRACK.width / 2;
  const height = 44 + figures.length * ROW;
  const out = [
    text(LEFT, 20, "Promises", 'class="h2"'),
    text(bound, 20, "bound", 'class="faint" text-anchor="middle"'),
  ];
  for (const [i, figure] of figures.entries()) {
    const y = 34 + i * ROW;
    const ratio = ratioOf(figure);
    const { is, limit } = figure.bound;
    // where nothing at all is allowed, any amount is beyond
    const part = limit === 0 ? (ratio === 0 ? 0 : 2) : Math.min(2, ratio / limit);
    const colour = meets(figure) ? GOOD : BAD;
    out.push(text(LEFT, y + 14, figure.name));
    out.push(text(TRACK.from - 14, y + 14, `${show(figure.value)} ${figure.unit}`, 'text-anchor="end"'));
    out.push(box(TRACK.from, y + 3, TRACK.width, 14, "#f0f3f5"));
    out.push(box(TRACK.from, y + 3, (part / 2) * TRACK.width, 14, colour));
    out.push(
      text(TRACK.from + TRACK.width + 14, y + 14, `${show(ratio)} ${is === "<=" ? "≤" : "≥"} ${show(limit)}`),
    );
    out.push(
      text(RIGHT, y + 14, verdictOf(figure), `text-anchor="end" style="fill:${colour};font-weight:600"`),
    );
  }
  out.push(line([bound, 28], [bound, height - 12], "axis"));
  return { svg: out.join("\n"), height };
}

const CHART = { from: LEFT + 50, to: 690, top: 44, height: 220 } as const;
const MARKS = [0, 0.5, 0.9, 0.99, 1] as const;

/** Cumulative distributions on a logarithmic time axis. */
function drawCurves(curves: readonly Curve[]): Panel {
  const all = curves.flatMap(({ samples }) => samples);
  const low = Math.log10(
    percentile(
      [...all].sort((a, b) => a - b),
      0,
    ) * 0.8,
  );
  const high = Math.log10(
    percentile(
      [...all].sort((a, b) => a - b),
      1,
    ) * 1.25,
  );
  const x = (ms: number) => CHART.from + ((Math.log10(ms) - low) / (high - low)) * (CHART.to - CHART.from);
  const y = (part: number) => CHART.top + CHART.height * (1 - part);
  const out = [text(LEFT, 20, "Latency: the part that was through after so long", 'class="h2"')];
  for (const part of MARKS) {
    out.push(line([CHART.from, y(part)], [CHART.to, y(part)]));
    // 99 % would stand on 100 %
    if (part !== 1)
      out.push(
        text(CHART.from - 8, y(part) + (part === 0.99 ? 2 : 4), `${part * 100} %`, 'text-anchor="end"'),
      );
  }
  for (let power = Math.floor(low); power <= high; power++) {
    for (const step of [1, 2, 5]) {
      const ms = step * 10 ** power;
      if (Math.log10(ms) < low || Math.log10(ms) > high) continue;
      out.push(line([x(ms), CHART.top], [x(ms), y(0)]));
      const words = ms >= 1000 ? `${show(ms / 1000)} s` : `${show(ms)} ms`;
      out.push(text(x(ms), y(0) + 18, words, 'class="faint" text-anchor="middle"'));
    }
  }
  for (const [i, { name, samples }] of curves.entries()) {
    const sorted = [...samples].sort((a, b) => a - b);
    const colour = COLOURS[i % COLOURS.length] ?? INK;
    out.push(`<path d="${pathOf(sorted, x, y)}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    const at = CHART.top + 6 + i * 42;
    out.push(box(CHART.to + 20, at, 12, 12, colour));
    out.push(text(CHART.to + 40, at + 11, name));
    const words = `p50 ${show(percentile(sorted, 0.5))} ms · p99 ${show(percentile(sorted, 0.99))} ms`;
    out.push(text(CHART.to + 40, at + 28, words, 'class="faint"'));
  }
  return { svg: out.join("\n"), height: CHART.top + CHART.height + 44 };
}

/** Steps: each sample raises the curve where it lies. */
function pathOf(sorted: readonly number[], x: (ms: number) => number, y: (part: number) => number): string {
  const steps = sorted.map((ms, n) => `H${x(ms).toFixed(1)}V${y((n + 1) / sorted.length).toFixed(1)}`);
  return `M${x(sorted[0] ?? 1).toFixed(1)},${y(0).toFixed(1)}${steps.join("")}`;
}

const BAR = { labels: 170, row: 22 } as const;
const COLUMN = (RIGHT - LEFT - 40) / 2;

function drawBars({ name, unit, bars }: Bars): Panel {
  const most = Math.max(...bars.map(({ value }) => value));
  const room = COLUMN - BAR.labels - 70;
  const out = [text(0, 20, name, 'class="h2"'), text(0, 37, unit, 'class="faint"')];
  for (const [i, { label, value }] of bars.entries()) {
    const y = 48 + i * BAR.row;
    const width = (value / most) * room;
    out.push(text(BAR.labels - 10, y + 13, label, 'text-anchor="end"'));
    out.push(box(BAR.labels, y + 1, width, 16, COLOURS[0] ?? INK));
    out.push(text(BAR.labels + width + 6, y + 13, show(value), 'class="faint"'));
  }
  return { svg: out.join("\n"), height: 48 + bars.length * BAR.row + 24 };
}

/** The whole picture. */
export function drawPlot({ subtitle, curves, bars, figures }: Picture): string {
  const parts = [
    text(LEFT, 44, "Tugma: speed and memory", 'class="h1"'),
    text(LEFT, 64, subtitle, 'class="faint"'),
  ];
  let top = 84;
  const put = ({ svg }: Panel, x: number, y: number) =>
    parts.push(`<g transform="translate(${x} ${y})">${svg}</g>`);
  const promises = drawPromises(figures);
  put(promises, 0, top);
  top += promises.height;
  const measured = curves.filter(({ samples }) => samples.length > 0);
  if (measured.length > 0) {
    const panel = drawCurves(measured);
    put(panel, 0, top);
    top += panel.height;
  }
  const columns = [top, top];
  for (const group of bars) {
    const column = (columns[0] ?? 0) <= (columns[1] ?? 0) ? 0 : 1;
    const panel = drawBars(group);
    put(panel, LEFT + column * (COLUMN + 40), columns[column] ?? top);
    columns[column] = (columns[column] ?? top) + panel.height;
  }
  const height = Math.max(...columns) + 16;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
