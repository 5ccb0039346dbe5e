/** The near end of a world: boards with the final firmware, bare LoRaWAN devices, the air and the gateways. */
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import type { Lamp } from "../../hardware/virtual/board-lamp.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import type { Clock } from "../../hardware/virtual/clock.ts";
import type { Datagrams } from "../../hardware/virtual/datagram.ts";
import type { DeviceEvent, LorawanDevice } from "../../hardware/virtual/device-types.ts";
import { createLorawanDevice } from "../../hardware/virtual/lorawan-device.ts";
import type { PathLoss } from "../../hardware/virtual/path-loss.ts";
import { createRandom, forkRandom } from "../../hardware/virtual/random.ts";
import { createSite } from "../../hardware/virtual/site.ts";
import type { Site, SiteEvent } from "../../hardware/virtual/site-types.ts";
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";

export const GATEWAY_A = "02000000000000a1";
export const GATEWAY_B = "02000000000000a2";
const JOIN_EUI = "0200000000000001";
export const HUB_UDP = { address: "127.0.0.1", port: 1700 };
/** Strong at every spreading factor. */
const NEAR_DB = 95;

export interface RadioOptions {
  readonly seed?: number;
  readonly region?: RegionName;
  readonly gateways?: readonly string[];
  /** Boards with the firmware. */
  readonly boards?: number;
  /** Bare LoRaWAN devices, at DR5. */
  readonly devices?: number;
  /** Further fields of every board's identity. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly pathLoss?: PathLoss;
}

export interface BareDevice {
  readonly devEui: string;
  readonly modem: LorawanDevice;
  readonly events: readonly DeviceEvent[];
}

export interface Radio {
  readonly site: Site<Lamp, Board>;
  readonly siteEvents: readonly SiteEvent<Lamp>[];
  readonly devices: readonly BareDevice[];
}

const hex16 = (value: bigint) => value.toString(16).padStart(16, "0");
export const boardEui = (index: number) => hex16(0x02000000_00000101n + BigInt(index));
export const deviceEui = (index: number) => hex16(0x02000000_00001001n + BigInt(index));
/** A key of its own for each: a join-accept says in nothing else for whom it is. */
const appKeyOf = (devEui: string) => `${devEui}2b7e151628aed2a6`;
const list = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, i) => make(i));

let firmware: Promise<string> | undefined;

/** The entrance button's bundle, built once. */
function buttonFirmware(): Promise<string> {
  firmware ??= buildFirmware("entrance-button").then(({ code }) => code);
  return firmware;
}

/** The devices as the hub's installer enters them. */
export function deviceInputs({ boards = 0, devices = 0 }: RadioOptions): unknown[] {
  return [...list(boards, boardEui), ...list(devices, deviceEui)].map((devEui, i) => ({
    devEui,
    joinEui: JOIN_EUI,
    appKey: appKeyOf(devEui),
    name: `Bog‘iston 14-${i + 1}`,
    place: { site: "Bog‘iston mahallasi, 14-uy (Chilonzor)", zone: `${i + 1}-kirish` },
  }));
}

/** Everything, switched off. */
export async function openRadio(options: RadioOptions, clock: Clock, datagrams: Datagrams): Promise<Radio> {
  const { seed = 1, region = "EU433", gateways = [GATEWAY_A], boards = 0, devices = 0 } = options;
  const random = createRandom(seed);
  const site = createSite<Lamp, BoardStorage, Board>({
    clock,
    region,
    random: forkRandom(random),
    datagrams,
    hubAddress: HUB_UDP,
    gateways: gateways.map((eui) => ({ eui, tmstStart: Math.floor(random() * 2 ** 32) })),
    entrances: list(boards, boardEui).map((devEui) => ({
      devEui,
      joinEui: JOIN_EUI,
      appKey: appKeyOf(devEui),
      storage: createBoardStorage({}),
      identity: options.identity ?? {},
    })),
    bundle: boards > 0 ? await buttonFirmware() : "",
    createBoard,
    pathLoss: options.pathLoss ?? (() => NEAR_DB),
  });
  const siteEvents: SiteEvent<Lamp>[] = [];
  site.onEvent((event) => void siteEvents.push(event));
  const bare = list(devices, deviceEui).map((devEui): BareDevice => {
    const identity = { devEui, joinEui: JOIN_EUI, appKey: appKeyOf(devEui) };
    const own = { clock, air: site.air, random: forkRandom(random), region: REGIONS[region], identity };
    const modem = createLorawanDevice(own);
    modem.setDataRate(5);
    const events: DeviceEvent[] = [];
    modem.onEvent((event) => void events.push(event));
    return { devEui, modem, events };
  });
  return { site, siteEvents, devices: bare };
}
