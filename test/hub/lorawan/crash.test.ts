import fc from "fast-check";
import { expect, test } from "vitest";
import { createWorld, GATEWAY_A, GATEWAY_B, type World } from "./world.ts";

/** What must hold whatever happened. Only confirmed uplinks are sent: their counters are durable with what they say. */
function check(world: World): void {
  const counters = world.downlinks.map(({ devAddr, fCnt16 }) => `${devAddr} ${fCnt16}`);
  expect(new Set(counters).size, "no FCntDown twice").toBe(counters.length);
  const frames = world.accepted.map(({ phyPayload }) => Buffer.from(phyPayload).toString("hex"));
  expect(new Set(frames).size, "no uplink accepted twice").toBe(frames.length);
}

test("50 power failures at any point of an exchange: no FCntDown is used twice, no uplink accepted twice", async () => {
  const world = await createWorld({ seed: 7, diskMs: 30 });
  await world.join();
  for (let i = 0; i < 50; i++) {
    const { modem } = world.device();
    modem.send({ fPort: 2, payload: Uint8Array.of(i), confirmed: true, trials: 3 });
    await world.clock.advance(world.random() * 2_500);
    await world.crash();
    await world.clock.advance(world.random() * 500);
    await world.startHub();
    await world.clock.runUntil(() => !modem.busy, 60_000);
  }
  check(world);
  expect(world.downlinks.length).toBeGreaterThanOrEqual(45);
  expect(world.accepted.length).toBeGreaterThan(45);
  const sent = world.device().events.filter((event) => event.type === "sent");
  // an acknowledgement means stored: what the device believes is in the sink exactly once
  const stored = new Set(world.accepted.map(({ fCntUp }) => fCntUp));
  for (const { acknowledged, fCntUp } of sent) if (acknowledged) expect(stored).toContain(fCntUp);
});

type Step =
  | { do: "send"; device: number; trials: number }
  | { do: "join"; device: number }
  | { do: "replay"; which: number }
  | { do: "crash"; downMs: number }
  | { do: "refuse"; forMs: number }
  | { do: "deaf"; forMs: number }
  | { do: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      device: fc.nat(1),
      trials: fc.integer({ min: 1, max: 8 }),
    }),
  },
  fc.record({ do: fc.constant("join" as const), device: fc.nat(1) }),
  fc.record({ do: fc.constant("replay" as const), which: fc.nat(40) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), downMs: fc.nat(3_000) }) },
  fc.record({ do: fc.constant("refuse" as const), forMs: fc.nat(5_000) }),
  fc.record({ do: fc.constant("deaf" as const), forMs: fc.nat(8_000) }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4_000) }) },
);

async function run(world: World, steps: readonly Step[], recorded: readonly Uint8Array[]): Promise<void> {
  for (const one of steps) {
    switch (one.do) {
      case "send":
        world
          .device(one.device)
          .modem.send({ fPort: 2, payload: Uint8Array.of(7), confirmed: true, trials: one.trials });
        break;
      case "join":
        world.device(one.device).modem.join();
        break;
      case "replay": {
        const bytes = recorded[one.which];
        if (bytes === undefined) break;
        world.air.transmit({
          from: "attacker",
          bytes,
          frequencyHz: 868_300_000,
          sf: 7,
          bandwidthHz: 125_000,
          powerDbm: 14,
          polarity: "up",
          startMs: world.clock.monotonicMs(),
        });
        break;
      }
      case "crash":
        await world.crash();
        await world.clock.advance(one.downMs);
        await world.startHub();
        break;
      case "refuse":
        world.rules.refuse = true;
        world.store.refuses = true;
        await world.clock.advance(one.forMs);
        world.rules.refuse = false;
        world.store.refuses = false;
        break;
      case "deaf": {
        const heal = world.air.addFault({ type: "loss", probability: 0.7 });
        await world.clock.advance(one.forMs);
        heal();
        break;
      }
      case "wait":
        await world.clock.advance(one.ms);
        break;
    }
  }
}

test("no order of copies, crashes, refusals, replays and joins breaks the counters", async () => {
  const scenario = fc.array(step, { minLength: 5, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000), scenario, async (seed, steps) => {
      const world = await createWorld({ seed, devices: 2, gateways: [GATEWAY_A, GATEWAY_B], diskMs: 15 });
      const recorded: Uint8Array[] = [];
      world.air.onTransmission((t) => t.polarity === "up" && t.from !== "attacker" && recorded.push(t.bytes));
      await world.join(0);
      await run(world, steps, recorded);
      await world.clock.advance(5_000);
      check(world);
      // and the world still works
      for (const { modem } of world.devices) {
        await world.clock.runUntil(() => !modem.busy, 120_000);
        for (let i = 0; i < 6 && !modem.joined; i++) {
          modem.join();
          await world.clock.advance(20_000);
        }
      }
      const before = world.accepted.length;
      expect(await world.send(0, { confirmed: true, trials: 8 })).toMatchObject({ acknowledged: true });
      expect(world.accepted).toHaveLength(before + 1);
    }),
    { numRuns: 200 },
  );
});
