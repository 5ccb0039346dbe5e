import { createPublicKey, verify } from "node:crypto";
import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { domain, openSign1, sealSign1, sha256, sha256Hex, sign1Length } from "../../protocols/cose.ts";
import { type Algorithm, createVerifyingKey } from "../../protocols/signature.ts";
import { bitFlips, codeOf, fromHex, type Vector, vectorsOf } from "./promises.ts";
import { HUB_KEY, keyring, REALM, SUITES } from "./samples.ts";

interface CoseVector extends Vector {
  readonly aad: string;
  readonly alg: Algorithm;
  readonly publicKey: string;
  readonly payload?: string;
}

const AAD = domain("event", REALM);

describe("COSE_Sign1", () => {
  for (const { name, source, hex, aad, alg, publicKey, payload, error } of vectorsOf<CoseVector>(
    "cose.json",
  )) {
    test(`${name} [${source}]`, () => {
      const key = createVerifyingKey(publicKey, alg);
      const open = () => openSign1(fromHex(hex), fromHex(aad), (kid) => (kid === key.kid ? key : undefined));
      if (error !== undefined) return expect(codeOf(open)).toBe(error);
      expect(Buffer.from(open().payload).toString("hex")).toBe(payload);
      expect(open().kid).toBe(key.kid);
      if (alg !== HUB_KEY.alg) return;
      expect(Buffer.from(sealSign1(fromHex(payload ?? ""), fromHex(aad), HUB_KEY)).toString("hex")).toBe(hex);
    });
  }

  test("its bytes and its signature are what cborg and OpenSSL make of RFC 9052 sections 4.2 and 4.4", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.uint8Array({ maxLength: 300 }), (payload, aad) => {
        const bytes = sealSign1(payload, aad, HUB_KEY);
        const header = encode(
          new Map<number, number | Uint8Array>([
            [1, -19],
            [4, fromHex(HUB_KEY.kid)],
          ]),
        );
        const signature = bytes.subarray(-64);
        expect(Buffer.from(bytes)).toEqual(Buffer.from([0xd2, ...encode([header, {}, payload, signature])]));
        const x = Buffer.from(HUB_KEY.publicKey, "hex").toString("base64url");
        const openssl = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
        expect(verify(null, encode(["Signature1", header, aad, payload]), openssl, signature)).toBe(true);
      }),
    );
  });

  test.each(SUITES)("every payload length up to the limit opens again: $suite", ({ key }) => {
    for (const length of [0, 1, 23, 24, 255, 256, 65_000, 65_536 - 86]) {
      const payload = new Uint8Array(length).fill(0xa5);
      const bytes = sealSign1(payload, AAD, key);
      expect(openSign1(bytes, AAD, keyring(key)).payload).toEqual(payload);
      expect(sign1Length(bytes, 0)).toBe(bytes.length);
    }
    expect(codeOf(() => sealSign1(new Uint8Array(65_536 - 85), AAD, key))).toBe("size");
  });

  test.each(SUITES)("each flipped bit of each byte is refused: $suite", ({ key }) => {
    const keys = keyring(key);
    for (const changed of bitFlips(sealSign1(Uint8Array.of(1, 2, 3), AAD, key))) {
      expect(codeOf(() => openSign1(changed, AAD, keys))).toMatch(/^(cose|key|algorithm|signature|size)$/);
    }
  });

  test("any bytes are refused with a CodecError", () => {
    const noise = fc
      .uint8Array({ maxLength: 300 })
      .map((tail) => Uint8Array.from([0xd2, 0x84, 0x4d, ...tail]));
    fc.assert(
      fc.property(fc.oneof(noise, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        expect(codeOf(() => openSign1(bytes, AAD, keyring(HUB_KEY)))).toBeDefined();
      }),
    );
  });
});

describe("domain", () => {
  test("is the purpose and the realm, so that no signature serves for another", () => {
    expect(Buffer.from(domain("receipt", "toshkent")).toString()).toBe("tugma/receipt/v1toshkent");
  });

  test("a realm that is empty, over-long or no text is refused", () => {
    for (const realm of ["", "r".repeat(65), "\ud800"])
      expect(codeOf(() => domain("event", realm))).toBe("realm");
  });
});

test("SHA-256 of abc [FIPS 180-4]", () => {
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256Hex(Buffer.from("abc"))).toBe(digest);
  expect(sha256(Buffer.from("abc"))).toEqual(fromHex(digest));
});
