/** What every decoder promises, said once for all of them. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isCodecError } from "../../protocols/device/codec-error.ts";

export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
}

export interface Vector {
  readonly name: string;
  readonly source: string;
  readonly hex: string;
  readonly value?: unknown;
  readonly error?: string;
}

/** The rows of test/vectors/<file>. */
export function vectorsOf<V extends Vector>(file: string): V[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8"));
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Each vector both ways, or its error. */
export function testVectors<T>(file: string, { encode, decode }: Codec<T>): void {
  for (const { name, source, hex, value, error } of vectorsOf(file)) {
    test(`${name} [${source}]`, () => {
      const bytes = fromHex(hex);
      if (error !== undefined) {
        expect(() => decode(bytes)).toThrow(expect.objectContaining({ name: "CodecError", code: error }));
      } else {
        expect(decode(bytes)).toEqual(value);
        expect(Buffer.from(encode(value as T)).toString("hex")).toBe(hex);
      }
    });
  }
}

/** True when the bytes were refused with a CodecError; otherwise what was read must be written as the same bytes. */
export function refusedOrCanonical<T>({ encode, decode }: Codec<T>, bytes: Uint8Array): boolean {
  let value: T;
  try {
    value = decode(bytes);
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return true;
  }
  expect(Buffer.from(encode(value)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
  return false;
}

/** Any bytes at all, and good bytes with a few bytes changed, taken out, doubled or cut. */
export function testAnyBytes<T>(codec: Codec<T>, good: readonly Uint8Array[], numRuns = 2000): void {
  test("any bytes: a CodecError, or a value that is written as the same bytes", () => {
    const noise = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(noise, (bytes) => {
        refusedOrCanonical(codec, bytes);
      }),
      { numRuns },
    );
    fc.assert(
      fc.property(damaged(good), (bytes) => {
        refusedOrCanonical(codec, bytes);
      }),
      { numRuns },
    );
  });
}

function damaged(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    how: fc.constantFrom("set", "insert", "remove", "cut", "swap"),
    at: fc.nat(),
    byte: fc.nat(255),
  });
  return fc
    .tuple(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([from, edits]) => {
      let bytes = [...from];
      for (const { how, at, byte } of edits) {
        const i = bytes.length === 0 ? 0 : at % bytes.length;
        if (how === "set") bytes[i] = byte;
        else if (how === "insert") bytes.splice(i, 0, byte);
        else if (how === "remove") bytes.splice(i, 1);
        else if (how === "cut") bytes = bytes.slice(0, i);
        else bytes.splice(i, 2, ...bytes.slice(i, i + 2).reverse());
      }
      return Uint8Array.from(bytes);
    });
}

/** Every copy of `bytes` with one bit of one byte changed. */
export function* bitFlips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i++) {
    for (let bit = 0; bit < 8; bit++) yield withByte(bytes, i, (bytes[i] ?? 0) ^ (1 << bit));
  }
}

/** Every copy of `bytes` with one byte changed to each of its 255 other values. */
export function* otherBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i++) {
    for (let byte = 0; byte < 256; byte++) if (byte !== bytes[i]) yield withByte(bytes, i, byte);
  }
}

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = byte;
  return copy;
}

/** The code of the CodecError that `run` throws; undefined when it returns. Other errors pass. */
export function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return error.code;
  }
  return undefined;
}
