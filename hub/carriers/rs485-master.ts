/** The master of one RS-485 bus: a pure reducer. What the line brought and the time go in, bytes and news come out.
 *  Frames and the rules of their sequence: protocols/device/frame.ts. Whose turn it is: rs485-turns.ts. */
import type { WireFrame } from "../../protocols/device/frame.ts";
import {
  type BusEffect,
  type BusInput,
  type BusMaster,
  type BusStep,
  counted,
  type Settled,
  slotAt,
  withSlot,
} from "./rs485-bus.ts";
import { answered, ask, type Downlink, drop, missed, type Slot } from "./rs485-slot.ts";
import { FIRST_PROBE_MS, PROBE_MS, turnOf } from "./rs485-turns.ts";

/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;
/** Two characters of quiet before a frame. */
const GAP_BYTES = 2;
const MAX_FRAME_BYTES = 263;
/** An answer begins this long after the hub's frame at the latest. */
const REPLY_MS = 200;
/** What a USB adapter keeps bytes back for, and a little more. */
const LINE_SLACK_MS = 20;
/** A line that is never quiet is spoken on all the same after this. */
const MAX_QUIET_WAIT_MS = 100;
/** Hub frames in a row without an answer: the device is offline. */
const MISSES = 3;
/** Downlinks that wait for one device. */
const MAX_WAITING = 4;
/** So long after a disturbance the master listens longer behind some answers: a second device on the same address may
 *  answer behind the first one. */
const SUSPICION_MS = 10_000;
const LISTEN_MS = 30;
/** Several devices that all miss two frames in a row: it is the bus, not each of them. */
const BUS_DEVICES = 2;
const SILENT_ROUNDS = 2;

/** One step. Times are milliseconds of one monotonic clock. */
export function stepBus(bus: BusMaster, input: BusInput): BusStep {
  const effects: BusEffect[] = [];
  const changed = take(bus, input, effects);
  const next = speak(expire(changed, input.nowMs, effects), input.nowMs, effects);
  return [next, effects];
}

function take(bus: BusMaster, input: BusInput, effects: BusEffect[]): BusMaster {
  switch (input.type) {
    case "opened":
      return counted({ ...bus, isOpen: true, readyMs: input.nowMs, probeMs: input.nowMs }, { opened: 1 });
    case "closed":
      if (!bus.isOpen) return bus;
      return counted({ ...silenced(bus, "unheard", "noGateway", effects), isOpen: false }, { closed: 1 });
    case "send":
      return send(bus, input.address, input.downlink, effects);
    case "heard":
      return bus.isOpen ? hear(bus, input, effects) : bus;
    case "tick":
      return bus;
  }
}

/** Nobody is there any more: what was on its way falls, and the first answer will say that the bus is back. */
function silenced(
  bus: BusMaster,
  state: "unheard" | "offline",
  result: Settled,
  effects: BusEffect[],
): BusMaster {
  const slots = bus.slots.map((slot) => {
    const [empty, fallen] = drop(slot, state);
    settle(fallen, result, effects);
    return empty;
  });
  const isMute = bus.isMute || slots.some(({ isExpected }) => isExpected);
  return { ...bus, slots, isMute, asking: null, eager: [], last: null, silentPolls: 0 };
}

function settle(downlinks: readonly Downlink[], result: Settled, effects: BusEffect[]): void {
  for (const { id } of downlinks) effects.push({ do: "settled", id, result });
}

function send(bus: BusMaster, address: number, downlink: Downlink, effects: BusEffect[]): BusMaster {
  const slot = slotAt(bus, address);
  if (slot === undefined || !bus.isOpen || slot.state === "offline") {
    settle([downlink], slot?.state === "offline" ? "noAnswer" : "noGateway", effects);
    return bus;
  }
  const waiting = [...slot.waiting, downlink];
  const fallen = waiting.slice(0, -MAX_WAITING);
  settle(fallen, "noAnswer", effects);
  const kept = withSlot(bus, { ...slot, waiting: waiting.slice(-MAX_WAITING) });
  return eagerFor(counted(kept, { downlinksDropped: fallen.length }), address);
}

function eagerFor(bus: BusMaster, address: number): BusMaster {
  return bus.eager.includes(address) ? bus : { ...bus, eager: [...bus.eager, address] };
}

function hear(
  bus: BusMaster,
  { frames, discards, nowMs }: Extract<BusInput, { type: "heard" }>,
  effects: BusEffect[],
): BusMaster {
  let next = bus;
  if (discards > 0) next = { ...counted(next, { noise: discards }), disturbedMs: nowMs };
  if (next.asking !== null) {
    const { latestMs, isGarbled } = next.asking;
    next = { ...next, asking: { ...next.asking, untilMs: latestMs, isGarbled: isGarbled || discards > 0 } };
  } else {
    next = { ...next, readyMs: Math.min(Math.max(next.readyMs, nowMs + gapMs(bus)), next.quietByMs) };
  }
  for (const frame of frames) next = hearFrame(next, frame, nowMs, effects);
  return next;
}

function hearFrame(bus: BusMaster, frame: WireFrame, nowMs: number, effects: BusEffect[]): BusMaster {
  const { address, sequence } = frame;
  if (!frame.fromDevice) return counted(bus, { echoes: 1 });
  const slot = slotAt(bus, address);
  const isAsked = bus.asking?.address === address && slot?.open?.frame.sequence === sequence;
  if (slot !== undefined && isAsked && frame.type !== "poll") {
    return takeAnswer(bus, slot, { frame, nowMs }, effects);
  }
  const { last } = bus;
  // a device that is late answers the repetition too: only a frame that was sent once has one answer
  const isSecond = last?.address === address && last.sequence === sequence && last.tries === 1;
  return isSecond && slot !== undefined ? takeSecond(bus, slot, nowMs, effects) : counted(bus, { late: 1 });
}

function takeSecond(bus: BusMaster, slot: Slot, nowMs: number, effects: BusEffect[]): BusMaster {
  if (!slot.isDoubled) effects.push({ do: "doubled", address: slot.address });
  const counters = { ...slot.counters, doubled: slot.counters.doubled + 1 };
  const marked = withSlot({ ...bus, disturbedMs: nowMs }, { ...slot, isDoubled: true, counters });
  return counted(marked, { doubled: 1 });
}

function takeAnswer(
  bus: BusMaster,
  slot: Slot,
  { frame, nowMs }: { frame: WireFrame; nowMs: number },
  effects: BusEffect[],
): BusMaster {
  const { address, sequence, payload } = frame;
  if (bus.isMute) effects.push({ do: "unmute" });
  if (slot.isLost) effects.push({ do: "back", address });
  if (slot.open?.downlink) settle([slot.open.downlink], "queued", effects);
  const isData = frame.type === "data";
  if (isData) effects.push({ do: "received", address, phyPayload: payload });
  const online = bus.slots.filter(({ state }) => state === "online").length;
  const isListening = nowMs - bus.disturbedMs < SUSPICION_MS && bus.answersSinceListening >= online;
  const pauseMs = isListening ? LISTEN_MS : gapMs(bus);
  const heard = withSlot(bus, answered(slot, nowMs));
  const next: BusMaster = {
    ...heard,
    // those that nobody answered for while the bus was mute are asked like new ones, and told when they are missing
    slots: bus.isMute ? heard.slots.map(asUnheard) : heard.slots,
    isMute: false,
    asking: null,
    last: { address, sequence, tries: slot.open?.tries ?? 1 },
    silentPolls: 0,
    answersSinceListening: isListening ? 0 : bus.answersSinceListening + 1,
    readyMs: nowMs + pauseMs,
    quietByMs: nowMs + MAX_QUIET_WAIT_MS,
  };
  const isEager = isData || slot.waiting.length > 0;
  return counted(isEager ? eagerFor(next, address) : next, { answers: 1, uplinks: isData ? 1 : 0 });
}

function asUnheard(slot: Slot): Slot {
  return slot.state === "offline" ? { ...slot, state: "unheard" } : slot;
}

/** What time alone brings: the answer that is not coming any more. */
function expire(bus: BusMaster, nowMs: number, effects: BusEffect[]): BusMaster {
  const { asking } = bus;
  if (asking === null || nowMs < asking.untilMs) return bus;
  const slot = slotAt(bus, asking.address);
  if (slot === undefined) return { ...bus, asking: null };
  const { isGarbled } = asking;
  const wasFirst = slot.state === "unheard";
  const after = missed(slot, isGarbled);
  const ready: BusMaster = {
    ...withSlot(bus, after),
    asking: null,
    last: null,
    disturbedMs: nowMs,
    readyMs: nowMs,
    quietByMs: nowMs + MAX_QUIET_WAIT_MS,
    probeMs: slot.state === "online" ? bus.probeMs : nowMs + (wasFirst ? FIRST_PROBE_MS : PROBE_MS),
    silentPolls: bus.silentPolls + (slot.isExpected && slot.state !== "offline" ? 1 : 0),
  };
  const next = counted(ready, { misses: 1, garbled: isGarbled ? 1 : 0 });
  const silentRounds = bus.isMute ? 0 : next.silentPolls / hopedFor(next);
  if (silentRounds >= SILENT_ROUNDS) {
    effects.push({ do: "mute", isGarbled: next.slots.some(({ garbledMisses }) => garbledMisses > 0) });
    return silenced(next, "offline", "noAnswer", effects);
  }
  // while nobody at all answers it may be the bus
  if (after.misses >= (after.isExpected ? MISSES : 1) && silentRounds < 1) return lose(next, after, effects);
  // something did answer: it is asked again soon
  return isGarbled ? eagerFor(next, slot.address) : next;
}

/** Devices that should answer; Infinity where they are too few to tell the bus from them. */
function hopedFor({ slots }: BusMaster): number {
  const hoped = slots.filter(({ isExpected, state }) => isExpected && state !== "offline").length;
  return hoped >= BUS_DEVICES ? hoped : Number.POSITIVE_INFINITY;
}

function lose(bus: BusMaster, slot: Slot, effects: BusEffect[]): BusMaster {
  const [empty, fallen] = drop(slot, "offline");
  settle(fallen, "noAnswer", effects);
  const isTold = slot.isExpected && !slot.isLost && !bus.isMute;
  if (isTold) effects.push({ do: "lost", address: slot.address, isGarbled: slot.garbledMisses > 0 });
  const next = withSlot(bus, { ...empty, isLost: slot.isLost || isTold, isDoubled: false });
  return counted(next, { devicesLost: isTold ? 1 : 0 });
}

function speak(bus: BusMaster, nowMs: number, effects: BusEffect[]): BusMaster {
  if (!bus.isOpen || bus.asking !== null || nowMs < bus.readyMs) return bus;
  const turn = turnOf(bus, nowMs);
  if (turn === null) return bus;
  const slot = ask(turn.slot, nowMs);
  const { bytes, downlink, tries } = slot.open;
  effects.push({ do: "write", bytes });
  const untilMs = nowMs + lineMs(bus, bytes.length) + REPLY_MS + LINE_SLACK_MS;
  const { address } = slot;
  const next: BusMaster = {
    ...withSlot(bus, slot),
    asking: { address, untilMs, latestMs: untilMs + lineMs(bus, MAX_FRAME_BYTES), isGarbled: false },
    eager: bus.eager.filter((one) => one !== address),
    wasEager: turn.kind === "eager",
  };
  return counted(next, { polls: 1, downlinks: downlink !== null && tries === 1 ? 1 : 0 });
}

function gapMs(bus: BusMaster): number {
  return lineMs(bus, GAP_BYTES);
}

/** Milliseconds that so many bytes take. */
function lineMs({ baud }: BusMaster, bytes: number): number {
  return (bytes * BITS_PER_BYTE * 1000) / baud;
}
