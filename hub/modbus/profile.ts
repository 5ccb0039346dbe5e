/** What the registers of a device mean, as data: one schema checks what an installer writes and types what is built in. */
import { type Static, Type } from "@sinclair/typebox";
import { MEANING_PATTERN } from "./meaning.ts";

const exact = { additionalProperties: false } as const;
const word = Type.Integer({ minimum: 0, maximum: 15, default: 0 });
const address = Type.Integer({ minimum: 0, maximum: 65_535 });
const meanings = (key: string) =>
  Type.Record(Type.String({ pattern: key }), Type.String({ pattern: MEANING_PATTERN }), exact);
const BIT = "^([0-9]|1[0-5])$";

/** Table → the function that reads it. */
export const TABLES = { coils: 1, discreteInputs: 2, holdingRegisters: 3, inputRegisters: 4 } as const;
export type Table = keyof typeof TABLES;

export const ProfileSchema = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 80 }),
    /** The document that the map was taken from. */
    source: Type.String({ minLength: 1, maxLength: 160 }),
    table: Type.Union((Object.keys(TABLES) as Table[]).map((name) => Type.Literal(name))),
    /** Address on the wire, from 0, of point `from`. */
    address,
    from: Type.Integer({ minimum: 0, maximum: 65_535, default: 1 }),
    to: Type.Integer({ minimum: 0, maximum: 65_535, default: 1 }),
    /** Addresses from one point to the next. */
    step: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
    /** Registers or bits that make up a point. Bits become one word, the first one lowest. */
    width: Type.Integer({ minimum: 1, maximum: 16, default: 1 }),
    pollMs: Type.Integer({ minimum: 100, maximum: 600_000, default: 1000 }),
    /** Registers or bits in one read, at most. */
    block: Type.Integer({ minimum: 1, maximum: 125, default: 100 }),
    /** The point's number is written to this register first, and what is read belongs to it. */
    select: Type.Optional(address),
    /** The point is not there. */
    absent: Type.Optional(
      Type.Object(
        { word, mask: Type.Integer({ minimum: 1, maximum: 65_535, default: 65_535 }), equals: address },
        exact,
      ),
    ),
    codes: Type.Optional(
      Type.Object(
        {
          word,
          /** both: the more urgent code in the high byte, the other in the low one, where 0 is none. */
          byte: Type.Union(
            (["both", "high", "low", "whole"] as const).map((name) => Type.Literal(name)),
            { default: "whole" },
          ),
          /** Only when this bit of the word is set. */
          when: Type.Optional(Type.Integer({ minimum: 0, maximum: 15 })),
          means: meanings("^[0-9]{1,5}$"),
        },
        exact,
      ),
    ),
    bits: Type.Optional(
      Type.Array(
        Type.Object(
          {
            word,
            /** What a set bit means. A set bit that is not here, nor in `ignore`, is trouble. */
            set: meanings(BIT),
            clear: Type.Optional(meanings(BIT)),
            ignore: Type.Array(Type.Integer({ minimum: 0, maximum: 15 }), { default: [] }),
            /** Of each group at least one bit is set, or the point says nothing. */
            oneOf: Type.Array(Type.Array(Type.Integer({ minimum: 0, maximum: 15 })), { default: [] }),
          },
          exact,
        ),
        { maxItems: 16 },
      ),
    ),
    /** A measured value, judged by the limits of the point. */
    value: Type.Optional(
      Type.Object(
        {
          word,
          signed: Type.Boolean({ default: false }),
          /** Binary digits behind the point: 8 for Q8.8. */
          fractionBits: Type.Integer({ minimum: 0, maximum: 15, default: 0 }),
          unit: Type.String({ maxLength: 10, default: "" }),
        },
        exact,
      ),
    ),
  },
  // without a default of its own, a record's values would not get theirs
  { ...exact, default: {} },
);

export type Profile = Static<typeof ProfileSchema>;
