/** Devices on a wire bus and the hub's whole road behind it. */
import { describe, expect, onTestFinished, test } from "vitest";
import { decodeStage } from "../../protocols/device/stage.ts";
import { openWiredWorld, type WiredOptions, type WiredWorld, wiredEui } from "./wired.ts";

/** Joined devices; the world ends with the test. */
async function wired(options: WiredOptions): Promise<WiredWorld> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const world = await openWiredWorld(options, stack);
  await world.join();
  return world;
}

function isAcknowledged(world: WiredWorld, index: number): boolean {
  return world.events[index]?.some(({ type }) => type === "acknowledged") ?? false;
}

describe("a wired device", () => {
  test("joins, presses, and hears on the same wire that it is stored; the record names the wire", async () => {
    const world = await wired({ devices: 3 });
    world.press(1, 7);
    expect(await world.clock.runUntil(() => isAcknowledged(world, 1), 200)).toBe(true);
    await world.clock.advance(100);
    const [press, ...others] = await world.records("panic");
    expect(others).toEqual([]);
    expect(press).toMatchObject({
      device: wiredEui(1),
      eventNumber: 7,
      provenance: "authenticated",
      place: { zone: "2-kirish" },
      receptions: [{ carrier: "rs485", gateway: "stairs/2", rssiDbm: null, snrDb: null, dataRate: null }],
    });
    const stages = world.events[1]?.flatMap((event) =>
      event.type === "downlink" ? [decodeStage(event.payload)] : [],
    );
    expect(stages?.at(-1)).toMatchObject({ stage: "stored", eventNumber: 7 });
  });

  test("is acknowledged after its press is stored, never before", async () => {
    const world = await wired({ devices: 4 });
    for (const [index, { slave }] of world.devices.entries()) {
      slave.turnaroundMs = 1 + index;
      world.press(index, 1);
    }
    const stored = () =>
      world.stored.filter(({ event }) => event.kind === "panic").map(({ event }) => event.device);
    for (let ms = 0; ms < 400; ms++) {
      await world.clock.advance(1);
      for (const index of world.devices.keys())
        if (isAcknowledged(world, index)) expect(stored()).toContain(wiredEui(index));
    }
    expect(stored()).toHaveLength(4);
    expect(world.devices.every((_, index) => isAcknowledged(world, index))).toBe(true);
  });

  test("that is cut off is an event within two seconds, with its place and its wire; so is its return", async () => {
    const world = await wired({ devices: 3 });
    world.press(2, 1);
    await world.clock.advance(500);
    world.devices[2]?.slave.powerOff();
    await world.clock.advance(2_500);
    world.devices[2]?.slave.powerOn();
    await world.clock.advance(4_000);
    const told = world.stored.filter(({ event }) => event.kind.startsWith("device"));
    expect(told.map(({ event }) => [event.kind, event.device, event.place.zone, event.note])).toEqual([
      ["deviceSilent", wiredEui(2), "3-kirish", "stairs/3: no answer"],
      ["deviceBack", wiredEui(2), "3-kirish", null],
    ]);
  });

  test("presses while the adapter is out: the loss and the return are events, and the press is one record", async () => {
    const world = await wired({ devices: 3 });
    world.adapter.unplug();
    world.press(0, 1);
    await world.clock.advance(5_000);
    expect(await world.records("panic")).toEqual([]);
    world.adapter.plug();
    await world.clock.advance(5_000);
    expect((await world.records("panic")).map(({ eventNumber }) => eventNumber)).toEqual([1]);
    expect(isAcknowledged(world, 0)).toBe(true);
    const told = world.stored.map(({ event }) => event).filter(({ kind }) => kind.startsWith("bus"));
    expect(told.map(({ kind, note }) => [kind, note])).toEqual([
      ["busLost", "stairs"],
      ["busBack", "stairs"],
    ]);
    expect(world.stored.filter(({ event }) => event.kind === "deviceSilent")).toEqual([]);
  });

  test("presses while the hub is down: the same record once, under the same session", async () => {
    const world = await wired({ devices: 2 });
    world.press(0, 1);
    await world.clock.advance(7);
    await world.hub.stop();
    world.press(1, 1);
    await world.clock.advance(4_000);
    await world.start();
    await world.clock.advance(6_000);
    const presses = await world.records("panic");
    expect(presses.map(({ device }) => device).sort()).toEqual([wiredEui(0), wiredEui(1)]);
    expect([isAcknowledged(world, 0), isAcknowledged(world, 1)]).toEqual([true, true]);
  });

  test("on a bad line: every press of everybody is stored once", async () => {
    const world = await wired({ devices: 8, seed: 3 });
    Object.assign(world.bus.disturbance, { flips: 0.004, losses: 0.05 });
    for (let press = 1; press <= 5; press++) {
      for (const index of world.devices.keys()) world.press(index, press);
      await world.clock.advance(15_000);
    }
    const presses = await world.records("panic");
    const names = presses.map(({ device, eventNumber }) => `${device} ${eventNumber}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(40);
    expect(await world.records("lostPress")).toEqual([]);
  });
});

test("the status door shows every bus and device, and its counters", async () => {
  const world = await wired({ devices: 2 });
  const { buses, counters } = world.hub.now.status();
  expect(buses).toMatchObject([
    { name: "stairs", up: true, reason: null, devices: [{ address: 1, state: "online" }, { address: 2 }] },
  ]);
  const polls: Readonly<Record<string, number>> = counters;
  expect(polls["rs485.stairs.answers"]).toBeGreaterThan(100);
  expect(polls["rs485.stairs.misses"]).toBe(0);
});
