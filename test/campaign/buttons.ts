/** Entrance buttons with the final firmware on a street of gateways, pressed over and over; what each press's lamp showed
 *  is noted as a resident would see it. */
import { randomBytes } from "node:crypto";
import type { World, WorldDevice } from "../../hardware/demo/world.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import {
  type Lamp,
  type LampChange,
  type LampMeaning,
  lampMeaning,
} from "../../hardware/virtual/board-lamp.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import type { Clock } from "../../hardware/virtual/clock.ts";
import { createUdpDatagrams } from "../../hardware/virtual/datagram.ts";
import { BLANK_FLASH } from "../../hardware/virtual/rak3172-settings.ts";
import { forkRandom, type Random } from "../../hardware/virtual/random.ts";
import { createSite } from "../../hardware/virtual/site.ts";
import type { EntranceOptions, Site } from "../../hardware/virtual/site-types.ts";
import type { Heard, Witness } from "./witness.ts";

export const BUTTON_REGION = "EU433";
const EU433_BAND = 0;
/** SF7: the air is not what this is about. */
const DATA_RATE = 5;
const JOIN_EUI = "0200000000000001";
/** So that some gateway asks the hub about every second where downlinks go; each asks every five. */
const GATEWAYS = 5;
const GATEWAY_STEP_MS = 1_000;
const HOLD_MS = 120;
const PAUSE_MIN_MS = 1_500;
const PAUSE_SPREAD_MS = 2_500;
const LOOK_MS = 100;
/** From the first touch until the lamp is sure to be the new press's. */
const LAMP_TURNS_MS = 250;
const HISTORY = 24;

export interface Press {
  readonly devEui: string;
  readonly atMs: number;
  /** Everything that its lamp has said. */
  readonly shown: Set<LampMeaning>;
  /** Event number, from the first frame about it that was heard in the air; null: none was. */
  number: number | null;
}

export interface Button {
  readonly device: WorldDevice;
  readonly presses: Press[];
}

export interface Buttons {
  readonly buttons: readonly Button[];
  readonly site: Site<Lamp, Board>;
  /** Presses each button again and again, each at its own pace, until `stop`. */
  start(): void;
  /** Settles when no finger is on a button. */
  stop(): Promise<void>;
  /** One press, noted like all others. */
  press(button: Button): Promise<void>;
  powerOff(): Promise<void>;
}

/** Stages, in words of the lamp. */
export const LAMP_STAGES: readonly LampMeaning[] = ["stored", "received", "taken", "dispatched"];

export interface ButtonsOptions {
  readonly count: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly bundle: string;
  readonly world: Pick<World, "addDevices" | "udpPort">;
  /** Made for these devices. */
  witness(devices: readonly WorldDevice[]): Witness;
}

/** Registers the devices and switches everything on. */
export async function switchOnButtons(options: ButtonsOptions): Promise<Buttons> {
  const { clock, world } = options;
  const random = forkRandom(options.random);
  const buttons = Array.from(
    { length: options.count },
    (_, i): Button => ({ device: deviceOf(i), presses: [] }),
  );
  const devices = buttons.map(({ device }) => device);
  await world.addDevices(devices);
  const gateways = Array.from({ length: GATEWAYS }, (_, i) => ({
    eui: `02000000000001a${i}`,
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
  follow(site, options.witness(devices), { buttons, clock });
  await site.start();
  for (const { eui } of gateways.slice(1)) {
    await pause(clock, GATEWAY_STEP_MS);
    await site.setSwitch(eui, false);
    await site.setSwitch(eui, true);
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

interface Scene {
  readonly buttons: readonly Button[];
  readonly clock: Clock;
}

/** Every frame goes to the witness; what it opens tells which event number a press got. Downlinks are taken where the hub
 *  hands them over: one that never leaves the antenna has used its counter all the same. */
function follow(site: Site<Lamp, Board>, witness: Witness, { buttons, clock }: Scene): void {
  const lamps = new Map(
    buttons.map((button) => [button.device.devEui, { button, changes: [] as LampChange[] }]),
  );
  site.onEvent((event) => {
    if (event.type === "frame" && event.transmission.polarity === "up")
      number(witness.hear(event.transmission.bytes), event.atMs);
    else if (event.type === "gateway" && event.event.type === "downlink")
      witness.hear(event.event.txpk.phyPayload);
    else if (event.type === "lamp") {
      const lamp = lamps.get(event.devEui);
      if (lamp === undefined) return;
      note(lamp, event.atMs);
      lamp.changes.push({ lamp: event.lamp, atMs: event.atMs });
      if (lamp.changes.length > HISTORY) lamp.changes.shift();
    }
  });
  const look = () => {
    for (const lamp of lamps.values()) note(lamp, clock.monotonicMs());
    clock.setTimer(look, LOOK_MS);
  };
  look();

  function number(heard: Heard | null, atMs: number): void {
    if (heard?.type !== "report" || heard.report.kind !== "panic") return;
    const { eventNumber, ageS } = heard.report;
    const presses = lamps.get(heard.devEui)?.button.presses ?? [];
    if (presses.some((press) => press.number === eventNumber)) return;
    // the age is in whole seconds, rounded down, at the moment at which the frame was made
    const press = presses.findLast((p) => p.number === null && atMs - p.atMs >= ageS * 1000);
    if (press !== undefined) press.number = eventNumber;
  }
}

/** What the lamp has said until now belongs to the newest press, unless that has only just begun. */
function note({ button, changes }: { button: Button; changes: readonly LampChange[] }, nowMs: number): void {
  const press = button.presses.at(-1);
  if (press === undefined || changes.length === 0 || nowMs - press.atMs < LAMP_TURNS_MS) return;
  press.shown.add(lampMeaning(changes, nowMs));
}

function createFingers({
  site,
  buttons,
  clock,
  random,
}: Scene & { site: Site<Lamp, Board>; random: Random }): Pick<Buttons, "start" | "stop" | "press"> {
  let stopped = false;
  let busy: Promise<void>[] = [];
  const press = async ({ device: { devEui }, presses }: Button) => {
    presses.push({ devEui, atMs: clock.monotonicMs(), shown: new Set(), number: null });
    await site.press(devEui, HOLD_MS);
  };
  const work = async (button: Button) => {
    await pause(clock, random() * PAUSE_SPREAD_MS);
    while (!stopped) {
      await press(button);
      await pause(clock, PAUSE_MIN_MS + random() * PAUSE_SPREAD_MS);
    }
  };
  return {
    press,
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

/** Gives every press its event number: numbers are consecutive, so those heard in the air tell the others. Throws when
 *  what was heard does not fit together, or nothing was heard at all. */
export function numberPresses({ device, presses }: Button): readonly (Press & { readonly number: number })[] {
  const known = presses.findIndex(({ number }) => number !== null);
  const base = presses[known]?.number;
  if (base === undefined || base === null)
    throw new Error(`${device.devEui}: none of its presses was ever heard`);
  return presses.map((press, index) => {
    const number = (base + index - known) & 0xffff;
    if (press.number !== null && press.number !== number)
      throw new Error(
        `${device.devEui}: press ${index + 1} is event ${press.number}, not ${number} as counted`,
      );
    return { ...press, number };
  });
}

/** A wait in the site's own time. */
function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, ms));
}
