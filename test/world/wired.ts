/** A hub with one wire bus and bare devices on it, in virtual time; no centre. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createVirtualBus, type VirtualBus } from "../../hardware/virtual/bus.ts";
import { createVirtualClock, type VirtualClock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../hardware/virtual/datagram.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createWiredDevice, type WiredDevice, type WiredEvent } from "../../hardware/virtual/wired-device.ts";
import { encodeReport } from "../../protocols/device/report.ts";
import type { EventRecord } from "../../protocols/event.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";
import { createVirtualAdapter, type VirtualAdapter } from "../hub/carriers/rs485-world.ts";
import { createWorldHub, type WorldHub } from "./hub.ts";

export interface WiredOptions {
  /** Addresses 1 to this. */
  readonly devices: number;
  readonly turnaroundMs?: number;
  readonly seed?: number;
}

export interface WiredWorld {
  readonly clock: VirtualClock;
  readonly bus: VirtualBus;
  readonly adapter: VirtualAdapter;
  readonly hub: WorldHub;
  readonly devices: readonly WiredDevice[];
  /** What each device was told, by index. */
  readonly events: readonly WiredEvent[][];
  /** Every record, and when it was stored. */
  readonly stored: readonly { readonly event: EventRecord; readonly atMs: number }[];
  /** Starts the hub again on the same disk. */
  start(): Promise<void>;
  /** Lets every device join; throws when one does not within a minute. */
  join(): Promise<void>;
  /** A real panic with this number, until it is acknowledged. */
  press(index: number, eventNumber: number): void;
  records(kind: EventRecord["kind"]): Promise<EventRecord[]>;
}

const JOIN_EUI = "0200000000000001";
export const wiredEui = (index: number) =>
  (0x02000000_00002001n + BigInt(index)).toString(16).padStart(16, "0");
const appKeyOf = (devEui: string) => `${devEui}2b7e151628aed2a6`;

/** Devices as an installer enters them. */
export function wiredInputs(count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => ({
    devEui: wiredEui(index),
    joinEui: JOIN_EUI,
    appKey: appKeyOf(wiredEui(index)),
    name: `Bog‘iston 14-${index + 1}`,
    place: { site: "Bog‘iston mahallasi, 14-uy (Chilonzor)", zone: `${index + 1}-kirish` },
  }));
}

export function wiredIdentity(index: number) {
  return { devEui: wiredEui(index), joinEui: JOIN_EUI, appKey: appKeyOf(wiredEui(index)) };
}

/** The 8 bytes of a press. */
export function pressReport(eventNumber: number): Uint8Array {
  return encodeReport({
    kind: "panic",
    mode: "real",
    ...{ tamperOpen: false, batteryLow: false, mainsLost: false, deviceFault: false },
    ...{ eventNumber, ageS: 0, batteryPercent: null, detail: 10 },
  });
}

/** The hub runs, nobody has joined; everything ends with `stack`. */
export async function openWiredWorld(
  { devices: count, turnaroundMs = 3, seed = 1 }: WiredOptions,
  stack: AsyncDisposableStack,
): Promise<WiredWorld> {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-wired-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const clock = createVirtualClock();
  const bus = createVirtualBus({ clock, random: createRandom(seed) });
  const adapter = createVirtualAdapter(bus, clock);
  const addresses = Array.from({ length: count }, (_, index) => index + 1);
  const hub = createWorldHub({
    ...{ dir, clock, seed, hasCentre: false },
    datagrams: createDatagramNetwork(clock),
    yaml: `region: EU433\nbuses:\n  - { name: stairs, path: /dev/bus, addresses: [${addresses.join(", ")}] }`,
    change: { lines: adapter.openLine },
  });
  stack.defer(hub.stop);
  const stored: { event: EventRecord; atMs: number }[] = [];
  const start = async () => {
    await hub.start();
    hub.now.journal.onStored(({ event }) => void stored.push({ event, atMs: clock.monotonicMs() }));
  };
  await start();
  await hub.now.addDevices(wiredInputs(count));
  const events: WiredEvent[][] = [];
  const devices = addresses.map((address, index) => {
    const own = { clock, port: bus.attach(), region: REGIONS.EU433, turnaroundMs };
    const device = createWiredDevice({ ...own, address, identity: wiredIdentity(index) });
    const heard: WiredEvent[] = [];
    events.push(heard);
    device.onEvent((event) => void heard.push(event));
    return device;
  });
  return {
    ...{ clock, bus, adapter, hub, devices, events, stored, start },
    async join() {
      for (const device of devices) device.join();
      const all = await clock.runUntil(() => devices.every(({ isJoined }) => isJoined), 60_000);
      if (!all) throw new Error("not all devices joined within a minute");
      await clock.advance(1_000);
    },
    press: (index, eventNumber) => devices[index]?.send(2, pressReport(eventNumber)),
    async records(kind) {
      const all = await hub.now.journal.read(0, 10_000);
      return all.map(({ event }) => event).filter((event) => event.kind === kind);
    },
  };
}
