/** The shop of the demo: its fire, and the sensors in it with their final firmware, in virtual time. */
import { describe, expect, test } from "vitest";
import { buildFirmware } from "../../../firmware/build.ts";
import { FIERCEST, type Fire, type RoomAir, type SensorRole } from "../../../hardware/demo/entrance-site.ts";
import { createFireRoom, fitSensor } from "../../../hardware/demo/fire-room.ts";
import { createBoard } from "../../../hardware/virtual/board.ts";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import { createRandom } from "../../../hardware/virtual/random.ts";
import { decodeReport } from "../../../protocols/device/report.ts";
import { createScriptedModem } from "../scripted-modem.ts";

const MINUTE_MS = 60_000;

test("the air follows the slider, keeps what it has at zero, and calms down when the fire is out", async () => {
  const clock = createVirtualClock();
  const room = createFireRoom(clock);
  room.burn({ kelvinPerMinute: 10, smokePerMinute: 4 });
  await clock.advance(MINUTE_MS);
  expect(room.air()).toEqual({ celsius: 35, smoke: 4, kelvinPerMinute: 10, smokePerMinute: 4 });
  room.burn({ kelvinPerMinute: 0, smokePerMinute: 0 });
  await clock.advance(MINUTE_MS);
  expect(room.air()).toMatchObject({ celsius: 35, smoke: 4 });
  room.putOut();
  await clock.advance(MINUTE_MS);
  expect(room.air()).toEqual({ celsius: 25, smoke: 0, kelvinPerMinute: 0, smokePerMinute: 0 });
  expect(clock.pending).toBe(0);
});

test("its air is told at once and while it changes, and no longer once the room is closed", async () => {
  const clock = createVirtualClock();
  const room = createFireRoom(clock);
  const told: RoomAir[] = [];
  room.onAir((air) => told.push(air));
  room.burn(FIERCEST);
  expect(told).toHaveLength(1);
  await clock.advance(10_000);
  expect(told).toHaveLength(21);
  expect(told.at(-1)?.celsius).toBeCloseTo(30);
  room.close();
  await clock.advance(10_000);
  expect(told).toHaveLength(21);
});

test("a slider that is moved for hours leaves no endless history", async () => {
  const clock = createVirtualClock();
  const room = createFireRoom(clock);
  for (let n = 0; n < 500; n++) {
    room.burn({ kelvinPerMinute: n % 2 === 0 ? 30 : 0, smokePerMinute: 0 });
    await clock.advance(30_000);
  }
  expect(room.points().length).toBeLessThan(30);
  expect(room.air().celsius).toBe(120);
});

/** A sensor of the shop that has joined, with its modem on paper. */
async function mounted(role: SensorRole) {
  const clock = createVirtualClock();
  const room = createFireRoom(clock);
  const modem = createScriptedModem(clock);
  const { bundle, pins, identity } = fitSensor(room, role, (await buildFirmware(role)).code);
  const own = { devEui: "0200000000000201", joinEui: "0200000000000001", appKey: "ab".repeat(16) };
  const board = createBoard({
    ...{ bundle, pins, clock, random: createRandom(1), serial: modem.serial },
    identity: { ...own, role, region: "EU433", ...identity },
  });
  board.powerOn();
  await clock.advance(1.5 * MINUTE_MS);
  const told = () =>
    modem.frames
      .map(({ hex, atMs }) => ({ atMs, ...decodeReport(Buffer.from(hex, "hex")) }))
      .filter(({ kind }) => kind !== "heartbeat");
  return { clock, room, board, told };
}

describe.each<[SensorRole, "smoke" | "heat", Fire, withinS: number]>([
  ["smoke-sensor", "smoke", { kelvinPerMinute: 0, smokePerMinute: 12 }, 45],
  ["heat-sensor", "heat", { kelvinPerMinute: 30, smokePerMinute: 0 }, 100],
  ["heat-sensor", "heat", { kelvinPerMinute: 10, smokePerMinute: 0 }, 260],
])("the shop's %s", (role, kind, fire, withinS) => {
  test(`says ${kind} within ${withinS} s of ${JSON.stringify(fire)}, with its red light on`, async () => {
    const { clock, room, board, told } = await mounted(role);
    expect(told()).toEqual([]);
    room.burn(fire);
    const isTold = await clock.runUntil(() => told().some((report) => report.kind === kind), withinS * 1000);
    expect(isTold).toBe(true);
    expect(board.lamp().red).toBe(true);
    room.putOut();
    await clock.advance(10 * MINUTE_MS);
    expect(board.lamp().red).toBe(false);
    expect(told().map((report) => report.kind)).toContain("restore");
    expect(board.errors).toEqual([]);
  });
});
