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
const MAX_REMEMBERED = 16_384;

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
  // two generations, so that forgetting costs nothing: a frame is remembered for ten to twenty seconds
  let recent = new Set<number>();
  let older = new Set<number>();
  let recentMs = 0;
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
    isDuplicate(tmst, phyPayload, nowMs) {
      if (nowMs - recentMs >= DUPLICATE_MS || recent.size >= MAX_REMEMBERED) {
        older = recent;
        recent = new Set();
        recentMs = nowMs;
      }
      const key = frameKey(tmst, phyPayload);
      if (recent.has(key) || older.has(key)) return true;
      recent.add(key);
      return false;
    },
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

/** Two different frames at the same microsecond are taken for one with a probability of one in a million. */
function frameKey(tmst: number, phyPayload: Uint8Array): number {
  const at = (fromEnd: number) => phyPayload[phyPayload.length - fromEnd] ?? 0;
  return tmst * 0x10_0000 + (((at(1) & 0x0f) << 16) | (at(2) << 8) | at(3));
}
