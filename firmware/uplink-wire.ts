/** RS-485 bus, the device's side of protocols/device/frame.ts: never speaks unasked, answers each poll of its address,
 *  with the sequence rule that is written there. Pure. LoRaWAN is made on the board (lorawan-link.ts); a frame is on air
 *  when it was handed to a poll. A hub that has not polled for LINE_MS is away: then no frame is taken. */
import { byteAt, bytesText } from "./bytes.ts";
import type { DeviceIdentity } from "./identity.ts";
import {
  confirm,
  createLink,
  type Draft,
  handOver,
  type Link,
  setUp,
  stepLink,
  takeDownlink,
} from "./lorawan-link.ts";
import type { UplinkEffect, UplinkInput } from "./uplink.ts";
import { DO } from "./uplink.ts";
import { readWire, writeWire } from "./wire-frame.ts";

const LINE_MS = 5000;
/** Longest frame between its zeros: as many bytes of noise are remembered. */
const LONGEST = 261;

const POLL = 0;
const DATA = 1;
const IDLE = 2;
const FROM_DEVICE = 0x80;

export interface WireUplink extends Link {
  /** Bytes since the last zero. */
  readonly piece: string;
  /** Sequence of the last hub frame that was answered, -1: none. */
  readonly sequence: number;
  /** That answer. */
  readonly answer: string;
  /** When the hub last asked. */
  readonly polledMs: number;
}

type WireDraft = Draft<WireUplink>;

/** True when this identity has a place on a bus. */
export function isUsable(identity: DeviceIdentity): boolean {
  const address = identity.wireAddress ?? 0;
  return address > 0 && address < 127;
}

/** A line has no data rates. */
export function lowestRateOf(): number {
  return 0;
}

/** A board on a line that is still. */
export function createUplink(identity: DeviceIdentity, nowMs: number): WireUplink {
  const line = { piece: "", sequence: -1, answer: "", polledMs: -Infinity };
  return Object.assign(createLink(identity, nowMs), line);
}

/** A frame of the hub to this device. */
function answer(d: WireDraft, type: number, sequence: number, payload: string): void {
  const isNext = sequence > 0 && sequence === (d.sequence === 3 ? 1 : d.sequence + 1);
  d.polledMs = d.nowMs;
  if (!d.isUp) setUp(d, true);
  if (sequence === 0 || sequence !== d.sequence) {
    if (isNext) confirm(d);
    d.sequence = sequence;
    if (type === DATA) takeDownlink(d, payload);
    const control = ((d.out === "" ? IDLE : DATA) << 2) | sequence;
    const address = FROM_DEVICE + (d.identity.wireAddress ?? 0);
    d.answer = writeWire(bytesText(address, control) + d.out);
  }
  d.effects.push({ do: DO.write, text: d.answer });
  if (d.out !== "") handOver(d);
}

function takePiece(d: WireDraft, piece: string): void {
  // most of what a bus carries is for others: it is not worth a CRC
  const bytes = byteAt(piece, 1) === d.identity.wireAddress ? readWire(piece) : "";
  const control = byteAt(bytes, 1);
  const type = control >> 2;
  const isWhole = type === POLL ? bytes.length === 2 : type === DATA && bytes.length > 2;
  if (isWhole) answer(d, type, control & 3, bytes.substr(2));
}

/** Takes one input. `luck`: 0 to 1, another for every step. */
export function stepUplink(
  uplink: WireUplink,
  input: UplinkInput,
  luck: number,
): readonly [WireUplink, readonly UplinkEffect[]] {
  const d: WireDraft = Object.assign({}, uplink, { nowMs: input.nowMs, luck: luck, effects: [] });
  if (d.isUp && d.nowMs - d.polledMs > LINE_MS) setUp(d, false);
  if (input.text === undefined) stepLink(d, input);
  else {
    const pieces = (d.piece + input.text).split("\0");
    d.piece = (pieces[pieces.length - 1] + "").slice(-LONGEST);
    for (const piece of pieces.slice(0, -1)) if (piece !== "") takePiece(d, piece);
  }
  return [d, d.effects];
}
