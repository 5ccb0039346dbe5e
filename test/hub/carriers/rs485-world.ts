/** A wire carrier on a virtual bus in virtual time, and what it said. */
import { createVirtualBus, type VirtualBus } from "../../../hardware/virtual/bus.ts";
import { type BusSlave, createBusSlave } from "../../../hardware/virtual/bus-slave.ts";
import { createVirtualClock, type VirtualClock } from "../../../hardware/virtual/clock.ts";
import { createRandom } from "../../../hardware/virtual/random.ts";
import type { SendResult } from "../../../hub/carriers/carrier.ts";
import { openRs485, type Rs485Carrier } from "../../../hub/carriers/rs485.ts";
import type { BusConfig } from "../../../hub/carriers/rs485-config.ts";
import type { LineEvents, OpenLine } from "../../../hub/carriers/rs485-line.ts";

export interface WireWorldOptions {
  readonly config?: Partial<BusConfig>;
  /** Addresses of devices that are there. */
  readonly devices: readonly number[];
  readonly turnaroundMs?: number;
  readonly seed?: number;
  readonly pieceBytes?: number;
}

export interface WireWorld {
  readonly clock: VirtualClock;
  readonly bus: VirtualBus;
  readonly carrier: Rs485Carrier;
  readonly slaves: ReadonlyMap<number, BusSlave>;
  /** What the carrier handed on: gateway, hex, when. */
  readonly received: { gateway: string; hex: string; atMs: number }[];
  /** What devices were given: address, hex. */
  readonly delivered: { address: number; hex: string }[];
  /** What the carrier told, in words. */
  readonly told: string[];
  readonly adapter: VirtualAdapter;
  device(address: number): BusSlave;
  /** One more device on this address. */
  addSlave(address: number, turnaroundMs?: number): BusSlave;
  send(address: number, text: string): Promise<SendResult>;
  counter(name: string): number;
}

export interface VirtualAdapter {
  readonly openLine: OpenLine;
  unplug(): void;
  plug(): void;
}

/** The hub's port on a virtual bus as an adapter that can be pulled out. */
export function createVirtualAdapter(bus: VirtualBus, clock: VirtualClock): VirtualAdapter {
  const port = bus.attach();
  let events: LineEvents | null = null;
  port.onData((bytes) => events?.data(bytes));
  return {
    openLine(_path, _baud, given) {
      clock.setTimer(() => {
        port.setPlugged(true);
        events = given;
        given.opened();
      }, 0);
      return {
        write: (bytes) => port.send(bytes),
        async close() {
          port.setPlugged(false);
          events = null;
        },
      };
    },
    unplug() {
      port.setPlugged(false);
      events?.closed("the adapter is gone");
    },
    plug() {
      port.setPlugged(true);
      events?.opened();
    },
  };
}

/** A bus called "stairs". */
export function wireWorld(options: WireWorldOptions): WireWorld {
  const { devices, config = { addresses: [...devices] }, turnaroundMs = 3, seed = 1, pieceBytes } = options;
  const clock = createVirtualClock();
  const random = createRandom(seed);
  const bus = createVirtualBus({ clock, random, ...(pieceBytes && { pieceBytes }) });
  const received: WireWorld["received"] = [];
  const delivered: WireWorld["delivered"] = [];
  const told: string[] = [];
  const slaves = new Map<number, BusSlave>();
  const addSlave = (address: number, ms = turnaroundMs) => {
    const onPayload = (bytes: Uint8Array) =>
      void delivered.push({ address, hex: Buffer.from(bytes).toString("hex") });
    return createBusSlave({ clock, port: bus.attach(), address, turnaroundMs: ms, onPayload });
  };
  for (const address of devices) slaves.set(address, addSlave(address));
  const adapter = createVirtualAdapter(bus, clock);
  const carrier = openRs485({
    buses: [{ name: "stairs", path: "/dev/bus", baud: 38_400, addresses: [], ...config }],
    clock,
    openLine: adapter.openLine,
    onReception: ({ gateway, phyPayload, atMs }) =>
      received.push({ gateway, hex: Buffer.from(phyPayload).toString("hex"), atMs }),
    onBus: (name, isUp, reason) => told.push(`${name} ${isUp ? "up" : `down: ${reason}`}`),
    onDevice: (gateway, isUp, reason) => told.push(`${gateway} ${isUp ? "back" : `lost: ${reason}`}`),
    onConflict: (gateway) => told.push(`${gateway} twice`),
  });
  return {
    ...{ clock, bus, carrier, slaves, received, delivered, told, adapter, addSlave },
    device(address) {
      const slave = slaves.get(address);
      if (slave === undefined) throw new Error(`no device ${address}`);
      return slave;
    },
    send: (address, text) =>
      carrier.send({
        phyPayload: Buffer.from(text),
        gateway: `stairs/${address}`,
        ...{ tmst: null, frequencyHz: 0, dataRate: 0, eirpDbm: 0, devEui: "" },
      }),
    counter(name) {
      const value = carrier.counters[`stairs.${name}`];
      if (value === undefined) throw new Error(`no counter ${name}`);
      return value;
    },
  };
}

/** Bytes of a text, as a payload. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The other way. */
export function textOf(hex: string): string {
  return Buffer.from(hex, "hex").toString();
}
