/** Frames, keys and arbitrary values that several LoRaWAN tests share. */
import fc from "fast-check";
import {
  createAesKey,
  joinRequestMic,
  type PlainDataFrame,
  sealDataFrame,
} from "../../../protocols/lorawan/crypto.ts";
import { encodePhyPayload } from "../../../protocols/lorawan/phy.ts";

export const NWK_S_KEY = "44024241ed4ce9a68c6a8bc055233fd3";
export const APP_S_KEY = "ec925802ae430ca77fd3dd73cb2cc588";
export const APP_KEY = "98929b92c49edba9676d646d3b612456";
export const DEV_ADDR = "26011bda";

export const keys = { nwkSKey: createAesKey(NWK_S_KEY), appSKey: createAesKey(APP_S_KEY) };
export const appKey = createAesKey(APP_KEY);

export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const NO_FLAGS = { adr: false, adrAckReq: false, ack: false, fPending: false };

/** The frames that an entrance button and its hub exchange, one of each shape. */
export const PLAIN_FRAMES: Readonly<Record<string, PlainDataFrame>> = {
  "alarm, confirmed up": {
    mType: "confirmedDataUp",
    devAddr: DEV_ADDR,
    fCtrl: { ...NO_FLAGS, adr: true },
    fCnt32: 1,
    fOpts: "",
    fPort: 2,
    payload: bytesOf("2200000700000009"),
  },
  "heartbeat with MAC answers": {
    mType: "unconfirmedDataUp",
    devAddr: DEV_ADDR,
    fCtrl: { ...NO_FLAGS, adr: true, adrAckReq: true },
    fCnt32: 2,
    fOpts: "030706ff0a",
    fPort: 2,
    payload: bytesOf("210000070e105f00"),
  },
  "MAC commands on FPort 0": {
    mType: "unconfirmedDataUp",
    devAddr: DEV_ADDR,
    fCtrl: NO_FLAGS,
    fCnt32: 3,
    fOpts: "",
    fPort: 0,
    payload: bytesOf("0307"),
  },
  "ACK only": {
    mType: "unconfirmedDataDown",
    devAddr: DEV_ADDR,
    fCtrl: { ...NO_FLAGS, ack: true },
    fCnt32: 4,
    fOpts: "",
    fPort: null,
    payload: null,
  },
  "ACK with MAC commands, no FPort": {
    mType: "unconfirmedDataDown",
    devAddr: DEV_ADDR,
    fCtrl: { ...NO_FLAGS, ack: true, fPending: true },
    fCnt32: 5,
    fOpts: "0350ff0001",
    fPort: null,
    payload: null,
  },
  "stage, confirmed down": {
    mType: "confirmedDataDown",
    devAddr: DEV_ADDR,
    fCtrl: { ...NO_FLAGS, ack: true },
    fCnt32: 6,
    fOpts: "06",
    fPort: 2,
    payload: bytesOf("21020007"),
  },
  "FPort with an empty payload": {
    mType: "unconfirmedDataUp",
    devAddr: DEV_ADDR,
    fCtrl: NO_FLAGS,
    fCnt32: 7,
    fOpts: "",
    fPort: 9,
    payload: new Uint8Array(0),
  },
};

export const sealedFrames = Object.entries(PLAIN_FRAMES).map(
  ([name, frame]) => [name, frame, sealDataFrame(keys, frame)] as const,
);

/** A join-request under APP_KEY. */
export function joinRequest(): Uint8Array {
  const value = {
    mType: "joinRequest",
    joinEui: "70b3d57ed0000001",
    devEui: "70b3d57ed0abcdef",
    devNonce: 4660,
  } as const;
  const bytes = encodePhyPayload({ ...value, mic: "00000000" });
  bytes.set(joinRequestMic(appKey, bytes.subarray(0, 19)), 19);
  return bytes;
}

export const hexBytes = (constraints: fc.IntArrayConstraints) => fc.uint8Array(constraints).map(hexOf);
export const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

const flags = fc.record({
  adr: fc.boolean(),
  adrAckReq: fc.boolean(),
  ack: fc.boolean(),
  fPending: fc.boolean(),
});

/** Any data frame that LoRaWAN allows, before encryption. */
export const plainFrames: fc.Arbitrary<PlainDataFrame> = fc
  .record({
    mType: fc.constantFrom(
      "unconfirmedDataUp",
      "unconfirmedDataDown",
      "confirmedDataUp",
      "confirmedDataDown",
    ),
    devAddr: hexBytes({ minLength: 4, maxLength: 4 }),
    fCtrl: flags,
    fCnt32: uint32,
    fOpts: hexBytes({ maxLength: 15 }),
    fPort: fc.option(fc.integer({ min: 0, max: 255 })),
    payload: fc.uint8Array({ maxLength: 222 }),
  })
  .map((f) => ({
    ...f,
    fCtrl: { ...f.fCtrl, adrAckReq: f.fCtrl.adrAckReq && f.mType.endsWith("Up") },
    fOpts: f.fPort === 0 ? "" : f.fOpts,
    payload: f.fPort === null ? null : f.payload,
  }));
