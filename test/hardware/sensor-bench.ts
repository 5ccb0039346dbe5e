/** A sensor's board with its final firmware, its modem on paper, in a room that may burn. */
import { buildFirmware, type Role } from "../../firmware/build.ts";
import { createBoard, VIRTUAL_PROFILE } from "../../hardware/virtual/board.ts";
import type { BoardStorage } from "../../hardware/virtual/board-storage.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createRoom, type Fire, steerRoom } from "../../hardware/virtual/room.ts";
import {
  CALL_POINT_BOUNDS,
  CALL_POINT_LOOP,
  callPointLevel,
  chamberLevel,
  DOOR_BOUNDS,
  DOOR_LOOP,
  doorLevel,
  type LoopCondition,
  PLAIN_ADC,
  readLevel,
  thermistorLevel,
  VIRTUAL_CHAMBER,
  VIRTUAL_THERMISTOR,
} from "../../hardware/virtual/room-sensors.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { encodeStage, type Stage } from "../../protocols/device/stage.ts";
import { createScriptedModem } from "./scripted-modem.ts";

export type SensorRole = Extract<Role, "smoke-sensor" | "heat-sensor" | "call-point" | "door-contact">;

const bundles = new Map<SensorRole, Promise<string>>();

function bundleOf(role: SensorRole): Promise<string> {
  const bundle = bundles.get(role) ?? buildFirmware(role).then(({ code }) => code);
  bundles.set(role, bundle);
  return bundle;
}

/** Joined, and its restart announced twice. */
export const READY_MS = 90_000;

const DOOR = "door-contact";

export const SENSOR_PROFILE = {
  ...VIRTUAL_PROFILE,
  chamber: {
    pin: "A1",
    floor: VIRTUAL_CHAMBER.clean / 2,
    clean: VIRTUAL_CHAMBER.clean,
    perPercent: VIRTUAL_CHAMBER.perPercent,
  },
  thermistor: {
    pin: "A2",
    ohms: VIRTUAL_THERMISTOR.ohms,
    beta: VIRTUAL_THERMISTOR.beta,
    seriesOhms: VIRTUAL_THERMISTOR.seriesOhms,
  },
} as const;

function identityOf(role: SensorRole, more: Readonly<Record<string, unknown>>) {
  return {
    devEui: "ac1f09fffe000001",
    joinEui: "0102030405060708",
    appKey: "ab".repeat(16),
    role,
    region: "EU868",
    profile: {
      ...SENSOR_PROFILE,
      loop: { pin: "A3", bounds: role === DOOR ? DOOR_BOUNDS : CALL_POINT_BOUNDS },
    },
    ...more,
  };
}

export interface SensorBenchOptions {
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly storage?: BoardStorage;
  readonly seed?: number;
}

export async function createSensorBench(role: SensorRole, options: SensorBenchOptions = {}) {
  const { identity = {}, storage, seed = 1 } = options;
  const clock = createVirtualClock();
  const modem = createScriptedModem(clock);
  const board = createBoard({
    bundle: await bundleOf(role),
    clock,
    random: createRandom(seed),
    serial: modem.serial,
    identity: identityOf(role, identity),
    ...(storage === undefined ? {} : { storage }),
  });
  let room = createRoom();
  board.setPin("chamber", (ms) => readLevel(chamberLevel(room, VIRTUAL_CHAMBER, ms), PLAIN_ADC, ms));
  board.setPin("thermistor", (ms) => readLevel(thermistorLevel(room, VIRTUAL_THERMISTOR, ms), PLAIN_ADC, ms));
  const setLoop = (condition: LoopCondition) =>
    board.setPin(
      "loop",
      role === DOOR ? doorLevel(DOOR_LOOP, condition) : callPointLevel(CALL_POINT_LOOP, condition),
    );
  setLoop("rest");
  const reports = () =>
    modem.frames.map((frame) => ({ ...frame, ...decodeReport(Buffer.from(frame.hex, "hex")) }));
  return {
    clock,
    modem,
    board,
    setLoop,
    reports,
    burn: (fire: Fire) => {
      room = steerRoom(room, clock.monotonicMs(), fire);
    },
    /** Everything that was said but heartbeats, each event once, in the order in which they happened. */
    told: () => {
      const events = reports().filter(({ kind }) => kind !== "heartbeat");
      const once = new Map(events.map((event) => [event.eventNumber, event]));
      return [...once.values()].sort((a, b) => a.eventNumber - b.eventNumber);
    },
    /** From now on the hub answers each frame with this stage. */
    answer: (stage: Stage) => {
      modem.manners = {
        downlink: (hex) =>
          Buffer.from(encodeStage({ stage, eventNumber: parseInt(hex.slice(4, 8), 16) })).toString("hex"),
      };
    },
    async ready() {
      board.powerOn();
      await clock.advance(READY_MS);
    },
  };
}

export type SensorBench = Awaited<ReturnType<typeof createSensorBench>>;
