/** The alarm's road inside the hub: LoRaWAN server → ingest → journal, and the stages' way back. */
import { randomBytes } from "node:crypto";
import { SETTINGS_FPORT } from "../protocols/device/settings.ts";
import { REGIONS } from "../protocols/lorawan/regions.ts";
import { type Announcement, announceStage } from "./announce.ts";
import type { Reception } from "./carriers/carrier.ts";
import type { DeviceRegistry } from "./device-registry.ts";
import { type DeviceSettings, openDeviceSettings } from "./device-settings.ts";
import type { Foundation, HubOptions } from "./foundation.ts";
import { createIngest, type Ingest } from "./ingest.ts";
import { createNetworkServer, type NetworkServer } from "./lorawan/server.ts";
import type { UplinkSink } from "./lorawan/sink.ts";
import { createNoticeJournal } from "./notice-journal.ts";
import type { Confirmed } from "./relay/receipt-check.ts";
import type { Supervision } from "./supervision.ts";

export interface Road {
  readonly ingest: Ingest;
  readonly network: NetworkServer;
  readonly settings: DeviceSettings;
  readonly notices: { readonly counters: Readonly<Record<string, number>> };
  /** A verified receipt: the events it answers rise. */
  confirm(confirmed: Confirmed): void;
}

export interface RoadParts {
  readonly foundation: Foundation;
  readonly registry: DeviceRegistry;
  readonly supervision: Supervision;
  announce(list: readonly Announcement[]): void;
}

/** Ready to receive; `stack` stops it. */
export async function openRoad(
  parts: RoadParts,
  options: HubOptions,
  stack: AsyncDisposableStack,
): Promise<Road> {
  const { foundation, registry, announce } = parts;
  const { clock, journal, log, tell, trouble, config, time } = foundation;
  const ingest = await createIngest({
    journal,
    clock,
    unixMs: () => time.stamp().time.unixMs,
    device: (devEui) => registry.rows.get(devEui),
    onStage(event) {
      network.answerChanged(event.devEui);
      announce(announceStage(event));
    },
    onTrouble: trouble,
  });
  const notices = createNoticeJournal({
    clock,
    tell,
    log,
    place: (devEui) => registry.rows.get(devEui)?.place,
  });
  const settings = await openDeviceSettings({
    journal,
    random: () => (options.random ?? randomBytes)(1)[0] ?? 0,
    place: (devEui) => registry.rows.get(devEui)?.place,
    onWish: (devEui) => network.answerChanged(devEui),
  });
  const network: NetworkServer = createNetworkServer({
    region: REGIONS[config.region],
    clock,
    store: journal,
    sink: createSink(parts, { ingest, settings, notices }),
    devices: [...registry.rows.values()],
    dutyCycle: await journal.loadDutyCycle(),
    netId: config.lorawan.netId,
    rxDelayS: config.lorawan.rxDelayS,
    timeTrusted: () => time.stamp().time.source !== "none",
    random: options.random ?? randomBytes,
  });
  registry.dropSessions();
  stack.defer(() => network.stop());
  registry.onChange(({ added, removed }) => {
    for (const row of added) network.addDevice(row);
    if (removed === null) return;
    network.removeDevice(removed);
    ingest.forget(removed);
    settings.forget(removed);
  });
  return { ingest, network, notices, settings, confirm: (confirmed) => confirmStages(ingest, confirmed) };
}

interface SinkParts {
  readonly ingest: Ingest;
  readonly settings: DeviceSettings;
  readonly notices: ReturnType<typeof createNoticeJournal>;
}

function createSink(
  { foundation, supervision }: RoadParts,
  { ingest, settings, notices }: SinkParts,
): UplinkSink {
  const { clock, disk } = foundation;
  return {
    async accept(uplink, counter) {
      supervision.heard(uplink.devEui, clock.monotonicMs(), wireOf(uplink.receptions[0]));
      try {
        if (uplink.fPort === SETTINGS_FPORT) {
          const accepted = await settings.accept(uplink, counter);
          if (accepted !== false) return accepted;
        }
        const accepted = await ingest.accept(uplink, counter);
        // never in an alarm's way
        settings.heard(uplink.devEui).catch(foundation.trouble);
        return accepted;
      } catch (error) {
        disk.refused(error);
        throw error;
      }
    },
    addReception: ingest.addReception,
    answer: (devEui) => ingest.answer(devEui) ?? settings.answer(devEui),
    notice(notice) {
      if (notice.type === "alive")
        supervision.heard(notice.devEui, clock.monotonicMs(), wireOf(notice.reception));
      notices.take(notice);
    },
  };
}

/** bus/address, or null for what came by no wire. */
function wireOf(reception: Reception | undefined): string | null {
  return reception?.carrier === "rs485" ? reception.gateway : null;
}

function confirmStages(ingest: Ingest, { receipt, sequences, upTo }: Confirmed): void {
  for (const sequence of sequences) {
    // the stage is about the record that the receipt is made for; the further ones are at the centre, no more
    ingest.raise(sequence, sequence === receipt.sequence ? receipt.stage : "received");
  }
  ingest.raiseAll(upTo, "received");
}
