import { expect, test } from "vitest";
import { encodeLoraTapPcap } from "../../protocols/loratap.ts";

const FRAME = {
  unixMs: 1_700_000_000_250,
  frequencyHz: 868_100_000,
  bandwidthHz: 125_000,
  sf: 7,
  rssiDbm: -97,
  snrDb: -7.5,
  phyPayload: Uint8Array.of(0x40, 1, 2),
};

test("a pcap file of link type 270, one record per frame", () => {
  const hex = Buffer.from(encodeLoraTapPcap([FRAME, { ...FRAME, phyPayload: Uint8Array.of(0x60) }])).toString(
    "hex",
  );
  const fileHeader = "d4c3b2a1" + "0200" + "0400" + "00000000" + "00000000" + "ffff0000" + "0e010000";
  const time = "00f15365" + "90d00300";
  // -97 dBm is 42 above the floor of -139; -7.5 dB are -30 quarters
  const tap = "00" + "00" + "000f" + "33be27a0" + "01" + "07" + "2a2a2a" + "e2" + "34";
  const first = `${time}1200000012000000${tap}400102`;
  const second = `${time}1000000010000000${tap}60`;
  expect(hex).toBe(fileHeader + first + second);
});

test("no frames are a file without records", () => expect(encodeLoraTapPcap([]).length).toBe(24));
