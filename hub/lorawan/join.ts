/** Over-the-air activation (TS001-1.0.4 section 6.2): whether a join-request may have an accept, and what is in it. Pure;
 *  randomness comes in as an argument. */
import {
  type AesKey,
  sealJoinAccept,
  sessionKeys10,
  verifyJoinRequestMic,
} from "../../protocols/lorawan/crypto.ts";
import type { JoinRequest } from "../../protocols/lorawan/phy.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import { isDevNonceFresh } from "./dev-nonce.ts";
import { FCNT_DOWN_BLOCK } from "./fcnt-down.ts";
import type { DeviceFacts } from "./session.ts";
import type { JoinRefusal } from "./sink.ts";
import type { JoinCommit, Session } from "./store.ts";

/** DevAddr prefix 0000000b of NetIDs 000000 and 000001: private networks. */
const PRIVATE_BITS = 25;
const ADDRESS_TRIES = 100;
const MAX_JOIN_NONCE = 0xff_ffff;

/** Why this request gets no accept, or null. The MIC comes before the nonce: only the device itself may learn, by its
 *  silence, that a nonce was used. */
export function joinRefusal(
  facts: DeviceFacts | undefined,
  request: JoinRequest,
  phyPayload: Uint8Array,
  appKey: AesKey | null,
): JoinRefusal | null {
  if (facts === undefined || appKey === null) return "unknownDevice";
  if (request.joinEui !== facts.joinEui) return "joinEui";
  if (!verifyJoinRequestMic(appKey, phyPayload)) return "mic";
  return isDevNonceFresh(facts, request.devNonce) ? null : "devNonce";
}

export interface JoinSettings {
  region: Region;
  /** 6 hex digits. */
  netId: string;
  rxDelayS: number;
  random: (bytes: number) => Uint8Array;
  isUsed: (devAddr: string) => boolean;
}

/** The join-accept and what must be stored before it leaves, or null when no DevAddr or JoinNonce is left. `short` leaves
 *  the channel list out, a third of the accept's airtime; those channels follow by NewChannelReq. */
export function planJoin(
  facts: DeviceFacts,
  request: JoinRequest,
  appKey: AesKey,
  settings: JoinSettings & { short: boolean },
): { commit: JoinCommit; phyPayload: Uint8Array } | null {
  const { region, netId, rxDelayS } = settings;
  const devAddr = freeDevAddr(settings);
  const joinNonce = facts.joinNonce + 1;
  if (devAddr === null || joinNonce > MAX_JOIN_NONCE) return null;
  const rx2DataRate = region.rx2.dataRate;
  const given = settings.short ? [] : region.extraChannelsHz;
  const session: Session = {
    devAddr,
    ...sessionKeys10(appKey, joinNonce, netId, request.devNonce),
    fCntUp: -1,
    fCntDown: 0,
    fCntDownReserved: FCNT_DOWN_BLOCK,
    rx1DrOffset: 0,
    rx2DataRate,
    rxDelayS,
    dataRate: region.joinDataRates[0],
    txPowerIndex: 0,
    nbTrans: 1,
    channelsHz: [...region.defaultChannelsHz, ...given],
  };
  const phyPayload = sealJoinAccept(appKey, {
    joinNonce,
    netId,
    devAddr,
    dlSettings: { rx1DrOffset: 0, rx2DataRate, optNeg: false },
    rxDelay: rxDelayS,
    cfList: given.length > 0 ? given : null,
  });
  return { commit: { devNonce: request.devNonce, joinNonce, pendingSession: session }, phyPayload };
}

function freeDevAddr({ random, isUsed }: JoinSettings): string | null {
  for (let tries = 0; tries < ADDRESS_TRIES; tries++) {
    const [a = 0, b = 0, c = 0, d = 0] = random(4);
    const address = (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % 2 ** PRIVATE_BITS;
    const devAddr = address.toString(16).padStart(8, "0");
    if (address !== 0 && !isUsed(devAddr)) return devAddr;
  }
  return null;
}
