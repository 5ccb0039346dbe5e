/** Fields of signed records: each says how one value goes to CBOR and back, and what it may be. The same bounds hold
 *  both ways, so nothing can be signed that the other side would refuse. Errors are CodecErrors with code "field"
 *  (wrong type or out of bounds), "missing", "extra" or "version", and name the field. */
import { type CborValue, decodeCbor, encodeCbor, MAX_RECORD_LENGTH } from "./cbor.ts";
import { type CodecError, codecError } from "./device/codec-error.ts";

/** In a map, `undefined` stands for an absent key. */
export interface Field<T> {
  toCbor(value: T, name: string): CborValue | undefined;
  fromCbor(value: CborValue | undefined, name: string): T;
}

export interface RecordCodec<T> {
  /** Throws a CodecError for a value that its decoder would refuse. */
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** A record is a CBOR map with integer keys. A first key named `version` is judged before anything else. */
export function recordCodec<T extends object>(
  what: string,
  fields: { readonly [K in keyof T]: readonly [key: number, field: Field<T[K]>] },
  maxLength: number = MAX_RECORD_LENGTH,
): RecordCodec<T> {
  const rows = (Object.keys(fields) as (keyof T & string)[])
    .map((property) => ({
      property,
      key: fields[property][0],
      field: fields[property][1],
      name: `${what}.${property}`,
    }))
    .sort((a, b) => a.key - b.key);
  return {
    encode(value) {
      const map = new Map<number, CborValue>();
      for (const { property, key, field, name } of rows) {
        const cbor = field.toCbor(value[property], name);
        if (cbor !== undefined) map.set(key, cbor);
      }
      const bytes = encodeCbor(map);
      if (bytes.length > maxLength)
        throw codecError("size", `${what}: ${bytes.length} bytes, more than ${maxLength}`);
      return bytes;
    },
    decode(bytes) {
      const map = decodeCbor(bytes, what, maxLength);
      if (!(map instanceof Map)) throw codecError("field", `${what}: not a map`);
      const value: Partial<T> = {};
      let present = 0;
      for (const { property, key, field, name } of rows) {
        const cbor: CborValue | undefined = map.get(key);
        if (cbor !== undefined) present++;
        value[property] = field.fromCbor(cbor, name);
      }
      if (present !== map.size)
        throw codecError("extra", `${what}: ${map.size - present} keys that version 1 does not have`);
      return value as T;
    },
  };
}

/** The one value that this side knows. */
export function version<const N extends number | string>(known: N): Field<N> {
  const check = (value: unknown, name: string): N => {
    if (value !== known)
      throw codecError("version", `${name}: ${shown(value)}, this software knows ${known}`);
    return known;
  };
  return { toCbor: check, fromCbor: check };
}

/** An integer from `min` to `max`, both included. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  const check = (value: unknown, name: string): number => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
      throw wrong(name, value, `an integer from ${min} to ${max}`);
    }
    return value;
  };
  return { toCbor: check, fromCbor: check };
}

/** Decibels, kept in hundredths: what gateways report, to a quarter or a tenth, survives exactly. */
export const decibels: Field<number> = mapped(
  integer(-100_000, 100_000),
  (db: number) => Math.round(db * 100),
  (hundredths) => hundredths / 100,
);

export const boolean: Field<boolean> = {
  toCbor: (value) => value,
  fromCbor(value, name) {
    if (typeof value !== "boolean") throw wrong(name, value, "true or false");
    return value;
  },
};

/** Lowercase hex of `minLength` to `maxLength` bytes; a byte string in CBOR. */
export function hex(minLength: number, maxLength: number = minLength): Field<string> {
  const expected = `${minLength === maxLength ? minLength : `${minLength} to ${maxLength}`} bytes`;
  const pattern = new RegExp(`^(?:[0-9a-f]{2}){${minLength},${maxLength}}$`);
  return {
    toCbor(value, name) {
      if (typeof value !== "string" || !pattern.test(value))
        throw wrong(name, value, `${expected} in lowercase hex`);
      return Buffer.from(value, "hex");
    },
    fromCbor(value, name) {
      if (!(value instanceof Uint8Array) || value.length < minLength || value.length > maxLength) {
        throw wrong(name, value, expected);
      }
      return Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex");
    },
  };
}

/** A byte string of at most `maxLength` bytes, kept as bytes. */
export function bytes(maxLength: number): Field<Uint8Array> {
  const check = (value: unknown, name: string): Uint8Array => {
    if (!(value instanceof Uint8Array) || value.length > maxLength)
      throw wrong(name, value, `at most ${maxLength} bytes`);
    return value;
  };
  return { toCbor: check, fromCbor: check };
}

/** Text of `minLength` to `maxLength` UTF-16 units, well-formed, without control characters: it goes to screens and logs. */
export function text(minLength: number, maxLength: number): Field<string> {
  const check = (value: unknown, name: string): string => {
    if (
      typeof value !== "string" ||
      value.length < minLength ||
      value.length > maxLength ||
      !isPlainText(value)
    ) {
      throw wrong(name, value, `text of ${minLength} to ${maxLength} characters without control characters`);
    }
    return value;
  };
  return { toCbor: check, fromCbor: check };
}

/** A word of a list; in CBOR its place in the list, counted from `first`. */
export function oneOf<const W extends string>(words: readonly W[], first = 0): Field<W> {
  return {
    toCbor(value, name) {
      const index = words.indexOf(value);
      if (index < 0) throw wrong(name, value, `one of ${words.join(", ")}`);
      return index + first;
    },
    fromCbor(value, name) {
      const word = typeof value === "number" ? words[value - first] : undefined;
      if (word === undefined) throw wrong(name, value, `a number that stands for one of ${words.join(", ")}`);
      return word;
    },
  };
}

/** `null` outside, an absent key in the map. */
export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    toCbor: (value, name) => (value === null ? undefined : field.toCbor(value, name)),
    fromCbor: (value, name) => (value === undefined ? null : field.fromCbor(value, name)),
  };
}

/** `null` on both sides: inside a tuple, where no place can be absent. */
export function orNull<T>(field: Field<T>): Field<T | null> {
  return {
    toCbor: (value, name) => (value === null ? null : field.toCbor(value, name)),
    fromCbor: (value, name) => (value === null ? null : field.fromCbor(value, name)),
  };
}

/** An object outside; in CBOR an array of its values in the order written here. */
export function tuple<T extends object>(fields: { readonly [K in keyof T]: Field<T[K]> }): Field<T> {
  const properties = Object.keys(fields) as (keyof T & string)[];
  return {
    toCbor: (value, name) =>
      properties.map((key) => fields[key].toCbor(value[key], `${name}.${key}`) ?? null),
    fromCbor(value, name) {
      if (!Array.isArray(value) || value.length !== properties.length) {
        throw wrong(name, value, `an array of ${properties.length}: ${properties.join(", ")}`);
      }
      const out: Partial<T> = {};
      for (const [i, key] of properties.entries())
        out[key] = fields[key].fromCbor(value[i], `${name}.${key}`);
      return out as T;
    },
  };
}

/** An array of at most `maxItems`. */
export function listOf<T>(field: Field<T>, maxItems: number): Field<readonly T[]> {
  return {
    toCbor(value, name) {
      if (!Array.isArray(value) || value.length > maxItems)
        throw wrong(name, value, `at most ${maxItems} items`);
      return value.map((item, i) => field.toCbor(item, `${name}[${i}]`) ?? null);
    },
    fromCbor(value, name) {
      if (!Array.isArray(value) || value.length > maxItems)
        throw wrong(name, value, `an array of at most ${maxItems}`);
      return value.map((item, i) => field.fromCbor(item, `${name}[${i}]`));
    },
  };
}

/** A field seen through a pair of functions. They must be each other's inverse on every value that `field` takes. */
export function mapped<T, U>(
  field: Field<T>,
  into: (value: U, name: string) => T,
  out: (value: T, name: string) => U,
): Field<U> {
  return {
    toCbor: (value, name) => field.toCbor(into(value, name), name),
    fromCbor: (value, name) => out(field.fromCbor(value, name), name),
  };
}

/** What a field throws for a value that it does not take. */
export function wrong(name: string, value: unknown, expected: string): CodecError {
  if (value === undefined) return codecError("missing", `${name}: missing, expected ${expected}`);
  return codecError("field", `${name}: got ${shown(value)}, expected ${expected}`);
}

function isPlainText(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return false;
  }
  return value.isWellFormed() && !value.startsWith("\ufeff");
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Map) return "a map";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
}
