/** Plots of a bench run as plain SVG: latency as a cumulative distribution, rates as bars. No dependency, no script. */
import type { Bars, Curve } from "./measure.ts";
import { type Figure, meets, ratioOf, show } from "./stats.ts";

const WIDTH = 880;
const COLOURS = ["#0b6e99", "#b3541e", "#4b7f52", "#7a4b94", "#6b6b6b"];

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function text(x: number, y: number, words: string, extra = ""): string {
  return `<text x="${x}" y="${y}" ${extra}>${escapeXml(words)}</text>`;
}

/** Cumulative distribution on a logarithmic time axis. */
function drawCurves(curves: readonly Curve[], top: number): string {
  const all = curves.flatMap((c) => c.samples);
  const low = Math.log10(Math.min(...all) * 0.9);
  const high = Math.log10(Math.max(...all) * 1.1);
  const x = (ms: number) => 70 + ((Math.log10(ms) - low) / (high - low)) * (WIDTH - 260);
  const y = (part: number) => top + 240 - part * 200;
  const out = [text(70, top + 20, "Latency: part of all alarms that are through", 'class="title"')];
  for (const part of [0, 0.5, 0.9, 0.99, 1]) {
    out.push(`<line x1="70" x2="${WIDTH - 190}" y1="${y(part)}" y2="${y(part)}" class="grid"/>`);
    out.push(text(62, y(part) + 4, `${part * 100} %`, 'text-anchor="end"'));
  }
  for (let power = Math.ceil(low); power <= high; power++)
    for (const step of [1, 2, 5]) {
      const ms = step * 10 ** power;
      if (Math.log10(ms) <= high) out.push(text(x(ms), top + 258, `${show(ms)} ms`, 'text-anchor="middle"'));
    }
  for (const [i, curve] of curves.entries()) {
    const sorted = [...curve.samples].sort((a, b) => a - b);
    const points = sorted.map((ms, n) => `${x(ms).toFixed(1)},${y((n + 1) / sorted.length).toFixed(1)}`);
    const colour = COLOURS[i % COLOURS.length];
    out.push(`<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    out.push(text(WIDTH - 180, top + 60 + i * 20, curve.name, `fill="${colour}"`));
  }
  return out.join("\n");
}

function drawBars({ name, unit, bars }: Bars, top: number): string {
  const most = Math.max(...bars.map((b) => b.value));
  const out = [text(70, top + 20, `${name} (${unit})`, 'class="title"')];
  for (const [i, bar] of bars.entries()) {
    const y = top + 34 + i * 24;
    const width = (bar.value / most) * (WIDTH - 460);
    out.push(text(262, y + 13, bar.label, 'text-anchor="end"'));
    out.push(
      `<rect x="270" y="${y}" width="${width.toFixed(1)}" height="18" fill="${COLOURS[i % COLOURS.length]}"/>`,
    );
    out.push(text(278 + width, y + 13, show(bar.value)));
  }
  return out.join("\n");
}

function drawFigures(figures: readonly Figure[], top: number): string {
  const out = [text(70, top + 20, "Promises", 'class="title"')];
  for (const [i, figure] of figures.entries()) {
    const y = top + 42 + i * 20;
    const verdict = meets(figure) ? "met" : "NOT MET";
    out.push(text(70, y, figure.name));
    out.push(
      text(
        640,
        y,
        `${show(ratioOf(figure))} ${figure.bound.is} ${show(figure.bound.limit)}`,
        'text-anchor="end"',
      ),
    );
    out.push(text(660, y, verdict, meets(figure) ? "" : 'fill="#a01010" font-weight="bold"'));
  }
  return out.join("\n");
}

export interface Picture {
  readonly curves: readonly Curve[];
  readonly bars: readonly Bars[];
  readonly figures: readonly Figure[];
}

/** One picture of the whole run. */
export function drawPlot({ curves, bars: groups, figures }: Picture): string {
  const parts: string[] = [];
  let top = 20;
  if (curves.some((c) => c.samples.length > 0)) {
    parts.push(drawCurves(curves, top));
    top += 290;
  }
  for (const group of groups) {
    parts.push(drawBars(group, top));
    top += 60 + group.bars.length * 24;
  }
  parts.push(drawFigures(figures, top));
  const height = top + 60 + figures.length * 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}.grid{stroke:#ddd}</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}
