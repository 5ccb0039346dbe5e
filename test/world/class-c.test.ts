/** A mains-fed device that listens all the time: what the operator does is with it a moment later, unasked. */
import { expect, test } from "vitest";
import { decodeStage } from "../../protocols/device/stage.ts";
import { waitFor } from "../centre/hub-double.ts";
import { deviceEui, deviceInputs } from "./radio.ts";
import { pressReport } from "./wired.ts";
import { type World, worldOf } from "./world.ts";

function stagesOf(world: World): string[] {
  return (world.devices[0]?.events ?? []).flatMap((event) =>
    event.type === "downlink" && event.fPort === 2 ? [decodeStage(event.payload).stage] : [],
  );
}

test("each stage reaches it within two seconds of the operator's key, on a data rate of SF12", async () => {
  const world = await worldOf({ devices: 1, region: "EU868" });
  const devEui = deviceEui(0);
  await world.hub.removeDevice(devEui);
  const [input] = deviceInputs({ devices: 1 });
  await world.hub.addDevices([{ ...(input as object), deviceClass: "C" }]);
  const modem = world.devices[0]?.modem;
  modem?.setClass("C");
  await world.join();
  modem?.send({ fPort: 2, payload: pressReport(1), confirmed: true });
  await world.clock.advance(5_000);
  expect(stagesOf(world)).toEqual(["received"]);
  for (const [type, stage] of [
    ["take", "taken"],
    ["dispatch", "dispatched"],
  ] as const) {
    const [incident] = world.incidents("panic");
    const receipts = () => world.hub.status().paths[0]?.counters.receipts ?? 0;
    const before = receipts();
    const act = { type, incident: incident?.id ?? "", operator: "Nodira", atMs: 0, key: type };
    expect(await world.centre.act(act)).toMatchObject({ ok: true });
    // the receipt crosses a real line, on which virtual time does not wait for it
    await waitFor(() => receipts() > before);
    await world.clock.runUntil(() => stagesOf(world).at(-1) === stage, 2_000);
    expect(stagesOf(world).at(-1)).toBe(stage);
  }
});
