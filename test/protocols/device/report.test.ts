import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KINDS, type Kind } from "../../../protocols/device/kinds.ts";
import {
  decodeReport,
  encodeReport,
  MODES,
  REPORT_FPORT,
  type Report,
} from "../../../protocols/device/report.ts";
import { createAesKey, sealDataFrame, verifyDataMic } from "../../../protocols/lorawan/crypto.ts";
import { fromHex, otherBytes, refusedOrCanonical, testAnyBytes, testVectors } from "../promises.ts";

const codec = { encode: encodeReport, decode: decodeReport };
const PANIC = fromHex("2200002a0000ff18");

const anyReport: fc.Arbitrary<Report> = fc.record({
  kind: fc.constantFrom(...(Object.keys(KINDS) as Kind[])),
  mode: fc.constantFrom(...MODES),
  tamperOpen: fc.boolean(),
  batteryLow: fc.boolean(),
  mainsLost: fc.boolean(),
  deviceFault: fc.boolean(),
  eventNumber: fc.nat(0xffff),
  ageS: fc.nat(0xffff),
  batteryPercent: fc.option(fc.nat(100)),
  detail: fc.nat(0xff),
});

describe("report", () => {
  testVectors("report.json", codec);
  testAnyBytes(codec, [PANIC]);

  test("every report comes back as it was said", () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        expect(decodeReport(encodeReport(report))).toEqual(report);
      }),
    );
  });

  test("an age beyond its field stays at the top: an old press never looks fresh", () => {
    const report = decodeReport(PANIC);
    expect(decodeReport(encodeReport({ ...report, ageS: 65_536 })).ageS).toBe(65_535);
    expect(decodeReport(encodeReport({ ...report, ageS: 1e9 })).ageS).toBe(65_535);
  });

  test("each of the 255 changes of each byte is refused or says something else, never the same", () => {
    let changes = 0;
    for (const changed of otherBytes(PANIC)) {
      changes++;
      if (!refusedOrCanonical(codec, changed)) expect(decodeReport(changed)).not.toEqual(decodeReport(PANIC));
    }
    expect(changes).toBe(8 * 255);
  });

  test("in its LoRaWAN frame, as it travels: each of the 255 changes of each byte fails the MIC", () => {
    const nwkSKey = createAesKey("000102030405060708090a0b0c0d0e0f");
    const appSKey = createAesKey("101112131415161718191a1b1c1d1e1f");
    const devAddr = "26011bda";
    const phyPayload = sealDataFrame(
      { nwkSKey, appSKey },
      {
        mType: "confirmedDataUp",
        devAddr,
        fCtrl: { adr: true, adrAckReq: false, ack: false, fPending: false },
        fCnt32: 65_537,
        fOpts: "",
        fPort: REPORT_FPORT,
        payload: PANIC,
      },
    );
    expect(verifyDataMic(nwkSKey, "up", devAddr, 65_537, phyPayload)).toBe(true);
    for (const changed of otherBytes(phyPayload)) {
      expect(verifyDataMic(nwkSKey, "up", devAddr, 65_537, changed)).toBe(false);
    }
  });
});
