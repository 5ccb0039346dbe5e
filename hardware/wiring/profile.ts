/** The `profile` of a board's identity file, derived from its build, so that wiring and firmware cannot disagree. */
import { partOf } from "../boards.ts";
import { type Build, controllerPin, ohmsOf, type SensorWiring } from "./build.ts";
import { supplyVoltsOf } from "./volts.ts";

/** Pins, and what a sensor's readings mean: see firmware/identity.ts and firmware/sensor-identity.ts. */
export type Profile = Readonly<
  Record<string, string | Readonly<Record<string, string | number | readonly number[]>>>
>;

/** Nets whose names are fields of a profile. */
const PIN_FIELDS: readonly string[] = [
  ...["button", "red", "amber", "green", "buzzer", "rx", "tx", "tamper"],
  ...["mains", "modemReset", "modemPower"],
];

function round(share: number): number {
  return Math.round(share * 1000) / 1000;
}

function resistance(build: Build, ref: string): number {
  const mounted = build.parts[ref];
  const ohms = mounted === undefined ? undefined : ohmsOf(mounted);
  if (ohms === undefined) throw new Error(`${build.name}: ${ref} has no ohms: give it a value in its build`);
  return ohms;
}

/** A share of the supply at the pin of a divider with `ohms` to ground. */
function levelOf(ohms: number, seriesOhms: number): number {
  return ohms / (ohms + seriesOhms);
}

/** Levels of a loop in its two good states: lower first. */
export interface LoopLevels {
  readonly low: number;
  readonly high: number;
}

/** Levels of a call point's or a door's loop by its resistors, each off by the shares given. */
export function loopLevels(build: Build, sensor: SensorWiring, off: readonly number[] = []): LoopLevels {
  const ohms = (ref: string, i: number) => resistance(build, ref) * (1 + (off[i] ?? 0));
  if (sensor.sort === "call-point") {
    const [series, rest, alarm] = [ohms(sensor.series, 0), ohms(sensor.rest, 1), ohms(sensor.alarm, 2)];
    return { low: levelOf((rest * alarm) / (rest + alarm), series), high: levelOf(rest, series) };
  }
  if (sensor.sort !== "door") throw new Error(`${build.name}: a ${sensor.sort} is no loop`);
  const [series, closed, open] = [ohms(sensor.series, 0), ohms(sensor.closed, 1), ohms(sensor.open, 2)];
  return { low: levelOf(closed, series), high: levelOf(closed + open, series) };
}

/** Readings that part the states of a loop (firmware/loop-states.ts): margins around the two good levels. */
function boundsOf(sensor: SensorWiring, { low, high }: LoopLevels): number[] {
  const gap = high - low;
  const above = 1 - high;
  const bounds =
    sensor.sort === "call-point"
      ? [low * 0.3, low + gap * 0.25, high - gap * 0.2, high + above * 0.3, high + above * 0.7]
      : [low * 0.3, low + gap * 0.2, high - gap * 0.2, high + above * 0.5];
  return bounds.map(round);
}

function sensorFields(build: Build, sensor: SensorWiring): Profile {
  if (sensor.sort === "chamber") {
    const figures = partOf("chamber").figures ?? {};
    const clean = figures["clean"]?.value ?? 0;
    const pin = controllerPin(build, "chamber") ?? "";
    return { chamber: { pin, floor: clean / 2, clean, perPercent: figures["perPercent"]?.value ?? 0 } };
  }
  if (sensor.sort === "thermistor") {
    const ohms = resistance(build, sensor.thermistor);
    const beta = partOf("ntc").figures?.["beta"]?.value ?? 0;
    const pin = controllerPin(build, "thermistor") ?? "";
    return { thermistor: { pin, ohms, beta, seriesOhms: resistance(build, sensor.series) } };
  }
  const pin = controllerPin(build, "loop") ?? "";
  return { loop: { pin, bounds: boundsOf(sensor, loopLevels(build, sensor)) } };
}

/** The cell behind its divider, as shares of the supply. */
function batteryField(build: Build): Profile {
  const pin = controllerPin(build, "battery");
  const cell = Object.values(build.parts).find(({ use }) => use === "er14505" || use === "cr123a");
  const supply = build.controller === undefined ? undefined : supplyVoltsOf(build, build.controller);
  if (pin === undefined || cell === undefined || supply === undefined) return {};
  const share = levelOf(resistance(build, "R2"), resistance(build, "R1"));
  const figures = partOf(cell.use).figures ?? {};
  const reading = (name: string) => round(((figures[name]?.value ?? 0) * share) / supply);
  return { battery: { pin, empty: reading("emptyVolts"), full: reading("fullVolts") } };
}

/** Derives the profile of a build that runs our firmware; undefined for one that does not. */
export function profileOf(build: Build): Profile | undefined {
  if (build.firmware === undefined) return undefined;
  const pins = PIN_FIELDS.flatMap((name) => {
    const pin = controllerPin(build, name);
    return pin === undefined ? [] : [[name, pin] as const];
  });
  const sensor = build.sensor === undefined ? {} : sensorFields(build, build.sensor);
  return { ...Object.fromEntries(pins), ...batteryField(build), ...sensor };
}
