import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { airAt, createRoom, feltAt, type Room, steerRoom } from "../../hardware/virtual/room.ts";
import {
  chamberLevel,
  PLAIN_ADC,
  readLevel,
  thermistorLevel,
  VIRTUAL_CHAMBER,
  VIRTUAL_THERMISTOR,
} from "../../hardware/virtual/room-sensors.ts";

const MINUTE_MS = 60_000;

/** What a body feels, by a hundred small steps a second. */
function integrated(room: Room, constantMs: number, atMs: number): number {
  let felt = airAt(room, 0).celsius;
  const stepMs = 10;
  for (let ms = 0; ms < atMs; ms += stepMs)
    felt += ((airAt(room, ms + stepMs / 2).celsius - felt) * stepMs) / constantMs;
  return felt;
}

describe("a room", () => {
  const burning = steerRoom(createRoom(), MINUTE_MS, {
    kelvinPerMinute: 10,
    smokePerMinute: 2,
    untilSmoke: 3,
  });

  test("is calm until it burns, grows hotter in a straight line, and stops", () => {
    expect(airAt(burning, 0)).toEqual({ celsius: 25, smoke: 0 });
    expect(airAt(burning, 2 * MINUTE_MS)).toEqual({ celsius: 35, smoke: 2 });
    expect(airAt(burning, 4 * MINUTE_MS)).toEqual({ celsius: 55, smoke: 3 });
    expect(airAt(burning, 60 * MINUTE_MS)).toEqual({ celsius: 120, smoke: 3 });
  });

  test("forgets what was to come when it is steered anew, and nothing that was", () => {
    const out = steerRoom(burning, 4 * MINUTE_MS, { kelvinPerMinute: -15, smokePerMinute: -1 });
    for (let ms = 0; ms <= 4 * MINUTE_MS; ms += 7000)
      for (const quantity of ["celsius", "smoke"] as const)
        expect(airAt(out, ms)[quantity]).toBeCloseTo(airAt(burning, ms)[quantity], 9);
    expect(airAt(out, 5 * MINUTE_MS)).toEqual({ celsius: 40, smoke: 2 });
    expect(airAt(out, 60 * MINUTE_MS)).toEqual({ celsius: 25, smoke: 0 });
  });

  test("may be given by points", () => {
    const room: Room = [
      { atMs: 1000, celsius: 20, smoke: 0 },
      { atMs: 3000, celsius: 40, smoke: 1 },
    ];
    expect([0, 1000, 2000, 3000, 9000].map((ms) => airAt(room, ms).celsius)).toEqual([20, 20, 30, 40, 40]);
  });
});

test("what a lagging sensor feels is the solution of its equation, whatever the room does", () => {
  const steering = fc.array(
    fc.record({
      atMs: fc.integer({ min: 1, max: 200_000 }),
      kelvinPerMinute: fc.integer({ min: -60, max: 60 }),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(steering, fc.integer({ min: 5000, max: 60_000 }), (steps, constantMs) => {
      const room = steps
        .sort((a, b) => a.atMs - b.atMs)
        .reduce((before, { atMs, ...fire }) => steerRoom(before, atMs, fire), createRoom());
      for (const ms of [30_000, 240_000])
        expect(feltAt(room, "celsius", constantMs, ms)).toBeCloseTo(integrated(room, constantMs, ms), 2);
    }),
    { numRuns: 40 },
  );
});

describe("a sensor", () => {
  test("behind the air by its time constant, in a steady rise", () => {
    const room = steerRoom(createRoom(), 0, { kelvinPerMinute: 6 });
    const late = airAt(room, 5 * MINUTE_MS).celsius - feltAt(room, "celsius", 20_000, 5 * MINUTE_MS);
    expect(late).toBeCloseTo(2, 3);
  });

  test("half of the supply at 25 °C, and less when it is hotter", () => {
    expect(thermistorLevel(createRoom(), VIRTUAL_THERMISTOR, 0)).toBeCloseTo(0.5, 9);
    const hot = createRoom({ celsius: 58, smoke: 0 });
    expect(thermistorLevel(hot, VIRTUAL_THERMISTOR, 0)).toBeLessThan(0.25);
  });

  test("a chamber shows smoke and dust alike", () => {
    const { clean, perPercent } = VIRTUAL_CHAMBER;
    expect(chamberLevel(createRoom(), VIRTUAL_CHAMBER, 0)).toBe(clean);
    const smoky = createRoom({ celsius: 25, smoke: 2 });
    expect(chamberLevel(smoky, VIRTUAL_CHAMBER, 0, 1)).toBeCloseTo(clean + 3 * perPercent, 9);
  });

  test("is read in steps, with noise that is the same at the same time, and never as 1", () => {
    const adc = { noise: 0.01, seed: 5, bits: 12 };
    const readings = Array.from({ length: 4000 }, (_, i) => readLevel(0.5, adc, i * 5000));
    expect(readings).toEqual(Array.from({ length: 4000 }, (_, i) => readLevel(0.5, adc, i * 5000)));
    const mean = readings.reduce((sum, level) => sum + level, 0) / 4000;
    const deviation = Math.sqrt(readings.reduce((sum, level) => sum + (level - mean) ** 2, 0) / 4000);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(deviation).toBeCloseTo(0.01, 3);
    expect(readings.every((level) => Number.isInteger(level * 4096))).toBe(true);
    expect(readLevel(1, PLAIN_ADC, 0)).toBeLessThan(1);
  });
});
