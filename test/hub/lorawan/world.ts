/** A whole LoRaWAN world in virtual time: virtual devices on the virtual air, virtual gateways that speak Semtech UDP,
 *  and the hub's real carrier and server behind it, on a disk that survives crashes. */

import { createAir } from "../../../hardware/virtual/air.ts";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../../hardware/virtual/datagram.ts";
import type { DeviceEvent, LorawanDevice } from "../../../hardware/virtual/device-types.ts";
import { createGateway, type Gateway, type GatewayEvent } from "../../../hardware/virtual/gateway.ts";
import { createLorawanDevice } from "../../../hardware/virtual/lorawan-device.ts";
import { lossByTable } from "../../../hardware/virtual/path-loss.ts";
import { createRandom, forkRandom } from "../../../hardware/virtual/random.ts";
import type { Reception } from "../../../hub/carriers/carrier.ts";
import type { SemtechUdpCarrier } from "../../../hub/carriers/semtech-udp.ts";
import { openSemtechUdp } from "../../../hub/carriers/semtech-udp.ts";
import {
  createNetworkServer,
  type NetworkServer,
  type Notice,
  type Uplink,
} from "../../../hub/lorawan/server.ts";
import { decodePhyPayload } from "../../../protocols/lorawan/phy.ts";
import { REGIONS, type RegionName } from "../../../protocols/lorawan/regions.ts";
import { createMemoryStore } from "./memory-store.ts";
import { aDevice } from "./store-contract.ts";

export interface WorldOptions {
  seed?: number;
  region?: RegionName;
  gateways?: readonly string[];
  devices?: number;
  dataRate?: number;
  version?: "1.0.3" | "1.0.4";
  /** Loss in dB by device and gateway; others 100 dB. */
  loss?: Record<string, Record<string, number>>;
  /** How long the disk takes to keep an uplink. */
  diskMs?: number;
}

export interface TestDevice {
  readonly eui: string;
  readonly modem: LorawanDevice;
  readonly events: DeviceEvent[];
}

export const GATEWAY_A = "a84041ffff000001";
export const GATEWAY_B = "a84041ffff000002";
const HUB = { address: "127.0.0.1", port: 1700 };

export type World = Awaited<ReturnType<typeof createWorld>>;

export function devEuiOf(index: number): string {
  return (0x70b3d57e00000000n + BigInt(index + 1)).toString(16).padStart(16, "0");
}

/** The world, switched on; nothing joined. */
export async function createWorld(options: WorldOptions = {}) {
  const {
    seed = 1,
    region: regionName = "EU868",
    gateways: euis = [GATEWAY_A],
    devices: count = 1,
  } = options;
  const clock = createVirtualClock();
  const random = createRandom(seed);
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256));
  const region = REGIONS[regionName];
  const rules = {
    /** Alarms: every confirmed uplink. */
    hold: true,
    refuse: false,
    diskMs: options.diskMs ?? 0,
    /** One way between gateway and hub. */
    latencyMs: 0.2,
  };
  const network = createDatagramNetwork(clock, { latencyMs: () => rules.latencyMs });
  const air = createAir({
    clock,
    random: forkRandom(random),
    pathLoss: lossByTable(options.loss ?? {}, 100),
  });
  const rows = Array.from({ length: count }, (_, i) =>
    aDevice({ devEui: devEuiOf(i), macVersion: options.version ?? "1.0.4" }),
  );
  const store = createMemoryStore(rows);
  const accepted: Uplink[] = [];
  const extra: Reception[] = [];
  const notices: Notice[] = [];
  const gatewayEvents: (GatewayEvent & { gateway: string; atMs: number })[] = [];
  /** Every data downlink that any gateway took, as "DevAddr FCntDown bytes". */
  const downlinks: { gateway: string; devAddr: string; fCnt16: number; hex: string }[] = [];
  const answers = new Map<string, { fPort: number; payload: Uint8Array }>();
  let life = 0;
  let running: { server: NetworkServer; carrier: SemtechUdpCarrier } | null = null;

  const startHub = async () => {
    const own = ++life;
    const alive = () => own === life;
    const server: NetworkServer = createNetworkServer({
      region,
      clock,
      store,
      random: bytes,
      devices: await store.loadDevices(),
      dutyCycle: await store.loadDutyCycle(),
      timeTrusted: () => true,
      sink: {
        async accept(uplink, { devEui, fCntUp }) {
          if (rules.diskMs > 0) await new Promise<void>((done) => clock.setTimer(done, rules.diskMs));
          if (!alive()) return new Promise<never>(() => undefined);
          if (rules.refuse) throw new Error("disk full");
          if (!uplink.confirmed) {
            accepted.push(uplink);
            return { hold: false, durable: false };
          }
          await store.commitFCntUp(devEui, fCntUp);
          if (!alive()) return new Promise<never>(() => undefined);
          accepted.push(uplink);
          return { hold: rules.hold, durable: true };
        },
        addReception: (_devEui, _hash, reception) => void extra.push(reception),
        answer: (devEui) => answers.get(devEui) ?? null,
        notice: (notice) => void notices.push(notice),
      },
    });
    const carrier = await openSemtechUdp({
      region,
      clock,
      datagrams: network,
      random: bytes,
      onReception: (reception) => alive() && server.receive(reception),
    });
    server.attach(carrier);
    running = { server, carrier };
  };
  /** Power failure and restart: what was not on disk is gone. */
  const crash = async () => {
    life++;
    store.crash();
    await running?.carrier.close();
    running?.server.stop();
    running = null;
  };
  await startHub();

  const gateways = new Map<string, Gateway>();
  for (const eui of euis) {
    const gateway = createGateway({
      clock,
      air,
      random: forkRandom(random),
      datagrams: network,
      hub: HUB,
      eui,
      region,
      tmstStart: Math.floor(random() * 2 ** 32),
    });
    gateway.onEvent((event) => {
      gatewayEvents.push({ ...event, gateway: eui, atMs: clock.monotonicMs() });
      if (event.type !== "downlink") return;
      const frame = decodePhyPayload(event.txpk.phyPayload);
      if (frame.mType !== "unconfirmedDataDown") return;
      const { devAddr, fCnt16 } = frame;
      downlinks.push({
        gateway: eui,
        devAddr,
        fCnt16,
        hex: Buffer.from(event.txpk.phyPayload).toString("hex"),
      });
    });
    gateways.set(eui, gateway);
    await gateway.powerOn();
  }
  const devices = rows.map(({ devEui: eui, joinEui, appKey }): TestDevice => {
    const modem = createLorawanDevice({
      clock,
      air,
      random: forkRandom(random),
      region,
      identity: { devEui: eui, joinEui, appKey },
      version: options.version ?? "1.0.4",
    });
    modem.setDataRate(options.dataRate ?? 5);
    const events: DeviceEvent[] = [];
    modem.onEvent((event) => void events.push(event));
    return { eui, modem, events };
  });
  await clock.advance(50);
  return {
    clock,
    air,
    network,
    region,
    store,
    accepted,
    extra,
    notices,
    gatewayEvents,
    downlinks,
    answers,
    rules,
    gateways,
    devices,
    crash,
    startHub,
    random,
    get server() {
      if (running === null) throw new Error("the hub is off");
      return running.server;
    },
    get carrier() {
      if (running === null) throw new Error("the hub is off");
      return running.carrier;
    },
    device(index = 0): TestDevice {
      const device = devices[index];
      if (device === undefined) throw new Error(`no device ${index}`);
      return device;
    },
    /** Joins one device; fails after a minute. */
    async join(index = 0) {
      const { modem } = this.device(index);
      modem.join();
      const joined = await clock.runUntil(() => modem.joined && !modem.busy, 60_000);
      if (!joined) throw new Error(`device ${index} did not join`);
    },
    /** Sends one uplink and waits until its windows are over. */
    async send(index: number, uplink: { confirmed: boolean; trials?: number; payload?: Uint8Array }) {
      const { modem, events } = this.device(index);
      const before = events.length;
      modem.send({ fPort: 2, payload: Uint8Array.of(1, 2, 3), ...uplink });
      await clock.runUntil(() => events.slice(before).some((event) => event.type === "sent"), 120_000);
      await clock.advance(1);
      const result = events.slice(before).find((event) => event.type === "sent");
      if (result?.type !== "sent") throw new Error("the frame was never finished");
      return result;
    },
  };
}
