/** Polls, and what their absence says: a hub promises in each signed poll when it speaks again; two promises missed is a fault
 *  that an operator sees, and its return ends that fault.                                                             */
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { openPoll, type Poll } from "../../protocols/poll.ts";
import type { Clock } from "../clock.ts";
import type { Fact } from "../incidents/incident.ts";
import type { HubLink } from "./hub-link.ts";

/** A poll may be this late on the network before it counts as missed. */
const LATE_MS = 1_000;
const MISSED_POLLS = 2;
/** No promise is believed for longer. */
const MAX_INTERVAL_MS = 24 * 3_600_000;

export interface SupervisionOptions {
  readonly realm: string;
  readonly clock: Clock;
  readonly hubs: ReadonlyMap<string, HubLink>;
  onFact(fact: Fact): void;
  /** A hub has promised another interval than before. */
  onInterval(hub: HubLink, intervalMs: number): void;
  onReject(hub: HubLink, bytes: Uint8Array, code: string, message: string): void;
}

export interface Supervision {
  poll(hub: HubLink, payload: Uint8Array): void;
  /** Any verified sign of life. */
  alive(hub: HubLink): void;
  /** To be called about once a second. */
  sweep(): void;
}

export function createSupervision({ realm, clock, hubs, ...options }: SupervisionOptions): Supervision {
  const startedMs = clock.monotonicMs();
  const startedWallMs = clock.wallMs();

  function alive(hub: HubLink): void {
    hub.lastSeen = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    if (!hub.lost) return;
    hub.lost = false;
    options.onFact({ type: "hubBack", hub: hub.id, atMs: clock.wallMs() });
  }

  function accept(hub: HubLink, poll: Poll): void {
    hub.lastPoll = { boot: poll.boot, monotonicMs: poll.monotonicMs };
    hub.pollHead = poll.sequence;
    hub.time.heard(poll, clock.wallMs());
    const intervalMs = Math.min(poll.intervalMs, MAX_INTERVAL_MS);
    if (intervalMs !== hub.intervalMs) options.onInterval(hub, intervalMs);
    hub.intervalMs = intervalMs;
    alive(hub);
  }

  return {
    alive,
    poll(hub, payload) {
      try {
        const { poll } = openPoll(payload, realm, (kid) => (kid === hub.key.kid ? hub.key : undefined));
        if (poll.hub !== hub.id) options.onReject(hub, payload, "foreign", `poll: of hub ${poll.hub}`);
        else if (isReplay(hub, poll))
          options.onReject(hub, payload, "replay", "poll: older than one that came before");
        else accept(hub, poll);
      } catch (error) {
        if (!isCodecError(error)) throw error;
        options.onReject(hub, payload, error.code, error.message);
      }
    },
    sweep() {
      const nowMs = clock.monotonicMs();
      for (const hub of hubs.values()) {
        if (hub.intervalMs === null || hub.lost || hub.revoked) continue;
        const seenMs = hub.lastSeen?.monotonicMs ?? startedMs;
        if (nowMs - seenMs <= MISSED_POLLS * hub.intervalMs + LATE_MS) continue;
        hub.lost = true;
        const lastSeenMs = hub.lastSeen?.wallMs ?? startedWallMs;
        options.onFact({ type: "hubLost", hub: hub.id, hubName: hub.name, atMs: clock.wallMs(), lastSeenMs });
      }
    },
  };
}

function isReplay({ lastPoll }: HubLink, poll: Poll): boolean {
  if (lastPoll === null) return false;
  return (
    poll.boot < lastPoll.boot || (poll.boot === lastPoll.boot && poll.monotonicMs <= lastPoll.monotonicMs)
  );
}
