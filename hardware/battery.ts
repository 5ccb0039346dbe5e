/** How long a cell lasts: what a device did, from the logs of its virtual twin, times what each of its parts draws while it
 *  does that. All figures of parts come from boards.ts; what is assumed besides them is in ASSUMED. */

import type { Part } from "./boards/part.ts";
import { partOf } from "./boards.ts";
import { type Build, endOf, ohmsOf } from "./wiring/build.ts";
import { netVolts } from "./wiring/volts.ts";

/** What a device did in a span of time. */
export interface Activity {
  readonly spanMs: number;
  /** Times its processor woke. */
  readonly wakes: number;
  readonly uartOpenMs: number;
  /** Lines to and from the modem. */
  readonly lines: number;
  readonly frames: number;
  /** Slowest spreading factor it sent at; 0: none. */
  readonly slowestSf: number;
  readonly sendingMs: number;
  readonly receivingMs: number;
  /** Time that each of its outputs was on: red, amber, green, buzzer. */
  readonly litMs: Readonly<Record<string, number>>;
  /** The modem sleeps in stop mode 2, not in stop mode 1. */
  readonly isDeepSleep: boolean;
}

/** Assumptions that are no figure of a part. */
export const ASSUMED = {
  /** What Espruino needs for one turn of a program's loop. */
  awakeMsPerWake: 10,
  /** What a modem's processor is awake for one line, besides the radio. */
  modemMsPerLine: 50,
  /** Presses for tests and in earnest. */
  pressesPerWeek: 1,
} as const;

/** Charges over a span, milliampere seconds (mC), by what they are for. */
export interface Charges {
  readonly asleep: number;
  readonly circuits: number;
  readonly processor: number;
  readonly uart: number;
  readonly modem: number;
  readonly sending: number;
  readonly receiving: number;
  readonly lights: number;
}

function current(part: Part | undefined, state: string): number {
  return part?.currentMa?.[state]?.value ?? 0;
}

/** What flows through resistors from supplies all the time, mA. */
export function standingMa(build: Build): number {
  const volts = netVolts(build);
  const supplies = build.nets.flatMap((net, i) =>
    net.ends.some((text) => endOf(build, text).pin?.role === "supply-out") ? [i] : [],
  );
  return supplies.reduce((sum, i) => {
    const flows = (build.nets[i]?.ends ?? []).map((text) => {
      const { ref, pinName, mounted } = endOf(build, text);
      const ohms = mounted === undefined ? undefined : ohmsOf(mounted);
      if (ohms === undefined) return 0;
      const other = build.nets.findIndex(({ ends }) =>
        ends.includes(`${ref}.${pinName === "1" ? "2" : "1"}`),
      );
      return (((volts[i] ?? 0) - (volts[other] ?? 0)) / ohms) * 1000;
    });
    return sum + flows.reduce((a, b) => a + b, 0);
  }, 0);
}

function partsOf(build: Build) {
  const parts = Object.values(build.parts).map(({ use }) => ({ use, part: partOf(use) }));
  return {
    controller: endOf(build, `${build.controller ?? ""}.`).part,
    modem: parts.find(({ use }) => use === "rak3172" || use === "rn2483")?.part,
    always: parts.reduce((sum, { part }) => sum + current(part, "always"), 0),
  };
}

/** Charges of an activity on a build. */
export function chargesOf(build: Build, did: Activity): Charges {
  const { controller, modem, always } = partsOf(build);
  const s = (ms: number) => ms / 1000;
  const asleepMa =
    current(controller, "asleep") +
    current(controller, "watching") +
    current(modem, did.isDeepSleep ? "asleep" : "dozing");
  const lamp = Object.entries(did.litMs).reduce((sum, [name, ms]) => {
    const net = build.nets.find((one) => one.name === name);
    const loads = (net?.ends ?? []).map((text) => endOf(build, text).pin?.loadMa?.value ?? 0);
    return sum + s(ms) * loads.reduce((a, b) => a + b, 0);
  }, 0);
  return {
    asleep: asleepMa * s(did.spanMs),
    circuits: (always + standingMa(build)) * s(did.spanMs),
    processor: current(controller, "awake") * s(did.wakes * ASSUMED.awakeMsPerWake),
    uart: current(controller, "uartOpen") * s(did.uartOpenMs),
    modem: current(modem, "awake") * s(did.lines * ASSUMED.modemMsPerLine),
    sending: current(modem, "sending") * s(did.sendingMs),
    receiving: current(modem, "receiving") * s(did.receivingMs),
    lights: lamp,
  };
}

function sum(charges: Charges): number {
  return Object.values(charges).reduce((a: number, b: number) => a + b, 0);
}

/** Mean current, mA: a quiet day, and the presses that come on top of it. `press` is a span that holds one press. */
export function meanMa(build: Build, day: Activity, press: Activity | null): number {
  const quietMa = sum(chargesOf(build, day)) / (day.spanMs / 1000);
  if (press === null) return quietMa;
  const extra = sum(chargesOf(build, press)) - quietMa * (press.spanMs / 1000);
  return quietMa + (Math.max(0, extra) * ASSUMED.pressesPerWeek) / (7 * 86_400);
}

export type Cell = "er14505" | "cr123a";

/** Years until a cell is empty: its usable charge goes to the device and to its own loss, the same share of the whole
 *  every year. */
export function yearsOn(cell: Cell, meanCurrentMa: number): number {
  const figures = partOf(cell).figures ?? {};
  const capacityMah = figures["capacityMah"]?.value ?? 0;
  const usableMah = capacityMah * (figures["usableShare"]?.value ?? 0);
  const lossMah = capacityMah * (figures["lossPerYear"]?.value ?? 0);
  return usableMah / (meanCurrentMa * 24 * 365.25 + lossMah);
}
