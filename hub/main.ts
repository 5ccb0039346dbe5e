/** The hub's composition root: puts the parts together and takes them apart again in reverse order. Behaviour is in the
 *  parts; here is only who hears whom. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { REGIONS } from "../protocols/lorawan/regions.ts";
import { createSigningKey, createVerifyingKey } from "../protocols/signature.ts";
import { type Announcement, announceHub, announceRecord, givesWay, type StateSubject } from "./announce.ts";
import { openAnnunciators, openPollers } from "./attached.ts";
import { type Broker, startBroker } from "./broker/broker.ts";
import { createUdpDatagrams } from "./carriers/datagram.ts";
import { createMqttCarrier } from "./carriers/mqtt.ts";
import { openSemtechUdp, type SemtechUdpCarrier } from "./carriers/semtech-udp.ts";
import { loadBrokerUsers } from "./credentials.ts";
import { type DeviceRegistry, type DeviceView, openDeviceRegistry } from "./device-registry.ts";
import type { DeviceSetting } from "./device-settings.ts";
import { hubDraft } from "./drafts.ts";
import type { EnrolledCentre } from "./enrolments.ts";
import { every } from "./every.ts";
import { type Foundation, type HubOptions, layFoundation } from "./foundation.ts";
import { type HubStatus, hubStatus, type StatusParts } from "./hub-status.ts";
import type { Journal } from "./journal/journal.ts";
import type { ReceiveOutcome } from "./lorawan/server.ts";
import { type Relay, type RelayCentre, startRelay } from "./relay/relay.ts";
import { openRoad, type Road } from "./road.ts";
import { startStatusDoor } from "./status.ts";
import { createSupervision, type Supervision } from "./supervision.ts";
import { openWire } from "./wire.ts";

export interface Hub {
  /** 16 hex digits. */
  readonly id: string;
  /** The hub's own broker; null where there is none. */
  readonly mqttPort: number | null;
  readonly udpPort: number;
  readonly journal: Journal;
  status(): HubStatus;
  /** `list`: JSON as `DeviceInput`. All or nothing; rejects with a DeviceListError. */
  addDevices(list: unknown): Promise<{ added: number }>;
  /** False when there is no such device. */
  removeDevice(devEui: string): Promise<boolean>;
  listDevices(): DeviceView[];
  /** `wish`: JSON as `SettingsWish`. Settles when it is stored; rejects with a SettingsError. */
  setDevice(devEui: string, wish: unknown): Promise<DeviceSetting>;
  /** Reads the broker's names and secrets again. */
  reloadUsers(): void;
  stop(): Promise<void>;
}

const SUPERVISE_MS = 1_000;
const HUB_STATE_MS = 30_000;

/** Settles when the hub hears its gateways. Rejects, with everything closed again, when it cannot. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const stack = new AsyncDisposableStack();
  try {
    return await compose(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function compose(options: HubOptions, stack: AsyncDisposableStack): Promise<Hub> {
  const foundation = await layFoundation(options, stack);
  const { journal, log, identity } = foundation;
  const registry = await openDeviceRegistry(journal);
  const supervision = createSupervision();
  const outlet = createOutlet();
  stack.defer(journal.onStored(({ event }) => outlet.announce(announceRecord(event))));

  const road = await openRoad(
    { foundation, registry, supervision, announce: outlet.announce },
    options,
    stack,
  );
  const broker = options.simulated ? null : await openBroker(options, { road, registry, status }, stack);
  outlet.attach(broker);
  const relay = connectCentres(options, { foundation, supervision, road }, stack);
  const udp = await openRadio(options, { foundation, supervision, road }, stack);
  const wire = await openWire(options, { foundation, supervision, road }, stack);
  const modbus = await openPollers(options, foundation, stack);
  const annunciators = await openAnnunciators(options, foundation, stack);

  const parts: StatusParts = {
    foundation,
    registry,
    supervision,
    relay,
    broker,
    udp,
    wire,
    modbus,
    annunciators,
    ...road,
  };
  const listDevices = () =>
    registry.views().map((view) => ({ ...view, settings: road.settings.of(view.devEui) ?? null }));
  function status(): HubStatus {
    return hubStatus(parts);
  }
  supervise({ foundation, registry, supervision, relay, announce: outlet.announce }, stack);
  if (!options.simulated) {
    const door = await startStatusDoor(path.join(options.dir, "status.sock"), {
      status,
      listDevices,
      addDevices: registry.add,
      removeDevice: registry.remove,
      setDevice: road.settings.wish,
      silence: () => annunciators?.silence() ?? 0,
    });
    stack.defer(() => door.close());
  }
  for (const damage of journal.damage) foundation.tell(hubDraft("diskFault", damage));
  foundation.tell(hubDraft("hubStarted", `boot ${journal.head.boot}`));
  const ports = { mqttPort: broker?.port ?? null, udpPort: udp.address.port };
  log.info({ hub: identity.hub, boot: journal.head.boot, ...ports }, "hub.started");
  return {
    id: identity.hub,
    ...ports,
    journal,
    status,
    addDevices: registry.add,
    removeDevice: registry.remove,
    listDevices,
    setDevice: road.settings.wish,
    reloadUsers: () => broker?.setUsers(loadBrokerUsers(options.dir)),
    stop: () => stack.disposeAsync(),
  };
}

/** Announcements go to the broker once there is one. */
function createOutlet() {
  let broker: Broker | null = null;
  const shown = new Map<string, StateSubject>();
  /** Every state is said; the retained one is the one that matters most. */
  const mayStay = ({ topic, about }: Announcement) => {
    if (about === undefined) return true;
    const before = shown.get(topic);
    if (before !== undefined && !givesWay(before, about)) return false;
    shown.set(topic, about);
    return true;
  };
  return {
    attach: (to: Broker | null) => {
      broker = to;
    },
    announce: (list: readonly Announcement[]) => {
      for (const one of list) {
        const retain = one.retain && mayStay(one);
        broker?.publish(one.topic, JSON.stringify(one.body), { retain, gather: true });
      }
    },
  };
}

async function openBroker(
  { config, clock, dir, log }: HubOptions,
  { road, registry, status }: { road: Road; registry: DeviceRegistry; status(): HubStatus },
  stack: AsyncDisposableStack,
): Promise<Broker> {
  const { network } = road;
  const carrier = createMqttCarrier({
    clock,
    publish: (topic, payload) => broker.publish(topic, payload),
    receive: (reception) => new Promise<ReceiveOutcome>((settled) => network.receive(reception, settled)),
  });
  const broker: Broker = await startBroker({
    ...config.broker,
    users: loadBrokerUsers(dir),
    clock,
    onUplink: carrier.uplink,
    onRequest: async (name) => (name === "status" ? status() : name === "devices" ? registry.views() : null),
    onTrouble: (reason) => log.warn({ reason }, "broker.restarted"),
  });
  stack.defer(() => broker.close());
  network.attach(carrier);
  return broker;
}

async function openRadio(
  { config, clock, log, random = randomBytes, datagrams }: HubOptions,
  { supervision, road }: { foundation: Foundation; supervision: Supervision; road: Road },
  stack: AsyncDisposableStack,
): Promise<SemtechUdpCarrier> {
  const { host, port, gateways } = config.semtechUdp;
  const udp = await openSemtechUdp({
    region: REGIONS[config.region],
    clock,
    datagrams: datagrams ?? createUdpDatagrams((error) => log.warn({ error: error.message }, "udp.error")),
    address: host,
    port,
    ...(gateways.length > 0 && { gateways }),
    random,
    onReception: (reception) => road.network.receive(reception),
    onGateway: (gateway) => supervision.gatewaySeen(gateway, clock.monotonicMs()),
  });
  stack.defer(() => udp.close());
  road.network.attach(udp);
  supervision.watchGateways(
    gateways.map(({ eui }) => eui),
    clock.monotonicMs(),
  );
  return udp;
}

function connectCentres(
  { config, random = randomBytes }: HubOptions,
  { foundation, supervision, road }: { foundation: Foundation; supervision: Supervision; road: Road },
  stack: AsyncDisposableStack,
): Relay {
  const { identity, journal, clock, time, log } = foundation;
  const up = new Map<string, boolean>();
  const relay = startRelay({
    centres: identity.centres.map((centre) => relayCentre(centre, identity.tlsKeyPem, random)),
    hub: identity.hub,
    realm: identity.realm,
    signingKey: createSigningKey(identity.signingKeyPem),
    pollMs: config.centre.pollS * 1000,
    journal,
    clock,
    time,
    onConfirmed: (_path, confirmed) => road.confirm(confirmed),
    onChange(name, isUp, reason) {
      supervision.path(name, isUp, clock.monotonicMs());
      if (up.get(name) === isUp) return;
      up.set(name, isUp);
      if (isUp) log.info({ path: name }, "relay.pathUp");
      else log.warn({ path: name, reason }, "relay.pathDown");
    },
    onReceiptLost(name, forMs) {
      const seconds = Math.round(forMs / 1000);
      log.warn({ path: name, seconds }, "relay.receiptLost");
      foundation.tell(hubDraft("receiptLost", `${name}: no receipt for ${seconds} s`));
    },
    log: (level, event, fields) => log[level](fields, event),
  });
  stack.defer(() => relay.close());
  return relay;
}

function relayCentre(
  centre: EnrolledCentre,
  tlsKeyPem: string,
  random: (bytes: number) => Uint8Array,
): RelayCentre {
  const { name, access, enrolment, caPem, certificatePem } = centre;
  return {
    name,
    centreKey: createVerifyingKey(access.receiptPublicKey, access.receiptAlg),
    fromSequence: enrolment.fromSequence,
    link: {
      host: access.mqttHost,
      port: access.mqttPort,
      caPem,
      certificatePem,
      privateKeyPem: tlsKeyPem,
      random: () => (random(1)[0] ?? 0) / 256,
    },
  };
}

interface Supervised {
  readonly foundation: Foundation;
  readonly registry: DeviceRegistry;
  readonly supervision: Supervision;
  readonly relay: Relay;
  announce(list: readonly Announcement[]): void;
}

/** Silence, steps of the clock, and the hub's own sign of life on its broker. */
function supervise(parts: Supervised, stack: AsyncDisposableStack): void {
  const { foundation, registry, supervision, relay, announce } = parts;
  const { clock, time, tell, identity, config, journal } = foundation;
  const watch = () => supervision.watchDevices([...registry.rows.values()], clock.monotonicMs());
  watch();
  registry.onChange(watch);
  const look = () => {
    for (const { kind, device, note } of supervision.tick(clock.monotonicMs())) {
      const place = device === null ? undefined : registry.rows.get(device)?.place;
      tell(hubDraft(kind, note, { device, ...(place && { place }) }));
    }
    const step = time.step();
    if (step !== null) tell(hubDraft("clockStep", `the wall clock stepped by ${step.byMs} ms`));
  };
  const sayState = () => {
    const paths = relay.view().map(({ name, up, backlog }) => ({ name, up, backlog }));
    const { sequence } = journal.head;
    announce([announceHub({ state: "online", hub: identity.hub, name: config.name, sequence, paths })]);
  };
  sayState();
  stack.defer(every(clock, SUPERVISE_MS, look));
  stack.defer(every(clock, HUB_STATE_MS, sayState));
}
