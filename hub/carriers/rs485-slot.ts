/** One address of an RS-485 bus as its master sees it: the exchange that is open, the downlinks that wait, and whether
 *  anybody is there. Pure values; the rules of the sequence are in protocols/device/frame.ts. */
import { encodeFrame, nextSequence, type WireFrame } from "../../protocols/device/frame.ts";

/** A PHYPayload for a device. `id` comes back with what became of it. */
export interface Downlink {
  readonly id: number;
  readonly phyPayload: Uint8Array;
}

/** A hub frame that no answer has come for yet. */
export interface OpenExchange {
  readonly frame: WireFrame;
  readonly bytes: Uint8Array;
  /** How often it was sent. */
  readonly tries: number;
  readonly downlink: Downlink | null;
}

export interface Slot {
  readonly address: number;
  /** Its absence is told: it is in the list, or it has answered since the start. */
  readonly isExpected: boolean;
  /** unheard: nobody has answered since the line opened · offline: three misses in a row, asked rarely. */
  readonly state: "unheard" | "online" | "offline";
  /** Its loss was told, and its return will be. */
  readonly isLost: boolean;
  /** Two devices answered here, and that was told. */
  readonly isDoubled: boolean;
  /** Of the last exchange that was answered; null: the next one begins anew. */
  readonly sequence: number | null;
  readonly open: OpenExchange | null;
  /** Oldest first. */
  readonly waiting: readonly Downlink[];
  /** In a row. */
  readonly misses: number;
  /** Of those in a row: something was heard that was no answer. */
  readonly garbledMisses: number;
  /** When it was last asked; 0: never. */
  readonly askedMs: number;
  readonly heardMs: number | null;
  readonly counters: SlotCounters;
}

/** Since the start. */
export interface SlotCounters {
  readonly answers: number;
  readonly misses: number;
  /** Misses in which something was heard that was no answer: noise, or two devices at once. */
  readonly garbled: number;
  /** A second answer to a frame that was sent once. */
  readonly doubled: number;
}

const NO_COUNTS: SlotCounters = { answers: 0, misses: 0, garbled: 0, doubled: 0 };

/** An address that nobody has been asked at. */
export function createSlot(address: number, isExpected: boolean): Slot {
  return {
    address,
    isExpected,
    state: "unheard",
    isLost: false,
    isDoubled: false,
    sequence: null,
    open: null,
    waiting: [],
    misses: 0,
    garbledMisses: 0,
    askedMs: 0,
    heardMs: null,
    counters: NO_COUNTS,
  };
}

/** Opens the next exchange, or the open one once more. The result's `open` is never null. */
export function ask(slot: Slot, nowMs: number): Slot & { readonly open: OpenExchange } {
  const askedMs = nowMs;
  if (slot.open !== null) return { ...slot, askedMs, open: { ...slot.open, tries: slot.open.tries + 1 } };
  const { address, sequence } = slot;
  // what begins a conversation may reach a device that has heard it before, so it carries nothing
  const [downlink = null, ...rest] = sequence === null ? [] : slot.waiting;
  const frame: WireFrame = {
    address,
    fromDevice: false,
    type: downlink === null ? "poll" : "data",
    sequence: sequence === null ? 0 : nextSequence(sequence),
    payload: downlink === null ? new Uint8Array() : downlink.phyPayload,
  };
  const waiting = sequence === null ? slot.waiting : rest;
  return { ...slot, askedMs, waiting, open: { frame, bytes: encodeFrame(frame), tries: 1, downlink } };
}

/** Its open exchange was answered. */
export function answered(slot: Slot, nowMs: number): Slot {
  return {
    ...slot,
    isExpected: true,
    state: "online",
    isLost: false,
    sequence: slot.open?.frame.sequence ?? slot.sequence,
    open: null,
    misses: 0,
    garbledMisses: 0,
    heardMs: nowMs,
    counters: { ...slot.counters, answers: slot.counters.answers + 1 },
  };
}

/** No answer came to its open exchange. */
export function missed(slot: Slot, isGarbled: boolean): Slot {
  const { counters } = slot;
  const garbled = isGarbled ? 1 : 0;
  return {
    ...slot,
    misses: slot.misses + 1,
    garbledMisses: slot.garbledMisses + garbled,
    counters: { ...counters, misses: counters.misses + 1, garbled: counters.garbled + garbled },
  };
}

/** Takes back everything that was on its way; the next exchange begins anew. Returns the downlinks that fall. */
export function drop(slot: Slot, state: "unheard" | "offline"): readonly [Slot, readonly Downlink[]] {
  const fallen = slot.open?.downlink ? [slot.open.downlink, ...slot.waiting] : slot.waiting;
  const cleared = { state, sequence: null, open: null, waiting: [], misses: 0, garbledMisses: 0 };
  return [{ ...slot, ...cleared }, fallen];
}
