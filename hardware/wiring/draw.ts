/** A wiring sheet as SVG, A4 upright, for print: drawn from the same data that the checks and the firmware read. */
import type { Build } from "./build.ts";
import { colourOf } from "./colours.ts";
import { layOut, PAGE, type Sheet, type Words } from "./layout.ts";

const INK = "#14202b";
const NOTE_SIZE = 3.1;
const NOTE_STEP = 4.6;
const NOTE_CHARACTERS = 112;
const BLOCK_HEIGHT = 15;
const FONT = "'DejaVu Sans','Liberation Sans',Arial,sans-serif";

function safe(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function words({ x, y, text, sizeMm, anchor, isBold }: Words): string {
  const weight = isBold === true ? ' font-weight="bold"' : "";
  return `<text x="${x}" y="${y.toFixed(2)}" font-size="${sizeMm}" text-anchor="${anchor}"${weight}>${safe(text)}</text>`;
}

/** Every wire has a dark edge, so that white and yellow are seen on paper and grey prints differ. */
function wires({ segments, joints }: Sheet): string {
  const line = (at: { x1: number; y1: number; x2: number; y2: number }, look: string) =>
    `<line x1="${at.x1.toFixed(2)}" y1="${at.y1.toFixed(2)}" x2="${at.x2.toFixed(2)}" y2="${at.y2.toFixed(2)}" ${look}/>`;
  const nets = [...new Set(segments.map(({ net }) => net))];
  const drawn = nets.map((net) => {
    const { base, stripe } = colourOf(net);
    const own = segments.filter((segment) => segment.net === net);
    const stripes =
      stripe === undefined
        ? []
        : own.map((at) => line(at, `stroke="${stripe}" stroke-width="0.75" stroke-dasharray="1.6 2.4"`));
    return [
      ...own.map((at) => line(at, `stroke="${INK}" stroke-width="1.05" stroke-linecap="round"`)),
      ...own.map((at) => line(at, `stroke="${base}" stroke-width="0.75" stroke-linecap="round"`)),
      ...stripes,
    ].join("");
  });
  const dots = joints.map(
    ({ x, y }) => `<circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="1" fill="${INK}"/>`,
  );
  return drawn.join("\n") + dots.join("");
}

function boxes({ boxes: all }: Sheet): string {
  return all
    .map(
      ({ x, y, width, height }) =>
        `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="1" fill="#f6f8f9" stroke="${INK}" stroke-width="0.4"/>`,
    )
    .join("\n");
}

/** Breaks a sentence into lines. */
export function wrap(text: string, characters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= characters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Sentences under the drawing: those of the build, and those of its parts. */
export function noteLines(build: Build): string[] {
  const parts = Object.entries(build.parts).flatMap(([ref, { note }]) =>
    note === undefined ? [] : `${ref}: ${note}.`,
  );
  return [...build.notes, ...parts].flatMap((note) =>
    wrap(note, NOTE_CHARACTERS).map((line, i) => (i === 0 ? `• ${line}` : `   ${line}`)),
  );
}

function titleBlock(build: Build): string {
  const y = PAGE.height - PAGE.margin - BLOCK_HEIGHT;
  const width = PAGE.width - 2 * PAGE.margin;
  const program =
    build.firmware === undefined ? "" : `program ${build.firmware.role}-${build.firmware.uplink}.js`;
  const left = { x: PAGE.margin + 3, anchor: "start" } as const;
  const right = { x: PAGE.width - PAGE.margin - 3, anchor: "end" } as const;
  return [
    `<rect x="${PAGE.margin}" y="${y}" width="${width}" height="${BLOCK_HEIGHT}" fill="none" stroke="${INK}" stroke-width="0.5"/>`,
    words({ ...left, y: y + 6.2, text: build.title, sizeMm: 4.6, isBold: true }),
    words({ ...left, y: y + 11.8, text: `Tugma wiring sheet  ${build.name}`, sizeMm: 3.1 }),
    words({ ...right, y: y + 6.2, text: program, sizeMm: 3.1 }),
    words({
      ...right,
      y: y + 11.8,
      text: "Number and colour stand at each end of a wire; a dot joins",
      sizeMm: 3.1,
    }),
  ].join("\n");
}

/** Draws the sheet of a build. Throws when it does not fit on its page. */
export function drawSheet(build: Build): string {
  const sheet = layOut(build);
  const notes = noteLines(build);
  const notesTop = PAGE.height - PAGE.margin - BLOCK_HEIGHT - 3 - notes.length * NOTE_STEP;
  if (sheet.bottom > notesTop)
    throw new Error(
      `${build.name}: the drawing ends at ${sheet.bottom} mm and its notes begin at ${notesTop} mm: shorten them`,
    );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PAGE.width}mm" height="${PAGE.height}mm" viewBox="0 0 ${PAGE.width} ${PAGE.height}" font-family="${FONT}" fill="${INK}">`,
    `<title>${safe(build.title)}: wiring</title>`,
    `<rect width="${PAGE.width}" height="${PAGE.height}" fill="#ffffff"/>`,
    wires(sheet),
    boxes(sheet),
    ...sheet.words.map(words),
    ...notes.map((text, i) =>
      words({
        x: PAGE.margin,
        y: notesTop + (i + 0.8) * NOTE_STEP,
        text,
        sizeMm: NOTE_SIZE,
        anchor: "start",
      }),
    ),
    titleBlock(build),
    "</svg>\n",
  ].join("\n");
}
