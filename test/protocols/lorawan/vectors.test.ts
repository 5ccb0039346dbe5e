import { createCipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import { assert, describe, expect, test } from "vitest";
import * as crypto from "../../../protocols/lorawan/crypto.ts";
import { decodeMacCommands, encodeMacCommands, type MacCommand } from "../../../protocols/lorawan/mac.ts";
import {
  decodePhyPayload,
  encodeDataBody,
  encodePhyPayload,
  isUplink,
} from "../../../protocols/lorawan/phy.ts";
import { bytesOf, hexOf } from "./frames.ts";

interface Vector {
  readonly id: number;
  readonly source: string;
  readonly kind: string;
  readonly lorawan: string;
  readonly phyPayload: string | null;
  readonly keys: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

const file: { vectors: Vector[] } = JSON.parse(
  readFileSync(new URL("../../vectors/lorawan.json", import.meta.url), "utf8"),
);

const text = (value: unknown): string =>
  typeof value === "string" ? value : assert.fail(`${value} is not text`);
const number = (value: unknown): number =>
  typeof value === "number" ? value : assert.fail(`${value} is not a number`);

/** Only the fields that the vector states. */
function expectFields(actual: Readonly<Record<string, unknown>>, expected: Vector["expected"]): void {
  for (const name of Object.keys(expected)) expect([name, actual[name]]).toEqual([name, expected[name]]);
}

function dataFrame(v: Vector): void {
  const bytes = bytesOf(text(v.phyPayload));
  const frame = decodePhyPayload(bytes);
  if (frame.mType === "joinRequest" || frame.mType === "joinAccept") assert.fail(frame.mType);
  const fCnt32 = number(v.params?.["fCnt32"] ?? frame.fCnt16);
  const direction = isUplink(frame.mType) ? "up" : "down";
  const nwkSKey = crypto.createAesKey(text(v.keys["NwkSKey"]));
  const appSKey = v.keys["AppSKey"] === undefined ? nwkSKey : crypto.createAesKey(v.keys["AppSKey"]);
  const body = encodeDataBody(frame);
  const mic = crypto.dataMic(nwkSKey, direction, frame.devAddr, fCnt32, body);

  expect(encodePhyPayload(frame)).toEqual(bytes);
  if (v.kind === "data-up-bad-mic") {
    expect(crypto.verifyDataMic(nwkSKey, direction, frame.devAddr, fCnt32, bytes)).toBe(false);
    expect(hexOf(mic)).toBe(v.expected["mic"]);
    return;
  }
  expect(crypto.verifyDataMic(nwkSKey, direction, frame.devAddr, fCnt32, bytes)).toBe(true);
  expect(hexOf(body) + hexOf(mic)).toBe(v.phyPayload);

  const onAir = bytesOf(frame.frmPayload);
  const payload = crypto.cryptFrmPayload(
    frame.fPort === 0 ? nwkSKey : appSKey,
    direction,
    frame.devAddr,
    fCnt32,
    onAir,
  );
  expectFields({ ...frame, ...frame.fCtrl, fCnt: fCnt32, frmPayload: hexOf(payload) }, v.expected);
  expect(hexOf(crypto.sealDataFrame({ nwkSKey, appSKey }, { ...frame, fCnt32, payload }))).toBe(v.phyPayload);
}

function joinRequest(v: Vector): void {
  const bytes = bytesOf(text(v.phyPayload));
  const frame = decodePhyPayload(bytes);
  if (frame.mType !== "joinRequest") assert.fail(frame.mType);
  const appKey = crypto.createAesKey(text(v.keys["AppKey"]));
  expectFields({ ...frame, joinEUI: frame.joinEui, devEUI: frame.devEui }, v.expected);
  expect(crypto.verifyJoinRequestMic(appKey, bytes)).toBe(true);
  expect(hexOf(crypto.joinRequestMic(appKey, bytes.subarray(0, 19)))).toBe(v.expected["mic"]);
  expect(encodePhyPayload(frame)).toEqual(bytes);
}

/** `plain` says that the vector shows the join-accept after its decryption. */
function joinAccept(v: Vector, plain: boolean): void {
  const appKey = crypto.createAesKey(text(v.keys["AppKey"]));
  const e = v.expected;
  const accept: crypto.JoinAccept = {
    joinNonce: Number.parseInt(text(e["joinNonce"]), 16),
    netId: text(e["netId"]),
    devAddr: text(e["devAddr"]),
    dlSettings: { rx1DrOffset: 0, rx2DataRate: number(e["dlSettings"]), optNeg: false },
    rxDelay: number(e["rxDelay"]),
    cfList: null,
  };
  const sealed = crypto.sealJoinAccept(appKey, accept);
  const inside = decrypted(sealed, text(v.keys["AppKey"]));
  expect(hexOf(plain ? inside : sealed)).toBe(v.phyPayload);
  expect(hexOf(inside.subarray(-4))).toBe(e["mic"]);
  expect(crypto.openJoinAccept(appKey, plain ? sealed : bytesOf(text(v.phyPayload)))).toEqual(accept);
}

/** What a device does: it encrypts a join-accept to decrypt it. */
function decrypted(sealed: Uint8Array, key: string): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", bytesOf(key), null).setAutoPadding(false);
  return Buffer.concat([sealed.subarray(0, 1), cipher.update(sealed.subarray(1))]);
}

/** The vectors' names for our fields. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  dr: "dataRate",
  freq: "frequencyHz",
  minDr: "minDataRate",
  maxDr: "maxDataRate",
  drAck: "dataRateAck",
  rx2DrAck: "rx2DataRateAck",
  maxEirpIdx: "maxEirp",
};

function macCommand(v: Vector): void {
  const direction = v.params?.["uplink"] === true ? "up" : "down";
  const expected = Object.fromEntries(
    Object.entries(v.expected["decoded"] as Record<string, unknown>).map(([name, value]) => [
      FIELD_NAMES[name] ?? name,
      name === "chMask" ? Number(value) : value,
    ]),
  );
  const bytes = bytesOf(text(v.params?.["bytes"]));
  expect(decodeMacCommands(bytes, direction)).toEqual([expected]);
  expect(encodeMacCommands([expected as MacCommand], direction)).toEqual(bytes);
}

function sessionKeys(v: Vector): void {
  const appKey = crypto.createAesKey(text(v.keys["AppKey"]));
  const joinNonce = Number.parseInt(text(v.params?.["joinNonce"]), 16);
  const made = crypto.sessionKeys10(
    appKey,
    joinNonce,
    text(v.params?.["netId"]),
    number(v.params?.["devNonce"]),
  );
  expect({ NwkSKey: made.nwkSKey, AppSKey: made.appSKey }).toEqual(v.expected);
}

const CHECKS: Readonly<Record<string, (v: Vector) => void>> = {
  "cmac-subkeys": (v) => {
    const key = crypto.createAesKey(text(v.keys["key"]));
    crypto.cmac(key, new Uint8Array(0));
    const subkeys = hexOf(key.subkeys ?? new Uint8Array(0));
    expect(subkeys).toBe(text(v.expected["K1"]) + text(v.expected["K2"]));
  },
  cmac: (v) => {
    const tag = crypto.cmac(crypto.createAesKey(text(v.keys["key"])), bytesOf(text(v.params?.["message"])));
    expect(hexOf(tag)).toBe(v.expected["cmac"]);
  },
  "data-up": dataFrame,
  "data-up-confirmed": dataFrame,
  "data-up-fcnt32": dataFrame,
  "data-up-bad-mic": dataFrame,
  "data-down-ack": dataFrame,
  "frm-crypt-down": (v) => {
    const key = crypto.createAesKey(text(v.keys["AppSKey"]));
    const [devAddr, fCnt] = [text(v.params?.["devAddr"]), number(v.params?.["fCnt"])];
    const plain = bytesOf(text(v.params?.["plaintext"]));
    const encrypted = crypto.cryptFrmPayload(key, "down", devAddr, fCnt, plain);
    expect(hexOf(encrypted)).toBe(v.expected["ciphertext"]);
    expect(crypto.cryptFrmPayload(key, "down", devAddr, fCnt, encrypted)).toEqual(plain);
  },
  "join-request": joinRequest,
  "join-accept": (v) => joinAccept(v, false),
  "join-accept-plain": (v) => joinAccept(v, true),
  "session-keys-1.0": sessionKeys,
  "mac-command": macCommand,
};

// LoRaWAN 1.1 has other keys, MICs and a rejoin frame; this codec speaks 1.0.2 to 1.0.4, so its vectors are left aside
const ours = file.vectors.filter((v) => v.lorawan === "1.0.x");

describe("published LoRaWAN 1.0.x vectors, both directions", () => {
  test("the file has them all", () => expect([ours.length, file.vectors.length]).toEqual([36, 48]));
  for (const v of ours) {
    test(`${v.id} ${v.kind} [${v.source}]`, () =>
      (CHECKS[v.kind] ?? assert.fail(`no check for ${v.kind}`))(v));
  }
});
