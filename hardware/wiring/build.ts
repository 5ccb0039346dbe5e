/** What a build is: the parts of one thing that somebody mounts, and the nets that join their pins. */

import type { Part, Pin } from "../boards/part.ts";
import { type PartName, partOf } from "../boards.ts";

export interface Mounted {
  readonly use: PartName;
  /** Of a resistor. */
  readonly ohms?: number;
  /** What a capacitor and their like are. */
  readonly value?: string;
  /** For whoever mounts it. */
  readonly note?: string;
}

/** One wire with all its ends, each "reference.pin". */
export interface Net {
  readonly name: string;
  readonly ends: readonly string[];
}

/** References of the parts that make up a sensor's input. */
export type SensorWiring =
  | { readonly sort: "chamber"; readonly chamber: string }
  | { readonly sort: "thermistor"; readonly thermistor: string; readonly series: string }
  | { readonly sort: "call-point"; readonly series: string; readonly rest: string; readonly alarm: string }
  | { readonly sort: "door"; readonly series: string; readonly closed: string; readonly open: string };

export interface Build {
  /** As the command line calls it. */
  readonly name: string;
  readonly title: string;
  /** The program it runs, where it runs one of ours. */
  readonly firmware?: { readonly role: string; readonly uplink: string };
  /** Reference of the part whose pins the program works. */
  readonly controller?: string;
  readonly sensor?: SensorWiring;
  readonly parts: Readonly<Record<string, Mounted>>;
  readonly nets: readonly Net[];
  /** Sentences for whoever mounts it. */
  readonly notes: readonly string[];
}

/** A piece of a build: nets of the same name grow together. */
export interface Fragment {
  readonly parts?: Readonly<Record<string, Mounted>>;
  readonly nets: Readonly<Record<string, readonly string[]>>;
  readonly notes?: readonly string[];
}

/** Puts fragments together. */
export function assemble(
  head: Omit<Build, "parts" | "nets" | "notes">,
  fragments: readonly Fragment[],
): Build {
  const nets = new Map<string, string[]>();
  for (const fragment of fragments)
    for (const [name, ends] of Object.entries(fragment.nets))
      nets.set(name, [...(nets.get(name) ?? []), ...ends]);
  return {
    ...head,
    parts: Object.assign({}, ...fragments.map(({ parts }) => parts ?? {})),
    nets: [...nets].map(([name, ends]) => ({ name, ends })),
    notes: fragments.flatMap(({ notes }) => notes ?? []),
  };
}

/** One end of a net, looked up; `part` and `pin` are missing where the build or the part has no such thing. */
export interface End {
  readonly text: string;
  readonly ref: string;
  readonly pinName: string;
  readonly mounted: Mounted | undefined;
  readonly part: Part | undefined;
  readonly pin: Pin | undefined;
}

/** Looks an end up. */
export function endOf(build: Build, text: string): End {
  const dot = text.indexOf(".");
  const ref = text.slice(0, dot);
  const pinName = text.slice(dot + 1);
  const mounted = Object.hasOwn(build.parts, ref) ? build.parts[ref] : undefined;
  const part = mounted === undefined ? undefined : partOf(mounted.use);
  const pin = part !== undefined && Object.hasOwn(part.pins, pinName) ? part.pins[pinName] : undefined;
  return { text, ref, pinName, mounted, part, pin };
}

/** Net in which an end lies. */
export function netOf(build: Build, end: string): Net | undefined {
  return build.nets.find(({ ends }) => ends.includes(end));
}

/** The controller's pin in a net. */
export function controllerPin(build: Build, net: string): string | undefined {
  const ends = build.nets.find(({ name }) => name === net)?.ends ?? [];
  const own = ends.map((text) => endOf(build, text)).find(({ ref }) => ref === build.controller);
  return own?.pinName;
}

/** Ohms of a resistor that is mounted, or of a part that is one by itself. */
export function ohmsOf(mounted: Mounted): number | undefined {
  return mounted.ohms ?? partOf(mounted.use).figures?.["ohms"]?.value;
}
