import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { encodeLoraTapPcap } from "../../../protocols/loratap.ts";
import { needs } from "../../debian.ts";
import { APP_KEY, APP_S_KEY, bytesOf, hexOf, joinRequest, NWK_S_KEY, sealedFrames } from "./frames.ts";

/** Wireshark's LoRaWAN keys: DevAddr and JoinEUI in wire order. A row without address holds an AppKey in both places. */
const KEYS = [
  ["da1b0126", NWK_S_KEY, APP_S_KEY, "0000000000000000"],
  ["00000000", APP_KEY, APP_KEY, "010000d07ed5b370"],
];
const FIELDS = {
  mType: "lorawan.mhdr.mtype",
  devAddr: "lorawan.fhdr.devaddr",
  fCnt: "lorawan.fhdr.fcnt",
  ack: "lorawan.fhdr.fctrl.ack",
  micStatus: "lorawan.mic.status",
  payload: "lorawan.frmpayload_decrypted",
  devEui: "lorawan.join_request.deveui",
} as const;
const MIC_GOOD = "1";

/** What tshark reads in these frames, a record of text per frame. */
function dissect(frames: readonly Uint8Array[]): Record<keyof typeof FIELDS, string>[] {
  const folder = mkdtempSync(path.join(tmpdir(), "tugma-tshark-"));
  try {
    const file = path.join(folder, "frames.pcap");
    const radio = { frequencyHz: 868_100_000, bandwidthHz: 125_000, sf: 7, rssiDbm: -97, snrDb: 6.5 };
    const tap = frames.map((phyPayload, i) => ({ ...radio, unixMs: 1_700_000_000_000 + i, phyPayload }));
    writeFileSync(file, encodeLoraTapPcap(tap));
    const options = KEYS.flatMap((row) => [
      "-o",
      `uat:encryption_keys_lorawan:${row.map((x) => `"${x}"`).join(",")}`,
    ]);
    const columns = Object.values(FIELDS).flatMap((name) => ["-e", name]);
    const out = execFileSync("tshark", ["-r", file, ...options, "-T", "fields", ...columns], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const names = Object.keys(FIELDS);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => {
        // tshark writes an empty value so
        const cells = line.replaceAll("<MISSING>", "").split("\t");
        return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ""])) as Record<
          keyof typeof FIELDS,
          string
        >;
      });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.skipIf(!needs("tshark"))("tshark finds every MIC correct and decrypts every payload", () => {
  const read = dissect(sealedFrames.map(([, , bytes]) => bytes));
  expect(read.length).toBe(sealedFrames.length);
  for (const [i, [name, frame]] of sealedFrames.entries()) {
    const seen = read[i] ?? expect.fail(name);
    expect([name, seen.devAddr, Number(seen.fCnt)]).toEqual([name, `0x${frame.devAddr}`, frame.fCnt32]);
    // tshark 4.0 reads an FPort into every frame: without one it takes a MIC byte for it and gives up on the rest
    if (frame.fPort === null) continue;
    expect([name, seen.micStatus]).toEqual([name, MIC_GOOD]);
    // and it leaves FPort 0 encrypted
    if (frame.fPort > 0) expect([name, seen.payload]).toEqual([name, hexOf(frame.payload ?? bytesOf(""))]);
  }
});

test.skipIf(!needs("tshark"))("tshark finds a join-request's MIC correct, and a corrupt one's not", () => {
  const corrupt = joinRequest();
  corrupt[17] = (corrupt[17] ?? 0) ^ 1;
  const [good, bad] = dissect([joinRequest(), corrupt]);
  expect(good?.devEui).toBe("70:b3:d5:7e:d0:ab:cd:ef");
  expect(good?.micStatus).toBe(MIC_GOOD);
  expect(bad?.micStatus).not.toBe(MIC_GOOD);
});
