/** Wire frame: the RS-485 line between hub and devices (38 400 baud 8N1, half duplex). In the Espruino subset.
 *    00 ‖ COBS( address ‖ control ‖ PHYPayload ‖ CRC-16/X-25, low byte first ) ‖ 00
 *    address  bit 7: 1 = from the device, 0 = from the hub; bits 6-0: device address, 1-126
 *    control  bits 7-4 zero; bits 3-2: 0 poll, 1 data, 2 idle; bits 1-0 sequence, kept by a retransmission
 *  Only the hub speaks unasked. It sends "poll", or "data" when it has a PHYPayload for the device; the addressed device
 *  answers each with "data" when it has a PHYPayload to send and with "idle" when not. Nobody else answers.
 *
 *  Time: two characters of quiet before every frame (0.52 ms); the answer begins within 200 ms of the hub's last zero.
 *  Three hub frames in a row without an answer: the device is offline.
 *
 *  Sequence: one exchange (hub frame and answer) has one sequence, chosen by the hub; the answer carries the same one.
 *    hub      0 with its first frame to a device, which is a "poll", and again after the device was offline. Once an
 *             answer with the same address and sequence is in, the next exchange has `nextSequence`: 0 1 2 3 1 2 3 1.
 *             Without one, the same frame goes out again, byte for byte, perhaps after other devices had their turn.
 *             Any other answer (late, twice, of another sequence) is dropped.
 *    device   last = sequence of the last hub frame that it answered, none after power-up. A hub frame with
 *             - 0: begins anew. Nothing said before counts as heard: what waits is said again.
 *             - last: is a repetition. The last answer goes out again, byte for byte; a PHYPayload that came with the
 *               hub's frame has been taken already.
 *             - nextSequence(last): the last answer was heard; a PHYPayload in it has been carried and is forgotten.
 *             - anything else: the last answer was not heard; what it carried is said again.
 *             In all cases but the repetition the PHYPayload of a hub's "data" is taken, and a new answer is made.
 *  So each PHYPayload passes once in either direction, whatever single frame is lost. This is transport only: that an
 *  event is stored is said by the LoRaWAN ACK inside a later "data" of the hub.
 *
 *  A zero on both sides, no length byte: one corrupt byte costs one frame, never its neighbour. CRC: FCS-16 of RFC 1662. */
import { codecError } from "./codec-error.ts";

/** What a frame is. Index = the two type bits. */
export const FRAME_TYPES = ["poll", "data", "idle"] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

export interface WireFrame {
  /** 0-127. */
  readonly address: number;
  readonly fromDevice: boolean;
  readonly type: FrameType;
  /** 0-3. */
  readonly sequence: number;
  /** The PHYPayload, 1-255 bytes for "data", empty for the others. */
  readonly payload: Uint8Array;
}

/** Lowest and highest address of a device. */
export const MIN_ADDRESS = 1;
export const MAX_ADDRESS = 126;

/** The sequence after `sequence`: 0 only begins. */
export function nextSequence(sequence: number): number {
  return sequence === 3 ? 1 : sequence + 1;
}

/** Why a piece of the line between two zeros was thrown away. */
export type Discard = "long" | "cobs" | "crc" | "form";

export const MAX_PAYLOAD = 255;
const HEAD = 2;
const CRC = 2;
const MAX_BODY = HEAD + MAX_PAYLOAD + CRC;
/** COBS adds one byte, and one more for each 254. */
const MAX_CODED = MAX_BODY + 2;
const FROM_DEVICE = 0x80;

/** CRC-16/X-25 of the first `length` bytes: reflected 0x1021, initial and final XOR 0xffff. */
function crc16(bytes: Uint8Array, length: number): number {
  let crc = 0xffff;
  for (let i = 0; i < length; i++) {
    crc = crc ^ (bytes[i] ?? 0);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >> 1) ^ 0x8408 : crc >> 1;
  }
  return crc ^ 0xffff;
}

/** COBS between two zeros. A block of 254 without a zero that ends the body is not followed by an empty block. */
function delimit(body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 4);
  let codeAt = 1;
  let at = 2;
  let open = true;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] ?? 0;
    if (!open) {
      codeAt = at;
      at++;
      open = true;
    }
    if (byte !== 0) {
      out[at] = byte;
      at++;
    }
    if (byte === 0 || at - codeAt === 0xff) {
      out[codeAt] = at - codeAt;
      // a full block stands for no zero: the next one opens only when there is something to put in
      open = byte === 0;
      if (open) {
        codeAt = at;
        at++;
      }
    }
  }
  if (open) out[codeAt] = at - codeAt;
  return new Uint8Array(out.buffer, 0, at + 1);
}

/** Undoes COBS in place. Returns the length of the body, or -1 for anything that `delimit` does not make. */
function uncobs(coded: Uint8Array, length: number): number {
  let at = 0;
  let out = 0;
  let last = 0;
  while (at < length) {
    const code = coded[at] ?? 0;
    if (at + code > length || (code === 1 && last === 0xff && at + 1 === length)) return -1;
    if (last !== 0 && last !== 0xff) {
      coded[out] = 0;
      out++;
    }
    for (let i = 1; i < code; i++) {
      coded[out] = coded[at + i] ?? 0;
      out++;
    }
    at = at + code;
    last = code;
  }
  return out;
}

/** The frame in `bytes`, its CRC already good, or undefined when a field is out of its bounds. */
function read(bytes: Uint8Array, end: number): WireFrame | undefined {
  const control = bytes[1] ?? 0;
  const type = FRAME_TYPES[control >> 2];
  if (type === undefined || (type === "data") !== end > HEAD) return undefined;
  const payload = new Uint8Array(end - HEAD);
  for (let i = HEAD; i < end; i++) payload[i - HEAD] = bytes[i] ?? 0;
  const address = bytes[0] ?? 0;
  return {
    address: address & 0x7f,
    fromDevice: (address & FROM_DEVICE) !== 0,
    type: type,
    sequence: control & 0x03,
    payload: payload,
  };
}

/** The bytes for the line, both zeros included: at most 263. The payload must keep to its bounds. */
export function encodeFrame(frame: WireFrame): Uint8Array {
  const end = HEAD + frame.payload.length;
  const body = new Uint8Array(end + CRC);
  body[0] = (frame.fromDevice ? FROM_DEVICE : 0) | frame.address;
  body[1] = (FRAME_TYPES.indexOf(frame.type) << 2) | frame.sequence;
  for (let i = HEAD; i < end; i++) body[i] = frame.payload[i - HEAD] ?? 0;
  const crc = crc16(body, end);
  body[end] = crc & 0xff;
  body[end + 1] = crc >> 8;
  return delimit(body);
}

/** Makes a function that takes bytes as they come off the line, in pieces of any size. Linear time, fixed memory. */
export function createDeframer(onFrame: (frame: WireFrame) => void, onDiscard: (why: Discard) => void) {
  const buffer = new Uint8Array(MAX_CODED);
  let length = 0;
  const close = () => {
    if (length > MAX_CODED) return onDiscard("long");
    const bodyLength = uncobs(buffer, length);
    if (bodyLength < 0) return onDiscard("cobs");
    const end = bodyLength - CRC;
    if (end < HEAD || end > HEAD + MAX_PAYLOAD) return onDiscard("form");
    if (crc16(buffer, end) !== ((buffer[end] ?? 0) | ((buffer[end + 1] ?? 0) << 8))) return onDiscard("crc");
    const frame = read(buffer, end);
    if (frame === undefined) return onDiscard("form");
    onFrame(frame);
  };
  return (chunk: Uint8Array) => {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (byte !== 0) {
        if (length < MAX_CODED) buffer[length] = byte;
        length++;
      } else {
        if (length > 0) close();
        length = 0;
      }
    }
  };
}

/** One whole frame with both its zeros, as `encodeFrame` makes it. Throws a CodecError: delimiter, long, cobs, crc,
 *  form. */
export function decodeFrame(bytes: Uint8Array): WireFrame {
  const last = bytes.length - 1;
  if (last < 2 || bytes[0] !== 0 || bytes[last] !== 0) {
    throw codecError("delimiter", "wire frame: does not begin and end with 00");
  }
  for (let i = 1; i < last; i++) {
    if (bytes[i] === 0) throw codecError("delimiter", "wire frame: a 00 at byte " + i);
  }
  const frames: WireFrame[] = [];
  const reasons: Discard[] = [];
  const deframe = createDeframer(
    (frame) => frames.push(frame),
    (why) => reasons.push(why),
  );
  deframe(bytes);
  const frame = frames[0];
  const why = reasons[0] ?? "form";
  if (frame === undefined) throw codecError(why, "wire frame: refused, " + why);
  return frame;
}
