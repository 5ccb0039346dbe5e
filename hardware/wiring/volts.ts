/** Which level each net of a build can have: what drives it, or what its resistors make of their neighbours. */

import type { Part } from "../boards/part.ts";
import { type Build, type End, endOf, ohmsOf } from "./build.ts";

/** Enough for the longest chain of resistors in a build. */
const ROUNDS = 400;

/** Volts of the supply that feeds a part; undefined where nothing does. */
export function supplyVoltsOf(build: Build, ref: string): number | undefined {
  for (const net of build.nets) {
    const ends = net.ends.map((text) => endOf(build, text));
    if (!ends.some((end) => end.ref === ref && end.pin?.role === "supply-in")) continue;
    const source = ends.find(({ pin }) => pin?.role === "supply-out");
    if (source?.pin?.volts !== undefined) return source.pin.volts.value;
  }
  return undefined;
}

/** Level of a part's outputs when they are high. */
export function outputVoltsOf(build: Build, ref: string, part: Part): number {
  return part.outputVolts?.value ?? supplyVoltsOf(build, ref) ?? 0;
}

/** Volts that an end drives onto its net; undefined where it only takes. */
function drivenBy(build: Build, end: End): number | undefined {
  if (end.pin === undefined || end.part === undefined) return undefined;
  if (end.pin.role === "supply-out") return end.pin.volts?.value;
  if (end.pin.role === "ground") return 0;
  if (end.pin.role === "uart-out" || end.pin.role === "analog-out")
    return outputVoltsOf(build, end.ref, end.part);
  return undefined;
}

/** Resistors as edges between nets. */
function resistorsOf(build: Build): readonly { nets: readonly [number, number]; ohms: number }[] {
  const at = new Map<string, number>();
  build.nets.forEach(({ ends }, i) => {
    for (const end of ends) at.set(end, i);
  });
  return Object.entries(build.parts).flatMap(([ref, mounted]) => {
    const [a, b] = [at.get(`${ref}.1`), at.get(`${ref}.2`)];
    const ohms = ohmsOf(mounted);
    if (a === undefined || b === undefined || ohms === undefined || ohms <= 0) return [];
    return [{ nets: [a, b] as const, ohms }];
  });
}

/** Highest volts of each net, in the order of `build.nets`, with every contact open. A net that nothing drives takes the
 *  mean of its neighbours behind resistors, weighed by their conductance. */
export function netVolts(build: Build): number[] {
  const driven = build.nets.map(({ ends }) => {
    const volts = ends.flatMap((text) => drivenBy(build, endOf(build, text)) ?? []);
    return volts.length === 0 ? undefined : Math.max(...volts);
  });
  const levels = driven.map((volts) => volts ?? 0);
  const resistors = resistorsOf(build);
  for (let round = 0; round < ROUNDS; round++)
    levels.forEach((_, i) => {
      if (driven[i] !== undefined) return;
      let current = 0;
      let conductance = 0;
      for (const { nets, ohms } of resistors) {
        const other = nets[0] === i ? nets[1] : nets[1] === i ? nets[0] : undefined;
        if (other === undefined) continue;
        current += (levels[other] ?? 0) / ohms;
        conductance += 1 / ohms;
      }
      if (conductance > 0) levels[i] = current / conductance;
    });
  return levels;
}
