/** PNG (ISO/IEC 15948) of one bit a pixel, black on white, with its size in metres. */
import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BIT_DEPTH = 1;
const GREYSCALE = 0;
const UNIT_METRE = 1;

export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** Black where true. */
  isBlack(x: number, y: number): boolean;
}

/** The whole file. */
export function encodePng({ width, height, isBlack }: Bitmap, pixelsPerMetre: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(BIT_DEPTH, 8);
  header.writeUInt8(GREYSCALE, 9);
  const size = Buffer.alloc(9);
  size.writeUInt32BE(pixelsPerMetre, 0);
  size.writeUInt32BE(pixelsPerMetre, 4);
  size.writeUInt8(UNIT_METRE, 8);
  // each row begins with the number of its filter: 0, none
  const rowBytes = 1 + Math.ceil(width / 8);
  const rows = Buffer.alloc(rowBytes * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * rowBytes + 1 + (x >> 3);
      if (!isBlack(x, y)) rows[at] = (rows[at] ?? 0) | (0x80 >> (x & 7));
    }
  const chunks = [
    chunk("IHDR", header),
    chunk("pHYs", size),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([SIGNATURE, ...chunks]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 4 + body.length);
  return out;
}
