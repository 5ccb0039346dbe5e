/** Asks hubs for the records that their chain says are missing. Asked again until they are here, ever more slowly; what a hub
 *  sends by itself meanwhile (an alarm overtakes its backlog) is not asked for at once.                              */
import { randomBytes } from "node:crypto";
import { sealCommand } from "../../protocols/command.ts";
import type { Clock } from "../clock.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { HubLink } from "./hub-link.ts";
import type { ReceiptSigner } from "./receipts.ts";

export const GAP_LIMITS = {
  ranges: 4,
  recordsPerRange: 1000,
  firstAskMs: 500,
  tailAskMs: 10_000,
  slowestAskMs: 60_000,
} as const;

interface Ask {
  dueMs: number;
  waitMs: number;
  /** How far the chain was when it was asked: progress makes the asking quick again. */
  contiguous: number;
}

export interface Gaps {
  /** The hub's extent or poll may have changed. */
  look(hub: HubLink): void;
  /** To be called a few times a second. */
  sweep(): void;
  /** Missing ranges as last asked for. */
  known(hub: HubLink): readonly (readonly [number, number])[];
}

export function createGaps(options: {
  readonly ledger: Pick<Ledger, "missing">;
  readonly clock: Clock;
  readonly signer: ReceiptSigner;
  readonly hubs: ReadonlyMap<string, HubLink>;
  onError(error: Error): void;
}): Gaps {
  const { ledger, clock, signer } = options;
  const asks = new Map<string, Ask>();
  const known = new Map<string, readonly [number, number][]>();

  function look(hub: HubLink): void {
    const inner = hub.extent.head > hub.extent.contiguous;
    if (!inner && hub.pollHead <= hub.extent.head) {
      asks.delete(hub.id);
      known.delete(hub.id);
      return;
    }
    if (asks.has(hub.id)) return;
    const waitMs = inner ? GAP_LIMITS.firstAskMs : GAP_LIMITS.tailAskMs;
    asks.set(hub.id, { dueMs: clock.monotonicMs() + waitMs, waitMs, contiguous: hub.extent.contiguous });
  }

  async function ask(hub: HubLink): Promise<void> {
    const ranges = await ledger.missing(hub.id, GAP_LIMITS.ranges);
    const { head } = hub.extent;
    if (hub.pollHead > head && ranges.length < GAP_LIMITS.ranges) ranges.push([head + 1, hub.pollHead]);
    known.set(hub.id, ranges);
    for (const [from, to] of ranges) hub.session?.send("command", command(hub, from, to));
  }

  function command(hub: HubLink, from: number, to: number): Uint8Array {
    const last = Math.min(to, from + GAP_LIMITS.recordsPerRange - 1);
    const nonce = randomBytes(8).toString("hex");
    const issuedMs = clock.wallMs();
    return sealCommand(
      { version: 1, type: "resend", hub: hub.id, from, to: last, issuedMs, nonce },
      signer.realm,
      signer.key,
    );
  }

  return {
    look,
    known: (hub) => known.get(hub.id) ?? [],
    sweep() {
      const nowMs = clock.monotonicMs();
      for (const [id, due] of asks) {
        const hub = options.hubs.get(id);
        if (due.dueMs > nowMs || hub === undefined || hub.session === null) continue;
        const moved = hub.extent.contiguous > due.contiguous;
        due.waitMs = moved ? GAP_LIMITS.firstAskMs : Math.min(due.waitMs * 2, GAP_LIMITS.slowestAskMs);
        due.contiguous = hub.extent.contiguous;
        due.dueMs = nowMs + due.waitMs;
        ask(hub).catch(options.onError);
      }
    },
  };
}
