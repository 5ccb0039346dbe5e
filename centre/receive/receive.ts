/** The receiver (RCT): puts together the door, the intake, supervision and the asking for what is missing. */

import { isCodecError } from "../../protocols/device/codec-error.ts";
import { type EventRecord, openEvent } from "../../protocols/event.ts";
import { type Clock, repeat } from "../clock.ts";
import type { Arrival, Fact } from "../incidents/incident.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { HubView } from "../web-link.ts";
import { type Broker, startBroker } from "./broker.ts";
import { createGaps } from "./gaps.ts";
import { createHubLink, type HubLink } from "./hub-link.ts";
import { createIntake } from "./intake.ts";
import { createQuarantine } from "./quarantine.ts";
import type { ReceiptSigner } from "./receipts.ts";
import { createSupervision } from "./supervision.ts";

export interface ReceiveOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly signer: ReceiptSigner;
  readonly clockToleranceMs: number;
  readonly broker: { readonly host: string; readonly port: number; readonly maxConnections: number };
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
  onFault(fault: string | null): void;
  onError(error: Error): void;
}

/** What the incidents do for the receiver; they exist only once the registry is loaded. */
export interface Incidents {
  arrival(arrival: Arrival): string | null;
  fact(fact: Fact): void;
  incidentOf(hub: string, sequence: number): string | null;
  isHubLost(hub: string): boolean;
  /** The hub listens again. */
  resume(hub: string): void;
}

export interface Receive {
  readonly counters: Readonly<Record<string, number>>;
  readonly quarantineCount: number;
  readonly connections: number;
  /** Opens a record of the ledger again; null when its signature or form is not what it was. */
  openRecord(hub: string, bytes: Uint8Array): EventRecord | null;
  /** Sends to a connected hub; false when it is not connected. */
  send(hub: string, payload: Uint8Array, onAck: () => void): boolean;
  hubs(): HubView[];
  /** The registry has changed: a hub was enrolled or revoked. */
  reload(): Promise<void>;
  /** Opens the door. */
  listen(incidents: Incidents): Promise<{ port: number }>;
  stop(): Promise<void>;
}

const SWEEP_MS = 250;

/** Loads the registry; nothing is received before `listen`. */
export async function createReceive(options: ReceiveOptions): Promise<Receive> {
  const { ledger, clock, signer, onError } = options;
  const hubs = new Map<string, HubLink>();
  const counters: Record<string, number> = {};
  const quarantine = createQuarantine(ledger);
  const gaps = createGaps({ ledger, clock, signer, hubs, onError });
  let broker: Broker | undefined;
  let stopSweep = () => {};

  const count = (name: string) => {
    counters[name] = (counters[name] ?? 0) + 1;
  };

  async function reload(): Promise<void> {
    for (const row of await ledger.hubs()) {
      const known = hubs.get(row.id);
      if (known === undefined) {
        hubs.set(row.id, createHubLink(row, options.clockToleranceMs));
        continue;
      }
      known.name = row.name;
      known.revoked = row.revokedMs !== null;
      if (known.tlsFingerprint !== row.tlsFingerprint || known.revoked) known.session?.close();
      known.tlsFingerprint = row.tlsFingerprint;
    }
  }

  async function listen(incidents: Incidents): Promise<{ port: number }> {
    for (const hub of hubs.values()) hub.lost = incidents.isHubLost(hub.id);
    const supervision = createSupervision({
      realm: signer.realm,
      clock,
      hubs,
      onFact: incidents.fact,
      onInterval: (hub, intervalMs) => void ledger.setPollInterval(hub.id, intervalMs).catch(onError),
      onReject(hub, bytes, code, message) {
        count("quarantined");
        quarantine
          .put({ atMs: clock.wallMs(), hub: hub.id, code, message, bytes }, clock.monotonicMs())
          .catch(onError);
      },
    });
    const intake = createIntake({
      ledger,
      clock,
      signer,
      quarantine,
      count,
      onFault: options.onFault,
      onArrival: incidents.arrival,
      incidentOf: incidents.incidentOf,
      onExtent(hub, extent) {
        hub.extent = extent;
        supervision.alive(hub);
        gaps.look(hub);
      },
    });
    broker = await startBroker({
      ...options.broker,
      tls: options.tls,
      count,
      hubOf(id, fingerprint) {
        const hub = hubs.get(id);
        return hub?.tlsFingerprint === fingerprint && !hub.revoked ? hub : undefined;
      },
      onRecord: intake.receive,
      onPoll(hub, payload) {
        count("polls");
        supervision.poll(hub, payload);
        gaps.look(hub);
      },
      onSubscribed: (hub) => incidents.resume(hub.id),
    });
    const timer = repeat(
      clock,
      () => {
        supervision.sweep();
        gaps.sweep();
      },
      SWEEP_MS,
    );
    stopSweep = timer.cancel;
    return { port: broker.port };
  }

  function view(hub: HubLink): HubView {
    return {
      id: hub.id,
      name: hub.name,
      link: hub.lastSeen !== null && !hub.lost ? "up" : "down",
      lastSeenMs: hub.lastSeen?.wallMs ?? null,
      complete: hub.extent.complete,
      head: Math.max(hub.extent.head, hub.pollHead),
      gaps: gaps.known(hub),
      revoked: hub.revoked,
    };
  }

  await reload();
  return {
    counters,
    get quarantineCount() {
      return quarantine.count;
    },
    get connections() {
      return broker?.connections ?? 0;
    },
    openRecord(id, bytes) {
      try {
        return openEvent(bytes, signer.realm, () => hubs.get(id)?.key).event;
      } catch (error) {
        if (!isCodecError(error)) throw error;
        count("damagedRecords");
        onError(
          new Error(`ledger: a record of hub ${id} is not what the hub signed: ${error.message}`, {
            cause: error,
          }),
        );
        return null;
      }
    },
    send(id, payload, onAck) {
      const session = hubs.get(id)?.session ?? null;
      session?.send("receipt", payload, onAck);
      return session !== null;
    },
    hubs: () => [...hubs.values()].map(view),
    reload,
    listen,
    async stop() {
      stopSweep();
      await broker?.close();
    },
  };
}
