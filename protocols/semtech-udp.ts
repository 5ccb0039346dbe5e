/** Semtech UDP packet forwarder protocol (PROTOCOL.TXT of lora_gateway / sx1302_hal), versions 1 and 2.
 *    byte 0  version  |  1-2  token  |  3  type  |  from the gateway, types 0, 2, 5: 4-11 gateway EUI  |  rest  JSON
 *    0 pushData up   1 pushAck down   2 pullData up   3 pullResp down   4 pullAck down   5 txAck up
 *  A forwarder drops an answer whose version is not its own, so answer with the version that was received. The JSON
 *  objects, where the forwarder's own field names stay: semtech-json.ts. Nothing here is authenticated: whoever reaches
 *  the port can say all of it. The three packets with JSON may carry fields that we do not know; they are ignored, so
 *  those packets re-encode to the same value, all others to the same bytes. */
import { codecError } from "./device/codec-error.ts";
import { toHex, writeHex } from "./lorawan/hex.ts";
import {
  type Rxpk,
  readPush,
  readTxAck,
  readTxpk,
  type Stat,
  type TxError,
  type Txpk,
  type TxWarning,
  writePush,
  writeTxAck,
  writeTxpk,
} from "./semtech-json.ts";

export type { Rxpk, Stat, TxError, Txpk, TxWarning } from "./semtech-json.ts";

export type SemtechVersion = 1 | 2;

interface Common {
  /** 0-65535; an answer carries the token of what it answers. */
  readonly token: number;
  /** Always there after decoding; left out, 2 is encoded. */
  readonly version?: SemtechVersion | undefined;
}
interface FromGateway extends Common {
  /** EUI-64, 16 hex digits. */
  readonly gateway: string;
}
export interface PushData extends FromGateway {
  readonly type: "pushData";
  readonly rxpk: readonly Rxpk[];
  readonly stat: Stat | null;
}
export interface PushAck extends Common {
  readonly type: "pushAck";
}
export interface PullData extends FromGateway {
  readonly type: "pullData";
}
export interface PullResp extends Common {
  readonly type: "pullResp";
  readonly txpk: Txpk;
}
export interface PullAck extends Common {
  readonly type: "pullAck";
}
/** The answer to a pullResp: queued (both null), queued with another power (warn), or refused (error). */
export interface TxAck extends FromGateway {
  readonly type: "txAck";
  readonly error: TxError | null;
  readonly warn: TxWarning | null;
}
export type SemtechPacket = PushData | PushAck | PullData | PullResp | PullAck | TxAck;

/** Index = byte 3. */
const TYPES = ["pushData", "pushAck", "pullData", "pullResp", "pullAck", "txAck"] as const;

const HEADER = 4;
const HEADER_WITH_EUI = 12;
const NO_JSON = new Uint8Array(0);
/** The largest UDP datagram; whatever is longer did not come over UDP. */
export const MAX_DATAGRAM = 65_535;

/** Throws a CodecError: length, version, type, json, or the name of the JSON field at fault, such as "freq". `gateway`
 *  is the datagram's EUI for a caller that has read it already. */
export function decodeSemtech(
  bytes: Uint8Array,
  gateway?: string,
): SemtechPacket & { readonly version: SemtechVersion } {
  const length = bytes.length;
  if (length < HEADER || length > MAX_DATAGRAM)
    throw codecError("length", "Semtech UDP: " + length + " bytes");
  const version = bytes[0];
  if (version !== 1 && version !== 2)
    throw codecError("version", "Semtech UDP: version " + version + ", not 1 or 2");
  const token = ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0);
  const type = TYPES[bytes[3] ?? 0xff];
  switch (type) {
    case "pushData":
      return pushDataOf(bytes, { version, token, gateway: gateway ?? gatewayOf(bytes) });
    case "pullData":
      exactLength(bytes, HEADER_WITH_EUI, type);
      return { type, version, token, gateway: gateway ?? gatewayOf(bytes) };
    case "txAck": {
      const sender = gateway ?? gatewayOf(bytes);
      // no JSON at all means queued
      const body =
        length === HEADER_WITH_EUI ? { error: null, warn: null } : readTxAck(jsonOf(bytes, HEADER_WITH_EUI));
      return { type, version, token, gateway: sender, ...body };
    }
    case "pullResp":
      return { type, version, token, txpk: readTxpk(jsonOf(bytes, HEADER)) };
    case "pushAck":
    case "pullAck":
      exactLength(bytes, HEADER, type);
      return { type, version, token };
    default:
      throw codecError("type", "Semtech UDP: packet type " + bytes[3]);
  }
}

function pushDataOf(
  bytes: Uint8Array,
  { version, token, gateway }: { version: SemtechVersion; token: number; gateway: string },
): PushData & { readonly version: SemtechVersion } {
  const { rxpk, stat } = readPush(jsonOf(bytes, HEADER_WITH_EUI));
  return { type: "pushData", version, token, gateway, rxpk, stat };
}

function exactLength(bytes: Uint8Array, length: number, type: string): void {
  if (bytes.length !== length)
    throw codecError("length", type + ": " + bytes.length + " bytes, not " + length);
}

function gatewayOf(bytes: Uint8Array): string {
  if (bytes.length < HEADER_WITH_EUI)
    throw codecError("length", "Semtech UDP: " + bytes.length + " bytes, no gateway EUI");
  return toHex(bytes, HEADER, HEADER_WITH_EUI);
}

function jsonOf(bytes: Uint8Array, from: number): unknown {
  // Latin-1: every field that is read is ASCII, no byte sequence is invalid, and it is the quickest
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString("latin1", from);
  try {
    return JSON.parse(text);
  } catch {
    // the parser's own message quotes the sender's text
    throw codecError("json", "Semtech UDP: the text behind the header is not JSON");
  }
}

/** The datagram. Throws a RangeError for a value that the packet cannot carry. */
export function encodeSemtech(p: SemtechPacket): Uint8Array {
  if ((p.token & 0xffff) !== p.token) throw new RangeError("token: " + p.token + " is not 0 to 65535");
  const text = jsonText(p);
  const json = text === "" ? NO_JSON : Buffer.from(text, "latin1");
  const headerLength = "gateway" in p ? HEADER_WITH_EUI : HEADER;
  const bytes = new Uint8Array(headerLength + json.length);
  bytes[0] = p.version ?? 2;
  bytes[1] = p.token >> 8;
  bytes[2] = p.token;
  bytes[3] = TYPES.indexOf(p.type);
  if ("gateway" in p) writeHex(p.gateway, bytes, HEADER, 8, "gateway");
  bytes.set(json, headerLength);
  if (bytes.length > MAX_DATAGRAM)
    throw new RangeError(p.type + ": " + bytes.length + " bytes in one datagram");
  return bytes;
}

function jsonText(p: SemtechPacket): string {
  switch (p.type) {
    case "pushData":
      return JSON.stringify(writePush(p.rxpk, p.stat));
    case "pullResp":
      return JSON.stringify(writeTxpk(p.txpk));
    case "txAck":
      return p.error === null && p.warn === null ? "" : JSON.stringify(writeTxAck(p.error, p.warn));
    default:
      return "";
  }
}
