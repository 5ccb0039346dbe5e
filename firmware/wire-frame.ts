/** The board's half of protocols/device/frame.ts, as small and as quick as a board needs it: frames of up to 250 bytes as
 *  8-bit strings, a CRC without an inner loop. Held to that file, both ways, by test. */
import { byteAt, bytesText } from "./bytes.ts";
import { little } from "./lorawan-mac.ts";

/** What a CRC-16/X-25 over bytes and their own CRC comes to. */
const GOOD = 0x0f47;

function crcOf(bytes: string): number {
  let crc = 0xffff;
  for (let i = 0; i < bytes.length; i++) {
    const low = (byteAt(bytes, i) ^ crc) & 255;
    const mixed = (low ^ (low << 4)) & 255;
    crc = (crc >> 8) ^ (mixed << 8) ^ (mixed << 3) ^ (mixed >> 4);
  }
  return crc ^ 0xffff;
}

/** Address, control and payload as they go onto the line, with both zeros. */
export function writeWire(body: string): string {
  const blocks = (body + little(crcOf(body))).split("\0");
  return "\0" + blocks.map((block) => bytesText(block.length + 1) + block).join("") + "\0";
}

/** Address, control and payload of what stood between two zeros; "": noise. */
export function readWire(coded: string): string {
  const blocks: string[] = [];
  let at = 0;
  while (at < coded.length) {
    const length = byteAt(coded, at);
    blocks.push(coded.substr(at + 1, length - 1));
    at += length;
  }
  const bytes = blocks.join("\0");
  return at === coded.length && crcOf(bytes) === GOOD ? bytes.slice(0, -2) : "";
}
