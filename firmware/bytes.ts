/** Bytes as 8-bit strings: what ports, Storage and AES of a board give and take, and what costs an interpreter least. */

/** Bytes, each 0 to 255, as a string. */
export const bytesText = String.fromCharCode;

/** The byte at a place, NaN behind the end. */
export function byteAt(text: string, at: number): number {
  return text.charCodeAt(at);
}
