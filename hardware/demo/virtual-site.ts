/** The demo's entrances, sensors and gateways, switched on and registered at the hub. What a real device keeps over a power cut
 *  (Storage, the modem's flash) is kept in `site/` of the world's folder, so that the next start goes on from there. */
import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createBoard } from "../virtual/board.ts";
import type { Lamp } from "../virtual/board-lamp.ts";
import { type BoardStorage, createBoardStorage } from "../virtual/board-storage.ts";
import type { Board } from "../virtual/board-types.ts";
import type { Clock, Timer } from "../virtual/clock.ts";
import { createUdpDatagrams } from "../virtual/datagram.ts";
import type { Position } from "../virtual/path-loss.ts";
import type { Rak3172Flash } from "../virtual/rak3172-settings.ts";
import { createRandom } from "../virtual/random.ts";
import { createSite } from "../virtual/site.ts";
import type { EntranceOptions, Site } from "../virtual/site-types.ts";
import {
  DEMO_ENTRANCES,
  DEMO_GATEWAYS,
  DEMO_JOIN_EUI,
  DEMO_REGION,
  type DemoEntrance,
  signedPlace,
} from "./site-data.ts";
import type { World } from "./world.ts";

export interface VirtualSiteOptions {
  readonly dir: string;
  readonly clock: Clock;
  /** The firmware of the entrances. */
  readonly bundle: string;
  readonly world: Pick<World, "addDevices" | "udpPort">;
  readonly entrances?: readonly DemoEntrance[];
  /** Aborted: what has no power yet gets none. */
  readonly signal?: AbortSignal;
  /** Default: none. */
  readonly others?: readonly SiteDevice[];
  /** Further fields of every board's identity. */
  readonly identity?: Readonly<Record<string, unknown>>;
}

/** A device, and how it is fitted where it is no button on the radio. */
export interface SiteDevice {
  readonly id: string;
  readonly name: string;
  /** As it is signed into every record. */
  readonly place: { readonly site: string; readonly zone: string };
  readonly position: Position;
  /** Default: an entrance button on the radio. */
  readonly fitting?: Pick<EntranceOptions<never>, "role" | "bundle" | "pins" | "wire" | "identity">;
}

export interface VirtualSite {
  readonly site: Site<Lamp, Board>;
  stop(): Promise<void>;
}

/** Short, so that a newcomer sees the site live; the product's own default is an hour. */
const HEARTBEAT_S = 60;
const SAVE_MS = 500;
/** Longer than a join request takes with all the modem is told before it. */
const SWITCH_ON_MS = 500;

/** What one device keeps. */
interface Kept {
  readonly appKey: string;
  readonly storage: Readonly<Record<string, string>>;
  readonly flash?: Rak3172Flash;
}

/** Settles when everything has power and the hub knows the devices. */
export async function startVirtualSite(options: VirtualSiteOptions): Promise<VirtualSite> {
  const { dir, clock, world, entrances = DEMO_ENTRANCES } = options;
  const folder = path.join(dir, "site");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const buttons = entrances.map((entrance) => ({ ...entrance, place: signedPlace(entrance.place) }));
  const devices = [...buttons, ...(options.others ?? [])].map((own) => openDevice(folder, own));
  await world.addDevices(
    devices.map(({ own: { id, name, place }, kept: { appKey } }) => {
      return { devEui: id, joinEui: DEMO_JOIN_EUI, appKey, name, place, intervalS: HEARTBEAT_S };
    }),
  );
  const flashes = new Map<string, Rak3172Flash>();
  const site = createSite<Lamp, BoardStorage, Board>({
    clock,
    region: DEMO_REGION,
    random: createRandom(randomInt(2 ** 31)),
    datagrams: createUdpDatagrams(() => undefined), // a hub that is down loses datagrams, as on a real line
    hubAddress: { address: "127.0.0.1", port: world.udpPort },
    gateways: DEMO_GATEWAYS.map(({ eui, position }) => ({ eui, position })),
    entrances: devices.map((device) => entranceOptions(device, options.identity ?? {})),
    bundle: options.bundle,
    createBoard,
    onModemFlash(devEui, flash) {
      flashes.set(devEui, flash);
      const device = devices.find(({ own }) => own.id === devEui);
      // a DevNonce that is used and forgotten would lock the device out: written before the air carries it
      if (device !== undefined) save(folder, device, flash);
    },
  });
  const saveAll = () => {
    for (const device of devices) save(folder, device, flashes.get(device.own.id) ?? device.kept.flash);
  };
  let timer: Timer = clock.setTimer(tick, SAVE_MS);
  function tick() {
    saveAll();
    timer = clock.setTimer(tick, SAVE_MS);
  }
  // one fuse after the other: buttons that get power in the same instant would all join in the same instant
  for (const { eui } of DEMO_GATEWAYS) await site.setSwitch(eui, true);
  for (const { own } of devices) {
    if (options.signal?.aborted) break;
    await site.setSwitch(own.id, true);
    // nothing on a wire speaks unasked
    if (own.fitting?.wire !== undefined) continue;
    await new Promise<void>((next) => clock.setTimer(next, SWITCH_ON_MS));
  }
  return {
    site,
    async stop() {
      timer.cancel();
      await site.stop();
      saveAll();
    },
  };
}

interface Device {
  readonly own: SiteDevice;
  readonly kept: Kept;
  readonly storage: BoardStorage;
  saved: string;
}

function openDevice(folder: string, own: SiteDevice): Device {
  const file = path.join(folder, `${own.id}.json`);
  const kept: Kept = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { appKey: randomBytes(16).toString("hex"), storage: {} };
  return { own, kept, storage: createBoardStorage(kept.storage), saved: "" };
}

function entranceOptions(
  { own, kept, storage }: Device,
  identity: Readonly<Record<string, unknown>>,
): EntranceOptions<BoardStorage> {
  return {
    ...own.fitting,
    devEui: own.id,
    joinEui: DEMO_JOIN_EUI,
    appKey: kept.appKey,
    identity: { heartbeatS: HEARTBEAT_S, ...own.fitting?.identity, ...identity },
    position: own.position,
    storage,
    ...(kept.flash === undefined ? {} : { modemFlash: kept.flash }),
  };
}

function save(folder: string, device: Device, flash: Rak3172Flash | undefined): void {
  const { own, kept, storage } = device;
  const text = JSON.stringify({ appKey: kept.appKey, storage: storage.snapshot(), ...(flash && { flash }) });
  if (text === device.saved) return;
  device.saved = text;
  const file = path.join(folder, `${own.id}.json`);
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
