/** What the firmware's pure files need of a board when they run in Node: AES, and strings of bytes. Import it first. */
import { createRequire } from "node:module";
import { encryptAes, textOfBuffer } from "../../hardware/virtual/board-crypto.ts";

declare global {
  var E: { toString(bytes: ArrayBuffer): string };
}

// vitest gives every module the `require` of Node: the board's AES goes where that one looks
Object.assign(createRequire(import.meta.url)("crypto"), { AES: { encrypt: encryptAes } });
Object.assign(globalThis, { E: { toString: textOfBuffer } });

/** Hex digits of an 8-bit string. */
export function hexOf(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

/** An 8-bit string of bytes, or of hex digits. */
export function textOf(bytes: Uint8Array | string): string {
  return (typeof bytes === "string" ? Buffer.from(bytes, "hex") : Buffer.from(bytes)).toString("latin1");
}

/** Bytes of an 8-bit string. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
