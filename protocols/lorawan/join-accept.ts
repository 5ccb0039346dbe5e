/** What a join-accept says once it is decrypted, TS001-1.0.4 section 6.2.6:
 *    JoinNonce(3) ‖ NetID(3) ‖ DevAddr(4) ‖ DLSettings ‖ RxDelay [‖ CFList(15) ‖ CFListType]     12 or 28 bytes
 *  DLSettings = optNeg:1 rx1DrOffset:3 rx2DataRate:4. All integers little-endian. CFList of type 0: five channel
 *  frequencies in units of 100 Hz. Sealing and opening: crypto.ts. */
import { codecError } from "../device/codec-error.ts";
import { toHexReversed, writeHexReversed } from "./hex.ts";

export interface JoinAccept {
  /** 24 bits; AppNonce before 1.0.4. */
  readonly joinNonce: number;
  /** 6 hex digits, big-endian as displayed. */
  readonly netId: string;
  /** 8 hex digits, big-endian as displayed. */
  readonly devAddr: string;
  readonly dlSettings: {
    readonly rx1DrOffset: number;
    readonly rx2DataRate: number;
    /** Always false below LoRaWAN 1.1, where the server says so by it. */
    readonly optNeg: boolean;
  };
  /** RECEIVE_DELAY1 in seconds, 0 and 1 both mean 1. */
  readonly rxDelay: number;
  /** Hz, multiples of 100; null: no CFList. Up to five to encode, always five when decoded: 0 is an unused place. */
  readonly cfList: readonly number[] | null;
}

const FIXED_LENGTH = 12;
const CF_LIST_LENGTH = 16;
const CF_LIST_PLACES = 5;
const FREQUENCY_STEP_HZ = 100;
const MAX_UINT24 = 0xff_ffff;

/** 12 bytes, or 28 with a CFList. An empty list is no CFList. Throws a RangeError for what does not fit its field. */
export function encodeJoinAccept(accept: JoinAccept): Uint8Array {
  const cfList = accept.cfList ?? [];
  const { rx1DrOffset, rx2DataRate, optNeg } = accept.dlSettings;
  if (cfList.length > CF_LIST_PLACES) throw new RangeError("cfList: " + cfList.length + " channels, over 5");
  const bytes = new Uint8Array(FIXED_LENGTH + (cfList.length > 0 ? CF_LIST_LENGTH : 0));
  writeUint24(accept.joinNonce, bytes, 0, "joinNonce");
  writeHexReversed(accept.netId, bytes, 3, 3, "netId");
  writeHexReversed(accept.devAddr, bytes, 6, 4, "devAddr");
  bytes[10] =
    (optNeg ? 0x80 : 0) |
    (nibble(rx1DrOffset, 7, "rx1DrOffset") << 4) |
    nibble(rx2DataRate, 15, "rx2DataRate");
  bytes[11] = nibble(accept.rxDelay, 15, "rxDelay");
  for (const [i, hz] of cfList.entries()) {
    writeUint24(hz / FREQUENCY_STEP_HZ, bytes, FIXED_LENGTH + 3 * i, "cfList " + hz + " Hz");
  }
  return bytes;
}

/** Throws a CodecError: length, reserved, cfListType. Every accepted byte string encodes to itself again. */
export function decodeJoinAccept(bytes: Uint8Array): JoinAccept {
  const at = (i: number) => bytes[i] ?? 0;
  const withList = bytes.length === FIXED_LENGTH + CF_LIST_LENGTH;
  if (!withList && bytes.length !== FIXED_LENGTH) {
    throw codecError("length", "join-accept: " + bytes.length + " bytes inside, not 12 or 28");
  }
  if (at(11) > 15) throw codecError("reserved", "join-accept: RxDelay byte 0x" + at(11).toString(16));
  if (withList && at(27) !== 0)
    throw codecError("cfListType", "join-accept: CFListType " + at(27) + ", not 0");
  const uint24 = (i: number) => at(i) | (at(i + 1) << 8) | (at(i + 2) << 16);
  const places = Array.from(
    { length: CF_LIST_PLACES },
    (_, i) => uint24(FIXED_LENGTH + 3 * i) * FREQUENCY_STEP_HZ,
  );
  return {
    joinNonce: uint24(0),
    netId: toHexReversed(bytes, 3, 6),
    devAddr: toHexReversed(bytes, 6, 10),
    dlSettings: { rx1DrOffset: (at(10) >> 4) & 7, rx2DataRate: at(10) & 15, optNeg: at(10) > 0x7f },
    rxDelay: at(11),
    cfList: withList ? places : null,
  };
}

function writeUint24(value: number, bytes: Uint8Array, at: number, name: string): void {
  if (!Number.isInteger(value) || value < 0 || value > MAX_UINT24)
    throw new RangeError(name + ": not 24 bits");
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
}

function nibble(value: number, max: number, name: string): number {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new RangeError(name + ": " + value + ", not 0 to " + max);
  return value;
}
