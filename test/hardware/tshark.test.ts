import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { encodeLoraTapPcap, type LoraTapFrame } from "../../protocols/loratap.ts";
import { needs } from "../debian.ts";
import { createRadioWorld, REPORT } from "./radio-world.ts";

/** Wireshark's judgement of frames, one object of fields per frame. */
function judge(
  frames: readonly LoraTapFrame[],
  session: { devAddr: string; nwkSKey: string; appSKey: string },
) {
  const folder = mkdtempSync(path.join(tmpdir(), "tshark-"));
  try {
    const file = path.join(folder, "air.pcap");
    writeFileSync(file, encodeLoraTapPcap(frames));
    // the keys' table wants DevAddr in wire order
    const wireAddr = Buffer.from(session.devAddr, "hex").reverse().toString("hex");
    const keys = `uat:encryption_keys_lorawan:"${wireAddr}","${session.nwkSKey}","${session.appSKey}","0000000000000000"`;
    const fields = [
      "lorawan.mhdr.mtype",
      "lorawan.fhdr.fcnt",
      "lorawan.mic.status",
      "lorawan.frmpayload_decrypted",
      "lorawan.join_request.deveui",
      "_ws.malformed",
    ];
    const columns = fields.flatMap((field) => ["-e", field]);
    const text = execFileSync("tshark", ["-r", file, "-o", keys, "-T", "fields", ...columns], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => Object.fromEntries(line.split("\t").map((value, i) => [fields[i], value])));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.skipIf(!needs("tshark"))(
  "tshark finds every MIC of the virtual device right and decrypts its reports",
  async () => {
    const world = createRadioWorld({
      echo: { answer: () => ({ ack: true, fPort: 2, payload: Uint8Array.of(0x21, 2, 0, 7) }) },
    });
    await world.gateway();
    const device = world.device();
    const frames: LoraTapFrame[] = [];
    world.air.onTransmission(({ bytes, frequencyHz, bandwidthHz, sf, startMs }) => {
      frames.push({
        unixMs: world.clock.wallMs() - world.clock.monotonicMs() + startMs,
        frequencyHz,
        bandwidthHz,
        sf,
        rssiDbm: -76,
        snrDb: 10,
        phyPayload: bytes,
      });
    });
    await world.join(device);
    const { session } = device.memory;
    expect(session).not.toBeNull();
    if (session === null) return;
    for (const confirmed of [true, false, true]) {
      device.send({ fPort: 2, payload: REPORT, confirmed });
      await world.clock.runUntil(() => !device.busy, 20_000);
    }
    const verdicts = judge(frames, session);
    expect(verdicts).toHaveLength(8);
    expect(verdicts.map((verdict) => verdict["_ws.malformed"])).toEqual(verdicts.map(() => ""));
    const data = verdicts.slice(2);
    expect(data.map((verdict) => verdict["lorawan.mic.status"])).toEqual(data.map(() => "1"));
    const report = Buffer.from(REPORT).toString("hex");
    expect(data.map((verdict) => verdict["lorawan.frmpayload_decrypted"])).toEqual([
      report,
      "21020007",
      report,
      "21020007",
      report,
      "21020007",
    ]);
    // the other way round: with another key every MIC is wrong
    const wrong = judge(frames, { ...session, nwkSKey: "00".repeat(16) });
    expect(wrong.slice(2).map((verdict) => verdict["lorawan.mic.status"])).toEqual(data.map(() => "0"));
  },
);
