/** After a restart the first answer needs a block of FCntDown on disk. However that disk and the centre race each other,
 *  the alarm is answered. */
import { expect, test } from "vitest";
import { createWorld } from "./world.ts";

const stage = (n: number) => ({ fPort: 2, payload: Uint8Array.of(0x21, n, 0, 1) });

/** A joined device, a hub that has just started again, and a disk that takes its time for counters. */
async function restarted(reserveMs: number) {
  const world = await createWorld();
  await world.join();
  await world.send(0, { confirmed: true });
  await world.crash();
  await world.startHub();
  const { reserveFCntDown } = world.store;
  world.store.reserveFCntDown = async (devEui, firstUnreserved) => {
    await new Promise<void>((done) => world.clock.setTimer(done, reserveMs));
    return reserveFCntDown(devEui, firstUnreserved);
  };
  // gateways say again where they are
  await world.clock.advance(10_000);
  return world;
}

test.each([
  [0, 1],
  [50, 1],
  [500, 1],
  [900, 1],
  [1_200, 2],
])("the counters %i ms late, the receipt at once: the stage is in RX%i", async (reserveMs, slot) => {
  const world = await restarted(reserveMs);
  const { eui, events } = world.device();
  world.answers.set(eui, stage(1));
  world.air.onTransmission(({ polarity, endMs }) => {
    if (polarity !== "up") return;
    world.clock.setTimer(
      () => {
        world.answers.set(eui, stage(2));
        world.server.answerChanged(eui);
      },
      endMs - world.clock.monotonicMs() + 15,
    );
  });
  expect(await world.send(0, { confirmed: true })).toMatchObject({ acknowledged: true });
  expect(events.filter((event) => event.type === "downlink").at(-1)).toMatchObject({
    payload: stage(2).payload,
    slot,
  });
  expect(world.server.counters.unanswered).toBe(0);
});

test("counters that never come: nothing is sent, and it is said once", async () => {
  const world = await restarted(60_000);
  const before = world.downlinks.length;
  world.answers.set(world.device().eui, stage(1));
  expect(await world.send(0, { confirmed: true })).toMatchObject({ acknowledged: false });
  expect(world.downlinks).toHaveLength(before);
  expect(world.notices.filter(({ type }) => type === "unanswered")).toHaveLength(1);
});
