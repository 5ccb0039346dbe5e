/** Presses, what their lamps said, and which event each became: as a resident would see it, and as the air tells it. */
import type { World, WorldDevice } from "../../hardware/demo/world.ts";
import {
  type Lamp,
  type LampChange,
  type LampMeaning,
  lampMeaning,
} from "../../hardware/virtual/board-lamp.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import type { Clock } from "../../hardware/virtual/clock.ts";
import type { Site } from "../../hardware/virtual/site-types.ts";
import type { Report } from "../../protocols/device/report.ts";
import type { StageReport } from "../../protocols/device/stage.ts";
import type { Heard, Witness } from "./witness.ts";

const LOOK_MS = 100;
/** As long must a lamp say the same to be believed: a busy machine stretches a flash, which no real board does. */
const STEADY_MS = 500;
/** From the first touch until the lamp is sure to be the new press's. */
const LAMP_TURNS_MS = 250;
/** Changes of a lamp that are needed to read it. */
const HISTORY = 24;

export type WorldDevices = Pick<World, "addDevices" | "udpPort">;

export interface Press {
  readonly devEui: string;
  readonly atMs: number;
  /** How often the board had been started: event numbers are consecutive within one life only. */
  readonly life: number;
  /** What its lamp has said, and when first. */
  readonly shown: Map<LampMeaning, number>;
  /** Event number, from the first frame about it that was heard in the air; null: none was. */
  number: number | null;
}

/** A downlink that the hub gave to a gateway. */
export interface Answer {
  readonly atMs: number;
  readonly ack: boolean;
  readonly stage: StageReport | null;
}

export interface Button {
  readonly device: WorldDevice;
  readonly presses: Press[];
  readonly answers: Answer[];
  life: number;
}

/** Stages, in words of the lamp. */
const LAMP_STAGES: readonly LampMeaning[] = ["stored", "received", "taken", "dispatched"];

/** Whether its lamp has ever said that somebody has it. */
export function wasPromised({ shown }: Press): boolean {
  return LAMP_STAGES.some((stage) => shown.has(stage));
}

interface Scene {
  readonly buttons: readonly Button[];
  readonly clock: Clock;
}

interface Watched {
  readonly button: Button;
  readonly changes: LampChange[];
  /** What the lamp says, and since when without a break. */
  meaning: LampMeaning;
  sinceMs: number;
}

/** Every frame goes to the witness; what it opens tells which event number a press got. Downlinks are taken where the hub
 *  hands them over: one that never leaves the antenna has used its counter all the same. */
export function followPresses(site: Site<Lamp, Board>, witness: Witness, { buttons, clock }: Scene): void {
  const watched = new Map(
    buttons.map((button): [string, Watched] => [
      button.device.devEui,
      { button, changes: [], meaning: "off", sinceMs: 0 },
    ]),
  );
  site.onEvent((event) => {
    if (event.type === "frame" && event.transmission.polarity === "up")
      hear(witness.hear(event.transmission.bytes), event.atMs);
    else if (event.type === "gateway" && event.event.type === "downlink")
      hear(witness.hear(event.event.txpk.phyPayload), event.atMs);
    else if (event.type === "lamp") {
      const changes = watched.get(event.devEui)?.changes ?? [];
      changes.push({ lamp: event.lamp, atMs: event.atMs });
      if (changes.length > HISTORY) changes.shift();
    }
  });
  let lookedMs = clock.monotonicMs();
  const look = () => {
    const nowMs = clock.monotonicMs();
    const wasAsleep = nowMs - lookedMs > 2 * LOOK_MS;
    lookedMs = nowMs;
    for (const one of watched.values()) read(one, nowMs, wasAsleep);
    clock.setTimer(look, LOOK_MS);
  };
  look();

  function hear(heard: Heard | null, atMs: number): void {
    const button = watched.get(heard?.devEui ?? "")?.button;
    if (heard === null || button === undefined) return;
    if (heard.type === "answer") button.answers.push({ atMs, ack: heard.ack, stage: heard.stage });
    else if (heard.report.kind === "panic") number(button, heard.report, atMs);
  }
}

function number({ presses, life }: Button, { eventNumber, ageS }: Report, atMs: number): void {
  const own = presses.filter((press) => press.life === life);
  if (own.some((press) => press.number === eventNumber)) return;
  // the age is in whole seconds, rounded down, at the moment at which the frame was made
  const press = own.findLast((p) => p.number === null && atMs - p.atMs >= ageS * 1000);
  if (press !== undefined) press.number = eventNumber;
}

/** What the lamp says belongs to the newest press, once that has had the time to take it over. */
function read(one: Watched, nowMs: number, wasAsleep: boolean): void {
  const press = one.button.presses.at(-1);
  if (press === undefined || press.life !== one.button.life || one.changes.length === 0) return;
  const meaning = lampMeaning(one.changes, nowMs);
  const beganMs = press.atMs + LAMP_TURNS_MS;
  if (meaning !== one.meaning || wasAsleep || one.sinceMs < beganMs) one.sinceMs = Math.max(nowMs, beganMs);
  one.meaning = meaning;
  if (nowMs - one.sinceMs >= STEADY_MS && !press.shown.has(meaning)) press.shown.set(meaning, nowMs);
}

export interface NumberedPress extends Press {
  readonly number: number;
}

/** Gives presses their event numbers: within a life they are consecutive, so those heard in the air tell the others.
 *  Presses of a life of which nothing was ever heard are left out. Throws when what was heard does not fit together, or a
 *  lamp showed a stage of what was never heard. */
export function numberPresses({ device, presses }: Button): readonly NumberedPress[] {
  return [...Map.groupBy(presses, ({ life }) => life).values()].flatMap((all) => {
    const known = all.findIndex(({ number }) => number !== null);
    const base = all[known]?.number ?? null;
    if (base === null) {
      if (all.some(wasPromised))
        throw new Error(`${device.devEui}: a lamp lit for a press that was never heard`);
      return [];
    }
    return all.map((press, index) => {
      const number = (base + index - known) & 0xffff;
      if (press.number !== null && press.number !== number)
        throw new Error(`${device.devEui}: press ${index + 1} is event ${press.number}, not ${number}`);
      return { ...press, number };
    });
  });
}
