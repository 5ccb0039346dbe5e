import { decode as cborgDecode, encode as cborgEncode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CborValue, decodeCbor, encodeCbor } from "../../protocols/cbor.ts";
import { codeOf, fromHex, refusedOrCanonical, testAnyBytes } from "./promises.ts";

const codec = { encode: encodeCbor, decode: (bytes: Uint8Array) => decodeCbor(bytes, "test") };

const scalar: fc.Arbitrary<CborValue> = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 70_000 }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.startsWith("\ufeff")),
);
const { value: anyValue } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("value"), { maxLength: 6 }),
    fc
      .array(fc.tuple(fc.oneof(fc.nat(30), fc.maxSafeNat()), tie("value")), { maxLength: 6 })
      .map((rows) => new Map(rows)),
  ),
}));

/** RFC 8949 appendix A, the examples of the part used here. */
const RFC_8949: [hex: string, value: CborValue][] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["1903e8", 1000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000],
  ["20", -1],
  ["3863", -100],
  ["3903e7", -1000],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["4401020304", fromHex("01020304")],
  ["62c3bc", "ü"],
  ["64f0908591", "\u{10151}"],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  [
    "a201020304",
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
];

/** Well-formed or not: what has no place in a signed record. */
const REFUSED: [what: string, hex: string, code: string][] = [
  ["an integer that is not shortest, 1 byte", "1817", "canonical"],
  ["an integer that is not shortest, 2 bytes", "1900ff", "canonical"],
  ["an integer that is not shortest, 4 bytes", "1a0000ffff", "canonical"],
  ["an integer that is not shortest, 8 bytes", "1b00000000ffffffff", "canonical"],
  ["a length that is not shortest", "580100", "canonical"],
  ["2^53", "1b0020000000000000", "range"],
  ["2^64 - 1", "1bffffffffffffffff", "range"],
  ["-2^53", "3b001fffffffffffff", "range"],
  ["an indefinite byte string", "5f42010243030405ff", "cbor"],
  ["an indefinite array", "9fff", "cbor"],
  ["an indefinite map", "bfff", "cbor"],
  ["a break alone", "ff", "cbor"],
  ["a tag", "c11a514b67b0", "cbor"],
  ["a half float", "f93c00", "cbor"],
  ["a double", "fb3ff199999999999a", "cbor"],
  ["undefined", "f7", "cbor"],
  ["a simple value", "f0", "cbor"],
  ["a simple value in two bytes", "f8ff", "cbor"],
  ["reserved additional information", "1c", "cbor"],
  ["a text key", "a1616101", "cbor"],
  ["a negative key", "a12001", "cbor"],
  ["a key twice", "a201010102", "canonical"],
  ["keys that fall", "a202010101", "canonical"],
  ["a map cut short", "a101", "cbor"],
  ["an array cut short", "8201", "cbor"],
  ["a string cut short", "42ff", "cbor"],
  ["a head cut short", "19ff", "cbor"],
  ["two items", "0000", "cbor"],
  ["nothing", "", "cbor"],
];

describe("deterministic CBOR", () => {
  testAnyBytes(
    codec,
    RFC_8949.map(([hex]) => fromHex(hex)),
    5000,
  );

  test.each(RFC_8949)("RFC 8949 appendix A: %s", (hex, value) => {
    expect(Buffer.from(encodeCbor(value)).toString("hex")).toBe(hex);
    expect(codec.decode(fromHex(hex))).toEqual(value);
  });

  test.each(REFUSED)("refused: %s", (_, hex, code) => {
    expect(codeOf(() => codec.decode(fromHex(hex)))).toBe(code);
  });

  test("every value comes back", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(codec.decode(encodeCbor(value))).toEqual(value);
      }),
    );
  });

  test("the bytes that cborg writes, the values that it reads", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = cborgEncode(value, rfc8949EncodeOptions);
        expect(encodeCbor(value)).toEqual(new Uint8Array(bytes));
        expect(codec.decode(bytes)).toEqual(cborgDecode(bytes, { useMaps: true }));
      }),
    );
  });

  test("what has no such encoding is refused, and spoils nothing after it", () => {
    for (const value of [0.5, Number.NaN, 2 ** 53, [1, -(2 ** 53)], new Map([[-1, 0]]), new Map([[0.5, 0]])])
      expect(codeOf(() => encodeCbor(value))).toBe("range");
    expect(encodeCbor(new Map([[1, "after"]]))).toEqual(fromHex("a101656166746572"));
  });

  test("a text and a byte string beyond the first capacity", () => {
    for (const value of ["ü".repeat(40_000), new Uint8Array(100_000).fill(7), Array(5_000).fill(-70_000)])
      expect(encodeCbor(value)).toEqual(new Uint8Array(cborgEncode(value, rfc8949EncodeOptions)));
  });

  test("values in another order of keys, as another encoder may write them, are refused or the same bytes", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        refusedOrCanonical(codec, cborgEncode(value, { mapSorter: () => 0 }));
      }),
    );
  });

  test("every one and two bytes there are", () => {
    for (let first = 0; first < 256; first++) {
      refusedOrCanonical(codec, Uint8Array.of(first));
      for (let second = 0; second < 256; second++) refusedOrCanonical(codec, Uint8Array.of(first, second));
    }
  });

  test("a nest of any depth ends in an error that can be caught", () => {
    for (const open of [0x81, 0xa1]) {
      const nest = new Uint8Array(60_000).fill(open);
      expect(["depth", "cbor"]).toContain(codeOf(() => codec.decode(nest)));
    }
    expect(codeOf(() => codec.decode(fromHex("8181818181818100")))).toBe("depth");
    expect(codec.decode(fromHex("81818181818100"))).toEqual([[[[[[0]]]]]]);
  });

  test("a record over 64 KiB is refused before it is read", () => {
    expect(codeOf(() => codec.decode(new Uint8Array(65_537)))).toBe("size");
  });
});
