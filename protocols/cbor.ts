/** CBOR as it is signed here: deterministic encoding (RFC 8949 4.2.1) of a small part of CBOR: integers within
 *  ±(2^53 - 1), byte and text strings, arrays, maps with unsigned integer keys, false, true, null.
 *  `scan` walks the bytes once before cborg builds anything: it bounds nesting, so that hostile bytes cannot exhaust the
 *  stack, and it lets through only the one encoding that `encodeCbor` would make, so that no second form can carry
 *  the same signed meaning. */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { type CodecError, codecError } from "./device/codec-error.ts";

export type CborValue =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number, CborValue>;

/** Bytes of one record. */
export const MAX_RECORD_LENGTH = 64 * 1024;
const MAX_DEPTH = 6;

const DECODE_OPTIONS = {
  strict: true,
  useMaps: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const;

/** The one deterministic encoding of `value`. */
export function encodeCbor(value: CborValue): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/** Throws a CodecError: size, cbor (not well-formed), canonical (well-formed, but not the one encoding), depth,
 *  range (an integer beyond 2^53 - 1). `what` names the thing in messages. */
export function decodeCbor(bytes: Uint8Array, what: string, maxLength = MAX_RECORD_LENGTH): CborValue {
  if (bytes.length > maxLength)
    throw codecError("size", `${what}: ${bytes.length} bytes, more than ${maxLength}`);
  const end = scan(bytes, 0, 0, what);
  if (end !== bytes.length) throw codecError("cbor", `${what}: ${bytes.length - end} bytes after its end`);
  return decode(bytes, DECODE_OPTIONS);
}

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const FALSE = 0xf4;
const NULL = 0xf6;

/** Returns the offset behind the item at `at`. */
function scan(bytes: Uint8Array, at: number, depth: number, what: string): number {
  if (depth > MAX_DEPTH) throw codecError("depth", `${what}: nested deeper than ${MAX_DEPTH}`);
  const initial = bytes[at];
  if (initial === undefined) throw codecError("cbor", `${what}: cut short at byte ${at}`);
  const major = initial >> 5;
  if (major > MAP) {
    if (initial >= FALSE && initial <= NULL) return at + 1;
    throw codecError(
      "cbor",
      `${what}: 0x${initial.toString(16)} at byte ${at}: no tag, float or other simple value here`,
    );
  }
  const value = headValue(bytes, at, what);
  const start = at + headLength(value);
  switch (major) {
    case UNSIGNED:
      return start;
    case NEGATIVE:
      // -2^53 is no safe integer
      if (value === Number.MAX_SAFE_INTEGER) throw beyondSafe(what, at);
      return start;
    case BYTES:
    case TEXT:
      if (value > bytes.length - start)
        throw codecError("cbor", `${what}: cut short in a string at byte ${at}`);
      if (major === TEXT) checkText(bytes, start, start + value, what);
      return start + value;
    case ARRAY:
      return scanItems(bytes, start, value, depth + 1, what);
    default:
      return scanEntries(bytes, start, value, depth + 1, what);
  }
}

function scanItems(bytes: Uint8Array, start: number, count: number, depth: number, what: string): number {
  // each item takes a byte at least, so a huge claim ends here and not after a long loop
  if (count > bytes.length - start) throw codecError("cbor", `${what}: cut short in an array`);
  let at = start;
  for (let i = 0; i < count; i++) at = scan(bytes, at, depth, what);
  return at;
}

function scanEntries(bytes: Uint8Array, start: number, count: number, depth: number, what: string): number {
  if (2 * count > bytes.length - start) throw codecError("cbor", `${what}: cut short in a map`);
  let at = start;
  let last = -1;
  for (let i = 0; i < count; i++) {
    if ((bytes[at] ?? 0) >> 5 !== UNSIGNED)
      throw codecError("cbor", `${what}: a map key at byte ${at} is no number`);
    const key = headValue(bytes, at, what);
    if (key <= last) throw codecError("canonical", `${what}: map key ${key} after ${last}`);
    last = key;
    at = scan(bytes, at + headLength(key), depth, what);
  }
  return at;
}

/** The argument of the head at `at` (RFC 8949 section 3), which must be in its shortest form. */
function headValue(bytes: Uint8Array, at: number, what: string): number {
  const initial = bytes[at];
  if (initial === undefined) throw codecError("cbor", `${what}: cut short at byte ${at}`);
  const info = initial & 0x1f;
  if (info < 24) return info;
  if (info > 27) throw codecError("cbor", `${what}: indefinite length or reserved form at byte ${at}`);
  const width = 1 << (info - 24);
  if (at + width >= bytes.length) throw codecError("cbor", `${what}: cut short at byte ${at}`);
  let value = 0;
  for (let i = 1; i <= width; i++) value = value * 256 + (bytes[at + i] ?? 0);
  if (value > Number.MAX_SAFE_INTEGER) throw beyondSafe(what, at);
  if (headLength(value) !== width + 1)
    throw codecError("canonical", `${what}: ${value} at byte ${at} is not shortest`);
  return value;
}

/** Bytes that the shortest head with this argument takes. */
function headLength(value: number): number {
  if (value < 24) return 1;
  if (value < 0x100) return 2;
  if (value < 0x1_0000) return 3;
  return value < 0x1_0000_0000 ? 5 : 9;
}

// a leading byte order mark is kept by the encoder and dropped by decoders: refused
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function checkText(bytes: Uint8Array, start: number, end: number, what: string): void {
  let ascii = true;
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) > 0x7f) ascii = false;
  if (ascii) return;
  let text: string;
  try {
    text = UTF8.decode(bytes.subarray(start, end));
  } catch {
    throw codecError("cbor", `${what}: text at byte ${start} is not UTF-8`);
  }
  if (text.startsWith("\ufeff"))
    throw codecError("cbor", `${what}: text at byte ${start} begins with a byte order mark`);
}

function beyondSafe(what: string, at: number): CodecError {
  return codecError("range", `${what}: a number beyond 2^53 - 1 at byte ${at}`);
}
