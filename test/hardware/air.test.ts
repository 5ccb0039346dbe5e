import { describe, expect, test } from "vitest";
import { createAir } from "../../hardware/virtual/air.ts";
import type { AirFault, Outcome } from "../../hardware/virtual/air-types.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import {
  distanceLossDb,
  lossByPosition,
  lossByTable,
  type PathLoss,
} from "../../hardware/virtual/path-loss.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { demodulationLimitDb, noiseFloorDbm } from "../../hardware/virtual/signal.ts";

const HZ = 868_100_000;
const FRAME = {
  bytes: new Uint8Array(20),
  frequencyHz: HZ,
  sf: 7,
  bandwidthHz: 125_000,
  powerDbm: 14,
  polarity: "up" as const,
};

function createWorld(pathLoss: PathLoss = lossByTable({}, 100), seed = 1) {
  const clock = createVirtualClock();
  const air = createAir({ clock, random: createRandom(seed), pathLoss });
  const outcomes: Outcome[] = [];
  air.onOutcome((outcome) => outcomes.push(outcome));
  const station = (id: string, demodulators = 16) => {
    const receivedAtMs: number[] = [];
    const detach = air.attach({
      id,
      demodulators,
      hears: (t) => t.polarity === "up",
      receive: () => receivedAtMs.push(clock.monotonicMs()),
    });
    return { receivedAtMs, detach };
  };
  const send = (from: string, change: Partial<typeof FRAME> & { startMs?: number } = {}) =>
    air.transmit({ from, startMs: clock.monotonicMs(), ...FRAME, ...change });
  const results = () => outcomes.map(({ result }) => result);
  return { clock, air, outcomes, station, send, results };
}

describe("reception", () => {
  // airtimes of a 20-byte uplink, Semtech's formula
  test.each([
    [7, 56.6],
    [8, 102.9],
    [9, 185.3],
    [10, 370.7],
    [11, 741.4],
    [12, 1318.9],
  ])("SF%i is received whole after %f ms", async (sf, ms) => {
    const world = createWorld();
    const gateway = world.station("gateway");
    world.send("device", { sf });
    await world.clock.advance(2000);
    expect(gateway.receivedAtMs[0]).toBeCloseTo(ms, 1);
  });

  test("level is power less path loss, and SNR is level over the noise of the bandwidth", async () => {
    const world = createWorld(lossByTable({ device: { gateway: 120 } }, 200));
    world.station("gateway");
    world.send("device");
    await world.clock.advance(100);
    expect(world.outcomes[0]?.rssiDbm).toBeCloseTo(14 - 120, 6);
    expect(world.outcomes[0]?.snrDb).toBeCloseTo(14 - 120 + 117.03, 2);
  });

  test.each([7, 8, 9, 10, 11, 12])("SF%i is heard just above its limit and not just below", async (sf) => {
    const limitLossDb = 14 - noiseFloorDbm(125_000) - demodulationLimitDb(sf);
    for (const [db, result] of [
      [-0.1, "received"],
      [0.1, "weak"],
    ] as const) {
      const world = createWorld(lossByTable({}, limitLossDb + db));
      world.station("gateway");
      world.send("device", { sf });
      await world.clock.advance(2000);
      expect(world.results()).toEqual([result]);
    }
  });

  test("several gateways receive one frame, each at its own level; one too far does not", async () => {
    const world = createWorld(lossByTable({ device: { near: 90, far: 118, away: 150 } }, 200));
    for (const id of ["near", "far", "away"]) world.station(id);
    world.send("device");
    await world.clock.advance(100);
    expect(world.outcomes.map(({ station, result }) => [station, result])).toEqual([
      ["near", "received"],
      ["far", "received"],
      ["away", "weak"],
    ]);
  });

  test("a frame scheduled ahead begins at its time", async () => {
    const world = createWorld();
    const gateway = world.station("gateway");
    world.send("device", { startMs: 500 });
    await world.clock.advance(556);
    expect(gateway.receivedAtMs).toEqual([]);
    await world.clock.advance(1);
    expect(gateway.receivedAtMs).toHaveLength(1);
  });

  test("a transmitter that loses its power in mid-frame is heard by nobody", async () => {
    const world = createWorld();
    world.station("gateway");
    const frame = world.send("device");
    await world.clock.advance(20);
    world.air.cut(frame);
    await world.clock.advance(100);
    expect(world.results()).toEqual(["lost"]);
  });
});

describe("collisions", () => {
  const overlapping = async (levelDb: number, other: Partial<typeof FRAME>) => {
    const world = createWorld(lossByTable({ a: { gateway: 100 }, b: { gateway: 100 + levelDb } }, 200));
    world.station("gateway");
    world.send("a");
    await world.clock.advance(30);
    world.send("b", other);
    await world.clock.advance(200);
    return Object.fromEntries(world.outcomes.map(({ transmission, result }) => [transmission.from, result]));
  };

  test("two equal frames destroy each other", async () => {
    expect(await overlapping(0, {})).toEqual({ a: "collision", b: "collision" });
  });
  test("6 dB more captures the receiver, 5.9 dB does not", async () => {
    expect(await overlapping(6, {})).toEqual({ a: "received", b: "collision" });
    expect(await overlapping(5.9, {})).toEqual({ a: "collision", b: "collision" });
  });
  test("other spreading factors, channels and polarities do not disturb", async () => {
    expect(await overlapping(0, { sf: 8 })).toEqual({ a: "received", b: "received" });
    expect(await overlapping(0, { frequencyHz: HZ + 200_000 })).toEqual({ a: "received", b: "received" });
  });
  test("a frame that begins when another has ended is received", async () => {
    const world = createWorld();
    world.station("gateway");
    const { endMs } = world.send("a");
    world.send("b", { startMs: endMs });
    await world.clock.advance(200);
    expect(world.results()).toEqual(["received", "received"]);
  });
  test("the seventeenth frame at once finds no demodulator", async () => {
    const world = createWorld();
    world.station("gateway", 16);
    for (let i = 0; i < 17; i++) world.send(`d${i}`, { frequencyHz: HZ + i * 200_000 });
    await world.clock.advance(100);
    expect(world.results().filter((result) => result === "received")).toHaveLength(16);
    expect(world.results().filter((result) => result === "busy")).toHaveLength(1);
  });
});

describe("half duplex", () => {
  test.each([
    ["begins to transmit while it receives", 20],
    ["transmits when the frame begins", -20],
  ])("a gateway that %s hears nothing", async (_, atMs) => {
    const world = createWorld();
    world.station("gateway");
    world.send("device", { startMs: 100 });
    world.send("gateway", { startMs: 100 + atMs, frequencyHz: 869_525_000 });
    await world.clock.advance(300);
    expect(world.results()).toEqual(["deaf"]);
  });
});

describe("faults", () => {
  const JAM: AirFault = { type: "jam", frequencyHz: HZ, bandwidthHz: 200_000, levelDbm: -70 };
  test("a jammed channel is lost, its neighbours are not, and it comes back", async () => {
    const world = createWorld();
    world.station("gateway");
    const mend = world.air.addFault(JAM);
    world.send("a");
    world.send("b", { frequencyHz: HZ + 200_000 });
    await world.clock.advance(100);
    mend();
    world.send("c");
    await world.clock.advance(100);
    expect(world.results()).toEqual(["weak", "received", "received"]);
  });
  test("a jammer that comes up in mid-frame destroys it", async () => {
    const world = createWorld();
    world.station("gateway");
    world.send("a");
    await world.clock.advance(20);
    world.air.addFault(JAM);
    await world.clock.advance(100);
    expect(world.results()).toEqual(["weak"]);
  });
  test("loss and attenuation strike one gateway and not the other", async () => {
    const world = createWorld();
    for (const id of ["g1", "g2", "g3"]) world.station(id);
    world.air.addFault({ type: "loss", station: "g1", probability: 1 });
    world.air.addFault({ type: "attenuation", station: "g2", db: 40 });
    world.send("a");
    await world.clock.advance(100);
    expect(world.results()).toEqual(["lost", "weak", "received"]);
  });
});

test("path loss by distance: free space to a metre, 35 dB per decade in a street, nobody without a position", () => {
  expect(distanceLossDb(1, 868e6, 3.5)).toBeCloseTo(31.2, 1);
  expect(distanceLossDb(1000, 868e6, 3.5) - distanceLossDb(100, 868e6, 3.5)).toBeCloseTo(35, 6);
  const loss = lossByPosition(
    new Map([
      ["a", { xM: 0, yM: 0 }],
      ["b", { xM: 300, yM: 400 }],
    ]),
    3.2,
  );
  expect(loss("a", "b", 868e6)).toBeCloseTo(distanceLossDb(500, 868e6, 3.2), 9);
  expect(loss("a", "c", 868e6)).toBe(Number.POSITIVE_INFINITY);
});

/** Unslotted traffic to one eight-channel gateway: share of frames received. */
async function delivery(devices: number, intervalS: number, sf: number, frames: number): Promise<number> {
  const random = createRandom(42);
  // levels spread as over a town, so that capture has something to choose from
  const loss = new Map(Array.from({ length: devices }, (_, i) => [`d${i}`, 80 + 30 * random()]));
  const world = createWorld((from) => loss.get(from) ?? 200, 42);
  world.station("gateway");
  const rateHz = devices / intervalS;
  let ms = 0;
  for (let i = 0; i < frames; i++) {
    ms += (-Math.log(1 - random()) / rateHz) * 1000;
    const frequencyHz = HZ + 200_000 * Math.floor(random() * 8);
    world.clock.setTimer(() => world.send(`d${Math.floor(random() * devices)}`, { sf, frequencyHz }), ms);
  }
  await world.clock.advance(ms + 10_000);
  return (100 * world.results().filter((result) => result === "received").length) / frames;
}

// Monte Carlo of an independent simulation: 1000 devices, 20-byte frames every 15 minutes, capture 6 dB, 16 demodulators
test.each([
  [7, 98.8, 1.2],
  [10, 93.0, 2.5],
  [12, 77.5, 5],
])("1000 devices at SF%i every 15 minutes: about %f %% of frames arrive", async (sf, percent, tolerance) => {
  const delivered = await delivery(1000, 900, sf, 2000);
  expect(Math.abs(delivered - percent)).toBeLessThan(tolerance);
});
