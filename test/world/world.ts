/** The whole road in virtual time: boards that run the final firmware, the air, gateways that speak Semtech UDP, a hub
 *  with its journal on disk, and a centre that it enrolled with, over real mutual TLS on the loopback. Virtual time
 *  stands still while a record is on that line, so that every run of a test is the same. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished } from "vitest";
import { parseConfig as parseCentreConfig } from "../../centre/config.ts";
import type { Incident } from "../../centre/incidents/incident.ts";
import { type Centre, startCentre } from "../../centre/main.ts";
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { type Lamp, type LampChange, type LampMeaning, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import { type Clock, createVirtualClock, type VirtualClock } from "../../hardware/virtual/clock.ts";
import { createLorawanDevice } from "../../hardware/virtual/lorawan-device.ts";
import type { DeviceEvent, LorawanDevice } from "../../hardware/virtual/device-types.ts";
import type { PathLoss } from "../../hardware/virtual/path-loss.ts";
import type { Rak3172Flash } from "../../hardware/virtual/rak3172-settings.ts";
import { createRandom, forkRandom } from "../../hardware/virtual/random.ts";
import { createSite } from "../../hardware/virtual/site.ts";
import type { Site, SiteEvent } from "../../hardware/virtual/site-types.ts";
import { parseConfig } from "../../hub/config.ts";
import { enrolHub } from "../../hub/enrol.ts";
import type { HubIdentity } from "../../hub/enrolments.ts";
import type { HubOptions } from "../../hub/foundation.ts";
import { type Hub, startHub } from "../../hub/main.ts";
import type { EventRecord } from "../../protocols/event.ts";
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";
import { waitFor } from "../centre/hub-double.ts";
import { GENESIS, HUB, PRIVATE_KEY_PEM, REALM } from "../hub/journal/fixture.ts";
import { createLines, type Lines } from "./lines.ts";

export const GATEWAY_A = "02000000000000a1";
export const GATEWAY_B = "02000000000000a2";
export const JOIN_EUI = "0200000000000001";
const APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const HUB_PORT = 1700;
/** Strong at every spreading factor. */
const NEAR_DB = 95;
/** What the centre and a sound hub take for now. 2026-01-01T00:00:00Z */
export const TODAY_MS = 1_767_225_600_000;

export interface WorldOptions {
  readonly seed?: number;
  readonly region?: RegionName;
  readonly gateways?: readonly string[];
  /** Boards with the firmware. */
  readonly boards?: number;
  /** Bare LoRaWAN devices, at DR5. */
  readonly devices?: number;
  /** Further fields of every board's identity. */
  readonly identity?: Readonly<Record<string, unknown>>;
  /** False: the hub has no centre. */
  readonly centre?: boolean;
  /** What the hub's wall clock says at the start. */
  readonly hubWallMs?: number;
  readonly hub?: Partial<HubOptions>;
  /** The hub's folder; one that is given is left behind. */
  readonly hubDir?: string;
  /** More lines of hub.yaml. */
  readonly yaml?: string;
  readonly pathLoss?: PathLoss;
  /** False: boards have no power yet. */
  readonly powered?: boolean;
}

export interface BareDevice {
  readonly devEui: string;
  readonly modem: LorawanDevice;
  readonly events: readonly DeviceEvent[];
}

export interface World {
  readonly clock: VirtualClock;
  readonly lines: Lines;
  readonly site: Site<Lamp, Board>;
  readonly siteEvents: readonly SiteEvent<Lamp>[];
  readonly devices: readonly BareDevice[];
  readonly hub: Hub;
  readonly centre: Centre;
  readonly logged: readonly string[];
  /** Every record of the hub, oldest first. */
  records(): Promise<EventRecord[]>;
  /** Of the centre; without the ones about the hub itself unless asked for. */
  incidents(kind?: EventRecord["kind"]): Incident[];
  counter(name: string): number;
  /** Holds the button for half a second and lets time pass. */
  press(devEui: string, thenMs?: number): Promise<void>;
  lamp(devEui: string): LampMeaning;
  /** Lets time pass until every board and device is in. */
  join(limitMs?: number): Promise<void>;
  /** Puts another identity into a board, as who flashes it does: power off, the file, power on. */
  flash(devEui: string, identity: Readonly<Record<string, unknown>>): Promise<void>;
  stop(): Promise<void>;
}

export const boardEui = (index: number) => (0x02000000_00000100n + BigInt(index + 1)).toString(16).padStart(16, "0");
export const deviceEui = (index: number) => (0x02000000_00001000n + BigInt(index + 1)).toString(16).padStart(16, "0");

let firmware: Promise<string> | undefined;

/** The entrance button's bundle, built once. */
function buttonFirmware(): Promise<string> {
  firmware ??= buildFirmware("entrance-button").then(({ code }) => code);
  return firmware;
}

/** A world that ends with the test. What its boards printed as errors fails the test. */
export async function worldOf(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld(options);
  onTestFinished(async () => {
    await world.stop();
    expect([...world.site.boards.values()].flatMap(({ errors }) => errors)).toEqual([]);
  });
  return world;
}

async function createWorld(options: WorldOptions): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const clock = createVirtualClock(options.hubWallMs ?? TODAY_MS);
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-world-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const hubDir = options.hubDir ?? path.join(dir, "hub");
  mkdirSync(hubDir, { recursive: true });
  const logged: string[] = [];
  const centre = options.centre === false ? null : await openCentre(path.join(dir, "centre"), hubDir, clock);
  if (centre !== null) stack.defer(() => centre.stop());
  const lines = createLines(clock);
  const hub = await openHub(options, { hubDir, clock, lines, logged, hasCentre: centre !== null });
  stack.defer(() => hub.stop());
  const radio = await openRadio(options, { clock, lines });
  stack.defer(() => radio.site.stop());
  await hub.addDevices(inputs(options));
  if (centre !== null) {
    await waitFor(() => hub.status().paths[0]?.up && hub.status().paths[0]?.backlog === 0);
    stack.defer(holdOnTheLine(clock, hub));
  }
  if (options.powered === false) {
    for (const eui of radio.site.gateways.keys()) await radio.site.setSwitch(eui, true);
  } else await radio.site.start();
  await clock.advance(50);
  const end = stack.move();
  return assemble({ clock, lines, hub, centre, logged, ...radio }, () => end.disposeAsync());
}

async function openCentre(dir: string, hubDir: string, clock: VirtualClock): Promise<Centre> {
  const config = parseCentreConfig("name: World\nhosts: [127.0.0.1]", "centre.yaml");
  const startMs = clock.monotonicMs();
  // the centre's own clock is sound, whatever the hub's says
  const own: Clock = { ...clock, wallMs: () => TODAY_MS + Math.floor(clock.monotonicMs() - startMs) };
  const centre = await startCentre({ dir, config, clock: own, ports: { mqtt: 0, enrol: 0 }, web: false });
  const { code } = await centre.invite();
  await enrolHub({ dir: hubDir, code, hubName: "Hub of the world", centre: "main" });
  return centre;
}

interface HubParts {
  readonly hubDir: string;
  readonly clock: VirtualClock;
  readonly lines: Lines;
  readonly logged: string[];
  readonly hasCentre: boolean;
}

const LONELY: HubIdentity = {
  hub: HUB,
  realm: REALM,
  genesis: GENESIS,
  signingKeyPem: PRIVATE_KEY_PEM,
  tlsKeyPem: "",
  centres: [],
};

function openHub(options: WorldOptions, { hubDir, clock, lines, logged, hasCentre }: HubParts): Promise<Hub> {
  const { region = "EU433", seed = 1 } = options;
  const random = createRandom(seed + 1);
  const note = (_: object, event: string) => void logged.push(event);
  return startHub({
    dir: hubDir,
    config: parseConfig(options.yaml ?? `region: ${region}`, "hub.yaml"),
    clock,
    log: { debug: () => undefined, info: note, warn: note, error: note },
    datagrams: lines.network,
    random: (n) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256)),
    simulated: true,
    ...(hasCentre ? {} : { identity: LONELY }),
    ...options.hub,
  });
}

function inputs({ boards = 0, devices = 0 }: WorldOptions): unknown[] {
  const euis = [...Array.from({ length: boards }, (_, i) => boardEui(i)), ...deviceEuis(devices)];
  return euis.map((devEui, i) => ({
    devEui,
    joinEui: JOIN_EUI,
    appKey: APP_KEY,
    name: `Bog‘iston 14-${i + 1}`,
    place: { site: "Bog‘iston mahallasi, 14-uy (Chilonzor)", zone: `${i + 1}-kirish` },
  }));
}

const deviceEuis = (count: number) => Array.from({ length: count }, (_, i) => deviceEui(i));

async function openRadio(options: WorldOptions, { clock, lines }: { clock: VirtualClock; lines: Lines }) {
  const { seed = 1, region = "EU433", gateways = [GATEWAY_A], boards = 0, devices = 0 } = options;
  const bundle = boards > 0 ? await buttonFirmware() : "";
  const random = createRandom(seed);
  const flashes = new Map<string, Rak3172Flash>();
  const site = createSite<Lamp, BoardStorage, Board>({
    clock,
    region,
    random: forkRandom(random),
    datagrams: lines.gatewaySide,
    hubAddress: { address: "127.0.0.1", port: HUB_PORT },
    gateways: gateways.map((eui) => ({ eui, tmstStart: Math.floor(random() * 2 ** 32) })),
    entrances: Array.from({ length: boards }, (_, i) => ({
      devEui: boardEui(i),
      joinEui: JOIN_EUI,
      appKey: APP_KEY,
      storage: createBoardStorage({}),
      identity: options.identity ?? {},
    })),
    bundle,
    createBoard,
    pathLoss: options.pathLoss ?? (() => NEAR_DB),
    onModemFlash: (devEui, flash) => flashes.set(devEui, flash),
  });
  const siteEvents: SiteEvent<Lamp>[] = [];
  site.onEvent((event) => void siteEvents.push(event));
  const bare = deviceEuis(devices).map((devEui): BareDevice => {
    const identity = { devEui, joinEui: JOIN_EUI, appKey: APP_KEY };
    const own = { clock, air: site.air, random: forkRandom(random), region: REGIONS[region], identity };
    const modem = createLorawanDevice(own);
    modem.setDataRate(5);
    const events: DeviceEvent[] = [];
    modem.onEvent((event) => void events.push(event));
    return { devEui, modem, events };
  });
  return { site, siteEvents, devices: bare };
}

/** While a record waits for its receipt on the real line, virtual time stands still. */
function holdOnTheLine(clock: VirtualClock, hub: Hub): () => void {
  let release: (() => void) | null = null;
  const look = () => {
    const path = hub.status().paths[0];
    if (release !== null && path?.up && path.backlog > 0) setTimeout(look, 1);
    else {
      release?.();
      release = null;
    }
  };
  return hub.journal.onStored(() => {
    if (release !== null) return;
    release = clock.hold();
    // when the relay has heard of it too
    setTimeout(look, 0);
  });
}

interface Parts {
  readonly clock: VirtualClock;
  readonly lines: Lines;
  readonly hub: Hub;
  readonly centre: Centre | null;
  readonly logged: readonly string[];
  readonly site: Site<Lamp, Board>;
  readonly siteEvents: readonly SiteEvent<Lamp>[];
  readonly devices: readonly BareDevice[];
}

function assemble(parts: Parts, stop: () => Promise<void>): World {
  const { clock, hub, site, siteEvents, devices, centre } = parts;
  const isIn = () =>
    [...site.modems.values()].every(({ joined }) => joined) && devices.every(({ modem }) => modem.joined);
  return {
    ...parts,
    get centre() {
      if (centre === null) throw new Error("this world has no centre");
      return centre;
    },
    records: async () => (await hub.journal.read(0, 10_000)).map(({ event }) => event),
    incidents: (kind) => centre?.incidents().filter((one) => kind === undefined || one.kind === kind) ?? [],
    counter: (name) => {
      const value = hub.status().counters[name];
      if (value === undefined) throw new Error(`the hub has no counter ${name}`);
      return value;
    },
    async press(devEui, thenMs = 5_000) {
      const released = site.press(devEui, 500);
      await clock.advance(thenMs);
      await released;
    },
    lamp(devEui) {
      const history = siteEvents.flatMap((event): LampChange[] =>
        event.type === "lamp" && event.devEui === devEui ? [{ lamp: event.lamp, atMs: event.atMs }] : [],
      );
      return lampMeaning(history, clock.monotonicMs());
    },
    async join(limitMs = 120_000) {
      for (const { modem } of devices) modem.join();
      if (!(await clock.runUntil(isIn, limitMs))) throw new Error(`not all joined within ${limitMs} ms`);
      await clock.advance(10_000);
    },
    async flash(devEui, identity) {
      await site.setSwitch(devEui, false);
      const board = site.boards.get(devEui);
      const before = JSON.parse(board?.storage.read("identity") ?? "{}") as object;
      board?.storage.write("identity", JSON.stringify({ ...before, ...identity }));
      await site.setSwitch(devEui, true);
    },
    stop,
  };
}
