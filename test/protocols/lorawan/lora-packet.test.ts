import { createRequire } from "node:module";
import { expect, test } from "vitest";
import {
  cryptFrmPayload,
  type PlainDataFrame,
  sealDataFrame,
  verifyDataMic,
} from "../../../protocols/lorawan/crypto.ts";
import {
  type DataFrame,
  type DataMType,
  decodePhyPayload,
  isUplink,
} from "../../../protocols/lorawan/phy.ts";
import { APP_S_KEY, bytesOf, hexOf, keys, NWK_S_KEY } from "./frames.ts";

// its types promise an ES module's default export, but it is CommonJS and exports the object itself
const loraPacket: typeof import("lora-packet").default = createRequire(import.meta.url)("lora-packet");

const FRAMES = 10_000;
const M_TYPES: readonly DataMType[] = [
  "unconfirmedDataUp",
  "unconfirmedDataDown",
  "confirmedDataUp",
  "confirmedDataDown",
];

/** xorshift32: the same frames in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Any frame with an FPort: without one lora-packet computes no MIC. */
function randomFrame(random: (below: number) => number): PlainDataFrame {
  const bytes = (length: number) => Uint8Array.from({ length }, () => random(256));
  const mType = M_TYPES[random(4)] ?? "confirmedDataUp";
  const flag = () => random(2) === 1;
  const fPort = random(8) === 0 ? 0 : 1 + random(255);
  return {
    mType,
    devAddr: hexOf(bytes(4)),
    fCtrl: { adr: flag(), adrAckReq: flag() && isUplink(mType), ack: flag(), fPending: flag() },
    fCnt32: random(2) === 0 ? random(0x1_0000) : random(0xffff_ffff),
    fOpts: fPort === 0 ? "" : hexOf(bytes(random(16))),
    fPort,
    payload: bytes(random(20) === 0 ? random(223) : random(25)),
  };
}

const nwkSKey = Buffer.from(NWK_S_KEY, "hex");
const appSKey = Buffer.from(APP_S_KEY, "hex");

test("lora-packet reads, verifies and decrypts 10,000 frames as they were meant", () => {
  const random = createRandom(20_261_123);
  for (let i = 0; i < FRAMES; i++) {
    const frame = randomFrame(random);
    const bytes = sealDataFrame(keys, frame);
    const theirs = loraPacket.fromWire(Buffer.from(bytes));
    const upperHalf = Buffer.of(frame.fCnt32 >>> 16, frame.fCnt32 >>> 24);
    const read = {
      devAddr: theirs.DevAddr?.toString("hex"),
      fCnt16: theirs.getFCnt(),
      fOpts: theirs.FOpts?.toString("hex"),
      fPort: theirs.getFPort(),
      adr: theirs.getFCtrlADR(),
      ack: theirs.getFCtrlACK(),
      mic: loraPacket.verifyMIC(theirs, nwkSKey, undefined, upperHalf),
      payload: loraPacket.decrypt(theirs, appSKey, nwkSKey, upperHalf).toString("hex"),
    };
    const { devAddr, fOpts, fPort, fCnt32, payload } = frame;
    const { adr, ack } = frame.fCtrl;
    const meant = {
      devAddr,
      fCnt16: fCnt32 & 0xffff,
      fOpts,
      fPort,
      adr,
      ack,
      mic: true,
      payload: hexOf(payload ?? Buffer.of()),
    };
    if (JSON.stringify(read) !== JSON.stringify(meant)) expect({ i, ...read }).toEqual({ i, ...meant });
  }
});

test("what lora-packet builds is read, verified and decrypted here", () => {
  const random = createRandom(4_711);
  for (let i = 0; i < 1000; i++) {
    const frame = {
      ...randomFrame(random),
      fCtrl: { adr: true, adrAckReq: false, ack: true, fPending: false },
    };
    const upperHalf = Buffer.of(frame.fCnt32 >>> 16, frame.fCnt32 >>> 24);
    const built = loraPacket.fromFields(
      {
        MType: M_TYPES.indexOf(frame.mType) + 2,
        DevAddr: Buffer.from(frame.devAddr, "hex"),
        FCnt: frame.fCnt32 & 0xffff,
        FCtrl: { ADR: true, ACK: true },
        FOpts: Buffer.from(frame.fOpts, "hex"),
        FPort: frame.fPort ?? 1,
        payload: Buffer.from(frame.payload ?? []),
      },
      appSKey,
      nwkSKey,
      undefined,
      upperHalf,
    );
    const bytes = bytesOf(built.getPHYPayload()?.toString("hex") ?? "");
    const direction = isUplink(frame.mType) ? "up" : "down";
    const ours = decodePhyPayload(bytes) as DataFrame;
    expect(verifyDataMic(keys.nwkSKey, direction, ours.devAddr, frame.fCnt32, bytes)).toBe(true);
    const key = ours.fPort === 0 ? keys.nwkSKey : keys.appSKey;
    const payload = cryptFrmPayload(key, direction, ours.devAddr, frame.fCnt32, bytesOf(ours.frmPayload));
    expect(hexOf(payload)).toBe(hexOf(frame.payload ?? Buffer.of()));
  }
});
