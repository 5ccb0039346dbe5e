/** RS-485 bus, the device's side of protocols/device/frame.ts: never speaks unasked, answers each poll of its address,
 *  with the sequence rule that is written there. Pure. LoRaWAN is made on the board (lorawan-link.ts); a frame is on air
 *  when it was handed to a poll, and made anew when none has come for a while. */
import { byteAt, bytesText } from "./bytes.ts";
import type { DeviceIdentity } from "./identity.ts";
import {
  confirm,
  createLink,
  type Draft,
  handOver,
  type Link,
  stepLink,
  takeDownlink,
} from "./lorawan-link.ts";
import { DO, type UplinkEffect, type UplinkInput } from "./uplink.ts";
import { readWire, writeWire } from "./wire-frame.ts";

/** Longest frame between its zeros: as many bytes of noise are remembered. */
const LONGEST = 261;

const POLL = 0;
const DATA = 1;
const IDLE = 2;
const FROM_DEVICE = 0x80;
/** Address and control. */
const HEAD = 2;

export interface WireUplink extends Link {
  /** Bytes since the last zero. */
  readonly piece: string;
  /** Sequence of the last hub frame that was answered, -1: none. */
  readonly sequence: number;
  /** That answer. */
  readonly answer: string;
}

type WireDraft = Draft<WireUplink>;

/** True when this identity has a place on a bus. */
export function isUsable(identity: DeviceIdentity): boolean {
  return identity.wireAddress !== undefined;
}

/** A line has no data rates. */
export function lowestRateOf(): number {
  return 0;
}

/** A board on a line that is still. */
export function createUplink(identity: DeviceIdentity, nowMs: number): WireUplink {
  return Object.assign(createLink(identity, nowMs, true), { piece: "", sequence: -1, answer: "" });
}

/** Answers a frame of the hub to this device. */
function answer(d: WireDraft, frame: string): void {
  const sequence = byteAt(frame, 1) & 3;
  if (sequence === 0 || sequence !== d.sequence) {
    // 0 1 2 3 1 2 3; before the first frame nothing was said that could have arrived
    if (sequence === (d.sequence % 3) + 1) confirm(d);
    d.sequence = sequence;
    if (frame.length > HEAD) takeDownlink(d, frame.substr(HEAD));
    const control = ((d.out ? DATA : IDLE) << 2) | sequence;
    d.answer = writeWire(bytesText(FROM_DEVICE | byteAt(frame, 0), control) + d.out);
  }
  d.effects.push({ do: DO.write, text: d.answer });
  if (d.out) handOver(d);
}

function takePiece(d: WireDraft, piece: string): void {
  // most of what a bus carries is for others: it is not worth a CRC
  const frame = byteAt(piece, 1) === d.identity.wireAddress ? readWire(piece) : "";
  const isWhole = byteAt(frame, 1) >> 2 === (frame.length > HEAD ? DATA : POLL);
  if (frame && isWhole) answer(d, frame);
}

/** Takes one input. `luck`: 0 to 1, another for every step. */
export function stepUplink(
  uplink: WireUplink,
  input: UplinkInput,
  luck: number,
): readonly [WireUplink, readonly UplinkEffect[]] {
  const d: WireDraft = Object.assign({}, uplink, { nowMs: input.nowMs, luck: luck, effects: [] });
  if (input.text === undefined) stepLink(d, input);
  else {
    const pieces = (d.piece + input.text).split("\0");
    d.piece = (pieces.pop() + "").slice(-LONGEST);
    for (const piece of pieces) takePiece(d, piece);
  }
  return [d, d.effects];
}
