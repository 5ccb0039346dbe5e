/** AES-CMAC (RFC 4493) around the board's own AES: Espruino's `crypto` module encrypts blocks and does no more. Bytes are
 *  8-bit strings, which cost an interpreter least. */
import { byteAt, bytesText } from "./bytes.ts";

const ZERO = "\0".repeat(16);

/** AES-128-ECB of whole blocks. Throws on a board whose Espruino has no AES. */
export function encrypt(key: string, blocks: string): string {
  // biome-ignore lint/style/useNodejsImportProtocol: Espruino has a module of its own by this name
  return E.toString(require("crypto").AES.encrypt(blocks, key, { mode: "ECB" }));
}

/** `text` XOR the bytes of `by` as far as they reach. */
export function mix(text: string, by: string): string {
  let mixed = "";
  // no character is NaN, which is nothing to XOR
  for (let i = 0; i < text.length; i++) mixed += bytesText(byteAt(text, i) ^ byteAt(by, i));
  return mixed;
}

/** Multiplication by x in GF(2^128), section 2.3. */
function doubled(block: string): string {
  let out = "";
  for (let i = 0; i < 16; i++)
    out += bytesText(((byteAt(block, i) << 1) | (byteAt(block, i + 1) >> 7)) & 255);
  return byteAt(block, 0) > 127 ? mix(out, "\0".repeat(15) + "\x87") : out;
}

/** All 16 bytes of the tag. */
export function cmac(key: string, message: string): string {
  let end = doubled(encrypt(key, ZERO));
  let left = message;
  if (!message || message.length % 16) {
    left += "\x80";
    end = doubled(end);
  }
  let tag = ZERO;
  while (left) {
    tag = encrypt(key, mix(mix(tag, left), left.length > 16 ? "" : end));
    left = left.substr(16);
  }
  return tag;
}
