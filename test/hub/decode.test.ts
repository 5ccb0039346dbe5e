import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { run } from "../../hub/decode.ts";
import { explain } from "../../hub/explain.ts";
import { encodeFrame } from "../../protocols/device/frame.ts";
import { encodeReport } from "../../protocols/device/report.ts";
import { encodeStage } from "../../protocols/device/stage.ts";
import { createAesKey, sealDataFrame } from "../../protocols/lorawan/crypto.ts";
import { encodePoll, sealPoll } from "../../protocols/poll.ts";
import { encodeSemtech } from "../../protocols/semtech-udp.ts";
import { createSigningKey, generatePrivateKeyPem } from "../../protocols/signature.ts";

const report = encodeReport({
  kind: "panic",
  mode: "real",
  tamperOpen: false,
  batteryLow: false,
  mainsLost: false,
  deviceFault: false,
  eventNumber: 42,
  ageS: 0,
  batteryPercent: 93,
  detail: 4,
});
const nwkSKey = "01".repeat(16);
const appSKey = "02".repeat(16);
const uplink = sealDataFrame(
  { nwkSKey: createAesKey(nwkSKey), appSKey: createAesKey(appSKey) },
  {
    mType: "confirmedDataUp",
    devAddr: "01020304",
    fCtrl: { adr: true, adrAckReq: false, ack: false, fPending: false },
    fCnt32: 0x1_0007,
    fOpts: "",
    fPort: 2,
    payload: report,
  },
);

async function decode(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await run(args, { print: (l) => out.push(l), printError: (l) => err.push(l) });
  return { status, out: out.join("\n"), err: err.join("\n") };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("tugma decode", () => {
  test("a frame without keys says what is missing", () => {
    const [reading] = explain(uplink);
    expect(reading?.format).toBe("LoRaWAN confirmedDataUp");
    expect(reading?.notes.join()).toContain("no nwkSKey given");
  });

  test("a frame with keys is checked, decrypted and said in words; the upper counter half matters", () => {
    const [reading] = explain(uplink, { nwkSKey, appSKey, fCntHigh: 1 });
    expect(reading?.notes).toEqual(["MIC correct for frame counter 65543"]);
    expect(reading?.value).toMatchObject({ says: { kind: "panic", eventNumber: 42 } });
    expect(explain(uplink, { nwkSKey, appSKey })[0]?.notes[0]).toContain("MIC WRONG");
  });

  test("report, stage, wire frame, gateway datagram and a signed poll are told apart", () => {
    const key = createSigningKey(generatePrivateKeyPem());
    const poll = {
      version: 1,
      hub: key.kid,
      boot: 1,
      sequence: 7,
      headHash: "00".repeat(32),
      intervalMs: 8000,
      monotonicMs: 5,
      time: { unixMs: 0, uncertaintyMs: 0, source: "none" },
      backlog: 0,
    } as const;
    expect(encodePoll(poll).length).toBeGreaterThan(0);
    const formats = (bytes: Uint8Array) => explain(bytes).map((e) => e.format);
    expect(formats(report)).toContain("report");
    expect(formats(encodeStage({ stage: "received", eventNumber: 42 }))).toContain("stage");
    expect(formats(sealPoll(poll, "test", key))).toEqual(["COSE_Sign1: poll"]);
    expect(formats(encodeSemtech({ type: "pullData", token: 1, gateway: "00800000a0000001" }))).toContain(
      "Semtech UDP pullData",
    );
    const wire = encodeFrame({ address: 5, fromDevice: true, type: "data", sequence: 1, payload: uplink });
    expect(formats(wire)).toEqual(["wire frame, data"]);
  });

  test("any bytes at all: readings or none, never an error", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void explain(bytes)));
  });

  test("hex, base64, a file of bytes and a file of text are all read", async () => {
    const dir = mkdtempSync(path.join(tmpdir(), "tugma-decode-"));
    const file = path.join(dir, "frame.bin");
    writeFileSync(file, uplink);
    const text = path.join(dir, "frame.txt");
    writeFileSync(text, `${hex(uplink)}\n`);
    const base64 = Buffer.from(uplink).toString("base64");
    for (const arg of [hex(uplink), base64, `@${file}`, `@${text}`])
      expect(await decode(arg, "--json"), arg).toMatchObject({
        status: 0,
        out: expect.stringContaining("01020304"),
      });
    rmSync(dir, { recursive: true });
  });

  test("wrong calls and wrong data have their own exit status and say what to do", async () => {
    expect(await decode()).toMatchObject({ status: 64, err: expect.stringContaining("usage") });
    expect(await decode("--nonsense")).toMatchObject({ status: 64 });
    expect(await decode("@/nowhere/at/all")).toMatchObject({
      status: 66,
      err: expect.stringContaining("/nowhere"),
    });
    expect(await decode("?!")).toMatchObject({ status: 65, err: expect.stringContaining("@FILE") });
    expect(await decode("ffffff")).toMatchObject({
      status: 65,
      out: expect.stringContaining("no format known"),
    });
  });
});
