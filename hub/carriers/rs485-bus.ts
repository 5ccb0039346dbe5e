/** What the master of one RS-485 bus knows, hears and wants: the types of rs485-master.ts. */
import type { WireFrame } from "../../protocols/device/frame.ts";
import { createSlot, type Downlink, type Slot } from "./rs485-slot.ts";

export interface Asking {
  readonly address: number;
  /** Without an answer by then it is a miss. */
  readonly untilMs: number;
  /** No byte later than this can belong to the answer. */
  readonly latestMs: number;
  /** Something was heard that is no answer. */
  readonly isGarbled: boolean;
}

export interface BusMaster {
  readonly baud: number;
  readonly isOpen: boolean;
  /** Nobody answers of several who should, or nobody has yet since the line opened again. */
  readonly isMute: boolean;
  readonly slots: readonly Slot[];
  readonly asking: Asking | null;
  /** Addresses to ask out of turn, oldest first. */
  readonly eager: readonly number[];
  readonly wasEager: boolean;
  /** The line is free for the hub from here on; put off while it is not quiet, at most to `quietByMs`. */
  readonly readyMs: number;
  readonly quietByMs: number;
  /** An absent device may be asked from here on. */
  readonly probeMs: number;
  /** Frames in a row without an answer, to those who should answer. */
  readonly silentPolls: number;
  /** The last answer, so that a second one is known as such. */
  readonly last: { readonly address: number; readonly sequence: number; readonly tries: number } | null;
  readonly disturbedMs: number;
  readonly answersSinceListening: number;
  readonly counters: BusCounters;
}

export type BusCounters = Readonly<Record<keyof typeof NO_COUNTS, number>>;

/** Since the start. `noise`: pieces between zeros that are no frame; `echoes`: frames of a hub, our own on adapters that
 *  hear themselves; `late`: answers that nobody asked for, or not any more; `doubled`: a second answer to one frame;
 *  `garbled`: no answer, but something was heard in its place. */
const NO_COUNTS = {
  ...{ polls: 0, downlinks: 0, answers: 0, uplinks: 0, misses: 0, garbled: 0, doubled: 0, late: 0 },
  ...{ noise: 0, echoes: 0, opened: 0, closed: 0, devicesLost: 0, downlinksDropped: 0 },
};

export type BusNews =
  | { readonly type: "opened" | "closed" | "tick" }
  /** A piece of the line: its whole frames, and how many pieces between zeros were none. */
  | { readonly type: "heard"; readonly frames: readonly WireFrame[]; readonly discards: number }
  | { readonly type: "send"; readonly address: number; readonly downlink: Downlink };

/** `nowMs`: of one monotonic clock. */
export type BusInput = BusNews & { readonly nowMs: number };

export type BusEffect =
  | { readonly do: "write"; readonly bytes: Uint8Array }
  | { readonly do: "received"; readonly address: number; readonly phyPayload: Uint8Array }
  | { readonly do: "settled"; readonly id: number; readonly result: Settled }
  | { readonly do: "lost"; readonly address: number; readonly isGarbled: boolean }
  | { readonly do: "back" | "doubled"; readonly address: number }
  | { readonly do: "mute"; readonly isGarbled: boolean }
  | { readonly do: "unmute" };

/** What became of a downlink: the device has it ("queued"), nobody knows, or there is no line or no such address. */
export type Settled = "queued" | "noAnswer" | "noGateway";

export type BusStep = readonly [BusMaster, readonly BusEffect[]];

export interface BusOptions {
  readonly baud: number;
  /** Addresses whose absence is told. */
  readonly expected: readonly number[];
  /** Addresses that are asked too, and expected once they have answered. */
  readonly scanned: readonly number[];
}

/** A bus whose line is not open yet. */
export function createBusMaster({ baud, expected, scanned }: BusOptions): BusMaster {
  const others = scanned.filter((address) => !expected.includes(address));
  return {
    baud,
    isOpen: false,
    isMute: false,
    slots: [
      ...expected.map((address) => createSlot(address, true)),
      ...others.map((address) => createSlot(address, false)),
    ],
    asking: null,
    eager: [],
    wasEager: false,
    readyMs: 0,
    quietByMs: 0,
    probeMs: 0,
    silentPolls: 0,
    last: null,
    disturbedMs: Number.NEGATIVE_INFINITY,
    answersSinceListening: 0,
    counters: NO_COUNTS,
  };
}

/** When time alone is worth a step; Infinity: never. */
export function dueMs(bus: BusMaster): number {
  if (!bus.isOpen || bus.slots.length === 0) return Number.POSITIVE_INFINITY;
  return bus.asking === null ? bus.readyMs : bus.asking.untilMs;
}

export function slotAt(bus: BusMaster, address: number): Slot | undefined {
  return bus.slots.find((slot) => slot.address === address);
}

export function withSlot(bus: BusMaster, slot: Slot): BusMaster {
  return { ...bus, slots: bus.slots.map((one) => (one.address === slot.address ? slot : one)) };
}

/** Adds to counters. */
export function counted(bus: BusMaster, more: Partial<BusCounters>): BusMaster {
  const counters = { ...bus.counters };
  for (const [name, by] of Object.entries(more)) counters[name as keyof BusCounters] += by;
  return { ...bus, counters };
}
