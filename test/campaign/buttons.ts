/** Entrance buttons with the final firmware on a street of gateways, pressed over and over. */
import { randomBytes } from "node:crypto";
import type { WorldDevice } from "../../hardware/demo/world.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import type { Lamp } from "../../hardware/virtual/board-lamp.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import type { Clock } from "../../hardware/virtual/clock.ts";
import { createUdpDatagrams } from "../../hardware/virtual/datagram.ts";
import { BLANK_FLASH } from "../../hardware/virtual/rak3172-settings.ts";
import { forkRandom, type Random } from "../../hardware/virtual/random.ts";
import { createSite } from "../../hardware/virtual/site.ts";
import type { EntranceOptions, Site } from "../../hardware/virtual/site-types.ts";
import { type Button, followPresses, type Press, type WorldDevices } from "./presses.ts";
import type { Witness } from "./witness.ts";

export const BUTTON_REGION = "EU433";
const EU433_BAND = 0;
/** SF7: the air is not what this is about. */
const DATA_RATE = 5;
const JOIN_EUI = "0200000000000001";
/** So that some gateway asks the hub about every half second where downlinks go; each asks every five. */
const GATEWAYS = 10;
const GATEWAY_STEP_MS = 500;
const BUTTON_STEP_MS = 700;
const HOLD_MS = 120;
/** So long somebody waits for a green lamp before pressing again, and so long after it. Some press again while two or
 *  three of their presses are open; most give the hub time for its next start. */
const PATIENCE_MIN_MS = 4_000;
const PATIENCE_SPREAD_MS = 26_000;
const PAUSE_SPREAD_MS = 1_000;
const GLANCE_MS = 100;
const OFF_MS = 500;
const BOOT_MS = 1_500;

export interface Buttons {
  readonly buttons: readonly Button[];
  readonly site: Site<Lamp, Board>;
  /** Presses each button until `stop`, again when its lamp is green or its resident is out of patience. */
  start(): void;
  /** Settles when no finger is on a button. */
  stop(): Promise<void>;
  /** Takes the battery out and puts it back before the button's next press: it joins anew, and has forgotten what was open.
   *  Settles when the battery is back. */
  restart(button: Button): Promise<void>;
  powerOff(): Promise<void>;
}

export interface ButtonsOptions {
  readonly count: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly bundle: string;
  readonly world: WorldDevices;
  /** Made for these devices. */
  witness(devices: readonly WorldDevice[]): Witness;
}

/** Registers the devices and switches everything on. */
export async function switchOnButtons(options: ButtonsOptions): Promise<Buttons> {
  const { clock, world } = options;
  const random = forkRandom(options.random);
  const devices = Array.from({ length: options.count }, (_, i) => deviceOf(i));
  const buttons = devices.map((device): Button => ({ device, presses: [], answers: [], life: 1 }));
  await world.addDevices(devices);
  const gateways = Array.from({ length: GATEWAYS }, (_, i) => ({
    eui: `02000000000001a${i.toString(16)}`,
    position: { xM: 40 * i, yM: 0 },
  }));
  const site = createSite<Lamp, BoardStorage, Board>({
    clock,
    region: BUTTON_REGION,
    random: options.random,
    datagrams: createUdpDatagrams(() => undefined), // a hub that is down loses datagrams, as on a real line
    hubAddress: { address: "127.0.0.1", port: world.udpPort },
    gateways,
    entrances: devices.map(entranceOf),
    bundle: options.bundle,
    createBoard,
  });
  followPresses(site, options.witness(devices), { buttons, clock });
  for (const { eui } of gateways) {
    await site.setSwitch(eui, true);
    await pause(clock, GATEWAY_STEP_MS);
  }
  // one after the other, as somebody walks from door to door: join-requests of one moment would collide for ever
  for (const { devEui } of devices) {
    await site.setSwitch(devEui, true);
    await pause(clock, BUTTON_STEP_MS * (0.5 + random()));
  }
  return { buttons, site, ...createFingers({ site, buttons, clock, random }), powerOff: () => site.stop() };
}

function deviceOf(index: number): WorldDevice {
  return {
    devEui: `02000000000001${(index + 16).toString(16)}`,
    joinEui: JOIN_EUI,
    appKey: randomBytes(16).toString("hex"),
    name: `Button ${index + 1}`,
    place: { site: `House ${index + 1}`, zone: "Entrance 1" },
    intervalS: 600,
  };
}

function entranceOf({ devEui, joinEui, appKey }: WorldDevice, index: number): EntranceOptions<BoardStorage> {
  const settings = { ...BLANK_FLASH.settings, band: EU433_BAND, dataRate: DATA_RATE };
  return {
    devEui,
    joinEui,
    appKey,
    identity: { heartbeatS: 60 },
    position: { xM: 20 * index, yM: 30 },
    storage: createBoardStorage(),
    modemFlash: { ...BLANK_FLASH, settings },
  };
}

interface Hands {
  readonly site: Site<Lamp, Board>;
  readonly buttons: readonly Button[];
  readonly clock: Clock;
  readonly random: Random;
}

function createFingers({ site, buttons, clock, random }: Hands): Pick<Buttons, "start" | "stop" | "restart"> {
  const restarts = new Map<Button, () => void>();
  let stopped = false;
  let busy: Promise<void>[] = [];
  const restart = async (button: Button) => {
    const { devEui } = button.device;
    await site.setSwitch(devEui, false);
    await pause(clock, OFF_MS);
    button.life++;
    await site.setSwitch(devEui, true);
    restarts.get(button)?.();
    restarts.delete(button);
    await pause(clock, BOOT_MS);
  };
  const press = async ({ device: { devEui }, presses, life }: Button) => {
    const one: Press = { devEui, atMs: clock.monotonicMs(), life, shown: new Map(), number: null };
    presses.push(one);
    await site.press(devEui, HOLD_MS);
    return one;
  };
  const watchLamp = async (button: Button, { atMs, shown }: Press) => {
    const untilMs = atMs + PATIENCE_MIN_MS + random() * PATIENCE_SPREAD_MS;
    const isWatched = () => !stopped && !restarts.has(button) && clock.monotonicMs() < untilMs;
    while (isWatched() && !shown.has("received")) await pause(clock, GLANCE_MS);
  };
  const work = async (button: Button) => {
    while (!stopped) {
      await pause(clock, random() * PAUSE_SPREAD_MS);
      if (restarts.has(button)) await restart(button);
      await watchLamp(button, await press(button));
    }
  };
  return {
    restart: (button) => new Promise((done) => void restarts.set(button, done)),
    start() {
      stopped = false;
      busy = buttons.map(work);
    },
    async stop() {
      stopped = true;
      await Promise.all(busy);
    },
  };
}

/** A wait in the site's own time. */
function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, ms));
}
