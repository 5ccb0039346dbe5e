import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCodecError } from "../../../protocols/device/codec-error.ts";
import type { Direction } from "../../../protocols/lorawan/crypto.ts";
import {
  decodeMacCommands,
  encodeMacCommands,
  type MacCommand,
  readMacCommands,
} from "../../../protocols/lorawan/mac.ts";
import { bytesOf, hexOf } from "./frames.ts";

/** TS001-1.0.4 chapter 5, every command of classes A and C. */
const TABLE: readonly [Direction, string, MacCommand][] = [
  ["up", "02", { cid: "LinkCheckReq" }],
  ["down", "021403", { cid: "LinkCheckAns", margin: 20, gwCnt: 3 }],
  [
    "down",
    "0353ff0071",
    { cid: "LinkADRReq", dataRate: 5, txPower: 3, chMask: 0x00ff, chMaskCntl: 7, nbTrans: 1 },
  ],
  ["up", "0307", { cid: "LinkADRAns", chMaskAck: true, dataRateAck: true, powerAck: true }],
  ["up", "0304", { cid: "LinkADRAns", chMaskAck: false, dataRateAck: false, powerAck: true }],
  ["down", "0407", { cid: "DutyCycleReq", maxDutyCycle: 7 }],
  ["up", "04", { cid: "DutyCycleAns" }],
  [
    "down",
    "0523d2ad84",
    { cid: "RXParamSetupReq", rx1DrOffset: 2, rx2DataRate: 3, frequencyHz: 869_525_000 },
  ],
  ["up", "0507", { cid: "RXParamSetupAns", channelAck: true, rx2DataRateAck: true, rx1DrOffsetAck: true }],
  ["down", "06", { cid: "DevStatusReq" }],
  ["up", "06ff1f", { cid: "DevStatusAns", battery: 255, margin: 31 }],
  ["up", "060120", { cid: "DevStatusAns", battery: 1, margin: -32 }],
  [
    "down",
    "0703184f8450",
    { cid: "NewChannelReq", chIndex: 3, frequencyHz: 867_100_000, minDataRate: 0, maxDataRate: 5 },
  ],
  ["up", "0701", { cid: "NewChannelAns", frequencyAck: true, dataRateAck: false }],
  ["down", "0801", { cid: "RXTimingSetupReq", delay: 1 }],
  ["up", "08", { cid: "RXTimingSetupAns" }],
  ["down", "0925", { cid: "TxParamSetupReq", maxEirp: 5, uplinkDwell: false, downlinkDwell: true }],
  ["up", "09", { cid: "TxParamSetupAns" }],
  ["down", "0a03184f84", { cid: "DlChannelReq", chIndex: 3, frequencyHz: 867_100_000 }],
  ["up", "0a03", { cid: "DlChannelAns", frequencyAck: true, uplinkFrequencyExists: true }],
  ["up", "0d", { cid: "DeviceTimeReq" }],
  ["down", "0d785634f280", { cid: "DeviceTimeAns", gpsSeconds: 0xf234_5678, fraction: 128 }],
];

describe("every command, both directions", () => {
  for (const [direction, hex, command] of TABLE) {
    test(`${direction} ${hex} ${command.cid}`, () => {
      expect(decodeMacCommands(bytesOf(hex), direction)).toEqual([command]);
      expect(hexOf(encodeMacCommands([command], direction))).toBe(hex);
    });
    test(`${command.cid} of ${hex} does not travel the other way`, () => {
      const other = direction === "up" ? "down" : "up";
      expect(() => encodeMacCommands([command], other)).toThrow(RangeError);
    });
  }
  for (const direction of ["up", "down"] as const) {
    test(`all ${direction}link commands in one row`, () => {
      const rows = TABLE.filter(([d]) => d === direction);
      const commands = rows.map(([, , command]) => command);
      const hex = rows.map(([, bytes]) => bytes).join("");
      expect(decodeMacCommands(bytesOf(hex), direction)).toEqual(commands);
      expect(hexOf(encodeMacCommands(commands, direction))).toBe(hex);
    });
  }
});

describe("refused", () => {
  const rows: readonly [string, Direction, string, string][] = [
    ["an unknown CID", "up", "80", "cid"],
    ["class B, which is not ours", "up", "1000", "cid"],
    ["LinkADRReq cut short", "down", "0353ff00", "length"],
    ["RFU bit of Redundancy", "down", "0353ff0081", "reserved"],
    ["RFU bits of LinkADRAns", "up", "0308", "reserved"],
    ["RFU bits of DevStatusAns", "up", "06ff40", "reserved"],
    ["RFU bit of DLSettings", "down", "0580d2ad84", "reserved"],
    ["RFU bits of RXTimingSetupReq", "down", "0810", "reserved"],
  ];
  for (const [name, direction, hex, code] of rows) {
    test(name, () =>
      expect(() => decodeMacCommands(bytesOf(hex), direction)).toThrow(expect.objectContaining({ code })),
    );
  }
  const bad: readonly MacCommand[] = [
    { cid: "LinkADRReq", dataRate: 16, txPower: 0, chMask: 1, chMaskCntl: 0, nbTrans: 1 },
    { cid: "NewChannelReq", chIndex: 3, frequencyHz: 867_100_050, minDataRate: 0, maxDataRate: 5 },
    { cid: "RXTimingSetupReq", delay: -1 },
  ];
  for (const command of bad) {
    test(`${JSON.stringify(command)} when encoded`, () =>
      expect(() => encodeMacCommands([command], "down")).toThrow(RangeError));
  }
  test("a signed margin out of range when encoded", () => {
    for (const margin of [-33, 32]) {
      expect(() => encodeMacCommands([{ cid: "DevStatusAns", battery: 1, margin }], "up")).toThrow(
        RangeError,
      );
    }
  });
});

test("what comes before an unknown command is still understood", () => {
  const { commands, error } = readMacCommands(bytesOf("0307ff0102"), "up");
  expect(commands).toEqual([{ cid: "LinkADRAns", chMaskAck: true, dataRateAck: true, powerAck: true }]);
  expect(error).toMatchObject({ code: "cid" });
});

test("any bytes are refused with a CodecError, or encode to themselves again", () => {
  const bytes = fc.array(fc.oneof(fc.integer({ min: 2, max: 13 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 15,
  });
  fc.assert(
    fc.property(bytes, fc.constantFrom("up", "down"), (list, direction) => {
      try {
        const commands = decodeMacCommands(Uint8Array.from(list), direction);
        expect([...encodeMacCommands(commands, direction)]).toEqual(list);
      } catch (error) {
        if (!isCodecError(error)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
