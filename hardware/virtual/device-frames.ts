/** The frames of an end device: a session's values to bytes and back. Pure. */
import { isCodecError } from "../../protocols/device/codec-error.ts";
import {
  type AesKey,
  createAesKey,
  cryptFrmPayload,
  joinRequestMic,
  openJoinAccept,
  sealDataFrame,
  verifyDataMic,
} from "../../protocols/lorawan/crypto.ts";
import { fromHex, toHex } from "../../protocols/lorawan/hex.ts";
import type { JoinAccept } from "../../protocols/lorawan/join-accept.ts";
import { encodeMacCommands, type MacCommand, readMacCommands } from "../../protocols/lorawan/mac.ts";
import { type DataFrame, decodePhyPayload, encodePhyPayload } from "../../protocols/lorawan/phy.ts";
import type { DeviceSession } from "./device-session.ts";

export interface Identity {
  /** 16 hex digits, as printed on the device. */
  readonly devEui: string;
  readonly joinEui: string;
  /** 32 hex digits. */
  readonly appKey: string;
}

export interface SessionKeys {
  readonly nwkSKey: AesKey;
  readonly appSKey: AesKey;
}

export interface UplinkContent {
  /** null together with no payload: a frame that ends with FOpts. */
  readonly fPort: number | null;
  readonly payload: Uint8Array;
  readonly confirmed: boolean;
  readonly adr: boolean;
  readonly adrAckReq: boolean;
  readonly fOpts: Uint8Array;
}

export interface Downlink {
  readonly frame: DataFrame;
  /** All 32 bits. */
  readonly fCntDown: number;
  /** In the clear; empty for MAC commands, which are in `commands`. */
  readonly payload: Uint8Array;
  readonly commands: readonly MacCommand[];
}

const F_OPTS_LIMIT = 15;

export function createSessionKeys(session: DeviceSession): SessionKeys {
  return { nwkSKey: createAesKey(session.nwkSKey), appSKey: createAesKey(session.appSKey) };
}

/** 23 bytes with their MIC. */
export function buildJoinRequest(identity: Identity, appKey: AesKey, devNonce: number): Uint8Array {
  const { joinEui, devEui } = identity;
  const bytes = encodePhyPayload({ mType: "joinRequest", joinEui, devEui, devNonce, mic: "00000000" });
  bytes.set(joinRequestMic(appKey, bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** The first answers that fit into `room` bytes of FOpts, never half a command, and those left over. */
export function takeAnswers(
  answers: readonly MacCommand[],
  room: number,
): { fOpts: Uint8Array; rest: readonly MacCommand[] } {
  for (let count = answers.length; ; count--) {
    const fOpts = encodeMacCommands(answers.slice(0, count), "up");
    if (fOpts.length <= Math.min(room, F_OPTS_LIMIT)) return { fOpts, rest: answers.slice(count) };
  }
}

/** Answers repeated in every uplink until a downlink shows that the network has heard one (1.0.4, chapter 5). */
export function isSticky(command: MacCommand): boolean {
  return ["RXParamSetupAns", "RXTimingSetupAns", "DlChannelAns"].includes(command.cid);
}

/** A data frame with the session's next FCntUp. */
export function buildUplink(session: DeviceSession, keys: SessionKeys, content: UplinkContent): Uint8Array {
  const empty = content.payload.length === 0;
  return sealDataFrame(keys, {
    mType: content.confirmed ? "confirmedDataUp" : "unconfirmedDataUp",
    devAddr: session.devAddr,
    fCtrl: { adr: content.adr, adrAckReq: content.adrAckReq, ack: session.ackDue, fPending: false },
    fCnt32: session.fCntUp,
    fOpts: toHex(content.fOpts),
    // the LoRaMac stack sends no FPort when there is no payload, whatever port the application named
    fPort: empty ? null : content.fPort,
    payload: empty ? null : content.payload,
  });
}

/** The frame if it is for this session, new and genuine, else null: the air is full of other people's frames. */
export function openDownlink(
  session: DeviceSession,
  keys: SessionKeys,
  bytes: Uint8Array,
  maxFCntGap: number,
): Downlink | null {
  const frame = decodeOrNull(bytes);
  if (frame === null || frame.devAddr !== session.devAddr) return null;
  const fCntDown = fullFCntDown(session.fCntDown, frame.fCnt16);
  if (fCntDown - session.fCntDown > maxFCntGap) return null;
  if (!verifyDataMic(keys.nwkSKey, "down", frame.devAddr, fCntDown, bytes)) return null;
  const key = frame.fPort === 0 ? keys.nwkSKey : keys.appSKey;
  const plain = cryptFrmPayload(key, "down", frame.devAddr, fCntDown, fromHex(frame.frmPayload));
  const mac = frame.fPort === 0 ? plain : fromHex(frame.fOpts);
  return {
    frame,
    fCntDown,
    payload: frame.fPort === 0 ? new Uint8Array(0) : plain,
    commands: readMacCommands(mac, "down").commands,
  };
}

/** The lowest counter above `last` whose low 16 bits are these; a replayed frame so gets a counter its MIC denies. */
export function fullFCntDown(last: number, fCnt16: number): number {
  return last + 1 + ((fCnt16 - (last + 1)) & 0xffff);
}

/** The join-accept, null when the frame is not one for this key. */
export function openJoin(appKey: AesKey, bytes: Uint8Array): JoinAccept | null {
  return orNull(() => openJoinAccept(appKey, bytes));
}

function decodeOrNull(bytes: Uint8Array): DataFrame | null {
  const frame = orNull(() => decodePhyPayload(bytes));
  return frame?.mType === "unconfirmedDataDown" || frame?.mType === "confirmedDataDown" ? frame : null;
}

/** null for malformed bytes, which a receiver passes by. */
function orNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return null;
  }
}
