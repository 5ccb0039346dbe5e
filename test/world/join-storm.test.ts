/** The power comes back to a street: everybody joins at once. */
import { describe, expect, test } from "vitest";
import { distanceLossDb } from "../../hardware/virtual/path-loss.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { boardEui, type WorldOptions, worldOf } from "./world.ts";

const COUNT = 30;

/** Whole devices, switched on within one second; returns when each was in, in milliseconds from the beginning of it. */
async function storm(options: WorldOptions): Promise<number[]> {
  const world = await worldOf({ centre: false, boards: COUNT, powered: false, ...options });
  const beganMs = world.clock.monotonicMs();
  const times = new Map<string, number>();
  for (let i = 0; i < COUNT; i++) {
    world.clock.setTimer(() => void world.site.setSwitch(boardEui(i), true), (i * 1000) / COUNT);
  }
  await world.clock.runUntil(() => {
    for (const [devEui, { joined }] of world.site.modems)
      if (joined && !times.has(devEui)) times.set(devEui, Math.round(world.clock.monotonicMs() - beganMs));
    return times.size === COUNT;
  }, 600_000);
  console.log(JSON.stringify([...times.values()].sort((a, b) => a - b)));
  return [...times.values()];
}

describe.each(["EU433", "EU868"] as const)("%s", (region) => {
test.each([1, 2, 3, 4])("30 devices that join within one second through one gateway are in within 30 s (%i)", async (seed) => {
  const times = await storm({ seed, region });
  expect(times).toHaveLength(COUNT);
  expect(Math.max(...times)).toBeLessThanOrEqual(30_000);
});
});
