/** CBOR as it is signed here: deterministic encoding (RFC 8949 4.2.1) of a small part of CBOR: integers within
 *  ±(2^53 - 1), byte and text strings, arrays, maps with unsigned integer keys, false, true, null.
 *  The decoder bounds nesting, so that hostile bytes cannot exhaust the stack, and takes only the one encoding that
 *  `encodeCbor` would make, so that no second form can carry the same signed meaning. */
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

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

/** What is encoded grows here and is copied out; a record has a few hundred bytes. */
const FIRST_CAPACITY = 4 * 1024;

interface Sink {
  bytes: Buffer;
  at: number;
}

const sink: Sink = { bytes: Buffer.allocUnsafeSlow(FIRST_CAPACITY), at: 0 };

/** The one deterministic encoding of `value`. Throws a CodecError "range" for a number that is no safe integer, or a map key
 *  that is negative. */
export function encodeCbor(value: CborValue): Uint8Array {
  sink.at = 0;
  write(sink, value);
  const encoded = new Uint8Array(sink.bytes.subarray(0, sink.at));
  if (sink.bytes.length > MAX_RECORD_LENGTH) sink.bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  return encoded;
}

function write(to: Sink, value: CborValue): void {
  if (typeof value === "number") writeInteger(to, value);
  else if (typeof value === "string") writeText(to, value);
  else if (value === null) writeHead(to, SIMPLE, NULL & 0x1f);
  else if (typeof value === "boolean") writeHead(to, SIMPLE, (value ? TRUE : FALSE) & 0x1f);
  else if (value instanceof Uint8Array) {
    writeHead(to, BYTES, value.length);
    makeRoom(to, value.length);
    to.bytes.set(value, to.at);
    to.at += value.length;
  } else if (value instanceof Map) writeMap(to, value);
  else writeItems(to, value as readonly CborValue[]);
}

function writeItems(to: Sink, items: readonly CborValue[]): void {
  writeHead(to, ARRAY, items.length);
  for (const item of items) write(to, item);
}

/** In the order of the keys, which for unsigned integers is the order of their encodings (RFC 8949 4.2.1). */
function writeMap(to: Sink, map: ReadonlyMap<number, CborValue>): void {
  writeHead(to, MAP, map.size);
  for (const [key, value] of isAscending(map.keys()) ? map : [...map].sort(([a], [b]) => a - b)) {
    if (!Number.isSafeInteger(key) || key < 0) throw codecError("range", `cbor: map key ${key}`);
    writeHead(to, UNSIGNED, key);
    write(to, value);
  }
}

function isAscending(keys: Iterable<number>): boolean {
  let last = -1;
  for (const key of keys) {
    if (key < last) return false;
    last = key;
  }
  return true;
}

function writeInteger(to: Sink, value: number): void {
  if (!Number.isSafeInteger(value)) throw codecError("range", `cbor: ${value} is no safe integer`);
  if (value < 0) writeHead(to, NEGATIVE, -1 - value);
  else writeHead(to, UNSIGNED, value);
}

function writeText(to: Sink, text: string): void {
  const length = Buffer.byteLength(text, "utf8");
  writeHead(to, TEXT, length);
  makeRoom(to, length);
  to.bytes.write(text, to.at, "utf8");
  to.at += length;
}

function writeHead(to: Sink, major: number, value: number): void {
  makeRoom(to, 9);
  const { bytes, at } = to;
  const initial = major << 5;
  const length = headLength(value);
  to.at = at + length;
  if (length === 1) bytes[at] = initial | value;
  else if (length === 9) {
    bytes[at] = initial | 27;
    bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at + 1);
    bytes.writeUInt32BE(value % 0x1_0000_0000, at + 5);
  } else {
    bytes[at] = initial | (length === 2 ? 24 : length === 3 ? 25 : 26);
    bytes.writeUIntBE(value, at + 1, length - 1);
  }
}

function makeRoom(to: Sink, length: number): void {
  const needed = to.at + length;
  if (needed <= to.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, to.bytes.length * 2));
  larger.set(to.bytes.subarray(0, to.at));
  to.bytes = larger;
}

interface Source {
  readonly bytes: Buffer;
  at: number;
  /** Names the thing in messages. */
  readonly what: string;
}

/** Throws a CodecError: size, cbor (not well-formed), canonical (well-formed, but not the one encoding), depth,
 *  range (an integer beyond 2^53 - 1). `what` names the thing in messages. Byte strings are views of `bytes`. */
export function decodeCbor(bytes: Uint8Array, what: string, maxLength = MAX_RECORD_LENGTH): CborValue {
  if (bytes.length > maxLength)
    throw codecError("size", `${what}: ${bytes.length} bytes, more than ${maxLength}`);
  const from: Source = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), at: 0, what };
  const value = read(from, 0);
  if (from.at !== bytes.length)
    throw codecError("cbor", `${what}: ${bytes.length - from.at} bytes after its end`);
  return value;
}

function read(from: Source, depth: number): CborValue {
  const { bytes, at, what } = from;
  if (depth > MAX_DEPTH) throw codecError("depth", `${what}: nested deeper than ${MAX_DEPTH}`);
  const initial = bytes[at];
  if (initial === undefined) throw codecError("cbor", `${what}: cut short at byte ${at}`);
  const major = initial >> 5;
  if (major > MAP) return readSimple(from, initial);
  const value = readHead(from);
  switch (major) {
    case UNSIGNED:
      return value;
    case NEGATIVE:
      // -2^53 is no safe integer
      if (value === Number.MAX_SAFE_INTEGER) throw beyondSafe(what, at);
      return -1 - value;
    case BYTES:
    case TEXT:
      if (value > bytes.length - from.at)
        throw codecError("cbor", `${what}: cut short in a string at byte ${at}`);
      return readString(from, major, value);
    case ARRAY:
      return readItems(from, value, depth + 1);
    default:
      return readEntries(from, value, depth + 1);
  }
}

function readSimple(from: Source, initial: number): boolean | null {
  if (initial < FALSE || initial > NULL) {
    throw codecError(
      "cbor",
      `${from.what}: 0x${initial.toString(16)} at byte ${from.at}: no tag, float or other simple value here`,
    );
  }
  from.at++;
  return initial === NULL ? null : initial === TRUE;
}

function readString(from: Source, major: number, length: number): Uint8Array | string {
  const { bytes, at } = from;
  from.at += length;
  if (major === TEXT) return readText(from, at, at + length);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}

function readItems(from: Source, count: number, depth: number): CborValue[] {
  // each item takes a byte at least, so a huge claim ends here and not after a long loop
  if (count > from.bytes.length - from.at) throw codecError("cbor", `${from.what}: cut short in an array`);
  const items: CborValue[] = [];
  for (let i = 0; i < count; i++) items.push(read(from, depth));
  return items;
}

function readEntries(from: Source, count: number, depth: number): Map<number, CborValue> {
  const { bytes, what } = from;
  if (2 * count > bytes.length - from.at) throw codecError("cbor", `${what}: cut short in a map`);
  const map = new Map<number, CborValue>();
  let last = -1;
  for (let i = 0; i < count; i++) {
    if ((bytes[from.at] ?? 0) >> 5 !== UNSIGNED)
      throw codecError("cbor", `${what}: a map key at byte ${from.at} is no number`);
    const key = readHead(from);
    if (key <= last) throw codecError("canonical", `${what}: map key ${key} after ${last}`);
    last = key;
    map.set(key, read(from, depth));
  }
  return map;
}

/** The argument of the head that comes next (RFC 8949 section 3), which must be in its shortest form. */
function readHead(from: Source): number {
  const { bytes, at, what } = from;
  const initial = bytes[at];
  if (initial === undefined) throw codecError("cbor", `${what}: cut short at byte ${at}`);
  const info = initial & 0x1f;
  from.at = at + 1;
  if (info < 24) return info;
  if (info > 27) throw codecError("cbor", `${what}: indefinite length or reserved form at byte ${at}`);
  const width = 1 << (info - 24);
  if (at + width >= bytes.length) throw codecError("cbor", `${what}: cut short at byte ${at}`);
  let value = 0;
  for (let i = 1; i <= width; i++) value = value * 256 + (bytes[at + i] ?? 0);
  if (value > Number.MAX_SAFE_INTEGER) throw beyondSafe(what, at);
  if (headLength(value) !== width + 1)
    throw codecError("canonical", `${what}: ${value} at byte ${at} is not shortest`);
  from.at = at + 1 + width;
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

function readText({ bytes, what }: Source, start: number, end: number): string {
  let ascii = true;
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) > 0x7f) ascii = false;
  if (ascii) return bytes.toString("latin1", start, end);
  let text: string;
  try {
    text = UTF8.decode(bytes.subarray(start, end));
  } catch {
    throw codecError("cbor", `${what}: text at byte ${start} is not UTF-8`);
  }
  if (text.startsWith("\ufeff"))
    throw codecError("cbor", `${what}: text at byte ${start} begins with a byte order mark`);
  return text;
}

function beyondSafe(what: string, at: number): CodecError {
  return codecError("range", `${what}: a number beyond 2^53 - 1 at byte ${at}`);
}
