/** A virtual day of a device on battery: its final bundle on the pins of its build, its modem and the air; and what of it
 *  costs charge, from the board's log and the frames in the air. */
import { REGIONS, type Region, type RegionName } from "../protocols/lorawan/regions.ts";
import type { Activity } from "./battery.ts";
import { createAir } from "./virtual/air.ts";
import type { Air } from "./virtual/air-types.ts";
import { createBoard } from "./virtual/board.ts";
import type { Board, BoardLogEntry } from "./virtual/board-types.ts";
import { createVirtualClock, type VirtualClock } from "./virtual/clock.ts";
import { createLoneGateway, type LoneGateway } from "./virtual/lone-gateway.ts";
import { lossByTable } from "./virtual/path-loss.ts";
import { emptyWindowMs } from "./virtual/radio.ts";
import { createRak3172 } from "./virtual/rak3172.ts";
import { RUI3_BANDS } from "./virtual/rak3172-settings.ts";
import { createRandom, forkRandom } from "./virtual/random.ts";
import type { Build } from "./wiring/build.ts";
import { loopLevels, profileOf } from "./wiring/profile.ts";

export interface DayOptions {
  readonly build: Build;
  /** The bundle that the build's board is flashed with. */
  readonly bundle: string;
  readonly region: RegionName;
  /** Spreading factor that the network gives it. */
  readonly sf: number;
  readonly heartbeatS: number;
}

export interface Day {
  readonly day: Activity;
  /** Ten minutes that hold one press; null for what has no alarm button. */
  readonly press: Activity | null;
}

const DAY_MS = 86_400_000;
/** Joined, its rate given, its restart announced. */
const SETTLED_MS = 1_800_000;
const PRESS_SPAN_MS = 600_000;
/** Shorter than what fills the board's log. */
const READ_MS = 60_000;
const NEAR_DB = 100;
const AS923_BAND = 8;
const APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c";

/** Counts what a log says from now on. */
class Tally {
  readonly #board: Board;
  #last: BoardLogEntry | undefined;
  #openedMs: number | null = null;
  #lit = new Map<string, number>();
  wakes = 0;
  lines = 0;
  uartOpenMs = 0;
  frames = 0;
  slowestSf = 0;
  sendingMs = 0;
  receivingMs = 0;
  readonly litMs: Record<string, number> = {};

  constructor(board: Board) {
    this.#board = board;
  }

  /** Takes what came since the last time. */
  read(): void {
    const { log } = this.#board;
    const from = this.#last === undefined ? 0 : log.lastIndexOf(this.#last) + 1;
    for (const entry of log.slice(from)) this.#take(entry);
    this.#last = log.at(-1) ?? this.#last;
  }

  #take({ what, text, atMs }: BoardLogEntry): void {
    if (what === "cpu") this.wakes++;
    else if (what === "lamp") this.#show(text, atMs);
    else if (what !== "uart") return;
    else if (text === "open") this.#openedMs = atMs;
    else if (text === "closed") {
      this.uartOpenMs += atMs - (this.#openedMs ?? atMs);
      this.#openedMs = null;
    } else this.lines++;
  }

  #show(text: string, atMs: number): void {
    for (const [name, sinceMs] of this.#lit) this.litMs[name] = (this.litMs[name] ?? 0) + atMs - sinceMs;
    this.#lit = new Map(text.split(" ").map((name) => [name, atMs]));
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly board: Board;
  readonly gateway: LoneGateway;
  readonly isDeepSleep: () => boolean;
  /** Whom what happens in the air is told. */
  tally: Tally;
}

function createWorld({ build, bundle, region: name, sf, heartbeatS }: DayOptions): World {
  const clock = createVirtualClock();
  const random = createRandom(7);
  const region = REGIONS[name];
  const air = createAir({ clock, random: forkRandom(random), pathLoss: lossByTable({}, NEAR_DB) });
  const dataRate = region.dataRates.findIndex((rate) => rate?.modulation === "lora" && rate.sf === sf);
  const gateway = createLoneGateway({ air, region, appKey: APP_KEY, dataRate });
  // a module that is built for UZ923 has that plan where RUI3 has AS923
  const bands = name === "UZ923" ? { ...RUI3_BANDS, [AS923_BAND]: name } : RUI3_BANDS;
  const modem = createRak3172({ clock, air, random: forkRandom(random), bands });
  const identity = {
    ...{ devEui: "70b3d57ed0060001", joinEui: "70b3d57ed0000001", appKey: APP_KEY },
    role: build.firmware?.role ?? "",
    region: name,
    heartbeatS,
    profile: profileOf(build),
  };
  const serial = { write: (bytes: Uint8Array) => modem.write(bytes), onData: modem.onData.bind(modem) };
  const board = createBoard({
    bundle,
    identity,
    clock,
    random: forkRandom(random),
    serial,
    pins: restOf(build),
  });
  const settings = () => modem.flash.settings;
  const isDeepSleep = () => settings().lowPower === 1 && settings().lowPowerLevel === 2;
  const world: World = { clock, board, gateway, isDeepSleep, tally: new Tally(board) };
  countFrames(air, region, () => world.tally);
  modem.powerOn();
  board.powerOn();
  return world;
}

function rx2Of(region: Region): { readonly sf: number; readonly bandwidthHz: number } {
  const rate = region.dataRates[region.rx2.dataRate];
  if (rate?.modulation !== "lora") throw new Error(`battery: RX2 of ${region.name} has no LoRa rate`);
  return rate;
}

/** Counts what the device sends, how long it listens after it, and what it hears. */
function countFrames(air: Air, region: Region, tallyNow: () => Tally): void {
  const rx2Ms = emptyWindowMs(rx2Of(region));
  air.onTransmission(({ polarity, startMs, endMs, sf, bandwidthHz }) => {
    const tally = tallyNow();
    if (polarity === "up") {
      tally.frames++;
      tally.slowestSf = Math.max(tally.slowestSf, sf);
      tally.sendingMs += endMs - startMs;
      tally.receivingMs += emptyWindowMs({ sf, bandwidthHz }) + rx2Ms;
    } else {
      // heard in RX1: the second window stays shut
      tally.receivingMs += endMs - startMs - rx2Ms;
    }
  });
}

/** Levels of a sensor that has nothing to report, and a full cell. */
function restOf(build: Build): Record<string, number> {
  const sensor = build.sensor;
  const profile = profileOf(build) ?? {};
  const battery = profile["battery"];
  const full = typeof battery === "object" ? Number(battery["full"]) : 1;
  const chamber = profile["chamber"];
  if (sensor?.sort === "chamber" && typeof chamber === "object")
    return { battery: full, chamber: Number(chamber["clean"]) };
  if (sensor?.sort === "thermistor") return { battery: full, thermistor: 0.5 };
  if (sensor?.sort === "call-point") return { battery: full, loop: loopLevels(build, sensor).high };
  if (sensor?.sort === "door") return { battery: full, loop: loopLevels(build, sensor).low };
  return { battery: full };
}

/** Lets time pass, and says what the device did in it. */
async function observe(world: World, spanMs: number): Promise<Activity> {
  world.tally.read();
  const tally = new Tally(world.board);
  tally.read();
  const base = {
    wakes: tally.wakes,
    lines: tally.lines,
    uartOpenMs: tally.uartOpenMs,
    litMs: { ...tally.litMs },
  };
  world.tally = tally;
  for (let atMs = 0; atMs < spanMs; atMs += READ_MS) {
    await world.clock.advance(Math.min(READ_MS, spanMs - atMs));
    tally.read();
  }
  const lit = Object.entries(tally.litMs).map(([name, ms]) => [name, ms - (base.litMs[name] ?? 0)]);
  return {
    spanMs,
    wakes: tally.wakes - base.wakes,
    lines: tally.lines - base.lines,
    uartOpenMs: tally.uartOpenMs - base.uartOpenMs,
    frames: tally.frames,
    slowestSf: tally.slowestSf,
    sendingMs: tally.sendingMs,
    receivingMs: tally.receivingMs,
    litMs: Object.fromEntries(lit),
    isDeepSleep: world.isDeepSleep(),
  };
}

/** Runs a device through a quiet day, and through one press where it has an alarm button. */
export async function runDay(options: DayOptions): Promise<Day> {
  const world = createWorld(options);
  await world.clock.advance(SETTLED_MS);
  if (world.gateway.heard === 0)
    throw new Error(`${options.build.name}: it did not join in ${SETTLED_MS} ms`);
  const day = await observe(world, DAY_MS);
  const hasButton = Object.values(options.build.parts).some(({ use }) => use === "pushButton");
  if (!hasButton) return { day, press: null };
  const { board, clock, gateway } = world;
  const press = observe(world, PRESS_SPAN_MS);
  board.press();
  clock.setTimer(() => board.release(), 500);
  clock.setTimer(() => {
    gateway.stage = "closed";
  }, 120_000);
  return { day, press: await press };
}
