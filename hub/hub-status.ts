/** What `tugma hub status` and the status page show. JSON-shaped, no keys in it. */
import type { Annunciators } from "./annunciator/annunciator.ts";
import type { Broker } from "./broker/broker.ts";
import type { Rs485Carrier } from "./carriers/rs485.ts";
import type { SemtechUdpCarrier } from "./carriers/semtech-udp.ts";
import type { DeviceRegistry } from "./device-registry.ts";
import type { Foundation } from "./foundation.ts";
import type { Ingest } from "./ingest.ts";
import type { NetworkServer } from "./lorawan/server.ts";
import type { Modbus } from "./modbus/modbus.ts";
import type { Relay } from "./relay/relay.ts";
import type { Supervision } from "./supervision.ts";

export interface StatusParts {
  readonly foundation: Foundation;
  readonly registry: DeviceRegistry;
  readonly supervision: Supervision;
  readonly ingest: Ingest;
  readonly network: NetworkServer;
  readonly notices: { readonly counters: Readonly<Record<string, number>> };
  readonly relay: Relay;
  readonly broker: Broker | null;
  readonly udp: SemtechUdpCarrier;
  readonly modbus: Modbus | null;
  readonly annunciators: Annunciators | null;
  /** Null where there is no bus. */
  readonly wire: Rs485Carrier | null;
}

export type HubStatus = ReturnType<typeof hubStatus>;

export function hubStatus(parts: StatusParts) {
  const { foundation, registry, supervision, ingest, network, notices, relay, broker, udp } = parts;
  const { wire, modbus, annunciators } = parts;
  const { identity, config, journal, time, disk, clock } = foundation;
  return {
    hub: identity.hub,
    name: config.name,
    realm: identity.realm,
    region: config.region,
    head: journal.head,
    time: time.stamp().time,
    disk: disk.trouble ?? "ok",
    devices: registry.rows.size,
    ports: { mqtt: broker?.port ?? null, udp: udp.address.port },
    paths: relay.view(),
    buses: wire?.view() ?? [],
    supervision: supervision.view(clock.monotonicMs()),
    modbus: modbus?.view() ?? [],
    annunciators: annunciators?.view() ?? [],
    counters: {
      ...prefixed("ingest", ingest.counters),
      ...prefixed("lorawan", network.counters),
      ...prefixed("udp", udp.counters),
      ...prefixed("rs485", wire?.counters ?? {}),
      ...prefixed("broker", broker?.counters ?? {}),
      ...prefixed("notices", notices.counters),
      ...prefixed("modbus", modbus?.counters ?? {}),
      ...prefixed("annunciator", annunciators?.counters ?? {}),
      "disk.refusals": disk.refusals,
      "journal.sequence": journal.head.sequence,
    },
  };
}

function prefixed(prefix: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, value]) => [`${prefix}.${name}`, value]));
}
