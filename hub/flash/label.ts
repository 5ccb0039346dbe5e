/** A board's label, 50 × 25 mm: a QR code as of LoRaWAN TR005, its short code, DevEUI, name and place. Never a key. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { encodeQR } from "qr";
import { GLYPH, glyphPixel } from "./glyphs.ts";
import { shortCode } from "./identity.ts";
import { encodePng } from "./png.ts";

export interface LabelText {
  readonly devEui: string;
  readonly joinEui: string;
  readonly name: string;
  readonly place: string;
}

const WIDTH_MM = 50;
const HEIGHT_MM = 25;
/** Version 3 with its quiet zone of four modules is 37 modules wide: 22.2 mm. */
const MODULE_MM = 0.6;
const QUIET_MODULES = 4;
const QR_VERSION = 3;
const TEXT_AT_MM = 24;
/** No member of the LoRa Alliance: its vendor id takes this one's place once there is one. */
const PROFILE_ID = "FFFF0001";
const PIXELS_PER_MM = 20;
const PIXELS_PER_MODULE = 12;

/** The text in the code. Upper case throughout, which keeps it in QR's alphanumeric mode. */
export function labelCode({ joinEui, devEui }: Pick<LabelText, "joinEui" | "devEui">): string {
  return `LW:D0:${joinEui}:${devEui}:${PROFILE_ID}`.toUpperCase();
}

/** Writes DEVEUI.svg and DEVEUI.png into `dir`, which is made. Returns their paths. */
export function writeLabel(dir: string, label: LabelText): string[] {
  mkdirSync(dir, { recursive: true });
  const base = path.join(dir, label.devEui);
  writeFileSync(`${base}.svg`, labelSvg(label));
  writeFileSync(`${base}.png`, labelPng(label));
  return [`${base}.svg`, `${base}.png`];
}

function modulesOf(label: LabelText): boolean[][] {
  const options = {
    ecc: "medium",
    encoding: "alphanumeric",
    version: QR_VERSION,
    border: QUIET_MODULES,
  } as const;
  return encodeQR(labelCode(label), "raw", options);
}

/** For printing: everything. */
export function labelSvg(label: LabelText): string {
  const dark = modulesOf(label).flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
  );
  const lines = [
    { y: 6.5, size: 5, text: shortCode(label.devEui) },
    { y: 11.5, size: 2.6, text: label.name },
    { y: 15, size: 2.2, text: label.place },
    { y: 22, size: 2.2, text: label.devEui.toUpperCase() },
  ];
  const texts = lines.map(({ y, size, text }) => {
    const fit =
      text.length * size * 0.6 > WIDTH_MM - TEXT_AT_MM
        ? ` textLength="${WIDTH_MM - TEXT_AT_MM - 1}" lengthAdjust="spacingAndGlyphs"`
        : "";
    return `<text x="${TEXT_AT_MM}" y="${y}" font-size="${size}"${fit}>${escaped(text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_MM}mm" height="${HEIGHT_MM}mm" viewBox="0 0 ${WIDTH_MM} ${HEIGHT_MM}" font-family="sans-serif">`,
    `<rect width="${WIDTH_MM}" height="${HEIGHT_MM}" fill="#fff"/>`,
    `<path transform="scale(${MODULE_MM})" d="${dark.join("")}"/>`,
    ...texts,
    "</svg>\n",
  ].join("\n");
}

/** For label printers without fonts: the QR code, the short code and the DevEUI. */
export function labelPng(label: LabelText): Uint8Array {
  const modules = modulesOf(label);
  const lines = [
    { atMm: { x: TEXT_AT_MM, y: 3 }, scale: 12, text: shortCode(label.devEui) },
    { atMm: { x: TEXT_AT_MM, y: 20 }, scale: 5, text: label.devEui.toUpperCase() },
  ];
  const isBlack = (x: number, y: number) => {
    const module = (pixel: number) => Math.floor(pixel / PIXELS_PER_MODULE);
    if (modules[module(y)]?.[module(x)] === true) return true;
    return lines.some(({ atMm, scale, text }) => {
      const column = Math.floor((x - atMm.x * PIXELS_PER_MM) / scale);
      const row = Math.floor((y - atMm.y * PIXELS_PER_MM) / scale);
      return glyphPixel(text.charAt(Math.floor(column / GLYPH.pitch)), column % GLYPH.pitch, row);
    });
  };
  const bitmap = { width: WIDTH_MM * PIXELS_PER_MM, height: HEIGHT_MM * PIXELS_PER_MM, isBlack };
  return encodePng(bitmap, PIXELS_PER_MM * 1000);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
