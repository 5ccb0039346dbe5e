import { beforeAll, describe, expect, test } from "vitest";
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { encodeSettings } from "../../protocols/device/settings.ts";
import { encodeStage, type Stage } from "../../protocols/device/stage.ts";
import { createScriptedModem } from "./scripted-modem.ts";

const IDENTITY = {
  ...{ devEui: "ac1f09fffe000001", joinEui: "0102030405060708", appKey: "ab".repeat(16) },
  ...{ role: "personal-button", region: "EU868", heartbeatS: 3600 },
};
const MINUTE_MS = 60_000;
const READY_MS = 90_000;

let bundle = "";
beforeAll(async () => {
  bundle = (await buildFirmware("personal-button")).code;
});

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const stageOf = (stage: Stage, hex: string) =>
  hexOf(encodeStage({ stage, eventNumber: Number.parseInt(hex.slice(4, 8), 16) }));

async function createBench(identity: Record<string, unknown> = {}) {
  const clock = createVirtualClock();
  const modem = createScriptedModem(clock);
  const serial = modem.serial;
  const storage = createBoardStorage();
  const board = createBoard({
    bundle,
    clock,
    random: createRandom(1),
    serial,
    storage,
    identity: { ...IDENTITY, ...identity },
  });
  const shown: unknown[] = [];
  board.onLamp((lamp) => shown.push(lamp));
  board.powerOn();
  await clock.advance(READY_MS);
  const reports = () =>
    modem.frames.map((frame) => ({ ...frame, ...decodeReport(Buffer.from(frame.hex, "hex")) }));
  return {
    ...{ clock, modem, board, shown, reports },
    /** Kind and detail of each event, in the order in which they were first said. */
    said: () => [
      ...new Map(
        reports()
          .filter(({ kind }) => kind !== "heartbeat")
          .map(({ kind, eventNumber }) => [eventNumber, kind]),
      ).values(),
    ],
    async press(...forMs: number[]) {
      for (const ms of forMs) {
        board.press();
        await clock.advance(ms);
        board.release();
        await clock.advance(400);
      }
    },
  };
}

describe("a call", () => {
  test.each([
    ["by holding", [1500], ["silentPanic"]],
    ["by three presses", [150, 200, 150], ["silentPanic"]],
    ["that is held on is duress besides", [7000], ["silentPanic", "duress"]],
    ["is not made by one short press", [300], []],
  ] as const)("%s", async (_, presses, kinds) => {
    const bench = await createBench();
    await bench.press(...presses);
    await bench.clock.advance(20_000);
    expect(bench.said()).toEqual(kinds);
  });

  test("is on its way a second after the touch, and says how long it was held", async () => {
    const bench = await createBench();
    const touchedMs = bench.clock.monotonicMs();
    bench.modem.manners = { acks: () => false };
    await bench.press(2000);
    await bench.clock.advance(20_000);
    const [first, ...again] = bench.reports().filter(({ kind }) => kind === "silentPanic");
    expect((first?.atMs ?? Infinity) - touchedMs).toBeLessThan(1200);
    expect(again.length).toBeGreaterThan(1);
    expect(again.at(-1)).toMatchObject({ eventNumber: first?.eventNumber, detail: 40 });
    // a later press that means nothing leaves it as it was
    await bench.press(500);
    await bench.clock.advance(60_000);
    expect(bench.reports().at(-1)).toMatchObject({ kind: "silentPanic", detail: 40 });
  });

  test("shows nothing, whatever becomes of it: not sent, stored, received, taken, closed, in any mode", async () => {
    for (const mode of ["real", "test", "drill", "commissioning"]) {
      const bench = await createBench({ mode });
      bench.modem.manners = { acks: () => false };
      await bench.press(1500);
      await bench.clock.advance(MINUTE_MS);
      for (const stage of ["stored", "received", "taken", "dispatched", "closed"] as const) {
        bench.modem.manners = { downlink: (hex) => stageOf(stage, hex) };
        await bench.clock.advance(2 * MINUTE_MS);
      }
      expect(bench.shown).toEqual([]);
      expect(bench.board.errors).toEqual([]);
    }
  });

  test("goes on after a restart as an event of its own when the thumb is still down", async () => {
    const bench = await createBench();
    bench.modem.manners = { acks: () => false };
    bench.board.press();
    await bench.clock.advance(1500);
    bench.board.powerOff();
    bench.board.powerOn();
    await bench.clock.advance(20_000);
    const numbers = bench
      .reports()
      .filter(({ kind }) => kind === "silentPanic")
      .map(({ eventNumber }) => eventNumber);
    expect(new Set(numbers).size).toBeGreaterThanOrEqual(1);
    expect(bench.shown).toEqual([]);
  });
});

describe("the code", () => {
  test("is a check-in, and while a call is open a cancel that leaves the call open", async () => {
    const bench = await createBench();
    await bench.press(150, 150);
    await bench.clock.advance(10_000);
    bench.modem.manners = { downlink: (hex) => stageOf("stored", hex) };
    await bench.press(1500);
    await bench.clock.advance(10_000);
    await bench.press(150, 150);
    await bench.clock.advance(3 * MINUTE_MS);
    expect(bench.said()).toEqual(["checkIn", "silentPanic", "cancel"]);
    const kinds = bench.reports().map(({ kind }) => kind);
    expect(kinds.slice(kinds.indexOf("cancel"))).toContain("silentPanic");
  });
});

describe("a check-in that is due", () => {
  test("and does not come is duress with a press of no length, once per lapse", async () => {
    const bench = await createBench({ checkInMinutes: 60 });
    bench.modem.manners = { downlink: (hex) => stageOf("closed", hex) };
    await bench.clock.advance(50 * MINUTE_MS);
    await bench.press(150, 150);
    await bench.clock.advance(55 * MINUTE_MS);
    expect(bench.said()).toEqual(["checkIn"]);
    await bench.clock.advance(10 * MINUTE_MS);
    expect(bench.said()).toEqual(["checkIn", "duress"]);
    expect(bench.reports().find(({ kind }) => kind === "duress")?.detail).toBe(0);
    await bench.clock.advance(60 * MINUTE_MS);
    expect(bench.said()).toEqual(["checkIn", "duress", "duress"]);
  });

  test("is set by the hub", async () => {
    const bench = await createBench();
    const wish = hexOf(encodeSettings({ token: 1, items: [{ tag: "checkIn", minutes: 120 }] }));
    bench.modem.manners = { settings: () => wish };
    await bench.clock.advance(70 * MINUTE_MS);
    bench.modem.manners = { downlink: (hex) => stageOf("closed", hex) };
    expect(bench.modem.answers.length).toBeGreaterThan(0);
    await bench.clock.advance(120 * MINUTE_MS);
    expect(bench.said()).toEqual(["duress"]);
  });
});

test("the rest of it is as quiet: case, battery, daily try of the way to the hub", async () => {
  const bench = await createBench();
  bench.modem.manners = { downlink: (hex) => stageOf("received", hex) };
  bench.board.setPin("tamper", 0);
  await bench.clock.advance(MINUTE_MS);
  bench.board.setPin("battery", 0.62);
  await bench.clock.advance(26 * 60 * MINUTE_MS);
  expect(bench.said()).toEqual(["tamper", "fault"]);
  expect(
    bench.reports().some(({ kind, confirmed, atMs }) => kind === "heartbeat" && confirmed && atMs > READY_MS),
  ).toBe(true);
  expect(bench.shown).toEqual([]);
});
