import { byteAt, bytesText } from "./bytes.ts";

/** `value` in hex, at least `digits` long. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** The number that stands in hex at a place. */
export function digitsAt(text: string, at: number, digits: number): number {
  return parseInt(text.substr(at, digits), 16);
}

/** Bytes of hex digits, as an 8-bit string. */
export function fromHex(digits: string): string {
  let bytes = "";
  for (let i = 0; i < digits.length; i += 2) bytes += bytesText(parseInt(digits.substr(i, 2), 16));
  return bytes;
}

/** An 8-bit string as lowercase hex digits. */
export function toHex(bytes: string): string {
  let digits = "";
  for (let i = 0; i < bytes.length; i++) digits += hex(byteAt(bytes, i), 2);
  return digits;
}
