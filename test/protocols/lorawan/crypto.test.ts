import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCodecError } from "../../../protocols/device/codec-error.ts";
import {
  cmac,
  createAesKey,
  cryptFrmPayload,
  dataMic,
  type JoinAccept,
  openJoinAccept,
  sealDataFrame,
  sealJoinAccept,
  verifyDataMic,
} from "../../../protocols/lorawan/crypto.ts";
import { isUplink } from "../../../protocols/lorawan/phy.ts";
import { needs } from "../../debian.ts";
import { appKey, bytesOf, hexBytes, hexOf, keys, NWK_S_KEY, plainFrames, sealedFrames } from "./frames.ts";

/** AES-CMAC by another implementation. */
function opensslCmac(keyHex: string, message: Uint8Array): string {
  const options = ["mac", "-macopt", "cipher:AES-128-CBC", "-macopt", `hexkey:${keyHex}`, "CMAC"];
  return spawnSync("openssl", options, { input: message, encoding: "utf8" }).stdout.trim().toLowerCase();
}

/** B0 of TS001-1.0.4 section 4.4, written out in hex. */
function b0(direction: "up" | "down", devAddrWire: string, fCntWire: string, length: number): string {
  return `4900000000${direction === "up" ? "00" : "01"}${devAddrWire}${fCntWire}00${hexOf(Uint8Array.of(length))}`;
}

test.skipIf(!needs("openssl"))(
  "openssl computes the same MIC for every shape of frame, ACK-only ones too",
  () => {
    for (const [name, frame, bytes] of sealedFrames) {
      const body = bytes.subarray(0, -4);
      const counter = hexOf(Uint8Array.of(frame.fCnt32, 0, 0, 0));
      const block = bytesOf(b0(isUplink(frame.mType) ? "up" : "down", "da1b0126", counter, body.length));
      const tag = opensslCmac(NWK_S_KEY, Buffer.concat([block, body]));
      expect([name, hexOf(bytes.subarray(-4))]).toEqual([name, tag.slice(0, 8)]);
    }
  },
);

test.skipIf(!needs("openssl"))("openssl computes the same CMAC around every block border", () => {
  const message = Uint8Array.from({ length: 64 }, (_, i) => i * 7);
  const key = createAesKey(NWK_S_KEY);
  for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64]) {
    expect([length, hexOf(cmac(key, message.subarray(0, length)))]).toEqual([
      length,
      opensslCmac(NWK_S_KEY, message.subarray(0, length)),
    ]);
  }
});

test("a key's earlier uses leave no trace in its later ones", () => {
  const use = fc.record({
    which: fc.constantFrom("cmac", "mic", "crypt"),
    message: fc.uint8Array({ maxLength: 60 }),
    fCnt32: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  const run = (
    key: ReturnType<typeof createAesKey>,
    { which, message, fCnt32 }: { which: string; message: Uint8Array; fCnt32: number },
  ) =>
    which === "cmac"
      ? cmac(key, message)
      : which === "mic"
        ? dataMic(key, "up", "26011bda", fCnt32, message)
        : cryptFrmPayload(key, "down", "26011bda", fCnt32, message);
  fc.assert(
    fc.property(fc.array(use, { maxLength: 8 }), (uses) => {
      const kept = createAesKey(NWK_S_KEY);
      for (const one of uses) expect(hexOf(run(kept, one))).toBe(hexOf(run(createAesKey(NWK_S_KEY), one)));
    }),
  );
});

test("more keys than may stay open work all the same, in turn and again", () => {
  const many = Array.from({ length: 5000 }, (_, i) => i.toString(16).padStart(32, "0"));
  const made = many.map((hex) => createAesKey(hex));
  const tags = () => made.map((key) => hexOf(cmac(key, Uint8Array.of(1, 2, 3))));
  const first = tags();
  expect(new Set(first).size).toBe(many.length);
  expect(tags()).toEqual(first);
});

describe("FRMPayload", () => {
  test("decrypts to what was encrypted, at every length", () => {
    for (let length = 0; length <= 242; length++) {
      const payload = Uint8Array.from({ length }, (_, i) => i);
      const onAir = cryptFrmPayload(keys.appSKey, "up", "26011bda", 9, payload);
      expect(cryptFrmPayload(keys.appSKey, "up", "26011bda", 9, onAir)).toEqual(payload);
    }
  });
  test("a longer payload begins as a shorter one: both ways to the key stream agree", () => {
    const long = cryptFrmPayload(keys.appSKey, "down", "fe0000ff", 0xfedc_ba98, new Uint8Array(242));
    const short = cryptFrmPayload(keys.appSKey, "down", "fe0000ff", 0xfedc_ba98, new Uint8Array(16));
    expect(long.subarray(0, 16)).toEqual(short);
  });
});

test("the MIC binds direction, address and all 32 bits of the counter", () => {
  fc.assert(
    fc.property(
      plainFrames,
      fc.integer({ min: 0, max: 31 }),
      fc.integer({ min: 0, max: 31 }),
      (frame, bit, addressBit) => {
        const bytes = sealDataFrame(keys, frame);
        const [direction, other] = isUplink(frame.mType)
          ? (["up", "down"] as const)
          : (["down", "up"] as const);
        const otherAddr = ((Number.parseInt(frame.devAddr, 16) ^ (1 << addressBit)) >>> 0)
          .toString(16)
          .padStart(8, "0");
        const verify = (d: "up" | "down", devAddr: string, fCnt32: number) =>
          verifyDataMic(keys.nwkSKey, d, devAddr, fCnt32, bytes);
        expect(verify(direction, frame.devAddr, frame.fCnt32)).toBe(true);
        expect(verify(other, frame.devAddr, frame.fCnt32)).toBe(false);
        expect(verify(direction, otherAddr, frame.fCnt32)).toBe(false);
        expect(verify(direction, frame.devAddr, (frame.fCnt32 ^ (1 << bit)) >>> 0)).toBe(false);
      },
    ),
  );
});

test("bytes too short or too long for a frame have no right MIC", () => {
  for (const length of [0, 3, 4, 260, 70_000]) {
    expect(verifyDataMic(keys.nwkSKey, "up", "26011bda", 0, new Uint8Array(length))).toBe(false);
  }
});

test("a counter or payload that does not fit is refused", () => {
  const [, frame] = sealedFrames[0] ?? expect.fail();
  for (const fCnt32 of [-1, 2 ** 32, 1.5, Number.NaN]) {
    expect(() => sealDataFrame(keys, { ...frame, fCnt32 })).toThrow(RangeError);
  }
  expect(() => sealDataFrame(keys, { ...frame, payload: new Uint8Array(243) })).toThrow(RangeError);
  expect(() => sealDataFrame(keys, { ...frame, fPort: null })).toThrow(RangeError);
});

test("a wrong key is named, never shown", () => {
  for (const hex of ["", "00", "g".repeat(32), "5ec2e7".repeat(6)]) {
    try {
      createAesKey(hex);
      expect.fail("accepted");
    } catch (error) {
      expect(isCodecError(error) && error.code).toBe("key");
      expect(String(error)).not.toContain("5ec2e7");
    }
  }
});

describe("join-accept", () => {
  const uint24Hz = fc.integer({ min: 0, max: 0xff_ffff }).map((steps) => steps * 100);
  const accepts: fc.Arbitrary<JoinAccept> = fc.record({
    joinNonce: fc.integer({ min: 0, max: 0xff_ffff }),
    netId: hexBytes({ minLength: 3, maxLength: 3 }),
    devAddr: hexBytes({ minLength: 4, maxLength: 4 }),
    dlSettings: fc.record({
      rx1DrOffset: fc.integer({ min: 0, max: 7 }),
      rx2DataRate: fc.integer({ min: 0, max: 15 }),
      optNeg: fc.boolean(),
    }),
    rxDelay: fc.integer({ min: 0, max: 15 }),
    cfList: fc.option(fc.array(uint24Hz, { minLength: 5, maxLength: 5 })),
  });
  test("opens to what was sealed, and seals again to the same bytes", () => {
    fc.assert(
      fc.property(accepts, (accept) => {
        const sealed = sealJoinAccept(appKey, accept);
        expect(sealed.length).toBe(accept.cfList === null ? 17 : 33);
        expect(openJoinAccept(appKey, sealed)).toEqual(accept);
      }),
    );
  });

  const [accept] = fc.sample(accepts, { numRuns: 1, seed: 1 });
  if (accept === undefined) throw new Error("no sample");
  test("fewer than five channels leave unused places, none is no CFList", () => {
    const open = (cfList: readonly number[]) =>
      openJoinAccept(appKey, sealJoinAccept(appKey, { ...accept, cfList })).cfList;
    expect(open([867_100_000, 867_300_000])).toEqual([867_100_000, 867_300_000, 0, 0, 0]);
    expect(open([])).toBeNull();
  });
  test("under another key it does not open", () => {
    const other = createAesKey(NWK_S_KEY);
    expect(() => openJoinAccept(other, sealJoinAccept(appKey, accept))).toThrow(
      expect.objectContaining({ code: "mic" }),
    );
  });
  test("another frame is not opened", () => {
    const [, , frame] = sealedFrames[0] ?? expect.fail();
    expect(() => openJoinAccept(appKey, frame)).toThrow(expect.objectContaining({ code: "mType" }));
  });
  test("values that do not fit their field are refused", () => {
    const changes: Partial<JoinAccept>[] = [
      { joinNonce: 2 ** 24 },
      { netId: "00" },
      { rxDelay: 16 },
      { dlSettings: { ...accept.dlSettings, rx1DrOffset: 8 } },
      { cfList: [868_100_050] },
      { cfList: Array.from({ length: 6 }, () => 868_100_000) },
    ];
    for (const change of changes)
      expect(() => sealJoinAccept(appKey, { ...accept, ...change })).toThrow(RangeError);
  });
});
