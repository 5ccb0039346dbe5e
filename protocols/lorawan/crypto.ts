/** Keys, MICs and encryption of LoRaWAN 1.0.2 to 1.0.4 (TS001-1.0.4 sections 4.3.3, 4.4 and 6.2). AES by node:crypto.
 *
 *  Speed: setting up a cipher costs more than using it, so keys in use keep one AES-128-CBC cipher open. CBC computes
 *  C = E(P xor previous C); the previous C is known, so xoring it into the next first block cancels it, and the same
 *  cipher starts afresh for every message: a CMAC of any length is one native call. */
import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type Decipheriv,
  type KeyObject,
} from "node:crypto";
import { codecError } from "../device/codec-error.ts";
import { type DevAddrSource, type Direction, doubled, writeBlock } from "./blocks.ts";
import { fromHex, toHex, writeHexReversed } from "./hex.ts";
import { decodeJoinAccept, encodeJoinAccept, type JoinAccept } from "./join-accept.ts";
import { type DataFrame, decodePhyPayload, encodeDataBody, isUplink } from "./phy.ts";

export type { Direction } from "./blocks.ts";
export type { JoinAccept } from "./join-accept.ts";

/** One AES-128 key, and while its cipher is open what is derived from it. Opaque: make it with `createAesKey` and keep it.
 *  No KeyObject is kept: it takes several times the memory of the digits and is made in half a microsecond. */
export interface AesKey {
  /** 32 hex digits. */
  readonly hex: string;
  /** RFC 4493 subkeys K1 ‖ K2, from the first use on. */
  subkeys: Uint8Array | null;
  open: OpenCipher | null;
}

interface OpenCipher {
  readonly cbc: Cipheriv;
  /** The last ciphertext block: cancels the chaining, and is the result of the last call. */
  readonly last: Uint8Array;
}

/** Keys whose cipher is open, the oldest first. An open cipher takes about 3 kB, so there is an end to them:
 *  beyond it a key's cipher is made for each use, and one in so many of those takes the oldest one's place, since
 *  keys also die. */
const openKeys = new Set<AesKey>();
const MAX_OPEN_KEYS = 2048;
let turnedAway = 0;

const BLOCK = 16;
const MIC_LENGTH = 4;
const JOIN_ACCEPT_MHDR = 0x20;
/** B0 ‖ the longest PHYPayload ‖ padding. Used within one synchronous call only. */
const scratch = new Uint8Array(18 * BLOCK);
const MAX_MIC_INPUT = 255;

/** From 32 hex digits. Throws a CodecError "key" whose message does not contain the key. */
export function createAesKey(hex: string): AesKey {
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw codecError("key", "AES-128 key: not 32 hexadecimal digits");
  return { hex, subkeys: null, open: null };
}

/** Not the raw bytes: with them each cipher would cost several microseconds more. */
function secretOf(key: AesKey): KeyObject {
  return createSecretKey(fromHex(key.hex));
}

/** A cipher for this key. It stays open unless there are too many; then `key.open` is null, and it is for one use, after
 *  which `final` frees its native memory, for which no collection is run. */
function openCipher(key: AesKey): OpenCipher {
  const cbc = createCipheriv("aes-128-cbc", secretOf(key), new Uint8Array(BLOCK)).setAutoPadding(false);
  const opened = { cbc, last: new Uint8Array(BLOCK) };
  if (openKeys.size >= MAX_OPEN_KEYS) {
    turnedAway = (turnedAway + 1) % MAX_OPEN_KEYS;
    if (turnedAway !== 0) return opened;
    for (const oldest of openKeys) {
      oldest.open?.cbc.final();
      oldest.open = null;
      oldest.subkeys = null;
      openKeys.delete(oldest);
      break;
    }
  }
  openKeys.add(key);
  key.open = opened;
  return opened;
}

/** Bytes through a cipher that is used once. */
function once(cipher: Cipheriv | Decipheriv, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(cipher.update(bytes));
  cipher.final();
  return out;
}

function aesEcb(key: AesKey, blocks: Uint8Array): Uint8Array {
  return once(createCipheriv("aes-128-ecb", secretOf(key), null).setAutoPadding(false), blocks);
}

function subkeysOf(key: AesKey, cipher: OpenCipher): Uint8Array {
  if (key.subkeys !== null) return key.subkeys;
  const k1 = doubled(cbcMac(cipher, new Uint8Array(BLOCK)));
  const subkeys = Uint8Array.of(...k1, ...doubled(k1));
  if (key.open !== null) key.subkeys = subkeys;
  return subkeys;
}

/** CBC-MAC with a zero IV over whole blocks, which it may overwrite. The result is valid until the cipher's next use. */
function cbcMac({ cbc, last }: OpenCipher, blocks: Uint8Array): Uint8Array {
  for (let i = 0; i < BLOCK; i++) blocks[i] = (blocks[i] ?? 0) ^ (last[i] ?? 0);
  const out = cbc.update(blocks);
  const from = out.length - BLOCK;
  for (let i = 0; i < BLOCK; i++) last[i] = out[from + i] ?? 0;
  return last;
}

/** RFC 4493 over buffer[0..length); the buffer must have room up to the next whole block, and is overwritten. */
function cmacInPlace(key: AesKey, buffer: Uint8Array, length: number): Uint8Array {
  const cipher = key.open ?? openCipher(key);
  const subkeys = subkeysOf(key, cipher);
  const whole = length > 0 && length % BLOCK === 0;
  const end = whole ? length : length - (length % BLOCK) + BLOCK;
  if (!whole) {
    buffer[length] = 0x80;
    buffer.fill(0, length + 1, end);
  }
  const from = whole ? 0 : BLOCK;
  for (let i = 0; i < BLOCK; i++) {
    buffer[end - BLOCK + i] = (buffer[end - BLOCK + i] ?? 0) ^ (subkeys[from + i] ?? 0);
  }
  const tag = cbcMac(cipher, buffer.subarray(0, end));
  if (key.open === null) cipher.cbc.final();
  return tag;
}

/** AES-CMAC (RFC 4493), 16 bytes. */
export function cmac(key: AesKey, message: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(message.length + BLOCK);
  buffer.set(message);
  return cmacInPlace(key, buffer, message.length).slice();
}

function dataTag(
  nwkSKey: AesKey,
  direction: Direction,
  devAddr: DevAddrSource,
  fCnt32: number,
  message: Uint8Array,
  length: number,
): Uint8Array {
  if (length > MAX_MIC_INPUT) throw new RangeError("data frame: " + length + " bytes before the MIC");
  writeBlock(scratch, 0x49, direction, devAddr, fCnt32, length);
  for (let i = 0; i < length; i++) scratch[BLOCK + i] = message[i] ?? 0;
  return cmacInPlace(nwkSKey, scratch, BLOCK + length);
}

/** The 4 MIC bytes of a data frame (section 4.4), ACK-only frames without FPort included.
 *  `fCnt32` is the whole counter; `devAddr` 8 hex digits as displayed. */
export function dataMic(
  nwkSKey: AesKey,
  direction: Direction,
  devAddr: string,
  fCnt32: number,
  bytesWithoutMic: Uint8Array,
): Uint8Array {
  const length = bytesWithoutMic.length;
  return dataTag(nwkSKey, direction, devAddr, fCnt32, bytesWithoutMic, length).slice(0, MIC_LENGTH);
}

/** Whether the last 4 bytes are the right MIC. Compares in constant time; false for a wrong length. */
export function verifyDataMic(
  nwkSKey: AesKey,
  direction: Direction,
  devAddr: DevAddrSource,
  fCnt32: number,
  phyPayload: Uint8Array,
): boolean {
  const length = phyPayload.length - MIC_LENGTH;
  if (length < 1 || length > MAX_MIC_INPUT) return false;
  return endsWith(phyPayload, dataTag(nwkSKey, direction, devAddr, fCnt32, phyPayload, length));
}

function endsWith(bytes: Uint8Array, tag: Uint8Array): boolean {
  const from = bytes.length - MIC_LENGTH;
  let difference = 0;
  for (let i = 0; i < MIC_LENGTH; i++) difference |= (bytes[from + i] ?? 0) ^ (tag[i] ?? 0);
  return difference === 0;
}

/** Encrypts or decrypts an FRMPayload (section 4.3.3): the same operation. Key: NwkSKey for FPort 0, else AppSKey. */
export function cryptFrmPayload(
  key: AesKey,
  direction: Direction,
  devAddr: DevAddrSource,
  fCnt32: number,
  payload: Uint8Array,
): Uint8Array {
  if (payload.length > 255 * BLOCK) throw new RangeError("FRMPayload: " + payload.length + " bytes");
  writeBlock(scratch, 0x01, direction, devAddr, fCnt32, 1);
  const first = scratch.subarray(0, BLOCK);
  // A_1 as a big-endian counter: its last byte counts the blocks, as AES-CTR does
  if (payload.length > BLOCK) return once(createCipheriv("aes-128-ctr", secretOf(key), first), payload);
  const out = new Uint8Array(payload.length);
  if (out.length === 0) return out;
  const cipher = key.open ?? openCipher(key);
  const stream = cbcMac(cipher, first);
  if (key.open === null) cipher.cbc.final();
  for (let i = 0; i < out.length; i++) out[i] = (payload[i] ?? 0) ^ (stream[i] ?? 0);
  return out;
}

/** The 4 MIC bytes of a join-request (section 6.2.5). */
export function joinRequestMic(appKey: AesKey, bytesWithoutMic: Uint8Array): Uint8Array {
  return cmac(appKey, bytesWithoutMic).slice(0, MIC_LENGTH);
}

/** Whether a join-request's last 4 bytes are the right MIC. Compares in constant time. */
export function verifyJoinRequestMic(appKey: AesKey, phyPayload: Uint8Array): boolean {
  if (phyPayload.length <= MIC_LENGTH) return false;
  return endsWith(phyPayload, cmac(appKey, phyPayload.subarray(0, phyPayload.length - MIC_LENGTH)));
}

/** A whole join-accept PHYPayload. AES *decryption* encrypts it, so that a device needs AES encryption only. */
export function sealJoinAccept(appKey: AesKey, accept: JoinAccept): Uint8Array {
  const fields = encodeJoinAccept(accept);
  const plain = new Uint8Array(1 + fields.length + MIC_LENGTH);
  plain[0] = JOIN_ACCEPT_MHDR;
  plain.set(fields, 1);
  const mic = cmac(appKey, plain.subarray(0, 1 + fields.length)).subarray(0, MIC_LENGTH);
  plain.set(mic, 1 + fields.length);
  const decipher = createDecipheriv("aes-128-ecb", secretOf(appKey), null).setAutoPadding(false);
  plain.set(once(decipher, plain.subarray(1)), 1);
  return plain;
}

/** Decrypts and verifies a join-accept, then reads it. CodecError: length, mType, mic, reserved, cfListType. */
export function openJoinAccept(appKey: AesKey, phyPayload: Uint8Array): JoinAccept {
  const frame = decodePhyPayload(phyPayload);
  if (frame.mType !== "joinAccept") throw codecError("mType", "join-accept: this is a " + frame.mType);
  const plain = phyPayload.slice();
  plain.set(aesEcb(appKey, plain.subarray(1)), 1);
  const end = plain.length - MIC_LENGTH;
  if (!endsWith(plain, cmac(appKey, plain.subarray(0, end)))) {
    throw codecError("mic", "join-accept: the MIC does not match the AppKey");
  }
  return decodeJoinAccept(plain.subarray(1, end));
}

/** NwkSKey and AppSKey of a 1.0.x session (section 6.2.6), 32 hex digits each. `netId` 6 hex digits as displayed. */
export function sessionKeys10(
  appKey: AesKey,
  joinNonce: number,
  netId: string,
  devNonce: number,
): { nwkSKey: string; appSKey: string } {
  const blocks = new Uint8Array(2 * BLOCK);
  for (const at of [0, BLOCK]) {
    blocks[at] = at === 0 ? 0x01 : 0x02;
    blocks.set([joinNonce, joinNonce >> 8, joinNonce >> 16], at + 1);
    writeHexReversed(netId, blocks, at + 4, 3, "netId");
    blocks.set([devNonce, devNonce >> 8], at + 7);
  }
  const keys = aesEcb(appKey, blocks);
  return { nwkSKey: toHex(keys, 0, BLOCK), appSKey: toHex(keys, BLOCK) };
}

/** A data frame before it is encrypted and given its MIC. `payload` in the clear, null where there is no FPort. */
export type PlainDataFrame = Omit<DataFrame, "mic" | "fCnt16" | "frmPayload"> & {
  readonly fCnt32: number;
  readonly payload: Uint8Array | null;
};

/** A whole data frame from plain values: encrypts with NwkSKey (FPort 0) or AppSKey, then appends the MIC. */
export function sealDataFrame(
  keys: { readonly nwkSKey: AesKey; readonly appSKey: AesKey },
  frame: PlainDataFrame,
): Uint8Array {
  const { fCnt32, payload, ...rest } = frame;
  if (!Number.isInteger(fCnt32) || fCnt32 < 0 || fCnt32 > 0xffff_ffff)
    throw new RangeError("fCnt32: " + fCnt32);
  const direction = isUplink(frame.mType) ? "up" : "down";
  const key = frame.fPort === 0 ? keys.nwkSKey : keys.appSKey;
  const encrypted = cryptFrmPayload(key, direction, frame.devAddr, fCnt32, payload ?? new Uint8Array(0));
  const body = encodeDataBody({ ...rest, fCnt16: fCnt32 & 0xffff, frmPayload: toHex(encrypted) });
  const bytes = new Uint8Array(body.length + MIC_LENGTH);
  bytes.set(body);
  bytes.set(dataMic(keys.nwkSKey, direction, frame.devAddr, fCnt32, body), body.length);
  return bytes;
}
