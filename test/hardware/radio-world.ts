/** A world in virtual time: an echo hub, gateways, devices and the air between them. */

import { expect } from "vitest";
import { createAir } from "../../hardware/virtual/air.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../hardware/virtual/datagram.ts";
import type { DeviceEvent, LorawanDeviceOptions } from "../../hardware/virtual/device-types.ts";
import { createGateway, type GatewayEvent, type GatewayOptions } from "../../hardware/virtual/gateway.ts";
import { createLorawanDevice } from "../../hardware/virtual/lorawan-device.ts";
import { lossByTable, type PathLoss } from "../../hardware/virtual/path-loss.ts";
import { createRandom, forkRandom } from "../../hardware/virtual/random.ts";
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";
import { createEchoHub } from "./echo-hub.ts";

export const APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c";
export const JOIN_EUI = "70b3d57ed0000001";
export const GATEWAY = "0016c001ff000001";
/** Enough for a strong signal at every spreading factor. */
export const NEAR_DB = 90;

/** A panic report, event 7. */
export const REPORT = Uint8Array.from([0x22, 0, 0, 7, 0, 0, 100, 3]);
export const ALARM = { fPort: 2, payload: REPORT, confirmed: true };
export const HEARTBEAT = { ...ALARM, confirmed: false };

export type EchoOptions = Partial<Parameters<typeof createEchoHub>[0]>;

export function createRadioWorld(
  options: { seed?: number; region?: RegionName; pathLoss?: PathLoss; echo?: EchoOptions } = {},
) {
  const { seed = 1, region: name = "EU868", pathLoss = lossByTable({}, NEAR_DB) } = options;
  const random = createRandom(seed);
  const clock = createVirtualClock();
  /** One-way latencies of the next datagrams, milliseconds. */
  const latencies: number[] = [];
  const region = REGIONS[name];
  const air = createAir({ clock, random: forkRandom(random), pathLoss });
  const datagrams = createDatagramNetwork(clock, { latencyMs: () => latencies.shift() ?? 0.2 });
  const socket = datagrams.bind(1700);
  const appKeys: Record<string, string> = {};
  const hub = createEchoHub({ ...options.echo, socket, region, appKeys });
  return {
    clock,
    air,
    region,
    datagrams,
    latencies,
    hub,
    random,
    async gateway(eui = GATEWAY, more: Partial<GatewayOptions> = {}) {
      const gateway = createGateway({
        clock,
        air,
        random: forkRandom(random),
        datagrams,
        hub: socket.address,
        eui,
        region,
        ...more,
      });
      const events: GatewayEvent[] = [];
      gateway.onEvent((event) => events.push(event));
      await gateway.powerOn();
      await clock.advance(10);
      return Object.assign(gateway, { events });
    },
    device(devEui = "70b3d57ed0060001", more: Partial<LorawanDeviceOptions> & { dataRate?: number } = {}) {
      appKeys[devEui] = APP_KEY;
      const identity = { devEui, joinEui: JOIN_EUI, appKey: APP_KEY };
      const device = createLorawanDevice({
        clock,
        air,
        random: forkRandom(random),
        region,
        identity,
        ...more,
      });
      device.setDataRate(more.dataRate ?? 5);
      const events: (DeviceEvent & { atMs: number })[] = [];
      device.onEvent((event) => events.push({ ...event, atMs: clock.monotonicMs() }));
      return Object.assign(device, { events });
    },
    /** Joins and waits for it. */
    async join(device: ReturnType<typeof createLorawanDevice>): Promise<boolean> {
      device.join();
      await clock.runUntil(() => !device.busy, 20_000);
      return device.joined;
    },
  };
}

type World = ReturnType<typeof createRadioWorld>;
type Device = ReturnType<World["device"]>;

/** Sends, waits for the end of it, and says what came of it and when. */
export async function sendAndWait(
  world: World,
  device: Device,
  uplink: Parameters<Device["send"]>[0] = ALARM,
) {
  const startMs = world.clock.monotonicMs();
  const from = device.events.length;
  expect(device.send(uplink)).toEqual({ type: "started" });
  await world.clock.runUntil(() => !device.busy, 60_000);
  const events = device.events.slice(from);
  const sent = events.find((event) => event.type === "sent");
  return {
    sent,
    downlink: events.find((event) => event.type === "downlink"),
    afterMs: (sent?.atMs ?? 0) - startMs,
  };
}

/** A world with one gateway and one joined device. */
export async function joinedWorld(
  options: Parameters<typeof createRadioWorld>[0] & { dataRate?: number } = {},
) {
  const world = createRadioWorld(options);
  await world.gateway();
  const device = world.device("70b3d57ed0060001", { dataRate: options.dataRate ?? 5 });
  expect(await world.join(device)).toBe(true);
  return { world, device };
}
