/** Sensors in a room, as the levels that an ADC sees: pure functions of the time. Levels are shares of the supply. */
import { createRandom, gaussian } from "./random.ts";
import { feltAt, type Room } from "./room.ts";

/** What a level goes through on its way to a program. */
export interface Adc {
  /** Standard deviation of the level's noise. */
  readonly noise: number;
  /** Whose noise it is: the same seed at the same time is the same noise. */
  readonly seed: number;
  readonly bits: number;
}

/** Twelve bits, and noise of half a step. */
export const PLAIN_ADC: Adc = { noise: 1 / 8192, seed: 1, bits: 12 };

/** An NTC thermistor from the pin to ground, a resistor from there to the supply. */
export interface VirtualThermistor {
  /** At 25 °C. */
  readonly ohms: number;
  readonly beta: number;
  readonly seriesOhms: number;
  /** Time constant with which it follows the air. */
  readonly constantMs: number;
}

export interface VirtualChamber {
  /** Level in clean air. */
  readonly clean: number;
  /** What 1 %/m adds to it. */
  readonly perPercent: number;
  /** Time constant with which smoke finds its way in. */
  readonly constantMs: number;
}

export const VIRTUAL_THERMISTOR: VirtualThermistor = {
  ohms: 10_000,
  beta: 3950,
  seriesOhms: 10_000,
  constantMs: 20_000,
};
export const VIRTUAL_CHAMBER: VirtualChamber = { clean: 0.12, perPercent: 0.05, constantMs: 10_000 };

/** Level of a divider with `ohms` to ground; Infinity: broken, 0: shorted. */
export function dividerLevel(ohms: number, seriesOhms: number): number {
  return ohms === Number.POSITIVE_INFINITY ? 1 : ohms / (ohms + seriesOhms);
}

/** A level as the program reads it: with noise, in steps, below 1. A little less than zero is possible. */
export function readLevel(level: number, adc: Adc, atMs: number): number {
  const noise =
    adc.noise === 0 ? 0 : adc.noise * gaussian(createRandom(adc.seed * 0x9e3779b1 + Math.floor(atMs)));
  const steps = 2 ** adc.bits;
  return Math.min(steps - 1, Math.floor((level + noise) * steps)) / steps;
}

/** Level of a thermistor in the room. */
export function thermistorLevel(room: Room, thermistor: VirtualThermistor, atMs: number): number {
  const kelvin = feltAt(room, "celsius", thermistor.constantMs, atMs) + 273.15;
  const ohms = thermistor.ohms * Math.exp(thermistor.beta * (1 / kelvin - 1 / 298.15));
  return dividerLevel(ohms, thermistor.seriesOhms);
}

/** Level of a smoke chamber in the room; `dust` is what has settled in it, in %/m. */
export function chamberLevel(room: Room, chamber: VirtualChamber, atMs: number, dust = 0): number {
  return chamber.clean + chamber.perPercent * (dust + feltAt(room, "smoke", chamber.constantMs, atMs));
}

/** Resistors of a supervised loop, the one to the supply included. */
export interface LoopResistors {
  readonly seriesOhms: number;
  /** At the far end: what the loop has at rest. */
  readonly endOhms: number;
  /** Call point: in parallel when it is activated. Door: in series when it is open. */
  readonly alarmOhms: number;
  /** Of the wire, both ways. */
  readonly wireOhms?: number;
  /** Between the two wires, by damp; Infinity: none. */
  readonly leakOhms?: number;
}

export const CALL_POINT_LOOP: LoopResistors = { seriesOhms: 4700, endOhms: 14_000, alarmOhms: 1000 };
export const DOOR_LOOP: LoopResistors = { seriesOhms: 10_000, endOhms: 2200, alarmOhms: 22_000 };

export type LoopCondition = "rest" | "alarm" | "cut" | "short";

const parallel = (a: number, b: number) => 1 / (1 / a + 1 / b);

function loopLevel(loop: LoopResistors, condition: LoopCondition, alarmOhms: number): number {
  const { wireOhms = 0, leakOhms = Number.POSITIVE_INFINITY, seriesOhms } = loop;
  if (condition === "short") return dividerLevel(wireOhms, seriesOhms);
  const far =
    condition === "cut" ? Number.POSITIVE_INFINITY : condition === "rest" ? loop.endOhms : alarmOhms;
  return dividerLevel(parallel(far + wireOhms, leakOhms), seriesOhms);
}

/** Level of a call point's loop. */
export function callPointLevel(loop: LoopResistors, condition: LoopCondition): number {
  return loopLevel(loop, condition, parallel(loop.endOhms, loop.alarmOhms));
}

/** Level of a door's loop. */
export function doorLevel(loop: LoopResistors, condition: LoopCondition): number {
  return loopLevel(loop, condition, loop.endOhms + loop.alarmOhms);
}

/** Levels of a profile's `bounds`, five for a call point: halfway between short and alarm, then a margin of a tenth of the
 *  level around alarm and rest. */
export const CALL_POINT_BOUNDS = [0.05, 0.3, 0.65, 0.82, 0.92] as const;
/** Four for a door. */
export const DOOR_BOUNDS = [0.05, 0.28, 0.6, 0.85] as const;
