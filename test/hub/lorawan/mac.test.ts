import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import { decideAdr } from "../../../hub/lorawan/adr.ts";
import { noteUplink, readDeviceCommands, requestsFor } from "../../../hub/lorawan/mac-answers.ts";
import type { SnrSample } from "../../../hub/lorawan/mac-state.ts";
import { createMacState } from "../../../hub/lorawan/mac-state.ts";
import { createNotices } from "../../../hub/lorawan/notices.ts";
import type { Notice } from "../../../hub/lorawan/sink.ts";
import type { Heard } from "../../../hub/lorawan/windows.ts";
import { encodeMacCommands } from "../../../protocols/lorawan/mac.ts";
import { REGIONS } from "../../../protocols/lorawan/regions.ts";
import { aSession } from "./store-contract.ts";

const region = REGIONS.EU868;
const samples = (count: number, snrDb: number, lost = 0): SnrSample[] => Array(count).fill({ snrDb, lost });
const link = (dataRate: number, nbTrans = 1) => ({ dataRate, txPowerIndex: 0, nbTrans });

describe("ADR for alarm devices", () => {
  test.each([
    ["rises only with 15 dB in hand", link(0), samples(10, 7.5), link(5)],
    ["rises step by step where less is in hand", link(0), samples(10, 0), link(2)],
    ["stays with less than ten uplinks", link(0), samples(9, 12), null],
    ["falls below 5 dB", link(5), samples(4, -3), link(4)],
    ["stays between 5 and 15 dB", link(5), samples(20, 2), null],
    ["never falls below the region's lowest", link(0), samples(20, -25), null],
    ["repeats where frames are lost", link(5), samples(20, 10, 1), link(5, 3)],
    ["repeats less where they are not", link(5, 3), samples(20, 10), link(5, 1)],
  ])("%s", (_name, current, heard, wanted) => {
    expect(decideAdr(region, current, heard)).toEqual(wanted);
  });

  test("power is never taken away, and given back where it was", () => {
    expect(
      decideAdr(region, { dataRate: 5, txPowerIndex: 4, nbTrans: 1 }, samples(20, 14))?.txPowerIndex,
    ).toBe(0);
  });
});

describe("MAC commands", () => {
  const heard = (snrDb: number): Heard => ({
    gateway: "a",
    carrier: "semtech-udp",
    tmst: 0,
    heardMs: 0,
    snrDb,
    rssiDbm: -80,
    frequencyHz: 868_100_000,
    dataRate: 0,
  });
  const full = aSession({ channelsHz: [...region.defaultChannelsHz, ...region.extraChannelsHz] });

  test("new settings hold when the device agrees, and are not asked twice when it does not", () => {
    for (const agrees of [true, false]) {
      const mac = createMacState(1);
      const session = structuredClone(full);
      for (let i = 0; i < 10; i++) noteUplink(mac, session, heard(10), 0);
      const { settings, commands } = requestsFor(region, mac, session, { adr: true, nowMs: 0 });
      expect(commands).toEqual([
        { cid: "LinkADRReq", dataRate: 5, txPower: 0, chMask: 0, chMaskCntl: 6, nbTrans: 1 },
      ]);
      mac.asked = settings;
      mac.patientUntilMs = 1;
      expect(requestsFor(region, mac, session, { adr: true, nowMs: 0 }).commands).toEqual([]);
      const answer = encodeMacCommands(
        [{ cid: "LinkADRAns", chMaskAck: true, dataRateAck: agrees, powerAck: true }],
        "up",
      );
      readDeviceCommands(answer, "", mac, session, 0);
      expect(session.dataRate).toBe(agrees ? 5 : 0);
      for (let i = 0; i < 10; i++) noteUplink(mac, session, { ...heard(10), dataRate: session.dataRate }, 0);
      expect(requestsFor(region, mac, session, { adr: true, nowMs: 0 }).commands).toEqual([]);
    }
  });

  test("without the ADR bit the device's data rate is its own", () => {
    const mac = createMacState(1);
    mac.samples = samples(20, 14);
    expect(requestsFor(region, mac, full, { adr: false, nowMs: 0 }).settings).toBeNull();
  });

  test.each([
    [0, { batteryPercent: null, external: true }],
    [1, { batteryPercent: 0, external: false }],
    [254, { batteryPercent: 100, external: false }],
    [255, { batteryPercent: null, external: false }],
  ])("DevStatusAns battery %i", (battery, wanted) => {
    const bytes = encodeMacCommands([{ cid: "DevStatusAns", battery, margin: -5 }], "up");
    const mac = createMacState();
    const read = readDeviceCommands(bytes, "eui", mac, full, 1_000);
    expect(read.notices).toEqual([{ type: "deviceStatus", devEui: "eui", snrMarginDb: -5, ...wanted }]);
    expect(mac.statusDueMs).toBe(1_000 + 86_400_000);
  });

  test("what cannot be read is said, and what came before it obeyed", () => {
    const read = readDeviceCommands(Uint8Array.of(0x02, 0x7f), "", createMacState(), full, 0);
    expect(read).toMatchObject({ questions: ["LinkCheckReq"], understood: false });
  });
});

describe("notices", () => {
  const collect = () => {
    const clock = createVirtualClock();
    const told: Notice[] = [];
    return { clock, told, notices: createNotices(clock, (notice) => void told.push(notice)) };
  };
  const replay = { type: "replay", devEui: "a", fCntUp: 1, gateway: "g", frameHash: "" } as const;

  test("the first is told at once, the rest as one a minute later", async () => {
    const { clock, told, notices } = collect();
    for (let i = 0; i < 100; i++) notices.tell(replay);
    expect(told).toMatchObject([{ type: "replay", count: 1 }]);
    await clock.advance(60_000);
    notices.tell(replay);
    expect(told).toMatchObject([{ count: 1 }, { count: 100 }]);
  });

  test("bad MICs are told when they are many", async () => {
    const { clock, told, notices } = collect();
    const bad = { type: "badMic", devAddr: "00000001", gateway: "g" } as const;
    for (let minute = 0; minute < 5; minute++) {
      for (let i = 0; i < 19; i++) notices.tell(bad);
      await clock.advance(60_000);
    }
    expect(told).toEqual([]);
    for (let i = 0; i < 20; i++) notices.tell(bad);
    expect(told).toMatchObject([{ type: "badMic", count: 20 }]);
  });

  test("invented devices are one fact, and memory is bounded", () => {
    const { told, notices } = collect();
    for (let i = 0; i < 5_000; i++) {
      notices.tell({ type: "joinRefused", devEui: String(i), reason: "unknownDevice", gateway: "g" });
    }
    expect(told).toHaveLength(1);
  });
});
