import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DeviceSettings, MAX_TRIES, openDeviceSettings } from "../../hub/device-settings.ts";
import { openJournalInThread } from "../../hub/journal/host.ts";
import type { Journal } from "../../hub/journal/journal.ts";
import type { Uplink } from "../../hub/lorawan/sink.ts";
import {
  decodeSettings,
  encodeSettingsAnswer,
  type SettingsAnswer,
} from "../../protocols/device/settings.ts";
import { deviceEui } from "../world/radio.ts";
import { worldOf } from "../world/world.ts";
import { journalOptions } from "./journal/fixture.ts";

const DEVICE = "70b3d57ed0000001";
const FACTORY = {
  heartbeatS: 3600,
  areLightsOff: false,
  isSoundOff: false,
  mode: "real",
  minutes: 0,
} as const;

let dir: string;
let journal: Journal;
let settings: DeviceSettings;
let wished: string[];
let fCntUp = 0;

async function open(): Promise<void> {
  journal = await openJournalInThread(journalOptions(path.join(dir, "journal.sqlite")));
  settings = await openDeviceSettings({
    journal,
    random: () => 254,
    place: (devEui) => (devEui === DEVICE ? { site: "Chilonzor 9", zone: "Entrance 2" } : undefined),
    onWish: (devEui) => wished.push(devEui),
  });
}

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-settings-"));
  wished = [];
  await open();
});
afterEach(async () => {
  await journal[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

function answerOf(answer: Partial<SettingsAnswer>): Uplink {
  const said = { ...FACTORY, token: 0, result: "applied", tag: 0, ...answer } as const;
  return {
    devEui: DEVICE,
    fPort: 3,
    payload: encodeSettingsAnswer(said),
    confirmed: false,
    fCntUp,
    frameHash: "00".repeat(32),
    receptions: [],
    lostFrames: 0,
    phyPayload: new Uint8Array(),
  };
}

const accept = (answer: Partial<SettingsAnswer>) =>
  settings.accept(answerOf(answer), { devEui: DEVICE, fCntUp: fCntUp++ });
const sent = () => decodeSettings(settings.answer(DEVICE)?.payload ?? new Uint8Array());
const notes = async () => (await journal.read(0, 100)).map(({ event }) => event.note);

describe("a wish", () => {
  test("is signed, goes down until it is answered, and the answer is signed too", async () => {
    await settings.wish(DEVICE, { heartbeatS: 600, lights: "off", mode: "drill", minutes: 30 });
    expect(wished).toEqual([DEVICE]);
    expect(sent()).toEqual({
      token: 255,
      items: [
        { tag: "heartbeat", seconds: 600 },
        { tag: "lights", isOff: true },
        { tag: "mode", mode: "drill", minutes: 30 },
      ],
    });
    expect(sent()).toEqual(sent());
    const said = { token: 255, heartbeatS: 600, areLightsOff: true, mode: "drill", minutes: 30 } as const;
    expect(await accept(said)).toEqual({ hold: false, durable: true });
    expect(settings.answer(DEVICE)).toBeNull();
    expect(settings.of(DEVICE)).toMatchObject({ state: "applied", answer: said });
    expect(await notes()).toEqual([
      "asked for: heartbeat 600 s, lights off, mode drill for 30 min",
      "applied: heartbeat 600 s, lights off, mode drill for 30 min",
    ]);
    expect((await journal.record(1))?.event).toMatchObject({
      kind: "settings",
      device: DEVICE,
      provenance: "hub",
    });
  });

  test("outlives a crash of the hub, and so does its answer", async () => {
    await settings.wish(DEVICE, { sound: "off" });
    await journal[Symbol.asyncDispose]();
    await open();
    expect(sent()).toMatchObject({ token: 255 });
    await accept({ token: 255, isSoundOff: true });
    await journal[Symbol.asyncDispose]();
    await open();
    expect(settings.of(DEVICE)?.state).toBe("applied");
    expect(settings.answer(DEVICE)).toBeNull();
  });

  test("takes the place of one that waits, under another token; the answer to the old one changes nothing", async () => {
    await settings.wish(DEVICE, { heartbeatS: 600 });
    await settings.wish(DEVICE, { heartbeatS: 1200 });
    expect(sent()).toEqual({ token: 0, items: [{ tag: "heartbeat", seconds: 1200 }] });
    expect(await accept({ token: 255, heartbeatS: 600 })).toEqual({ hold: false, durable: false });
    expect(settings.of(DEVICE)?.state).toBe("waiting");
  });

  test("that the device refuses is told with the reason, once", async () => {
    await settings.wish(DEVICE, { checkInMinutes: 60 });
    await accept({ token: 255, result: "unknown tag", tag: 6 });
    await accept({ token: 255, result: "unknown tag", tag: 6 });
    expect(settings.of(DEVICE)?.state).toBe("refused");
    expect((await notes()).slice(1)).toEqual(["refused (unknown tag: checkIn): check-in every 60 min"]);
  });

  test("that the device takes for an old one, since another hub used the token, is asked again under the next", async () => {
    await settings.wish(DEVICE, { heartbeatS: 600 });
    await accept({ token: 255 });
    expect(sent()).toMatchObject({ token: 0 });
    await accept({ token: 0, heartbeatS: 600 });
    expect(settings.of(DEVICE)?.state).toBe("applied");
  });

  test("to a device that never answers is given up, and taken up by a late answer", async () => {
    await settings.wish(DEVICE, { selfTest: true });
    for (let i = 0; i < MAX_TRIES; i++) await settings.heard(DEVICE);
    expect(settings.of(DEVICE)?.state).toBe("waiting");
    await settings.heard(DEVICE);
    expect(settings.of(DEVICE)?.state).toBe("unanswered");
    expect(settings.answer(DEVICE)).toBeNull();
    await accept({ token: 255 });
    expect(settings.of(DEVICE)?.state).toBe("applied");
  });

  test.each([
    [{}, "nothing is asked for"],
    [{ heartbeatS: 50 }, "heartbeatS"],
    [{ heartbeatS: 65 }, "heartbeatS"],
    [{ mode: "drill" }, "minutes: mode drill ends by itself"],
    [{ mode: "real", minutes: 5 }, "minutes: they belong"],
    [{ mode: "test", minutes: 1441 }, "minutes"],
    [{ lights: "dim" }, "lights"],
    [{ volume: 3 }, "volume"],
    ["off", "settings"],
  ])("that makes no sense is refused with what is wrong: %j", async (wish, words) => {
    await expect(settings.wish(DEVICE, wish)).rejects.toThrow(words);
    expect(journal.head.sequence).toBe(0);
  });

  test("for a device that is not here is refused", async () => {
    await expect(settings.wish("00".repeat(8), { sound: "off" })).rejects.toThrow("there is no device");
  });
});

test("what is no answer on FPort 3 is left to be recorded as unreadable", async () => {
  const uplink = { ...answerOf({}), payload: Uint8Array.of(1, 2, 3) };
  expect(await settings.accept(uplink, { devEui: DEVICE, fCntUp: 0 })).toBe(false);
  expect(journal.head.sequence).toBe(0);
});

test("over the air: settings come with the answer to the next frame, and never in the place of a stage", async () => {
  const world = await worldOf({ centre: false, devices: 1 });
  await world.join();
  const [device] = world.devices;
  if (device === undefined) throw new Error("a device was asked for");
  const heard = () =>
    device.events.flatMap((event) => (event.type === "downlink" && event.fPort !== null ? [event] : []));
  await world.hub.setDevice(deviceEui(0), { heartbeatS: 900 });
  const panic = Buffer.from("2200000100006401", "hex");
  device.modem.send({ fPort: 2, payload: panic, confirmed: true });
  await world.clock.advance(5_000);
  expect(heard().map(({ fPort }) => fPort)).toEqual([2]);
  const beat = async () => {
    device.modem.send({ fPort: 2, payload: Buffer.from("2100000100006400", "hex"), confirmed: false });
    await world.clock.advance(5_000);
  };
  // the stage is told again with a few heartbeats, since any one answer may be lost
  for (let i = 0; i < 5; i++) await beat();
  const told = heard().find(({ fPort }) => fPort === 3);
  const { token } = decodeSettings(told?.payload ?? new Uint8Array());
  const answer = encodeSettingsAnswer({ ...FACTORY, token, result: "applied", tag: 0, heartbeatS: 900 });
  device.modem.send({ fPort: 3, payload: answer, confirmed: false });
  await world.clock.advance(5_000);
  expect((await world.records()).filter(({ kind }) => kind === "settings").map(({ note }) => note)).toEqual([
    "asked for: heartbeat 900 s",
    "applied: heartbeat 900 s",
  ]);
  const before = heard().length;
  await beat();
  expect(heard()).toHaveLength(before);
});
