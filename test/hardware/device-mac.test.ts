import { describe, expect, test } from "vitest";
import { obeyMacCommands } from "../../hardware/virtual/device-mac.ts";
import { startSession } from "../../hardware/virtual/device-session.ts";
import type { MacCommand } from "../../protocols/lorawan/mac.ts";
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";

function obey(commands: MacCommand[], options: { region?: RegionName; adr?: boolean } = {}) {
  const region = REGIONS[options.region ?? "EU868"];
  const accept = {
    joinNonce: 1,
    netId: "000013",
    devAddr: "48000001",
    dlSettings: { rx1DrOffset: 0, rx2DataRate: 0, optNeg: false },
    rxDelay: 1,
    cfList: region.extraChannelsHz.length > 0 ? region.extraChannelsHz : null,
  };
  const session = startSession(region, accept, { nwkSKey: "0".repeat(32), appSKey: "0".repeat(32) }, 5);
  const result = obeyMacCommands(session, commands, {
    region,
    adr: options.adr ?? true,
    battery: 200,
    snrDb: -7.6,
  });
  return { before: session, ...result };
}

const adr = (change: object) =>
  ({
    cid: "LinkADRReq",
    dataRate: 3,
    txPower: 1,
    chMask: 0xff,
    chMaskCntl: 0,
    nbTrans: 3,
    ...change,
  }) as MacCommand;
const adrAns = (chMaskAck: boolean, dataRateAck: boolean, powerAck: boolean) => ({
  cid: "LinkADRAns",
  chMaskAck,
  dataRateAck,
  powerAck,
});

describe("LinkADRReq", () => {
  test("is obeyed whole", () => {
    const { session, answers } = obey([adr({ chMask: 0b11 })]);
    expect(answers).toEqual([adrAns(true, true, true)]);
    expect(session).toMatchObject({ dataRate: 3, txPower: 1, nbTrans: 3 });
    expect(session.channels.map((channel) => channel?.enabled)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ["a mask of undefined channels", { chMask: 0x100 }, [false, true, true]],
    ["a mask of no channel", { chMask: 0 }, [false, false, true]],
    ["an unknown ChMaskCntl", { chMaskCntl: 3 }, [false, true, true]],
    ["FSK, which this radio does not do", { dataRate: 7 }, [true, false, true]],
    ["an undefined data rate", { dataRate: 9 }, [true, false, true]],
    ["an undefined power", { txPower: 9 }, [true, true, false]],
  ] as const)("%s is refused, and then nothing changes", (_, change, [mask, rate, power]) => {
    const { before, session, answers } = obey([adr(change)]);
    expect(answers).toEqual([adrAns(mask, rate, power)]);
    expect(session).toEqual(before);
  });

  test("15 leaves rate and power, NbTrans 0 leaves the copies, ChMaskCntl 6 takes every channel", () => {
    const { before, session } = obey([
      adr({ dataRate: 15, txPower: 15, nbTrans: 0, chMaskCntl: 6, chMask: 0 }),
    ]);
    expect(session).toEqual(before);
  });

  test("a block is one request: the last one's rate, every mask, the same answer for each", () => {
    const { session, answers } = obey([
      adr({ chMaskCntl: 6, dataRate: 0 }),
      adr({ chMask: 0b111, dataRate: 2 }),
    ]);
    expect(answers).toEqual([adrAns(true, true, true), adrAns(true, true, true)]);
    expect(session.dataRate).toBe(2);
    expect(session.channels.filter((channel) => channel?.enabled)).toHaveLength(3);
  });

  test("without the ADR bit the network may not change rate or power", () => {
    expect(obey([adr({})], { adr: false }).answers).toEqual([adrAns(true, false, false)]);
  });
});

describe("the other commands", () => {
  test("DutyCycleReq, RXTimingSetupReq, DevStatusReq", () => {
    const { session, answers } = obey([
      { cid: "DutyCycleReq", maxDutyCycle: 7 },
      { cid: "RXTimingSetupReq", delay: 5 },
      { cid: "DevStatusReq" },
    ]);
    expect(session).toMatchObject({ maxDutyCycle: 7, rxDelayS: 5 });
    expect(answers).toEqual([
      { cid: "DutyCycleAns" },
      { cid: "RXTimingSetupAns" },
      { cid: "DevStatusAns", battery: 200, margin: -8 },
    ]);
  });

  test("RXParamSetupReq: all or nothing", () => {
    const good = {
      cid: "RXParamSetupReq",
      rx1DrOffset: 2,
      rx2DataRate: 3,
      frequencyHz: 869_100_000,
    } as const;
    expect(obey([good]).session).toMatchObject({
      rx1DrOffset: 2,
      rx2DataRate: 3,
      rx2FrequencyHz: 869_100_000,
    });
    const bad = obey([{ ...good, frequencyHz: 433_000_000, rx1DrOffset: 6 }]);
    expect(bad.session).toEqual(bad.before);
    expect(bad.answers).toEqual([
      { cid: "RXParamSetupAns", channelAck: false, rx2DataRateAck: true, rx1DrOffsetAck: false },
    ]);
  });

  test("NewChannelReq adds and removes, but never touches a default channel", () => {
    const add = {
      cid: "NewChannelReq",
      chIndex: 9,
      frequencyHz: 866_100_000,
      minDataRate: 0,
      maxDataRate: 5,
    } as const;
    const { session, answers } = obey([add]);
    expect(answers).toEqual([{ cid: "NewChannelAns", frequencyAck: true, dataRateAck: true }]);
    expect(session.channels[9]).toMatchObject({ frequencyHz: 866_100_000, enabled: true });
    expect(session.channels[8]).toBeNull();
    expect(obey([add, { ...add, frequencyHz: 0 }]).session.channels[9]).toBeNull();
    expect(obey([{ ...add, chIndex: 0 }]).answers).toEqual([
      { cid: "NewChannelAns", frequencyAck: false, dataRateAck: false },
    ]);
  });

  test("DlChannelReq moves RX1 of a channel that exists", () => {
    const move = { cid: "DlChannelReq", chIndex: 1, frequencyHz: 869_300_000 } as const;
    expect(obey([move]).session.channels[1]?.downlinkHz).toBe(869_300_000);
    expect(obey([{ ...move, chIndex: 12 }]).answers).toEqual([
      { cid: "DlChannelAns", frequencyAck: true, uplinkFrequencyExists: false },
    ]);
  });

  test("TxParamSetupReq is for regions with a dwell time, and unanswered elsewhere", () => {
    const request = { cid: "TxParamSetupReq", maxEirp: 2, uplinkDwell: false, downlinkDwell: false } as const;
    expect(obey([request], { region: "AS923" })).toMatchObject({
      session: { maxEirpDbm: 12, uplinkDwell: false },
      answers: [{ cid: "TxParamSetupAns" }],
    });
    expect(obey([request]).answers).toEqual([]);
  });
});
