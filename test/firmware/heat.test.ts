import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COLD, type Heat, stepHeat } from "../../firmware/heat.ts";
import { celsiusOf } from "../../firmware/thermistor.ts";
import { createRoom, type Room, steerRoom } from "../../hardware/virtual/room.ts";
import {
  type Adc,
  PLAIN_ADC,
  readLevel,
  thermistorLevel,
  VIRTUAL_THERMISTOR,
} from "../../hardware/virtual/room-sensors.ts";
import { DETAIL } from "../../protocols/device/details.ts";

const PROFILE = { pin: "A1", ...VIRTUAL_THERMISTOR };
const MINUTE_MS = 60_000;
const BURNS_AT_MS = 20 * MINUTE_MS;

type Begun = Partial<Record<"heat" | "preAlarm" | "sensorOpen" | "sensorShort", number>>;

/** Samples as the detector asks for them; when each condition first began. */
function watch(levelAt: (ms: number) => number, untilMs: number, phaseMs = 0): { begun: Begun; heat: Heat } {
  let heat = COLD;
  const begun: Begun = {};
  for (let nowMs = phaseMs; nowMs <= untilMs; nowMs = heat.dueMs) {
    heat = stepHeat(heat, PROFILE, { nowMs, reading: levelAt(nowMs) });
    for (const name of ["heat", "preAlarm", "sensorOpen", "sensorShort"] as const)
      if ((heat.stands & (1 << DETAIL[name])) !== 0) begun[name] ??= nowMs;
  }
  return { begun, heat };
}

interface Detector {
  readonly constantMs: number;
  readonly adc: Adc;
  /** Errors of the parts, as factors. */
  readonly ohms?: number;
  readonly beta?: number;
  readonly series?: number;
}

function levels(room: Room, { constantMs, adc, ohms = 1, beta = 1, series = 1 }: Detector) {
  const thermistor = {
    ohms: VIRTUAL_THERMISTOR.ohms * ohms,
    beta: VIRTUAL_THERMISTOR.beta * beta,
    seriesOhms: VIRTUAL_THERMISTOR.seriesOhms * series,
    constantMs,
  };
  return (ms: number) => readLevel(thermistorLevel(room, thermistor, ms), adc, ms);
}

const DETECTORS: readonly [string, Detector][] = [
  ["a bead without lag or noise, 14 bits", { constantMs: 0, adc: { noise: 0, seed: 1, bits: 14 } }],
  ["the virtual one", { constantMs: 20_000, adc: PLAIN_ADC }],
  [
    "a slow one, 10 bits, 2 steps of noise",
    { constantMs: 40_000, adc: { noise: 2 / 1024, seed: 7, bits: 10 } },
  ],
  [
    "parts that add 2 % of warmth",
    { constantMs: 20_000, adc: { noise: 1 / 2048, seed: 3, bits: 12 }, ohms: 0.99, beta: 1.01, series: 1.01 },
  ],
  [
    "parts that hide 2 % of warmth",
    { constantMs: 20_000, adc: { noise: 1 / 2048, seed: 4, bits: 12 }, ohms: 1.01, beta: 0.99, series: 0.99 },
  ],
];
/** When within a sample's pause the fire begins. */
const PHASES_MS = [0, 700, 1500, 2300, 3100, 3900, 4700];

/** EN 54-5, class A1: when the alarm may come earliest and must have come, from 25 °C. */
const LIMITS_S: readonly [kelvinPerMinute: number, from: number, to: number][] = [
  [1, 29 * 60, 40 * 60 + 20],
  [3, 7 * 60 + 13, 13 * 60 + 40],
  [5, 4 * 60 + 9, 8 * 60 + 20],
  [10, 60, 4 * 60 + 20],
  [20, 30, 2 * 60 + 20],
  [30, 20, 100],
];

describe.each(DETECTORS)("EN 54-5 class A1R, %s", (_, detector) => {
  const alarmS = (room: Room, phaseMs: number, forMs: number) => {
    const { begun } = watch(levels(room, detector), BURNS_AT_MS + forMs, phaseMs);
    return ((begun.heat ?? Number.POSITIVE_INFINITY) - BURNS_AT_MS) / 1000;
  };

  test.each(LIMITS_S)("%i K/min from 25 °C alarms between %i and %i s", (kelvinPerMinute, from, to) => {
    const room = steerRoom(createRoom(), BURNS_AT_MS, { kelvinPerMinute });
    for (const phaseMs of PHASES_MS) {
      const told = alarmS(room, phaseMs, 45 * MINUTE_MS);
      expect(told, `phase ${phaseMs}`).toBeGreaterThanOrEqual(from);
      expect(told, `phase ${phaseMs}`).toBeLessThanOrEqual(to);
    }
  });

  test.each(LIMITS_S.slice(3))(
    "%i K/min from 5 °C alarms by its rise, between the same limits",
    (rate, from, to) => {
      const room = steerRoom(createRoom({ celsius: 5, smoke: 0 }), BURNS_AT_MS, { kelvinPerMinute: rate });
      for (const phaseMs of PHASES_MS) {
        const told = alarmS(room, phaseMs, 5 * MINUTE_MS);
        expect(told).toBeGreaterThanOrEqual(from);
        expect(told).toBeLessThanOrEqual(to);
      }
    },
  );

  test("0.2 K/min alarms between 54 and 65 °C", () => {
    const room = steerRoom(createRoom({ celsius: 50, smoke: 0 }), BURNS_AT_MS, { kelvinPerMinute: 0.2 });
    const celsius = 50 + (alarmS(room, 0, 90 * MINUTE_MS) / 60) * 0.2;
    expect(celsius).toBeGreaterThan(54);
    expect(celsius).toBeLessThan(65);
  });

  test("a warm day, a cold night, and 48 °C under a roof are no alarm", () => {
    const warm = steerRoom(createRoom({ celsius: -10, smoke: 0 }), 0, {
      kelvinPerMinute: 1,
      untilCelsius: 48,
    });
    const room = steerRoom(warm, 90 * MINUTE_MS, { kelvinPerMinute: -1, untilCelsius: -10 });
    expect(watch(levels(room, detector), 180 * MINUTE_MS).begun).toEqual({});
  });
});

const at = (celsius: number) =>
  thermistorLevel(createRoom({ celsius, smoke: 0 }), { ...VIRTUAL_THERMISTOR, constantMs: 0 }, 0);

test("a reading is the temperature of the beta equation, from -40 to 150 °C", () => {
  for (let celsius = -40; celsius <= 150; celsius += 5)
    expect(celsiusOf(at(celsius), PROFILE)).toBeCloseTo(celsius, 6);
});

describe("heat", () => {
  test("a fire of 10 K/min is a pre-alarm first, and its alarm says how hot it is", () => {
    const room = steerRoom(createRoom(), BURNS_AT_MS, { kelvinPerMinute: 10, untilCelsius: 60 });
    const { begun, heat } = watch(levels(room, { constantMs: 20_000, adc: PLAIN_ADC }), BURNS_AT_MS * 2);
    expect(begun.preAlarm ?? 0).toBeGreaterThan(BURNS_AT_MS);
    expect(begun.heat ?? 0).toBeGreaterThan(begun.preAlarm ?? Number.POSITIVE_INFINITY);
    expect(heat.detail).toBe(60 + 40);
  });

  test("a jump past both limits is one alarm and no pre-alarm", () => {
    const { begun } = watch((ms) => at(ms < 60_000 ? 25 : 80), 5 * MINUTE_MS);
    expect(begun).toEqual({ heat: expect.any(Number) });
    expect((begun.heat ?? 0) - 60_000).toBeLessThanOrEqual(10_000);
  });

  test("it ends only a minute after it is cool again", () => {
    const { heat } = watch((ms) => at(ms < 60_000 ? 80 : 50), 30 * MINUTE_MS);
    expect(heat.stands & (1 << DETAIL.heat)).not.toBe(0);
    const cooled = (minutes: number) => watch((ms) => at(ms < 60_000 ? 80 : 30), minutes * MINUTE_MS).heat;
    expect(cooled(1.9).stands).not.toBe(0);
    expect(cooled(2.5).stands).toBe(0);
  });

  test.each([
    ["broken", "sensorOpen", 1],
    ["shorted", "sensorShort", 0],
  ] as const)("a thermistor that is %s is a fault of its own, and its repair no rise", (_, name, level) => {
    const repairMs = 2 * 60 * MINUTE_MS;
    const air = (ms: number) => (ms < MINUTE_MS ? at(5) : ms < repairMs ? level : at(28));
    expect(watch(air, repairMs - 1).begun).toEqual({ [name]: expect.any(Number) });
    const { begun, heat } = watch(air, repairMs + 10 * MINUTE_MS);
    expect(begun).toEqual({ [name]: expect.any(Number) });
    expect(heat.stands).toBe(0);
  });

  test("a thermistor that breaks in the fire leaves the alarm standing", () => {
    const { heat } = watch(
      (ms) => (ms < MINUTE_MS ? at(25) : ms < 3 * MINUTE_MS ? at(90) : 1),
      60 * MINUTE_MS,
    );
    expect(heat.stands).toBe((1 << DETAIL.heat) | (1 << DETAIL.sensorOpen));
  });
});

test("a wire that is bad at every other sample is no fault, whatever is read", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -0.01, max: 0.999, noNaN: true }), { maxLength: 40 }), (wild) => {
      const readings = wild.flatMap((level) => [level, at(25)]);
      const { begun } = watch(() => readings.shift() ?? at(25), 5 * MINUTE_MS);
      expect(begun.sensorOpen ?? begun.sensorShort).toBeUndefined();
    }),
  );
});

test("whatever it reads, the state stays finite and the next sample is near", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -0.05, max: 1, noNaN: true }), { maxLength: 60 }), (readings) => {
      let heat = COLD;
      let nowMs = 0;
      for (const reading of readings) {
        heat = stepHeat(heat, PROFILE, { nowMs, reading });
        expect(heat.dueMs - nowMs).toBeGreaterThanOrEqual(2000);
        expect(heat.dueMs - nowMs).toBeLessThanOrEqual(5000);
        expect(Number.isFinite(heat.reference)).toBe(true);
        expect(Number.isInteger(heat.detail) && heat.detail >= 0 && heat.detail <= 255).toBe(true);
        nowMs = heat.dueMs;
      }
    }),
  );
});
