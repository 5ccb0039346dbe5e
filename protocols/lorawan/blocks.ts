/** The blocks that LoRaWAN's MIC and encryption are made of, and the arithmetic of CMAC. No key comes here. */
import { writeHexReversed } from "./hex.ts";

export type Direction = "up" | "down";

/** 8 hex digits as displayed, or a data frame's PHYPayload, which has the DevAddr in bytes 1 to 4. */
export type DevAddrSource = string | Uint8Array;

const BLOCK = 16;

/** B0 or A_i (TS001-1.0.4 sections 4.4 and 4.3.3) into the first 16 bytes of `out`:
 *  `first` ‖ 0(4) ‖ direction ‖ DevAddr ‖ FCnt(4), all 32 bits ‖ 0 ‖ `last`. */
export function writeBlock(
  out: Uint8Array,
  first: number,
  direction: Direction,
  devAddr: DevAddrSource,
  fCnt32: number,
  last: number,
): void {
  out.fill(0, 0, BLOCK);
  out[0] = first;
  out[5] = direction === "up" ? 0 : 1;
  if (typeof devAddr === "string") writeHexReversed(devAddr, out, 6, 4, "devAddr");
  else for (let i = 0; i < 4; i++) out[6 + i] = devAddr[1 + i] ?? 0;
  out[10] = fCnt32;
  out[11] = fCnt32 >>> 8;
  out[12] = fCnt32 >>> 16;
  out[13] = fCnt32 >>> 24;
  out[15] = last;
}

/** Multiplication by x in GF(2^128), RFC 4493 section 2.3; 16 bytes. */
export function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = ((block[i] ?? 0) << 1) | ((block[i + 1] ?? 0) >> 7);
  if ((block[0] ?? 0) & 0x80) out[BLOCK - 1] = (out[BLOCK - 1] ?? 0) ^ 0x87;
  return out;
}
