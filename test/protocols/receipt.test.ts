import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../protocols/cose.ts";
import { STAGES } from "../../protocols/device/stage.ts";
import {
  decodeReceipt,
  encodeReceipt,
  MAX_MORE,
  openReceipt,
  RECEIPT_RESULTS,
  type Receipt,
  type ReceiptEntry,
  sealReceipt,
} from "../../protocols/receipt.ts";
import { bitFlips, codeOf, testAnyBytes, testVectors } from "./promises.ts";
import { CENTRE_KEY, keyring, REALM, receipt, TPM_KEY } from "./samples.ts";

const codec = { encode: encodeReceipt, decode: decodeReceipt };

const hexOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString("hex"));
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const entry = { sequence, recordHash: hexOf(32), result: fc.constantFrom(...RECEIPT_RESULTS) };
const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  version: fc.constant(1),
  hub: hexOf(8),
  ...entry,
  receiver: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 64 }),
  centreMs: fc.maxSafeNat(),
  ledgerIndex: fc.maxSafeNat(),
  stage: fc.constantFrom(...STAGES),
  incident: fc.option(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 64 })),
  complete: fc.maxSafeNat(),
  more: fc.array(fc.record(entry), { maxLength: 20 }),
});

describe("receipt", () => {
  const more: ReceiptEntry = { sequence: 9, recordHash: "44".repeat(32), result: "storedAfterGap" };

  testVectors("receipt.json", codec);
  testAnyBytes(codec, [encodeReceipt(receipt()), encodeReceipt(receipt({ incident: "7", more: [more] }))]);

  test("every receipt comes back as it was written", () => {
    fc.assert(
      fc.property(anyReceipt, (written) => {
        expect(decodeReceipt(encodeReceipt(written))).toEqual(written);
      }),
    );
  });

  test("answers 256 further records and not one more", () => {
    const full = receipt({ more: new Array(MAX_MORE).fill(more) });
    expect(decodeReceipt(encodeReceipt(full))).toEqual(full);
    expect(codeOf(() => encodeReceipt(receipt({ more: [...full.more, more] })))).toBe("field");
  });
});

describe("sealed receipt", () => {
  const sealed = sealReceipt(receipt(), REALM, CENTRE_KEY);
  const keys = keyring(CENTRE_KEY);

  test("opens to the receipt, the kid and its hash", () => {
    const opened = { receipt: receipt(), kid: CENTRE_KEY.kid, hash: sha256Hex(sealed) };
    expect(openReceipt(sealed, REALM, keys)).toEqual(opened);
  });

  test("each flipped bit of each byte is refused", () => {
    for (const key of [CENTRE_KEY, TPM_KEY]) {
      const own = sealReceipt(receipt(), REALM, key);
      for (const changed of bitFlips(own))
        expect(codeOf(() => openReceipt(changed, REALM, keyring(key)))).toBeDefined();
    }
  });

  test("a key that is not the centre's, another realm, another purpose: refused", () => {
    expect(codeOf(() => openReceipt(sealed, REALM, keyring(TPM_KEY)))).toBe("key");
    expect(codeOf(() => openReceipt(sealed, "other", keys))).toBe("signature");
  });
});
