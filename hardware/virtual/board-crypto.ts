/** Espruino's `crypto` module, as far as a board has it: AES of whole blocks. */
import { createCipheriv } from "node:crypto";

/** `require("crypto").AES.encrypt` with mode ECB, the only one that this project uses. Key and message are 8-bit strings;
 *  what is behind the last whole block stays zero, as on the board. */
export function encryptAes(message: string, key: string, options: { readonly mode: string }): ArrayBuffer {
  if (options.mode !== "ECB") throw new Error(`AES mode ${options.mode}: this board has ECB only`);
  const bytes = Buffer.from(message, "latin1");
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 16));
  const cipher = createCipheriv("aes-128-ecb", Buffer.from(key, "latin1"), null).setAutoPadding(false);
  const out = new Uint8Array(bytes.length);
  out.set(cipher.update(whole));
  return out.buffer;
}

/** `E.toString` of an ArrayBuffer. */
export function textOfBuffer(buffer: ArrayBuffer): string {
  return Buffer.from(buffer).toString("latin1");
}
