/** What the carriers without a LoRaWAN modem share: joins, frames, answers and counters, over a way to the hub that takes
 *  one PHYPayload at a time. Pure. A carrier calls `setUp` when its way opens or closes, `handOver` when it passes on
 *  what is in `out`, `confirm` when that has arrived, `takeDownlink` with what comes, `stepLink` with every other input.
 *
 *  Counters. One count in Storage goes up and is never used twice: the next one is reserved ahead, in a quiet moment
 *  (effect `keep`; the edge answers with the input `count`). A count is a DevNonce, or it opens a block of
 *  FRAMES_PER_COUNT FCntUp at (count - DevNonce of the session) * FRAMES_PER_COUNT. A fresh count after a power cut is
 *  ahead of every FCntUp that was ever used. Only so many frames without one quiet moment make an alarm wait for a write.
 *  The session is kept as its DevNonce and the join-accept, from which its keys follow: a torn file fails its MIC, and the
 *  board joins. The last FCntDown is not kept.
 *
 *  Confirmed frames that arrive and are not acknowledged, MANY in a row, may mean that the hub has lost the session: the
 *  board joins again, and goes on with the old session when nobody answers that. */
import { byteAt } from "./bytes.ts";
import { toHex } from "./hex.ts";
import type { DeviceIdentity } from "./identity.ts";
import {
  joinRequest,
  little,
  openDownlink,
  openJoinAccept,
  type Session,
  sealUplink,
} from "./lorawan-mac.ts";
import { DO, PHASE, type Uplink, type UplinkEffect, type UplinkInput } from "./uplink.ts";

export const FRAMES_PER_COUNT = 64;

/** For an answer of the hub, whose disk comes before it. */
const ANSWER_MS = 2500;
/** For the first join; twice as long for each after it, up to 85 minutes, for each costs one of 65,536 DevNonces. */
const JOIN_ANSWER_MS = 5000;
const MOST_DOUBLINGS = 10;
/** A frame that finds no way out is made anew, with its age. */
const STALE_MS = 5000;
const MANY = 3;

/** What every carrier of this kind remembers. */
export interface Link extends Uplink {
  readonly identity: DeviceIdentity;
  /** Of the last step. */
  readonly nowMs: number;
  /** The way to the hub is open, as far as can be known. */
  readonly isUp: boolean;
  readonly session: Session | undefined;
  /** The next to use, -1: no count is left for one. */
  readonly fCntUp: number;
  /** The last one heard, -1: none. */
  readonly fCntDown: number;
  /** A count that is reserved and not used, -1: none. */
  readonly spare: number;
  /** Of the last join-request that was handed over. */
  readonly devNonce: number;
  /** The session as it is kept in Storage. */
  readonly kept: string;
  /** PHYPayload that waits for the way, or for news that it has arrived; "": none. */
  readonly out: string;
  readonly isConfirmed: boolean;
  /** Joins since the last that was answered, or the last alarm. */
  readonly joins: number;
  /** Confirmed frames in a row that were not acknowledged. */
  readonly unanswered: number;
}

/** A step being taken: a copy of the state, to be changed. */
export type Draft<L extends Link> = { -readonly [K in keyof L]: L[K] } & {
  readonly luck: number;
  effects: UplinkEffect[];
};
type LinkDraft = Draft<Link>;

/** Just given power: waits for its first count. */
export function createLink(identity: DeviceIdentity, nowMs: number, isUp: boolean): Link {
  return {
    identity: identity,
    nowMs: nowMs,
    phase: PHASE.wait,
    dueMs: Infinity,
    isUp: isUp,
    session: undefined,
    fCntUp: -1,
    fCntDown: -1,
    spare: -1,
    devNonce: -1,
    kept: "",
    out: "",
    isConfirmed: false,
    joins: 0,
    unanswered: 0,
  };
}

function rest(d: LinkDraft, phase: number, forMs: number): void {
  d.phase = phase;
  d.dueMs = d.nowMs + forMs;
}

/** Asks for a count, and that the session is kept. */
function keep(d: LinkDraft): void {
  d.effects.push({ do: DO.keep, text: d.kept });
}

/** Nothing is under way: says what comes next. */
function settle(d: LinkDraft): void {
  const session = d.session;
  const isJoining = !session || d.unanswered >= MANY;
  if (session && d.fCntUp < 0 && d.spare >= 0) {
    d.fCntUp = (d.spare - session.devNonce) * FRAMES_PER_COUNT;
    d.spare = -1;
  }
  d.out = "";
  rest(d, PHASE.wait, Infinity);
  if ((isJoining ? d.spare : d.fCntUp) < 0) keep(d);
  else if (d.isUp) {
    d.phase = isJoining ? PHASE.join : PHASE.idle;
    if (isJoining) d.out = joinRequest(d.identity, d.spare);
  }
}

/** When `kept` holds a join-accept for its DevNonce, that session is open. */
function openSession(d: LinkDraft, kept: string): void {
  const devNonce = byteAt(kept, 0) | (byteAt(kept, 1) << 8);
  const session = openJoinAccept(d.identity, devNonce, kept.substr(2));
  if (!session) return;
  d.session = session;
  d.kept = kept;
  d.fCntUp = devNonce === d.devNonce ? 0 : -1;
  d.fCntDown = d.devNonce = -1;
  d.joins = d.unanswered = 0;
  settle(d);
}

function end(d: LinkDraft, isAcked: boolean): void {
  d.effects.push({ do: DO.answered, isAcked: isAcked });
  d.unanswered = isAcked ? 0 : d.unanswered + (d.isConfirmed && !d.out ? 1 : 0);
  settle(d);
}

/** The way to the hub has opened or closed. */
export function setUp(d: LinkDraft, isUp: boolean): void {
  d.isUp = isUp;
  if (d.phase === PHASE.air) end(d, false);
  else settle(d);
}

/** `out` was passed on, for the first time or once more. */
export function handOver(d: LinkDraft): void {
  if (d.phase === PHASE.send) {
    d.fCntUp = (d.fCntUp + 1) % FRAMES_PER_COUNT > 0 ? d.fCntUp + 1 : -1;
    d.effects.push({ do: DO.onAir });
    rest(d, PHASE.air, ANSWER_MS);
  } else if (d.dueMs === Infinity) {
    d.devNonce = d.spare;
    d.spare = -1;
    rest(d, PHASE.join, JOIN_ANSWER_MS << Math.min(d.joins++, MOST_DOUBLINGS));
  }
}

/** What was passed on, if anything was, has arrived. That is all an unconfirmed frame waits for. */
export function confirm(d: LinkDraft): void {
  if (d.phase === PHASE.send || d.dueMs === Infinity) return;
  d.out = "";
  if (d.phase === PHASE.air && !d.isConfirmed) end(d, false);
}

/** A PHYPayload from the hub. What is not genuine, or late, is passed by. */
export function takeDownlink(d: LinkDraft, bytes: string): void {
  const nonce = d.devNonce;
  if (d.phase === PHASE.join) {
    if (nonce >= 0) openSession(d, little(nonce) + bytes);
    return;
  }
  const downlink = d.session && openDownlink(d.session, d.fCntDown, bytes);
  if (!downlink) return;
  d.fCntDown = downlink.fCntDown;
  if (downlink.isAck && d.isConfirmed && d.phase === PHASE.air) end(d, true);
  if (downlink.port > 0)
    d.effects.push({ do: DO.received, port: downlink.port, hex: toHex(downlink.payload) });
}

/** Takes what is no business of the carrier's: counts, frames, alarms, time. */
export function stepLink(d: LinkDraft, input: UplinkInput): void {
  if (input.count !== undefined) {
    d.spare = input.count;
    if (input.kept) openSession(d, input.kept);
    if (d.phase === PHASE.wait) settle(d);
  } else if (input.frame && d.session) {
    d.isConfirmed = input.frame.isConfirmed;
    d.out = sealUplink(d.session, d.fCntUp, input.frame);
    rest(d, PHASE.send, STALE_MS);
  } else {
    if (input.isQuiet && d.spare < 0) keep(d);
    if (input.isAlarm) d.joins = 0;
    if (d.nowMs >= d.dueMs || (input.isAlarm && !d.session)) {
      if (d.phase === PHASE.air) end(d, false);
      else {
        d.unanswered = 0;
        settle(d);
      }
    }
  }
}
