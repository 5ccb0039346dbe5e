/** News for devices that listen all the time: at once, by the gateway that heard them best, until they are heard again. */
import { describe, expect, test } from "vitest";
import { createWorld, devEuiOf, GATEWAY_A, GATEWAY_B, type World, type WorldOptions } from "./world.ts";

const stage = (n: number) => ({ fPort: 2, payload: Uint8Array.of(0x21, n, 0, 1) });

/** Devices that are joined, listen all the time and have sent one uplink each, which was answered with stage 2. */
async function classCWorld(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld(options);
  for (const [index, row] of (await world.store.loadDevices()).entries()) {
    await world.store.saveDevice({ ...row, deviceClass: "C" });
    world.server.addDevice({ ...row, deviceClass: "C" });
    world.device(index).modem.setClass("C");
    await world.join(index);
    world.answers.set(row.devEui, stage(2));
    await world.send(index, { confirmed: true });
  }
  await world.clock.advance(3_000);
  return world;
}

function say(world: World, n: number, index = 0): void {
  const { eui } = world.device(index);
  world.answers.set(eui, stage(n));
  world.server.answerChanged(eui);
}

/** Stages that came between the windows. */
function heard(world: World, index = 0): number[] {
  return world
    .device(index)
    .events.flatMap((event) =>
      event.type === "downlink" && event.slot === "C" ? [event.payload[1] ?? -1] : [],
    );
}

function sentBy(world: World, gateway: string) {
  return world.gatewayEvents.filter((event) => event.type === "sent" && event.gateway === gateway);
}

describe("a device that listens all the time", () => {
  test("hears each stage within half a second, without asking", async () => {
    const world = await classCWorld();
    for (const n of [3, 4]) {
      say(world, n);
      expect(await world.clock.runUntil(() => heard(world).at(-1) === n, 2_500)).toBe(true);
    }
    expect(heard(world)).toEqual([3, 4]);
  });

  test("that listens only behind its own frames is told nothing in between", async () => {
    const world = await createWorld();
    await world.join();
    world.answers.set(devEuiOf(0), stage(2));
    await world.send(0, { confirmed: true });
    const before = sentBy(world, GATEWAY_A).length;
    say(world, 3);
    await world.clock.advance(30_000);
    expect(sentBy(world, GATEWAY_A)).toHaveLength(before);
  });

  test("is reached through the gateway that heard it best, and through another when that one is dead", async () => {
    const world = await classCWorld({
      gateways: [GATEWAY_A, GATEWAY_B],
      loss: { [devEuiOf(0)]: { [GATEWAY_A]: 122, [GATEWAY_B]: 95 } },
    });
    const before = sentBy(world, GATEWAY_A).length;
    say(world, 3);
    await world.clock.advance(3_000);
    expect([heard(world), sentBy(world, GATEWAY_A).length]).toEqual([[3], before]);
    await world.gateways.get(GATEWAY_B)?.powerOff();
    say(world, 4);
    await world.clock.advance(4_000);
    expect(heard(world)).toEqual([3, 4]);
    expect(sentBy(world, GATEWAY_A)).toHaveLength(before + 1);
  });

  test("is told again when the frame was lost, twice at most, and not once it has been heard again", async () => {
    const world = await classCWorld();
    const before = sentBy(world, GATEWAY_A).length;
    const mend = world.air.addFault({ type: "loss", probability: 1, station: devEuiOf(0) });
    say(world, 3);
    await world.clock.advance(3_000);
    expect(heard(world)).toEqual([]);
    mend();
    await world.clock.advance(5_000);
    expect(heard(world)).toEqual([3]);
    await world.send(0, { confirmed: false });
    const answered = sentBy(world, GATEWAY_A).length;
    await world.clock.advance(60_000);
    expect([sentBy(world, GATEWAY_A).length, answered - before]).toEqual([answered, 3]);
    say(world, 4);
    await world.clock.advance(120_000);
    expect(heard(world)).toEqual([3, 4, 4, 4]);
  });

  test("hears the newest stage when it changes while the frame is on its way to the gateway", async () => {
    const world = await classCWorld();
    world.rules.latencyMs = 20;
    say(world, 3);
    await world.clock.advance(50);
    say(world, 4);
    await world.clock.advance(3_500);
    expect(heard(world).at(-1)).toBe(4);
    expect(new Set(heard(world)).size).toBe(heard(world).length);
  });

  test("and its neighbours share the gateway's air: one frame at a time, none lost", async () => {
    const world = await classCWorld({ devices: 4 });
    for (let index = 0; index < 4; index++) say(world, 3, index);
    await world.clock.advance(7_000);
    expect([0, 1, 2, 3].map((index) => [...new Set(heard(world, index))])).toEqual([[3], [3], [3], [3]]);
    const answers = world.gatewayEvents.flatMap((event) => (event.type === "downlink" ? [event.answer] : []));
    expect(new Set(answers)).toEqual(new Set(["queued"]));
    expect(world.gatewayEvents.filter(({ type }) => type === "dropped")).toEqual([]);
  });
});
