/** What the receiver knows of each enrolled hub while it runs. The ledger's registry is the truth; this is its image. */
import { createVerifyingKey, type VerifyingKey } from "../../protocols/signature.ts";
import type { Extent, HubRow } from "../ledger/ledger.ts";
import { createTimeCheck, type TimeCheck } from "./time-check.ts";

export interface HubLink {
  readonly id: string;
  readonly key: VerifyingKey;
  readonly time: TimeCheck;
  name: string;
  tlsFingerprint: string;
  revoked: boolean;
  extent: Extent;
  /** The highest sequence that its polls have named. */
  pollHead: number;
  intervalMs: number | null;
  /** Boot and monotonic time of its last poll: an older one is a replay. */
  lastPoll: { boot: number; monotonicMs: number } | null;
  /** The centre's clocks at its last sign of life. */
  lastSeen: { wallMs: number; monotonicMs: number } | null;
  lost: boolean;
  session: HubSession | null;
}

/** One connection. What its records prove about the hub's history holds for this connection only: a hub that was set back to
 *  an old image connects anew. */
export interface HubSession {
  /** Sends to this hub. `onAck`: it has acknowledged (MQTT QoS 1). */
  send(channel: "receipt" | "command", payload: Uint8Array, onAck?: () => void): void;
  /** What is sent to this hub in this turn of the event loop leaves together; without it, each message at once. */
  gather(): void;
  close(): void;
  /** The highest sequence that it has shown with the hash that stands in the ledger. */
  seen: number;
  /** As far as its history is shown to be the one in the ledger. */
  proven: number;
}

/** `clockToleranceMs`: see time-check.ts. */
export function createHubLink(row: HubRow, clockToleranceMs: number): HubLink {
  return {
    id: row.id,
    key: createVerifyingKey(row.publicKey, row.alg),
    time: createTimeCheck(clockToleranceMs, row.enrolledMs),
    name: row.name,
    tlsFingerprint: row.tlsFingerprint,
    revoked: row.revokedMs !== null,
    extent: row.extent,
    pollHead: 0,
    intervalMs: row.pollIntervalMs,
    lastPoll: null,
    lastSeen: null,
    lost: false,
    session: null,
  };
}
