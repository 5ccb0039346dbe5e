/** A room of the demo in which a hand on a slider makes a fire, and what the sensors in it read of it. The fire is nobody's
 *  but the room's: what the sensors make of it is their firmware's affair. */

import { VIRTUAL_PROFILE } from "../virtual/board.ts";
import type { PinLevel } from "../virtual/board-types.ts";
import type { Clock, Timer } from "../virtual/clock.ts";
import { airAt, createRoom, type Room, steerRoom } from "../virtual/room.ts";
import {
  chamberLevel,
  PLAIN_ADC,
  readLevel,
  thermistorLevel,
  VIRTUAL_CHAMBER,
  VIRTUAL_THERMISTOR,
} from "../virtual/room-sensors.ts";
import type { Fire, RoomAir, SensorRole } from "./entrance-site.ts";

export interface FireRoom {
  air(): RoomAir;
  /** The air over time, for what stands in it. */
  points(): Room;
  /** From now on it burns like this; zeros: as hot and as thick as it is, it stays. */
  burn(fire: Fire): void;
  /** No fire any more, and every window open. */
  putOut(): void;
  /** Hears of the air whenever it is another one than before. */
  onAir(listener: (air: RoomAir) => void): void;
  close(): void;
}

/** How the air is on its way back to a calm room's. */
const COOLING = { kelvinPerMinute: -60, smokePerMinute: -30 };
const NO_FIRE: Fire = { kelvinPerMinute: 0, smokePerMinute: 0 };
const TELL_MS = 500;
/** No sensor feels what is so long over. */
const FORGOTTEN_MS = 600_000;

/** The profile of each sensor's board, besides what all boards have, and the level on its pin. */
const FITTINGS = {
  "smoke-sensor": {
    profile: {
      chamber: {
        pin: "A1",
        floor: VIRTUAL_CHAMBER.clean / 2,
        clean: VIRTUAL_CHAMBER.clean,
        perPercent: VIRTUAL_CHAMBER.perPercent,
      },
    },
    pin: "chamber",
    level: (room: Room, atMs: number) => chamberLevel(room, VIRTUAL_CHAMBER, atMs),
  },
  "heat-sensor": {
    profile: {
      thermistor: {
        pin: "A2",
        ohms: VIRTUAL_THERMISTOR.ohms,
        beta: VIRTUAL_THERMISTOR.beta,
        seriesOhms: VIRTUAL_THERMISTOR.seriesOhms,
      },
    },
    pin: "thermistor",
    level: (room: Room, atMs: number) => thermistorLevel(room, VIRTUAL_THERMISTOR, atMs),
  },
} as const;

/** A sensor's board with this firmware, mounted in the room. */
export function fitSensor(room: FireRoom, role: SensorRole, bundle: string) {
  const { profile, pin, level } = FITTINGS[role];
  const pins: Readonly<Record<string, PinLevel>> = {
    [pin]: (nowMs) => readLevel(level(room.points(), nowMs), PLAIN_ADC, nowMs),
  };
  return { role, bundle, pins, identity: { profile: { ...VIRTUAL_PROFILE, ...profile } } };
}

/** A calm room. Its air is told while it changes, twice a second, until closed. */
export function createFireRoom(clock: Clock): FireRoom {
  const listeners: ((air: RoomAir) => void)[] = [];
  let room = createRoom();
  let fire = NO_FIRE;
  let timer: Timer | null = null;
  const air = (): RoomAir => ({ ...airAt(room, clock.monotonicMs()), ...fire });
  const tell = () => {
    timer?.cancel();
    const isChanging = clock.monotonicMs() < (room.at(-1)?.atMs ?? 0);
    timer = isChanging ? clock.setTimer(tell, TELL_MS) : null;
    for (const listener of listeners) listener(air());
  };
  const steer = (wanted: Fire, course: Fire) => {
    const nowMs = clock.monotonicMs();
    fire = wanted;
    room = steerRoom(remembered(room, nowMs), nowMs, course);
    tell();
  };
  return {
    air,
    points: () => room,
    burn: (wanted) => steer(wanted, wanted),
    putOut: () => steer(NO_FIRE, COOLING),
    onAir: (listener) => void listeners.push(listener),
    close() {
      timer?.cancel();
    },
  };
}

/** The room without what no sensor feels any more, or a slider that is moved for hours would make it endless. */
function remembered(room: Room, nowMs: number): Room {
  const from = room.findLastIndex((point) => point.atMs < nowMs - FORGOTTEN_MS);
  const [first = room[0], ...rest] = room.slice(Math.max(0, from));
  return [first, ...rest];
}
