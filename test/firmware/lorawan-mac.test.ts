import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cmac } from "../../firmware/cmac.ts";
import {
  joinRequest,
  openDownlink,
  openJoinAccept,
  type Session,
  sealUplink,
} from "../../firmware/lorawan-mac.ts";
import {
  cmac as cmacOfHub,
  createAesKey,
  cryptFrmPayload,
  sealDataFrame,
  sealJoinAccept,
  sessionKeys10,
  verifyDataMic,
  verifyJoinRequestMic,
} from "../../protocols/lorawan/crypto.ts";
import { fromHex, toHex } from "../../protocols/lorawan/hex.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { bytesOf, hexOf, textOf } from "./espruino.ts";

interface Vector {
  readonly id: number;
  readonly source: string;
  readonly kind: string;
  readonly lorawan: string;
  readonly phyPayload: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, never>>;
  readonly expected: Readonly<Record<string, never>>;
}

const VECTORS = (
  JSON.parse(readFileSync(new URL("../vectors/lorawan.json", import.meta.url), "utf8")) as {
    vectors: Vector[];
  }
).vectors.filter(({ lorawan }) => lorawan === "1.0.x");

function each(kinds: string, check: (vector: Vector) => void): void {
  const chosen = VECTORS.filter(({ kind }) => kinds.split(" ").includes(kind));
  test.each(chosen.map((v) => [`${v.kind} ${v.id}: ${v.source}`, v] as const))("%s", (_, v) => check(v));
}

const reversed = (hex: string) => textOf(Uint8Array.from(fromHex(hex)).reverse());
const sessionOf = ({ keys, expected }: Pick<Vector, "keys" | "expected">): Session => ({
  devNonce: 0,
  devAddr: reversed(expected["devAddr"] ?? ""),
  nwkSKey: textOf(keys["NwkSKey"] ?? ""),
  appSKey: textOf(keys["AppSKey"] ?? ""),
});

describe("published vectors", () => {
  each("cmac", ({ keys, params, expected }) =>
    expect(hexOf(cmac(textOf(keys["key"] ?? ""), textOf(params["message"] ?? "")))).toBe(expected["cmac"]),
  );

  each("join-request", ({ keys, expected, phyPayload }) => {
    const { joinEUI: joinEui = "", devEUI: devEui = "", devNonce = 0 } = expected;
    expect(hexOf(joinRequest({ devEui, joinEui, appKey: keys["AppKey"] ?? "" }, devNonce))).toBe(phyPayload);
  });

  each("join-accept", ({ keys, expected, phyPayload }) => {
    const identity = { devEui: "", joinEui: "", appKey: keys["AppKey"] ?? "" };
    const session = openJoinAccept(identity, 258, textOf(phyPayload));
    const appKey = createAesKey(identity.appKey);
    const { joinNonce = "", netId = "", devAddr = "" } = expected;
    const { nwkSKey, appSKey } = sessionKeys10(appKey, Number.parseInt(joinNonce, 16), netId, 258);
    expect(hexOf(session?.devAddr ?? "")).toBe(hexOf(reversed(devAddr)));
    expect([hexOf(session?.nwkSKey ?? ""), hexOf(session?.appSKey ?? "")]).toEqual([nwkSKey, appSKey]);
  });

  each("session-keys-1.0", ({ keys, params, expected }) => {
    const { joinNonce = "", netId = "", devNonce = 0 } = params as Readonly<Record<string, never>>;
    const dlSettings = { rx1DrOffset: 0, rx2DataRate: 0, optNeg: false };
    const accept = { joinNonce: Number.parseInt(joinNonce, 16), netId, devAddr: "01020304", dlSettings };
    const appKey = keys["AppKey"] ?? "";
    const bytes = sealJoinAccept(createAesKey(appKey), { ...accept, rxDelay: 1, cfList: null });
    const session = openJoinAccept({ devEui: "", joinEui: "", appKey }, devNonce, textOf(bytes));
    expect(hexOf(session?.nwkSKey ?? "")).toBe(expected["NwkSKey"]);
    expect(hexOf(session?.appSKey ?? "")).toBe(expected["AppSKey"]);
  });

  // frames whose FCtrl and FOpts are as a board writes them: zero and empty
  const plain = VECTORS.filter(
    (v) => v.kind.startsWith("data-up") && v.phyPayload.slice(10, 12) === "00" && "frmPayload" in v.expected,
  );
  test.each(plain.map((v) => [`${v.kind} ${v.id}: ${v.source}`, v] as const))("%s", (_, v) => {
    const { fCnt = 0, fPort = 0, frmPayload = "" } = v.expected;
    const isConfirmed = v.phyPayload.startsWith("80");
    const sealed = sealUplink(sessionOf(v), fCnt, { port: fPort, hex: frmPayload, isConfirmed });
    expect(hexOf(sealed)).toBe(v.phyPayload);
  });
  test("three of them are such frames", () => expect(plain).toHaveLength(3));

  each("data-down-ack", (v) => {
    const { fCnt = 0, fPort = 0 } = v.expected;
    const opened = openDownlink(sessionOf(v), fCnt - 1, textOf(v.phyPayload));
    expect(opened).toEqual({ fCntDown: fCnt, isAck: true, port: fPort, payload: "" });
  });
});

const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => toHex(bytes));
const address = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => value.toString(16).padStart(8, "0"));
const counter = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0xffff, 0x1_0000, 0x7fff_ffff),
);
const data = fc.uint8Array({ maxLength: 60 });
const boardSession = (devAddr: string, nwkSKey: string, appSKey: string): Session => ({
  devNonce: 0,
  devAddr: reversed(devAddr),
  nwkSKey: textOf(nwkSKey),
  appSKey: textOf(appSKey),
});

describe("the hub's codec and the board's", () => {
  test("compute the same CMAC of any message", () => {
    fc.assert(
      fc.property(key, data, (k, message) => {
        expect(hexOf(cmac(textOf(k), textOf(message)))).toBe(toHex(cmacOfHub(createAesKey(k), message)));
      }),
    );
  });

  test("the hub takes every join-request of a board", () => {
    const eui = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => toHex(bytes));
    fc.assert(
      fc.property(eui, eui, key, fc.integer({ min: 0, max: 0xffff }), (devEui, joinEui, appKey, devNonce) => {
        const bytes = bytesOf(joinRequest({ devEui, joinEui, appKey }, devNonce));
        expect(decodePhyPayload(bytes)).toMatchObject({ mType: "joinRequest", devEui, joinEui, devNonce });
        expect(verifyJoinRequestMic(createAesKey(appKey), bytes)).toBe(true);
      }),
    );
  });

  test("a board opens every join-accept of the hub with the hub's keys, and none that was changed or is another's", () => {
    const cfList = fc.option(fc.constant([867_100_000, 867_300_000]), { nil: null });
    const nonce = fc.integer({ min: 0, max: 0xff_ffff });
    fc.assert(
      fc.property(key, nonce, address, cfList, fc.nat(), (appKey, joinNonce, devAddr, list, where) => {
        const secret = createAesKey(appKey);
        const dlSettings = { rx1DrOffset: 0, rx2DataRate: 0, optNeg: false };
        const accept = { joinNonce, netId: "000013", devAddr, dlSettings, rxDelay: 1, cfList: list };
        const bytes = sealJoinAccept(secret, accept);
        const identity = { devEui: "", joinEui: "", appKey };
        const { nwkSKey, appSKey } = sessionKeys10(secret, joinNonce, "000013", 7);
        const expected = { ...boardSession(devAddr, nwkSKey, appSKey), devNonce: 7 };
        expect(openJoinAccept(identity, 7, textOf(bytes))).toEqual(expected);
        bytes[where % bytes.length] = (bytes[where % bytes.length] ?? 0) ^ 1;
        expect(openJoinAccept(identity, 7, textOf(bytes))).toBeUndefined();
        expect(openJoinAccept(identity, 7, textOf(bytes.subarray(0, where % bytes.length)))).toBeUndefined();
      }),
    );
  });

  test("the hub opens every uplink of a board", () => {
    const port = fc.integer({ min: 1, max: 223 });
    fc.assert(
      fc.property(
        key,
        key,
        address,
        counter,
        port,
        data,
        fc.boolean(),
        (nwk, app, devAddr, fCnt, fPort, payload, isConfirmed) => {
          const frame = { port: fPort, hex: toHex(payload), isConfirmed };
          const bytes = bytesOf(sealUplink(boardSession(devAddr, nwk, app), fCnt, frame));
          const none = { adr: false, adrAckReq: false, ack: false, fPending: false };
          const mType = isConfirmed ? "confirmedDataUp" : "unconfirmedDataUp";
          const decoded = decodePhyPayload(bytes);
          expect(decoded).toMatchObject({
            mType,
            devAddr,
            fPort,
            fCtrl: none,
            fCnt16: fCnt & 0xffff,
            fOpts: "",
          });
          expect(verifyDataMic(createAesKey(nwk), "up", devAddr, fCnt, bytes)).toBe(true);
          const sealed = bytes.subarray(9, -4);
          expect(cryptFrmPayload(createAesKey(app), "up", devAddr, fCnt, sealed)).toEqual(payload);
        },
      ),
    );
  });

  test("a board opens every downlink of the hub once, steps over MAC commands, and takes no changed one", () => {
    const content = fc.record({
      ack: fc.boolean(),
      fOpts: fc.uint8Array({ maxLength: 15 }).map((bytes) => toHex(bytes)),
      fPort: fc.option(fc.integer({ min: 1, max: 223 }), { nil: null }),
    });
    const low = fc.integer({ min: 0, max: 0x1_ffff });
    fc.assert(
      fc.property(
        key,
        key,
        address,
        low,
        content,
        data,
        fc.nat(),
        (nwk, app, devAddr, fCnt, { ack, fOpts, fPort }, payload, where) => {
          const bytes = sealDataFrame(
            { nwkSKey: createAesKey(nwk), appSKey: createAesKey(app) },
            {
              mType: "unconfirmedDataDown",
              devAddr,
              fCtrl: { adr: false, adrAckReq: false, ack, fPending: false },
              fCnt32: fCnt,
              fOpts,
              fPort,
              payload: fPort === null ? null : payload,
            },
          );
          const session = boardSession(devAddr, nwk, app);
          const last = Math.max(-1, fCnt - 1 - (where % 0xffff));
          const plain = fPort === null ? "" : textOf(payload);
          const expected = { fCntDown: fCnt, isAck: ack, port: fPort ?? Number.NaN, payload: plain };
          expect(openDownlink(session, last, textOf(bytes))).toEqual(expected);
          expect(openDownlink(session, fCnt, textOf(bytes))).toBeUndefined();
          expect(
            openDownlink(session, last, textOf(bytes.subarray(0, where % bytes.length))),
          ).toBeUndefined();
          bytes[where % bytes.length] = (bytes[where % bytes.length] ?? 0) ^ 0x10;
          expect(openDownlink(session, last, textOf(bytes))).toBeUndefined();
        },
      ),
    );
  });

  test("any bytes at all are no downlink and no join-accept", () => {
    const identity = { devEui: "", joinEui: "", appKey: "ab".repeat(16) };
    const session = boardSession("01020304", "cd".repeat(16), "ef".repeat(16));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(openDownlink(session, -1, textOf(bytes))).toBeUndefined();
        expect(openJoinAccept(identity, 1, textOf(bytes))).toBeUndefined();
      }),
    );
  });
});
