import { beforeAll, describe, expect, test } from "vitest";
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { decodeSettingsAnswer, encodeSettings, type SettingItem } from "../../protocols/device/settings.ts";
import { encodeStage } from "../../protocols/device/stage.ts";
import { createScriptedModem } from "./scripted-modem.ts";

const IDENTITY = {
  ...{ devEui: "ac1f09fffe000001", joinEui: "0102030405060708", appKey: "ab".repeat(16) },
  ...{ role: "entrance-button", region: "EU868", heartbeatS: 600 },
};
const MINUTE_MS = 60_000;
const READY_MS = 90_000;

let bundle = "";
beforeAll(async () => {
  bundle = (await buildFirmware("entrance-button")).code;
});

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const wish = (token: number, ...items: SettingItem[]) => hexOf(encodeSettings({ token, items }));
const settingsIn = (storage: BoardStorage) =>
  JSON.stringify(Object.entries(storage.snapshot()).filter(([name]) => name.startsWith("s")));

/** A board with the final firmware that has announced its start. */
async function createBench(storage: BoardStorage = createBoardStorage(), seed = 1) {
  const clock = createVirtualClock();
  const modem = createScriptedModem(clock);
  const serial = modem.serial;
  const board = createBoard({
    bundle,
    clock,
    random: createRandom(seed),
    serial,
    identity: IDENTITY,
    storage,
  });
  board.powerOn();
  await clock.advance(READY_MS);
  const reports = () =>
    modem.frames.map((frame) => ({ ...frame, ...decodeReport(Buffer.from(frame.hex, "hex")) }));
  const bench = {
    ...{ clock, modem, board, reports },
    alarms: () => reports().filter(({ kind }) => kind === "panic"),
    answers: () => modem.answers.map(({ hex }) => decodeSettingsAnswer(Buffer.from(hex, "hex"))),
    async press() {
      board.press();
      await clock.advance(200);
      board.release();
    },
    /** Says it with the answer to the next heartbeat, and waits for that. */
    async ask(hex: string) {
      let left: string | null = hex;
      modem.manners = {
        ...modem.manners,
        settings: () => {
          const said = left;
          left = null;
          return said;
        },
      };
      await clock.advance(12 * MINUTE_MS);
      return bench.answers().at(-1);
    },
    /** Presses, and tells what mode the press was of. */
    async modeNow() {
      await bench.press();
      await clock.advance(3000);
      const { mode, hex } = bench.alarms().at(-1) ?? { mode: "none", hex: "" };
      const number = Number.parseInt(hex.slice(4, 8), 16);
      // closed, so that no alarm stays open
      modem.manners = {
        ...modem.manners,
        downlink: () => hexOf(encodeStage({ stage: "closed", eventNumber: number })),
      };
      await clock.advance(20_000);
      modem.manners = {};
      return mode;
    },
  };
  return bench;
}

describe("a setting", () => {
  test("is answered with what holds from then on, and holds after a restart", async () => {
    const bench = await createBench();
    const items: SettingItem[] = [
      { tag: "heartbeat", seconds: 120 },
      { tag: "lights", isOff: true },
      { tag: "sound", isOff: true },
    ];
    const set = { token: 7, heartbeatS: 120, areLightsOff: true, isSoundOff: true, mode: "real", minutes: 0 };
    expect(await bench.ask(wish(7, ...items))).toEqual({ ...set, result: "applied", tag: 0 });
    bench.board.powerOff();
    bench.board.powerOn();
    await bench.clock.advance(READY_MS);
    expect(await bench.ask(wish(8))).toEqual({ ...set, token: 8, result: "applied", tag: 0 });
    const before = bench.reports().length;
    await bench.clock.advance(60 * MINUTE_MS);
    expect(bench.reports().length - before).toBeGreaterThan(25);
    expect(bench.board.errors).toEqual([]);
  });

  test.each([
    ["a value out of bounds", "2209" + "0201" + "010005", "bad value", 1],
    ["an unknown tag", "2209" + "0201" + "0900", "unknown tag", 9],
    ["a value that is cut", "2209" + "0201" + "0401", "bad value", 4],
  ])("beside %s is not applied", async (_, hex, result, tag) => {
    const bench = await createBench();
    expect(await bench.ask(hex)).toMatchObject({ token: 9, result, tag, areLightsOff: false });
    expect(bench.board.storage.list().filter((name) => name.startsWith("s"))).toEqual([]);
  });

  test("that Storage does not take is not applied, and the answer says so", async () => {
    const bench = await createBench();
    bench.board.storage.faults = { full: true };
    expect(await bench.ask(wish(3, { tag: "lights", isOff: true }))).toMatchObject({
      result: "not stored",
      areLightsOff: false,
    });
    bench.board.storage.faults = {};
    expect(await bench.ask(wish(3, { tag: "lights", isOff: true }))).toMatchObject({
      result: "applied",
      areLightsOff: true,
    });
  });

  test("holds as a whole or not at all when power goes in the middle of its write, at any byte", async () => {
    for (let cutAfter = 0; cutAfter < 74; cutAfter += 3) {
      const bench = await createBench(createBoardStorage(), cutAfter + 1);
      await bench.ask(wish(1, { tag: "heartbeat", seconds: 300 }));
      bench.board.storage.faults = { cutAfter };
      await bench.ask(wish(2, { tag: "lights", isOff: true }, { tag: "heartbeat", seconds: 120 }));
      bench.board.storage.faults = {};
      bench.board.powerOff();
      bench.board.powerOn();
      await bench.clock.advance(READY_MS);
      const said = await bench.ask(wish(9));
      expect([said?.areLightsOff, said?.heartbeatS], `cut after ${cutAfter}`).toEqual(
        said?.areLightsOff ? [true, 120] : [false, 300],
      );
      expect(await bench.ask(wish(2, { tag: "lights", isOff: true }))).toMatchObject({ areLightsOff: true });
    }
  });

  test("is written while no alarm is open, and answered then", async () => {
    const bench = await createBench();
    bench.modem.manners = { acks: () => true };
    await bench.press();
    await bench.clock.advance(500);
    const before = settingsIn(bench.board.storage);
    await bench.ask(wish(4, { tag: "lights", isOff: true }));
    expect([settingsIn(bench.board.storage), bench.modem.answers]).toEqual([before, []]);
    const number = Number.parseInt(bench.alarms()[0]?.hex.slice(4, 8) ?? "", 16);
    bench.modem.manners = { downlink: () => hexOf(encodeStage({ stage: "closed", eventNumber: number })) };
    await bench.clock.advance(5 * MINUTE_MS);
    expect(bench.answers()).toMatchObject([{ token: 4, result: "applied", areLightsOff: true }]);
    expect(settingsIn(bench.board.storage)).not.toBe(before);
  });

  test("lights off leaves the red of an alarm that nobody has, sound off its light", async () => {
    const bench = await createBench();
    await bench.ask(wish(5, { tag: "lights", isOff: true }, { tag: "sound", isOff: true }));
    const seen = new Set<string>();
    bench.board.onLamp((lamp) =>
      seen.add(
        Object.entries(lamp)
          .flatMap(([name, lit]) => (lit ? [name] : []))
          .join(),
      ),
    );
    bench.modem.manners = { acks: () => false };
    await bench.press();
    await bench.clock.advance(14_000);
    expect([...seen]).toEqual([]);
    await bench.clock.advance(10_000);
    expect([...seen].sort()).toEqual(["", "red"]);
    expect(bench.alarms().length).toBeGreaterThan(2);
  });

  test("a self-test on request is a confirmed heartbeat at once, and one only however often it is asked for", async () => {
    const bench = await createBench();
    const tests = () =>
      bench
        .reports()
        .filter(({ kind, confirmed, atMs }) => kind === "heartbeat" && confirmed && atMs > READY_MS);
    await bench.ask(wish(6, { tag: "selfTest" }));
    expect(tests().length).toBe(1);
    await bench.ask(wish(6, { tag: "selfTest" }));
    expect([tests().length, bench.answers().length]).toEqual([1, 2]);
  });
});

describe("a mode", () => {
  const TEST: SettingItem = { tag: "mode", mode: "test", minutes: 60 };

  test("is said by every press until it ends by itself", async () => {
    const bench = await createBench();
    expect(await bench.ask(wish(1, TEST))).toMatchObject({ mode: "test" });
    expect(await bench.modeNow()).toBe("test");
    await bench.clock.advance(60 * MINUTE_MS);
    expect(await bench.modeNow()).toBe("real");
    expect(await bench.ask(wish(2))).toMatchObject({ mode: "real", minutes: 0 });
  });

  test("is not begun again by the same message, and ends when it is told to", async () => {
    const bench = await createBench();
    await bench.ask(wish(1, TEST));
    await bench.clock.advance(20 * MINUTE_MS);
    const left = (await bench.ask(wish(1, TEST)))?.minutes ?? 60;
    expect(left).toBeLessThan(41);
    expect(await bench.ask(wish(2, { tag: "mode", mode: "real", minutes: 0 }))).toMatchObject({
      mode: "real",
    });
    expect(await bench.modeNow()).toBe("real");
  });

  test("goes on after a restart, and is never longer for any number of them", async () => {
    for (const everyMinutes of [1, 7, 20, 31]) {
      const bench = await createBench();
      await bench.ask(wish(1, TEST));
      const setMs = bench.modem.answers.at(-1)?.atMs ?? 0;
      bench.board.powerOff();
      bench.board.powerOn();
      await bench.clock.advance(READY_MS);
      expect((await bench.ask(wish(9)))?.mode, `restarts every ${everyMinutes} min`).toBe("test");
      while (bench.clock.monotonicMs() < setMs + 61 * MINUTE_MS) {
        bench.board.powerOff();
        bench.board.powerOn();
        await bench.clock.advance(everyMinutes * MINUTE_MS);
      }
      expect(await bench.modeNow(), `restarts every ${everyMinutes} min`).toBe("real");
    }
  });
});
