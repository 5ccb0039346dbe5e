/** Hex at the edge of the LoRaWAN codecs. LoRaWAN sends identifiers little-endian and people read them big-endian, so
 *  each direction exists in wire order and reversed. Decoded hex is lower case; either case may be encoded. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Value of a hex digit by its char code, -1 for anything else. */
const NIBBLE = new Int8Array(128).fill(-1);
for (let i = 0; i < 16; i++) {
  NIBBLE[i.toString(16).charCodeAt(0)] = i;
  NIBBLE[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}

/** Lower-case hex of bytes[start..end) in wire order. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let i = start; i < end; i++) text += HEX[bytes[i] ?? 0];
  return text;
}

/** Lower-case hex of bytes[start..end), last byte first: the way EUIs and DevAddr are displayed. */
export function toHexReversed(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = end - 1; i >= start; i--) text += HEX[bytes[i] ?? 0];
  return text;
}

function byteAt(hex: string, i: number, name: string): number {
  const high = NIBBLE[hex.charCodeAt(2 * i)] ?? -1;
  const low = NIBBLE[hex.charCodeAt(2 * i + 1)] ?? -1;
  if (high < 0 || low < 0) throw new RangeError(name + ": not hexadecimal at byte " + i);
  return (high << 4) | low;
}

function checkLength(hex: string, length: number, name: string): void {
  if (hex.length !== 2 * length) {
    throw new RangeError(name + ": " + hex.length + " hex digits, not " + 2 * length);
  }
}

/** Bytes of a hex string. Throws a RangeError that names `name`, never its value: it may be a key. */
export function fromHex(hex: string, name = "hex"): Uint8Array {
  if (hex.length % 2 !== 0) throw new RangeError(name + ": " + hex.length + " hex digits, an odd number");
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = byteAt(hex, i, name);
  return bytes;
}

/** Writes exactly `length` bytes of `hex` at `at`, in wire order. Throws a RangeError that names `name`. */
export function writeHex(hex: string, bytes: Uint8Array, at: number, length: number, name: string): void {
  checkLength(hex, length, name);
  for (let i = 0; i < length; i++) bytes[at + i] = byteAt(hex, i, name);
}

/** Writes exactly `length` bytes of `hex` at `at`, last byte first. Throws a RangeError that names `name`. */
export function writeHexReversed(
  hex: string,
  bytes: Uint8Array,
  at: number,
  length: number,
  name: string,
): void {
  checkLength(hex, length, name);
  for (let i = 0; i < length; i++) bytes[at + length - 1 - i] = byteAt(hex, i, name);
}
