/** Settings on the whole road: from the installer's wish to the real firmware, and back as its signed word. */
import { expect, test } from "vitest";
import { boardEui } from "./radio.ts";
import { worldOf } from "./world.ts";

const BUTTON = boardEui(0);

test("a button is set to drill for five minutes: its press is a drill, and a real one again when they are over", async () => {
  const world = await worldOf({ boards: 1, identity: { heartbeatS: 60 } });
  await world.join();
  await world.clock.advance(120_000);
  await world.hub.setDevice(BUTTON, { heartbeatS: 120, mode: "drill", minutes: 5 });
  await world.clock.advance(150_000);
  const notes = (await world.records()).filter(({ kind }) => kind === "settings").map(({ note }) => note);
  expect(notes).toEqual([
    "asked for: heartbeat 120 s, mode drill for 5 min",
    "applied: heartbeat 120 s, mode drill for 5 min",
  ]);
  await world.press(BUTTON);
  await world.clock.advance(400_000);
  await world.press(BUTTON);
  const modes = (await world.records()).filter(({ kind }) => kind === "panic").map(({ mode }) => mode);
  expect(modes).toEqual(["drill", "real"]);
  expect(world.hub.listDevices()[0]?.settings).toMatchObject({ state: "applied" });
});
