import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createSigningKey,
  createVerifyingKey,
  ED25519,
  ESP256,
  generatePrivateKeyPem,
  keyIdOf,
} from "../../protocols/signature.ts";
import { bitFlips, codeOf, fromHex } from "./promises.ts";
import { ed25519Pem, SUITES, TPM_KEY } from "./samples.ts";

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** RFC 8032 section 7.1. */
const RFC_8032 = [
  {
    name: "TEST 1",
    secret: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    name: "TEST 2",
    secret: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    name: "TEST 3",
    secret: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
];

describe("Ed25519", () => {
  test.each(RFC_8032)("RFC 8032 $name", ({ secret, publicKey, message, signature }) => {
    const key = createSigningKey(ed25519Pem(secret));
    expect(key).toMatchObject({ alg: ED25519, publicKey });
    expect(Buffer.from(key.sign(fromHex(message))).toString("hex")).toBe(signature);
    expect(createVerifyingKey(publicKey, ED25519).verify(fromHex(message), fromHex(signature))).toBe(true);
  });

  test("what libsodium signs OpenSSL verifies, and the other way round", () => {
    const pem = generatePrivateKeyPem();
    const [key, privateKey] = [createSigningKey(pem), createPrivateKey(pem)];
    const [ours, theirs] = [createVerifyingKey(key.publicKey, key.alg), createPublicKey(pem)];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (message) => {
        expect(verify(null, message, theirs, key.sign(message))).toBe(true);
        expect(ours.verify(message, sign(null, message, privateKey))).toBe(true);
      }),
    );
  });

  test("a public key that is no point, or of small order, is refused", () => {
    for (const y of ["01".padEnd(64, "0"), "0".repeat(64), "f".repeat(64), "02".padEnd(64, "0")]) {
      expect(codeOf(() => createVerifyingKey(y, ED25519))).toBe("key");
    }
  });

  test("S + L is not taken for S: a signature has one form", () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const [vector] = RFC_8032;
    const bytes = Buffer.from(vector?.signature ?? "", "hex");
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
    Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse().copy(bytes, 32);
    expect(createVerifyingKey(vector?.publicKey ?? "", ED25519).verify(new Uint8Array(), bytes)).toBe(false);
  });
});

describe("ESP256", () => {
  const verifying = createVerifyingKey(TPM_KEY.publicKey, ESP256);
  /** RFC 6979 section A.2.5, SHA-256. */
  const TEST =
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";
  const SAMPLE_R = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
  const SAMPLE_S = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

  test("RFC 6979 A.2.5, message test", () => {
    expect(verifying.verify(Buffer.from("test"), fromHex(TEST))).toBe(true);
  });

  test("RFC 6979 A.2.5, message sample: its higher s is refused, the lower one of the same signature taken", () => {
    const lower = (P256_ORDER - BigInt(`0x${SAMPLE_S}`)).toString(16).padStart(64, "0");
    expect(verifying.verify(Buffer.from("sample"), fromHex(SAMPLE_R + SAMPLE_S))).toBe(false);
    expect(verifying.verify(Buffer.from("sample"), fromHex(SAMPLE_R + lower))).toBe(true);
  });

  test("every signature made here has the lower s", () => {
    for (let i = 0; i < 64; i++) {
      const signature = TPM_KEY.sign(Uint8Array.of(i));
      const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString("hex")}`);
      expect(s <= P256_ORDER >> 1n).toBe(true);
      expect(verifying.verify(Uint8Array.of(i), signature)).toBe(true);
    }
  });

  test("a public key that is no point on the curve is refused", () => {
    expect(codeOf(() => createVerifyingKey(`04${"11".repeat(64)}`, ESP256))).toBe("key");
  });
});

describe.each(SUITES)("both suites: $suite", ({ alg, key }) => {
  const verifying = createVerifyingKey(key.publicKey, alg);

  test("the kid is the first 8 bytes of SHA-256(public key)", () => {
    const digest = createHash("sha256").update(Buffer.from(key.publicKey, "hex")).digest("hex");
    expect(key.kid).toBe(digest.slice(0, 16));
    expect(verifying.kid).toBe(key.kid);
    expect(keyIdOf(key.publicKey)).toBe(key.kid);
  });

  test("one changed bit of the signature or of the message is refused", () => {
    const message = Uint8Array.from({ length: 40 }, (_, i) => i);
    const signature = key.sign(message);
    for (const changed of bitFlips(signature)) expect(verifying.verify(message, changed)).toBe(false);
    for (const changed of bitFlips(message)) expect(verifying.verify(changed, signature)).toBe(false);
  });

  test("a signature of another length is false, not an error", () => {
    const signature = key.sign(Uint8Array.of(1));
    for (const wrong of [
      new Uint8Array(),
      signature.subarray(1),
      Buffer.concat([signature, Uint8Array.of(0)]),
    ]) {
      expect(verifying.verify(Uint8Array.of(1), wrong)).toBe(false);
    }
  });

  test("a new key signs, and its PEM gives the same key again", () => {
    const pem = generatePrivateKeyPem(alg);
    const made = createSigningKey(pem);
    expect(made.alg).toBe(alg);
    expect(createSigningKey(pem).publicKey).toBe(made.publicKey);
    expect(
      createVerifyingKey(made.publicKey, alg).verify(Uint8Array.of(7), made.sign(Uint8Array.of(7))),
    ).toBe(true);
  });

  test("a key of the other suite is refused", () => {
    expect(codeOf(() => createVerifyingKey(key.publicKey, alg === ED25519 ? ESP256 : ED25519))).toBe("key");
  });
});

test("a private key that is no PEM, or of another kind, is refused in words", () => {
  const x25519 = "MC4CAQAwBQYDK2VuBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
  expect(codeOf(() => createSigningKey("no key"))).toBe("key");
  expect(
    codeOf(() => createSigningKey(`-----BEGIN PRIVATE KEY-----\n${x25519}\n-----END PRIVATE KEY-----`)),
  ).toBe("key");
});
