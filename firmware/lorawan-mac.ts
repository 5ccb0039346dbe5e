/** LoRaWAN 1.0.4 on the board (TS001-1.0.4 chapters 4 and 6.2), for carriers that have no LoRaWAN modem: join and session
 *  keys, data frames up and down. Pure but for the board's AES. Bytes are 8-bit strings, integers little-endian.
 *
 *  Class C without a radio: a downlink may come at any time; there are no channels, data rates or receive windows, so MAC
 *  commands are stepped over. The hub asks none of a device that it does not hear by radio.
 *
 *  A JoinNonce that does not grow is not refused (6.2.6): whoever plays an old join-accept back gains nothing, since keys
 *  depend on a DevNonce that is never used twice, and a device whose hub was restored from a copy must join again. */
import { byteAt, bytesText } from "./bytes.ts";
import { cmac, encrypt, mix } from "./cmac.ts";
import { fromHex } from "./hex.ts";

/** What a device joins with, as hex digits. */
export interface Credentials {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
}

/** What an uplink is made of. */
export interface PlainUplink {
  readonly port: number;
  readonly hex: string;
  readonly isConfirmed: boolean;
}

export interface Session {
  readonly devNonce: number;
  readonly devAddr: string;
  readonly nwkSKey: string;
  readonly appSKey: string;
}

/** What is in a downlink that is genuine. */
export interface Downlink {
  readonly fCntDown: number;
  readonly isAck: boolean;
  /** NaN where there is none. */
  readonly port: number;
  /** In the clear. */
  readonly payload: string;
}

const UP = 0;
const DOWN = 1;
/** MHDR, DevAddr, FCtrl, FCnt. */
const HEAD = 8;
const ACK = 0x20;

/** Two bytes, the low one first. */
export function little(value: number): string {
  return bytesText(value & 255, (value >> 8) & 255);
}

/** `message` with its MIC, which is over `head` too. */
function signed(key: string, head: string, message: string): string {
  return message + cmac(key, head + message).substr(0, 4);
}

/** B0 or A_i: `first` ‖ 0(4) ‖ direction ‖ DevAddr ‖ FCnt(4) ‖ 0 ‖ `last`. */
function block(session: Session, first: number, direction: number, fCnt: number, last: number): string {
  const counter = little(fCnt) + little(fCnt >> 16);
  return bytesText(first, 0, 0, 0, 0, direction) + session.devAddr + counter + bytesText(0, last);
}

function signedData(session: Session, direction: number, fCnt: number, message: string): string {
  return signed(session.nwkSKey, block(session, 0x49, direction, fCnt, message.length), message);
}

/** Encrypts or decrypts an FRMPayload: the same operation. */
function crypt(session: Session, direction: number, fCnt: number, payload: string): string {
  let stream = "";
  for (let i = 1; stream.length < payload.length; i++)
    stream += encrypt(session.appSKey, block(session, 1, direction, fCnt, i));
  return mix(payload, stream);
}

/** A join-request, 23 bytes. */
export function joinRequest(identity: Credentials, devNonce: number): string {
  const euis = fromHex(identity.devEui + identity.joinEui)
    .split("")
    .reverse()
    .join("");
  return signed(fromHex(identity.appKey), "", "\0" + euis + little(devNonce));
}

/** The session that a join-accept opens, or undefined when it is none for this device. */
export function openJoinAccept(identity: Credentials, devNonce: number, bytes: string): Session | undefined {
  const appKey = fromHex(identity.appKey);
  // sealed by AES decryption, so that a device needs encryption only
  const plain = bytes.charAt(0) + encrypt(appKey, bytes.substr(1));
  const key = (first: string) =>
    encrypt(appKey, first + plain.substr(1, 6) + little(devNonce) + "\0".repeat(7));
  if (plain !== signed(appKey, "", plain.slice(0, -4))) return undefined;
  return { devNonce: devNonce, devAddr: plain.substr(7, 4), nwkSKey: key("\x01"), appSKey: key("\x02") };
}

/** A data frame. */
export function sealUplink(session: Session, fCntUp: number, frame: PlainUplink): string {
  const head = (frame.isConfirmed ? "\x80" : "\x40") + session.devAddr + "\0" + little(fCntUp);
  const payload = crypt(session, UP, fCntUp, fromHex(frame.hex));
  return signedData(session, UP, fCntUp, head + bytesText(frame.port) + payload);
}

/** A downlink of this session with a counter above `last`, or undefined. Only the counter's low 16 bits are in it. */
export function openDownlink(session: Session, last: number, bytes: string): Downlink | undefined {
  const at = (i: number) => byteAt(bytes, i);
  const next = last + 1;
  const fCntDown = next + (((at(6) | (at(7) << 8)) - next) & 0xffff);
  const message = bytes.slice(0, -4);
  const portAt = HEAD + (at(5) & 15);
  if (bytes !== signedData(session, DOWN, fCntDown, message)) return undefined;
  return {
    fCntDown: fCntDown,
    isAck: (at(5) & ACK) > 0,
    port: byteAt(message, portAt),
    payload: crypt(session, DOWN, fCntDown, message.substr(portAt + 1)),
  };
}
