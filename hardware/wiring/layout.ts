/** Where everything on a wiring sheet stands, millimetres on A4 upright: parts in two columns, and between them one
 *  vertical track for each net. Ends on the left lie on another grid than those on the right, so that no two wires ever
 *  lie on each other; labels stand in zones that no track enters. */
import { partOf } from "../boards.ts";
import { printedValue } from "../bom.ts";
import { type Build, endOf } from "./build.ts";
import { colourOf } from "./colours.ts";
import { orderTracks, type Trunk } from "./tracks.ts";

export const PAGE = { width: 210, height: 297, margin: 10 } as const;
const BOX_WIDTH = 50;
const LABEL_WIDTH = 27;
const PITCH = 6;
const HEADER = 12;
/** From a box's last pin to its edge, and from there to the next box. */
const FOOT = 3;
const TOP = 12;
export const PIN_SIZE = 3;
export const LABEL_SIZE = 2.8;

export type Side = "left" | "right";

export interface Words {
  readonly x: number;
  /** Of the base line. */
  readonly y: number;
  readonly text: string;
  readonly sizeMm: number;
  readonly anchor: "start" | "end";
  readonly isBold?: boolean;
}

export interface Box {
  readonly ref: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Segment {
  readonly net: string;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Sheet {
  readonly boxes: readonly Box[];
  readonly words: readonly Words[];
  readonly segments: readonly Segment[];
  /** Where three or more ways of one net meet. */
  readonly joints: readonly { readonly net: string; readonly x: number; readonly y: number }[];
  /** Lower edge of the drawing. */
  readonly bottom: number;
}

interface Placed {
  readonly ref: string;
  readonly pins: readonly string[];
}

interface PinPlace {
  readonly text: string;
  readonly side: Side;
  readonly y: number;
}

/** Pins of a part that lie in a net, as its sheet orders them. */
function wiredPins(build: Build, ref: string): string[] {
  const ends = new Set(build.nets.flatMap((net) => net.ends));
  const { part } = endOf(build, `${ref}.`);
  return Object.keys(part?.pins ?? {}).filter((pin) => ends.has(`${ref}.${pin}`));
}

function heightOf(parts: readonly Placed[]): number {
  return parts.reduce((sum, { pins }) => sum + HEADER + pins.length * PITCH, 0);
}

/** What is small and lies on one of these may stand on either side. */
const FREE_NETS = /^(cell|battery|supply|siren|strobe|.*busA)$/i;

/** Supply and controller to the left, what they serve to the right; what is small evens the columns out. */
function columnsOf(build: Build): Readonly<Record<Side, readonly Placed[]>> {
  const left: Placed[] = [];
  const right: Placed[] = [];
  const small: Placed[] = [];
  for (const [ref, { use }] of Object.entries(build.parts)) {
    const placed = { ref, pins: wiredPins(build, ref) };
    const part = partOf(use);
    const touches = build.nets.filter(({ ends }) => ends.some((end) => end.startsWith(`${ref}.`)));
    const isFree = touches.some(({ name }) => FREE_NETS.test(name));
    const isSupply = Object.values(part.pins).some(({ role }) => role === "supply-out");
    if (ref === build.controller || isSupply || use === "busTerminal") left.push(placed);
    else if ((use === "resistor" || use === "capacitor") && isFree) small.push(placed);
    else right.push(placed);
  }
  for (const placed of small) (heightOf(left) <= heightOf(right) ? left : right).push(placed);
  return { left, right };
}

/** Height of each pin of a column whose first box begins at `top`. */
function pinsOf(parts: readonly Placed[], side: Side, top: number): PinPlace[] {
  let y = top;
  return parts.flatMap(({ ref, pins }) => {
    const first = y + HEADER;
    y = first + pins.length * PITCH;
    return pins.map((pin, i) => ({ text: `${ref}.${pin}`, side, y: first + i * PITCH }));
  });
}

/** The controller's pins in the order in which their wires arrive on the other side. */
function inOrderOfArrival(build: Build, left: readonly Placed[], right: readonly PinPlace[]): Placed[] {
  const arrival = (text: string) => {
    const net = build.nets.find(({ ends }) => ends.includes(text));
    if (net === undefined || ["supply", "ground", "feed"].includes(net.name)) return 0;
    return Math.min(...right.filter((pin) => net.ends.includes(pin.text)).map(({ y }) => y), PAGE.height);
  };
  return left.map(({ ref, pins }) => {
    if (ref !== build.controller) return { ref, pins };
    return { ref, pins: [...pins].sort((a, b) => arrival(`${ref}.${a}`) - arrival(`${ref}.${b}`)) };
  });
}

const EDGE: Readonly<Record<Side, number>> = {
  left: PAGE.margin + BOX_WIDTH,
  right: PAGE.width - PAGE.margin - BOX_WIDTH,
};

function boxesOf(parts: readonly Placed[], side: Side, top: number): Box[] {
  let y = top;
  return parts.map(({ ref, pins }) => {
    const box = {
      ref,
      x: side === "left" ? PAGE.margin : EDGE.right,
      y,
      width: BOX_WIDTH,
      height: HEADER + (pins.length - 1) * PITCH + FOOT,
    };
    y += HEADER + pins.length * PITCH;
    return box;
  });
}

function headerWords(build: Build, { ref, x, y }: Box): Words[] {
  const { mounted, part } = endOf(build, `${ref}.`);
  const value = mounted === undefined ? "" : printedValue(mounted);
  const head = { x: x + 2, anchor: "start" } as const;
  return [
    { ...head, y: y + 4.2, text: `${ref} ${value}`.trim(), sizeMm: 3.6, isBold: true },
    { ...head, y: y + 7.9, text: part?.name ?? "", sizeMm: 2.8 },
  ];
}

/** Name of the pin inside its box, and number and colour of the wire outside. */
function pinWords(build: Build, numbers: ReadonlyMap<string, number>, { text, side, y }: PinPlace): Words[] {
  const { ref, pinName, pin } = endOf(build, text);
  const net = build.nets.find(({ ends }) => ends.includes(text))?.name ?? "";
  const isLeft = side === "left";
  const isNamed = ref === build.controller && (pin?.role === "io" || pin?.role === "input-only");
  const name = isNamed ? `${net}  ${pinName}` : pinName;
  return [
    {
      x: EDGE[side] + (isLeft ? -2 : 2),
      y: y + 1,
      text: name,
      sizeMm: PIN_SIZE,
      anchor: isLeft ? "end" : "start",
      isBold: true,
    },
    {
      x: EDGE[side] + (isLeft ? 1.2 : -1.2),
      y: y - 1,
      text: `${numbers.get(net)} ${colourOf(net).name}`,
      sizeMm: LABEL_SIZE,
      anchor: isLeft ? "start" : "end",
    },
  ];
}

/** Lays a build out. */
export function layOut(build: Build): Sheet {
  const columns = columnsOf(build);
  const rightPins = pinsOf(columns.right, "right", TOP + PITCH / 2);
  const left = inOrderOfArrival(build, columns.left, rightPins);
  const places = [...pinsOf(left, "left", TOP), ...rightPins];
  const trunks: Trunk[] = build.nets.map(({ name, ends }) => ({
    net: name,
    pins: places.filter(({ text }) => ends.includes(text)).map(({ side, y }) => ({ side, y })),
  }));
  const ordered = orderTracks(trunks);
  const from = EDGE.left + LABEL_WIDTH;
  const step = (EDGE.right - LABEL_WIDTH - from) / (ordered.length - 1);
  const segments: Segment[] = [];
  const joints: { net: string; x: number; y: number }[] = [];
  ordered.forEach(({ net, pins }, i) => {
    const x = from + i * step;
    const heights = pins.map(({ y }) => y).sort((a, b) => a - b);
    const [y1 = 0, y2 = 0] = [heights[0], heights.at(-1)];
    for (const { side, y } of pins) segments.push({ net, x1: EDGE[side], y1: y, x2: x, y2: y });
    segments.push({ net, x1: x, y1, x2: x, y2 });
    for (const y of heights.slice(1, -1)) joints.push({ net, x, y });
  });
  const boxes = [...boxesOf(left, "left", TOP), ...boxesOf(columns.right, "right", TOP + PITCH / 2)];
  const numbers = new Map(build.nets.map(({ name }, i) => [name, i + 1]));
  return {
    boxes,
    segments,
    joints,
    words: [
      ...boxes.flatMap((box) => headerWords(build, box)),
      ...places.flatMap((place) => pinWords(build, numbers, place)),
    ],
    bottom: Math.max(...boxes.map(({ y, height }) => y + height)),
  };
}
