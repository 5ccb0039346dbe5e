import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCodecError } from "../../../protocols/device/codec-error.ts";
import {
  openJoinAccept,
  sealDataFrame,
  sealJoinAccept,
  verifyDataMic,
  verifyJoinRequestMic,
} from "../../../protocols/lorawan/crypto.ts";
import {
  type DataFrame,
  decodePhyPayload,
  encodePhyPayload,
  isUplink,
} from "../../../protocols/lorawan/phy.ts";
import { appKey, bytesOf, hexOf, joinRequest, keys, plainFrames, sealedFrames } from "./frames.ts";

const JOIN_ACCEPT = sealJoinAccept(appKey, {
  joinNonce: 7,
  netId: "000013",
  devAddr: "26011bda",
  dlSettings: { rx1DrOffset: 0, rx2DataRate: 0, optNeg: false },
  rxDelay: 1,
  cfList: [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000],
});

/** Whether a receiver with the right keys would take these bytes for authentic; throws what the decoder throws. */
function authentic(bytes: Uint8Array): boolean {
  const frame = decodePhyPayload(bytes);
  if (frame.mType === "joinRequest") return verifyJoinRequestMic(appKey, bytes);
  if (frame.mType === "joinAccept") return openJoinAccept(appKey, bytes).devAddr !== "";
  const direction = isUplink(frame.mType) ? "up" : "down";
  return verifyDataMic(keys.nwkSKey, direction, frame.devAddr, frame.fCnt16, bytes);
}

function refused(bytes: Uint8Array): boolean {
  try {
    return !authentic(bytes);
  } catch (error) {
    if (isCodecError(error)) return true;
    throw error;
  }
}

describe("refused, with a code that says why", () => {
  const data = "40da1b0126000100";
  const MIC = "11223344";
  const rows: readonly [string, string, string][] = [
    ["nothing", "", "length"],
    ["Major 1", `41${"00".repeat(22)}`, "major"],
    ["Major 3 of a data frame", `43da1b0126000100${MIC}`, "major"],
    ["RFU bit of MHDR", `44da1b0126000100${MIC}`, "reserved"],
    ["rejoin-request, LoRaWAN 1.1", `c0${"00".repeat(18)}`, "mType"],
    ["proprietary", "e0010203", "mType"],
    ["join-request, a byte short", "00".repeat(22), "length"],
    ["join-request, a byte long", "00".repeat(24), "length"],
    ["join-accept of 16 bytes", `20${"00".repeat(15)}`, "length"],
    ["join-accept of 32 bytes", `20${"00".repeat(31)}`, "length"],
    ["data frame of 11 bytes", `${data}112233`, "length"],
    ["data frame of 256 bytes", `${data}02${"00".repeat(243)}${MIC}`, "length"],
    ["FOptsLen into the MIC", `40da1b0126010100${MIC}`, "fOpts"],
    ["FOptsLen 15 with 14 bytes", `40da1b01260f0100${"02".repeat(14)}${MIC}`, "fOpts"],
    ["FOpts with FPort 0", `40da1b01260101000200${MIC}`, "fOpts"],
    ["RFU bit of a downlink's FCtrl", `60da1b0126400100${MIC}`, "reserved"],
  ];
  for (const [name, hex, code] of rows) {
    test(name, () => expect(() => decodePhyPayload(bytesOf(hex))).toThrow(expect.objectContaining({ code })));
  }
});

describe("FPort", () => {
  const frame = (hex: string) => decodePhyPayload(bytesOf(hex)) as DataFrame;
  test("absent is null and has no payload", () => {
    expect(frame("60da1b012620010011223344")).toMatchObject({ fPort: null, frmPayload: "" });
  });
  test("with an empty payload is another frame", () => {
    expect(frame("60da1b01262001000211223344")).toMatchObject({ fPort: 2, frmPayload: "" });
  });
  test("0 without FOpts carries MAC commands", () => {
    expect(frame("40da1b0126000100000211223344")).toMatchObject({ fPort: 0, frmPayload: "02" });
  });
});

describe("an encoder refuses what no frame can carry", () => {
  const good = decodePhyPayload(bytesOf("40da1b0126000100022211223344")) as DataFrame;
  const bad: readonly [string, Partial<DataFrame>][] = [
    ["a payload without FPort", { fPort: null }],
    ["FOpts with FPort 0", { fPort: 0, fOpts: "02" }],
    ["16 bytes of FOpts", { fOpts: "02".repeat(16) }],
    ["half a byte", { frmPayload: "123" }],
    ["text that is not hex", { devAddr: "26011bdg" }],
    ["a short DevAddr", { devAddr: "26011b" }],
    ["a counter of 17 bits", { fCnt16: 65_536 }],
    ["FPort 256", { fPort: 256 }],
    ["ADRACKReq in a downlink", { mType: "unconfirmedDataDown", fCtrl: { ...good.fCtrl, adrAckReq: true } }],
    ["a frame of 256 bytes", { frmPayload: "00".repeat(243) }],
  ];
  for (const [name, change] of bad) {
    test(name, () => expect(() => encodePhyPayload({ ...good, ...change })).toThrow(RangeError));
  }
});

test("any data frame comes back as it went", () => {
  fc.assert(
    fc.property(plainFrames, (plain) => {
      const bytes = sealDataFrame(keys, plain);
      const frame = decodePhyPayload(bytes) as DataFrame;
      const { fCnt32, payload, ...header } = plain;
      expect(frame).toMatchObject({ ...header, fCnt16: fCnt32 & 0xffff });
      expect(frame.frmPayload.length).toBe(2 * (payload?.length ?? 0));
      expect(encodePhyPayload(frame)).toEqual(bytes);
    }),
  );
});

test("any bytes are refused with a CodecError, or encode to themselves again", () => {
  const mhdr = fc.constantFrom(0x00, 0x20, 0x40, 0x60, 0x80, 0xa0);
  const likely = fc
    .tuple(mhdr, fc.uint8Array({ minLength: 11, maxLength: 40 }))
    .map(([first, rest]) => Uint8Array.of(first, ...rest));
  fc.assert(
    fc.property(fc.oneof(likely, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      try {
        expect(hexOf(encodePhyPayload(decodePhyPayload(bytes)))).toBe(hexOf(bytes));
      } catch (error) {
        if (!isCodecError(error)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

describe("every single-byte corruption is refused, or its MIC fails", () => {
  const frames = [
    ...sealedFrames.map(([name, , bytes]) => [name, bytes] as const),
    ["join-request", joinRequest()] as const,
    ["join-accept with CFList", JOIN_ACCEPT] as const,
  ];
  for (const [name, good] of frames) {
    test(name, () => {
      expect(refused(good)).toBe(false);
      const taken: string[] = [];
      for (let at = 0; at < good.length; at++) {
        for (let change = 1; change < 256; change++) {
          const bytes = good.slice();
          bytes[at] = (bytes[at] ?? 0) ^ change;
          if (!refused(bytes)) taken.push(hexOf(bytes));
        }
      }
      expect(taken).toEqual([]);
    });
    test(`${name}, cut anywhere or with a byte more`, () => {
      for (let length = 0; length < good.length; length++)
        expect(refused(good.subarray(0, length))).toBe(true);
      expect(refused(Uint8Array.of(...good, 0))).toBe(true);
    });
  }
});
