/** What the hub remembers of one gateway that speaks Semtech UDP: where its downlinks go, what it sent of late, how much
 *  it may still send. Pure but for its own memory; time comes in with each call. */
import type { SemtechVersion } from "../../protocols/semtech-udp.ts";
import type { DatagramAddress } from "./datagram.ts";

/** A gateway that was silent this long may come back from another address. */
export const PIN_MS = 180_000;
/** The keepalive is 5 or 10 s: a gateway that missed so many has gone. */
const PULL_FRESH_MS = 60_000;
/** Some forwarders send a frame again and again over a bad line. */
const DUPLICATE_MS = 10_000;
/** A power of two, and several times what one gateway can hear in that time. */
const REMEMBERED = 2_048;

export interface GatewayLink {
  /** Notes a datagram's source; false while the gateway is pinned to another address. */
  pin(address: string, nowMs: number): boolean;
  /** The address it is pinned to, or null. */
  readonly pinned: string | null;
  /** True when this frame with this counter came within the last ten seconds. */
  isDuplicate(tmst: number, phyPayload: Uint8Array, nowMs: number): boolean;
  /** Takes one from the rate limit; false when nothing is left. */
  take(nowMs: number): boolean;
  /** Where the last PULL_DATA came from, while it is fresh. Its port changes when the forwarder restarts. */
  downlink(nowMs: number): { readonly to: DatagramAddress; readonly version: SemtechVersion } | null;
  /** Notes a PULL_DATA. */
  pulled(from: DatagramAddress, version: SemtechVersion, nowMs: number): void;
}

export interface RateLimit {
  perSecond: number;
  burst: number;
}

/** A gateway heard for the first time. */
export function createGatewayLink(limit: RateLimit): GatewayLink {
  let pinned: string | null = null;
  let pinnedMs = 0;
  let tokens = limit.burst;
  let refilledMs = 0;

  let pull: { to: DatagramAddress; version: SemtechVersion; atMs: number } | null = null;

  return {
    get pinned() {
      return pinned;
    },
    pin(address, nowMs) {
      if (pinned !== null && pinned !== address && nowMs - pinnedMs < PIN_MS) return false;
      if (pinned !== address) pull = null;
      pinned = address;
      pinnedMs = nowMs;
      return true;
    },
    isDuplicate: createRecentFrames(),
    take(nowMs) {
      tokens = Math.min(limit.burst, tokens + ((nowMs - refilledMs) / 1000) * limit.perSecond);
      refilledMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
    downlink: (nowMs) => (pull !== null && nowMs - pull.atMs < PULL_FRESH_MS ? pull : null),
    pulled(to, version, atMs) {
      pull = { to, version, atMs };
    },
  };
}

/** A table of the latest frames by counter. One that falls into another's place makes it forgotten: the server behind
 *  knows copies too, this only keeps it from being asked. A frame counts as the same by counter, MIC and length. */
function createRecentFrames(): GatewayLink["isDuplicate"] {
  const tmsts = new Uint32Array(REMEMBERED);
  const tails = new Int32Array(REMEMBERED);
  // of an empty place: no frame's
  const lengths = new Uint16Array(REMEMBERED).fill(0xffff);
  // whole milliseconds modulo 2^32
  const timesMs = new Uint32Array(REMEMBERED);
  return (tmst, phyPayload, nowMs) => {
    const length = phyPayload.length;
    const at = (fromEnd: number) => phyPayload[length - fromEnd] ?? 0;
    const tail = (at(4) << 24) | (at(3) << 16) | (at(2) << 8) | at(1);
    const place = (tmst ^ (tmst >>> 10) ^ tail) & (REMEMBERED - 1);
    const same = tmsts[place] === tmst && tails[place] === tail && lengths[place] === length;
    if (same && (Math.trunc(nowMs) - (timesMs[place] ?? 0)) >>> 0 < DUPLICATE_MS) return true;
    tmsts[place] = tmst;
    tails[place] = tail;
    lengths[place] = length;
    timesMs[place] = nowMs;
    return false;
  };
}
