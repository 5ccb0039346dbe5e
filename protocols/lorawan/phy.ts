/** PHYPayload, LoRaWAN L2 1.0.4 (TS001-1.0.4) chapters 4 and 6.2; the bytes of 1.0.2 and 1.0.3 are the same.
 *    joinRequest  MHDR ‖ JoinEUI(8) ‖ DevEUI(8) ‖ DevNonce(2) ‖ MIC(4)                                    23 bytes
 *    joinAccept   MHDR ‖ encrypted(16 or 32, the MIC inside)                                          17 or 33 bytes
 *    data         MHDR ‖ DevAddr(4) ‖ FCtrl ‖ FCnt(2) ‖ FOpts(0-15) [‖ FPort ‖ FRMPayload] ‖ MIC(4)   12-255 bytes
 *  MHDR = mType:3 rfu:3 major:2. All integers little-endian. Nothing is decrypted or verified here: see crypto.ts.
 *  Encoders throw a RangeError for a value that no frame can carry: that is the caller's fault, not the air's. */
import { codecError } from "../device/codec-error.ts";
import { toHex, toHexReversed, writeHex, writeHexReversed } from "./hex.ts";

export interface FCtrl {
  readonly adr: boolean;
  /** Uplink only. */
  readonly adrAckReq: boolean;
  readonly ack: boolean;
  /** Downlink: more is waiting. In an uplink the same bit says that the device is in class B. */
  readonly fPending: boolean;
}

export interface JoinRequest {
  readonly mType: "joinRequest";
  /** 16 hex digits, big-endian as displayed; AppEUI before 1.0.4. */
  readonly joinEui: string;
  readonly devEui: string;
  readonly devNonce: number;
  /** 8 hex digits, wire order. */
  readonly mic: string;
}

export interface JoinAcceptFrame {
  readonly mType: "joinAccept";
  /** 16 or 32 bytes as hex, encrypted, the MIC inside. */
  readonly encrypted: string;
}

export type DataMType = (typeof DATA_TYPES)[number];

export interface DataFrame {
  readonly mType: DataMType;
  /** 8 hex digits, big-endian as displayed. */
  readonly devAddr: string;
  readonly fCtrl: FCtrl;
  /** The low 16 bits of the counter: all that is on air. */
  readonly fCnt16: number;
  /** MAC commands, 0-15 bytes as hex in wire order. */
  readonly fOpts: string;
  /** null: the frame ends with FOpts. Not the same frame as an FPort followed by an empty FRMPayload. */
  readonly fPort: number | null;
  /** As on air, encrypted; "" when there is no FPort. */
  readonly frmPayload: string;
  readonly mic: string;
}

/** What a network server reads of a data frame before it knows whose it is. */
export type DataHeader = Omit<DataFrame, "frmPayload" | "mic">;

export type PhyPayload = JoinRequest | JoinAcceptFrame | DataFrame;

const DATA_TYPES = [
  "unconfirmedDataUp",
  "unconfirmedDataDown",
  "confirmedDataUp",
  "confirmedDataDown",
] as const;

/** MHDR bits 7-5 of the first data type; 6 (rejoin, 1.1 only) and 7 (proprietary) are not ours. */
const FIRST_DATA_TYPE = 2;
/** Whole MHDR bytes: reserved bits and Major are 0. */
const UNCONFIRMED_UP = 0x40;
const CONFIRMED_UP = 0x80;
const MIC_LENGTH = 4;
const JOIN_REQUEST_LENGTH = 23;
const JOIN_ACCEPT_LENGTHS: readonly number[] = [17, 33];
/** MHDR, DevAddr, FCtrl and FCnt: where FOpts begin. */
const FHDR_END = 8;
const MIN_DATA_LENGTH = FHDR_END + MIC_LENGTH;
/** M = 250 of every data rate here, with MHDR and MIC; a LoRa PHY frame has an 8-bit length anyway. */
export const MAX_PHY_PAYLOAD = 255;

const ADR = 0x80;
const ADR_ACK_REQ = 0x40;
const ACK = 0x20;
const F_PENDING = 0x10;
const F_OPTS_LENGTH = 0x0f;

/** True for frames that a device sends. */
export function isUplink(mType: PhyPayload["mType"]): boolean {
  return mType === "joinRequest" || mType === "unconfirmedDataUp" || mType === "confirmedDataUp";
}

/** Throws a CodecError: length, mType, reserved, major, fOpts. Every accepted byte string encodes to itself again. */
export function decodePhyPayload(bytes: Uint8Array): PhyPayload {
  const mhdr = bytes[0];
  if (mhdr === undefined) throw codecError("length", "PHYPayload: 0 bytes");
  if ((mhdr & 0x03) !== 0) throw codecError("major", "PHYPayload: Major " + (mhdr & 0x03) + ", not 0");
  if ((mhdr & 0x1c) !== 0) throw codecError("reserved", "PHYPayload: MHDR 0x" + mhdr.toString(16));
  const mType = mhdr >> 5;
  if (mType === 0) return decodeJoinRequest(bytes);
  if (mType === 1) return decodeJoinAccept(bytes);
  const dataType = DATA_TYPES[mType - FIRST_DATA_TYPE];
  if (dataType === undefined)
    throw codecError("mType", "PHYPayload: MType " + mType + " is not of LoRaWAN 1.0");
  return decodeData(bytes, dataType);
}

/** What a network server needs of a frame: a join-request, the head of a data uplink, or null for a frame that no device
 *  sends. Throws like `decodePhyPayload`, for the same bytes. */
export function decodeUplink(bytes: Uint8Array): JoinRequest | DataHeader | null {
  const mhdr = bytes[0];
  if (mhdr === UNCONFIRMED_UP) return decodeDataHeader(bytes, "unconfirmedDataUp");
  if (mhdr === CONFIRMED_UP) return decodeDataHeader(bytes, "confirmedDataUp");
  const frame = decodePhyPayload(bytes);
  return frame.mType === "joinRequest" ? frame : null;
}

function decodeJoinRequest(bytes: Uint8Array): JoinRequest {
  if (bytes.length !== JOIN_REQUEST_LENGTH) {
    throw codecError("length", "join-request: " + bytes.length + " bytes, not " + JOIN_REQUEST_LENGTH);
  }
  return {
    mType: "joinRequest",
    joinEui: toHexReversed(bytes, 1, 9),
    devEui: toHexReversed(bytes, 9, 17),
    devNonce: uint16(bytes, 17),
    mic: toHex(bytes, 19, 23),
  };
}

function decodeJoinAccept(bytes: Uint8Array): JoinAcceptFrame {
  if (!JOIN_ACCEPT_LENGTHS.includes(bytes.length)) {
    throw codecError("length", "join-accept: " + bytes.length + " bytes, not 17 or 33");
  }
  return { mType: "joinAccept", encrypted: toHex(bytes, 1) };
}

function decodeData(bytes: Uint8Array, mType: DataMType): DataFrame {
  const header = decodeDataHeader(bytes, mType);
  const end = bytes.length - MIC_LENGTH;
  const payload = FHDR_END + header.fOpts.length / 2 + 1;
  return {
    ...header,
    frmPayload: header.fPort === null ? "" : toHex(bytes, payload, end),
    mic: toHex(bytes, end),
  };
}

function decodeDataHeader(bytes: Uint8Array, mType: DataMType): DataHeader {
  const length = bytes.length;
  if (length < MIN_DATA_LENGTH || length > MAX_PHY_PAYLOAD) {
    throw codecError("length", "data frame: " + length + " bytes, not 12 to 255");
  }
  const fCtrl = bytes[5] ?? 0;
  const optionsEnd = FHDR_END + (fCtrl & F_OPTS_LENGTH);
  const end = length - MIC_LENGTH;
  if (optionsEnd > end) {
    throw codecError("fOpts", "data frame: FOptsLen " + (fCtrl & F_OPTS_LENGTH) + " runs over the end");
  }
  // TS001-1.0.4 4.3.1: bit 6 of a downlink's FCtrl is RFU
  if (!isUplink(mType) && (fCtrl & ADR_ACK_REQ) !== 0) {
    throw codecError("reserved", "data frame: FCtrl 0x" + fCtrl.toString(16) + " in a downlink");
  }
  const fPort = optionsEnd < end ? (bytes[optionsEnd] ?? 0) : null;
  // TS001-1.0.4 4.3.1.6: MAC commands in FOpts and in FPort 0 at once must be ignored as a frame
  if (fPort === 0 && optionsEnd > FHDR_END) {
    throw codecError("fOpts", "data frame: FOpts together with FPort 0");
  }
  return {
    mType,
    devAddr: toHexReversed(bytes, 1, 5),
    fCtrl: {
      adr: (fCtrl & ADR) !== 0,
      adrAckReq: (fCtrl & ADR_ACK_REQ) !== 0,
      ack: (fCtrl & ACK) !== 0,
      fPending: (fCtrl & F_PENDING) !== 0,
    },
    fCnt16: uint16(bytes, 6),
    fOpts: toHex(bytes, FHDR_END, optionsEnd),
    fPort,
  };
}

/** The frame's bytes. Throws a RangeError for a value that no frame can carry. */
export function encodePhyPayload(p: PhyPayload): Uint8Array {
  switch (p.mType) {
    case "joinRequest":
      return encodeJoinRequest(p);
    case "joinAccept":
      return encodeJoinAccept(p);
    default: {
      const body = encodeDataBody(p);
      const bytes = new Uint8Array(body.length + MIC_LENGTH);
      bytes.set(body);
      writeHex(p.mic, bytes, body.length, MIC_LENGTH, "mic");
      return bytes;
    }
  }
}

function encodeJoinRequest(p: JoinRequest): Uint8Array {
  const bytes = new Uint8Array(JOIN_REQUEST_LENGTH);
  writeHexReversed(p.joinEui, bytes, 1, 8, "joinEui");
  writeHexReversed(p.devEui, bytes, 9, 8, "devEui");
  writeUint16(p.devNonce, bytes, 17, "devNonce");
  writeHex(p.mic, bytes, 19, MIC_LENGTH, "mic");
  return bytes;
}

function encodeJoinAccept(p: JoinAcceptFrame): Uint8Array {
  const bytes = new Uint8Array(1 + p.encrypted.length / 2);
  if (!JOIN_ACCEPT_LENGTHS.includes(bytes.length)) {
    throw new RangeError("encrypted: " + p.encrypted.length + " hex digits, not 32 or 64");
  }
  bytes[0] = 1 << 5;
  writeHex(p.encrypted, bytes, 1, bytes.length - 1, "encrypted");
  return bytes;
}

/** A data frame without its MIC: what the MIC is computed over. Throws a RangeError like `encodePhyPayload`. */
export function encodeDataBody(p: Omit<DataFrame, "mic">): Uint8Array {
  const options = p.fOpts.length / 2;
  const payload = p.frmPayload.length / 2;
  const bytes = new Uint8Array(FHDR_END + options + (p.fPort === null ? 0 : 1 + payload));
  checkData(p, bytes.length);
  bytes[0] = (FIRST_DATA_TYPE + DATA_TYPES.indexOf(p.mType)) << 5;
  writeHexReversed(p.devAddr, bytes, 1, 4, "devAddr");
  bytes[5] = fCtrlByte(p.fCtrl) | options;
  writeUint16(p.fCnt16, bytes, 6, "fCnt16");
  writeHex(p.fOpts, bytes, FHDR_END, options, "fOpts");
  if (p.fPort !== null) {
    bytes[FHDR_END + options] = p.fPort;
    writeHex(p.frmPayload, bytes, FHDR_END + options + 1, payload, "frmPayload");
  }
  return bytes;
}

function checkData(p: Omit<DataFrame, "mic">, bodyLength: number): void {
  if (p.fOpts.length > 2 * F_OPTS_LENGTH) throw new RangeError("fOpts: more than 15 bytes");
  if (p.fPort === null && p.frmPayload !== "") throw new RangeError("frmPayload: needs an fPort");
  if (p.fPort === 0 && p.fOpts !== "") throw new RangeError("fOpts: not together with FPort 0");
  if (p.fPort !== null && (p.fPort & 0xff) !== p.fPort) throw new RangeError("fPort: " + p.fPort);
  if (p.fCtrl.adrAckReq && !isUplink(p.mType)) throw new RangeError("adrAckReq: not in a downlink");
  if (bodyLength > MAX_PHY_PAYLOAD - MIC_LENGTH) throw new RangeError("frmPayload: frame over 255 bytes");
}

function fCtrlByte(f: FCtrl): number {
  return (
    (f.adr ? ADR : 0) | (f.adrAckReq ? ADR_ACK_REQ : 0) | (f.ack ? ACK : 0) | (f.fPending ? F_PENDING : 0)
  );
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function writeUint16(value: number, bytes: Uint8Array, at: number, name: string): void {
  if ((value & 0xffff) !== value) throw new RangeError(name + ": " + value + " is not 0 to 65535");
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
}
