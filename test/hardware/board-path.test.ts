import { beforeAll, describe, expect, test } from "vitest";
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { DETAIL } from "../../protocols/device/details.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { createScriptedModem } from "./scripted-modem.ts";

const IDENTITY = {
  ...{ devEui: "ac1f09fffe000001", joinEui: "0102030405060708", appKey: "ab".repeat(16) },
  ...{ role: "entrance-button", region: "EU868", heartbeatS: 3600 },
};
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let bundle = "";
beforeAll(async () => {
  bundle = (await buildFirmware("entrance-button")).code;
});

/** A board with the final firmware that has announced its start. */
async function createBench(seed = 1) {
  const clock = createVirtualClock();
  const modem = createScriptedModem(clock);
  const board = createBoard({
    bundle,
    clock,
    random: createRandom(seed),
    serial: modem.serial,
    identity: IDENTITY,
  });
  board.powerOn();
  await clock.advance(90_000);
  const reports = () =>
    modem.frames.map((frame) => ({ ...frame, ...decodeReport(Buffer.from(frame.hex, "hex")) }));
  return {
    clock,
    modem,
    board,
    reports,
    faults: () => reports().filter(({ detail }) => detail === DETAIL.radioPath),
  };
}

describe("the way to the hub is tried once a day", () => {
  test.each([1, 2, 3])(
    "by a confirmed heartbeat, the first within a day of the start (seed %i)",
    async (seed) => {
      const bench = await createBench(seed);
      await bench.clock.advance(5 * DAY_MS);
      const tests = bench
        .reports()
        .filter(({ kind, confirmed, detail }) => kind === "heartbeat" && confirmed && detail === 0);
      expect(tests.length).toBeGreaterThanOrEqual(4);
      expect(tests.length).toBeLessThanOrEqual(6);
      expect(tests[0]?.atMs).toBeLessThan(DAY_MS + 90_000);
      expect(bench.faults()).toEqual([]);
      expect(bench.board.errors).toEqual([]);
    },
  );

  test("three of them without an answer are a fault, which is over with the first acknowledgement", async () => {
    const bench = await createBench();
    bench.modem.manners = { acks: () => false };
    await bench.clock.advance(DAY_MS + HOUR_MS);
    const told = bench.faults();
    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(["fault"]));
    expect(told[0]).toMatchObject({ deviceFault: true });
    const tries = bench
      .reports()
      .filter(({ kind, confirmed, atMs }) => kind === "heartbeat" && confirmed && atMs > 90_000);
    expect(tries.length).toBe(3);
    bench.modem.manners = {};
    await bench.clock.advance(5 * 60_000);
    expect(bench.faults().at(-1)).toMatchObject({ kind: "restore", deviceFault: false });
    expect(bench.board.errors).toEqual([]);
  });

  test("a press is not held up by one that gets no answer", async () => {
    const bench = await createBench();
    bench.modem.manners = { acks: (hex) => !hex.startsWith("21") };
    const isTry = () =>
      bench.reports().some(({ kind, confirmed, atMs }) => kind === "heartbeat" && confirmed && atMs > 90_000);
    while (!isTry()) await bench.clock.advance(60_000);
    const pressedMs = bench.clock.monotonicMs();
    bench.board.press();
    await bench.clock.advance(200);
    bench.board.release();
    await bench.clock.advance(10_000);
    const panic = bench.reports().find(({ kind }) => kind === "panic");
    expect((panic?.atMs ?? Infinity) - pressedMs).toBeLessThan(3000);
  });
});

describe("the battery", () => {
  test("is weighed while the transmitter loads it: one that is good at rest and breaks down on air is a fault", async () => {
    const bench = await createBench();
    // a transmission is what follows a SEND for a while
    bench.board.setPin("battery", (nowMs) => {
      const sentMs = bench.modem.frames.at(-1)?.atMs ?? -Infinity;
      return nowMs - sentMs < 60 ? 0.63 : 0.85;
    });
    await bench.clock.advance(2 * HOUR_MS);
    const low = bench.reports().filter(({ kind, detail }) => kind === "fault" && detail === DETAIL.battery);
    expect(low[0]).toMatchObject({ batteryLow: true, batteryPercent: 10 });
  });
});
