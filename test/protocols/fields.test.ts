import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../protocols/cbor.ts";
import {
  bytes,
  decibels,
  integer,
  listOf,
  oneOf,
  optional,
  recordCodec,
  text,
  version,
} from "../../protocols/fields.ts";
import { codeOf } from "./promises.ts";

interface Sample {
  readonly version: 1;
  readonly word: "low" | "high";
  readonly label: string | null;
  readonly blobs: readonly Uint8Array[];
}

const codec = recordCodec<Sample>(
  "sample",
  {
    version: [1, version(1)],
    word: [2, oneOf(["low", "high"], 1)],
    label: [3, optional(text(1, 8))],
    blobs: [4, listOf(bytes(4), 2)],
  },
  64,
);
const SAMPLE: Sample = { version: 1, word: "high", label: null, blobs: [Uint8Array.of(1, 2)] };

describe("record of fields", () => {
  test("is a map of integer keys, without those that are null", () => {
    expect(Buffer.from(codec.encode(SAMPLE)).toString("hex")).toBe("a30101020204814201" + "02");
    expect(codec.decode(codec.encode(SAMPLE))).toEqual(SAMPLE);
  });

  test("says first that it does not know a version, whatever else has changed in it", () => {
    const later = new Map<number, number | string>([
      [1, 2],
      [2, "medium"],
      [9, 1],
    ]);
    expect(codeOf(() => codec.decode(encodeCbor(later)))).toBe("version");
  });

  test("keeps to its own length both ways", () => {
    const long = { ...SAMPLE, blobs: [new Uint8Array(5)] };
    expect(codeOf(() => codec.encode(long))).toBe("field");
    expect(codeOf(() => codec.decode(new Uint8Array(65)))).toBe("size");
  });
});

describe("text", () => {
  const field = text(0, 120);
  const judge = (value: string) => codeOf(() => field.toCbor(value, "name"));

  test.each(["", "Yunusobod 4", "Юнусобод", "ʻOʻzbekiston", "🔔", "a\u00a0b"])("takes %j", (value) => {
    expect(judge(value)).toBeUndefined();
    expect(field.fromCbor(value, "name")).toBe(value);
  });

  test.each(["a\nb", "\u001b[31m", "\u007f", "\u0085", "\ud800", "\ufeffa", "x".repeat(121)])(
    "refuses %j",
    (value) => {
      expect(judge(value)).toBe("field");
      expect(codeOf(() => field.fromCbor(value, "name"))).toBe("field");
    },
  );
});

test("decibels to a hundredth are kept, what is no number is refused", () => {
  for (let hundredths = -2500; hundredths <= 2500; hundredths++) {
    const value = hundredths / 100;
    expect(decibels.fromCbor(decibels.toCbor(value, "snr"), "snr")).toBe(value);
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(codeOf(() => decibels.toCbor(value, "snr"))).toBe("field");
});

test("an integer field takes its bounds and nothing beside them", () => {
  const field = integer(-2, 3);
  for (const value of [-2, 0, 3]) expect(field.fromCbor(value, "n")).toBe(value);
  for (const value of [-3, 4, 0.5, "1", true, null])
    expect(codeOf(() => field.fromCbor(value, "n"))).toBe("field");
  expect(codeOf(() => field.fromCbor(undefined, "n"))).toBe("missing");
});
