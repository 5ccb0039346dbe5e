/** Every way in which frames of one device and its hub can be lost or spoiled, tried one by one. */
import { describe, expect, test } from "vitest";
import type { BusPort } from "../../../hardware/virtual/bus.ts";
import { createBusSlave } from "../../../hardware/virtual/bus-slave.ts";
import { type BusEffect, type BusMaster, createBusMaster, dueMs } from "../../../hub/carriers/rs485-bus.ts";
import { stepBus } from "../../../hub/carriers/rs485-master.ts";
import { createDeframer, type WireFrame } from "../../../protocols/device/frame.ts";
import { otherBytes } from "../../protocols/promises.ts";
import { bytesOf } from "./rs485-world.ts";

const UP = ["up 1", "up 2"];
const DOWN = ["down 1", "down 2"];

interface Outcome {
  readonly received: string[];
  readonly delivered: string[];
  readonly results: string[];
  readonly lost: number;
}

/** What becomes of the n-th frame on the line, whoever sends it; null: nobody hears it. */
type Fate = (bytes: Uint8Array, n: number) => Uint8Array | null;

/** The device, answering at once: bytes of the hub in, bytes for the hub out. */
function createDevice(delivered: string[]): (bytes: Uint8Array) => Uint8Array | null {
  let hear = (_: Uint8Array): void => undefined;
  let answer: Uint8Array | null = null;
  const port: BusPort = {
    send: (bytes) => {
      answer = bytes;
    },
    onData: (listener) => {
      hear = listener;
    },
    setPlugged: () => undefined,
  };
  const setTimer = (callback: () => void) => {
    callback();
    return { cancel: () => undefined };
  };
  const slave = createBusSlave({
    clock: { wallMs: () => 0, monotonicMs: () => 0, setTimer },
    port,
    address: 5,
    onPayload: (bytes) => delivered.push(Buffer.from(bytes).toString()),
  });
  for (const text of UP) slave.give(bytesOf(text));
  return (bytes) => {
    answer = null;
    hear(bytes);
    return answer;
  };
}

/** The hub, and what it wrote last. */
function createHub(outcome: { received: string[]; results: string[]; lost: number }) {
  let master: BusMaster = createBusMaster({ baud: 38_400, expected: [5], scanned: [] });
  let written: Uint8Array | null = null;
  let heard: WireFrame[] = [];
  let discards = 0;
  const note = (effect: BusEffect) => {
    if (effect.do === "write") written = effect.bytes;
    if (effect.do === "received") outcome.received.push(Buffer.from(effect.phyPayload).toString());
    if (effect.do === "settled") outcome.results.push(effect.result);
    if (effect.do === "lost") outcome.lost++;
  };
  const step = (input: Parameters<typeof stepBus>[1]) => {
    const [next, effects] = stepBus(master, input);
    master = next;
    for (const effect of effects) note(effect);
  };
  const deframe = createDeframer(
    (frame) => heard.push(frame),
    () => discards++,
  );
  return {
    step,
    takeWritten() {
      const bytes = written;
      written = null;
      return bytes;
    },
    /** Just before it would give up waiting; without an answer it does. */
    hear(bytes: Uint8Array | null) {
      const nowMs = dueMs(master) - 1;
      if (bytes !== null) deframe(bytes);
      if (heard.length > 0 || discards > 0) step({ type: "heard", nowMs, frames: heard, discards });
      heard = [];
      discards = 0;
      if (written === null) step({ type: "tick", nowMs: dueMs(master) });
    },
  };
}

/** One device and its hub without a clock, for so many frames of the hub. */
function run(fate: Fate, polls = 24): Outcome {
  const outcome = { received: [] as string[], delivered: [] as string[], results: [] as string[], lost: 0 };
  const device = createDevice(outcome.delivered);
  const hub = createHub(outcome);
  let frames = 0;
  const pass = (bytes: Uint8Array | null) => (bytes === null ? null : fate(bytes, frames++));
  hub.step({ type: "opened", nowMs: 0 });
  for (const [id, text] of DOWN.entries()) {
    const downlink = { id, phyPayload: bytesOf(text) };
    hub.step({ type: "send", nowMs: 0, address: 5, downlink });
  }
  for (let poll = 0; poll < polls; poll++) {
    const arrived = pass(hub.takeWritten());
    hub.hear(pass(arrived === null ? null : device(arrived)));
  }
  return outcome;
}

/** Without what comes twice in a row. */
function once(texts: readonly string[]): string[] {
  return texts.filter((text, i) => text !== texts[i - 1]);
}

describe("one device and its hub", () => {
  test("with nothing lost: everything passes once, in order", () => {
    expect(run((bytes) => bytes)).toMatchObject({
      received: UP,
      delivered: DOWN,
      results: ["queued", "queued"],
      lost: 0,
    });
  });

  test("each of the 4,096 ways to lose some of the first twelve frames: everything passes, in order, and once unless the device was given up", () => {
    for (let lostOnes = 0; lostOnes < 4096; lostOnes++) {
      const outcome = run((bytes, n) => (n < 12 && (lostOnes >> n) & 1 ? null : bytes));
      const { received, delivered, results, lost } = outcome;
      const words = `frames lost: ${lostOnes.toString(2)}`;
      expect(once(received), words).toEqual(UP);
      const queued = DOWN.filter((_, i) => results[i] === "queued");
      for (const text of queued) expect(delivered, words).toContain(text);
      expect([...delivered].sort(), words).toEqual(delivered);
      if (lost === 0) expect([received, delivered], words).toEqual([UP, DOWN]);
    }
  });

  test("each of the 255 changes of each byte of each of the first ten frames: nothing wrong, nothing lost, nothing twice", () => {
    const lengths = new Map<number, Uint8Array>();
    run((bytes, n) => {
      lengths.set(n, bytes);
      return bytes;
    });
    for (let at = 0; at < 10; at++) {
      for (const changed of otherBytes(lengths.get(at) ?? new Uint8Array())) {
        const { received, delivered, results } = run((bytes, n) => (n === at ? changed : bytes), 14);
        expect([received, delivered, results]).toEqual([UP, DOWN, ["queued", "queued"]]);
      }
    }
  });

  test("an answer that comes late is taken for its own frame, and never for the next one", () => {
    const outcome = { received: [] as string[], delivered: [] as string[], results: [] as string[], lost: 0 };
    const device = createDevice(outcome.delivered);
    const hub = createHub(outcome);
    hub.step({ type: "opened", nowMs: 0 });
    const ask = () => device(hub.takeWritten() ?? new Uint8Array());
    hub.hear(ask());
    const late = ask();
    hub.hear(null);
    const toRepetition = ask();
    expect(toRepetition).toEqual(late);
    hub.step({ type: "send", nowMs: 0, address: 5, downlink: { id: 1, phyPayload: bytesOf("down") } });
    hub.hear(late);
    const carrying = hub.takeWritten();
    hub.hear(toRepetition);
    expect([outcome.received, outcome.results]).toEqual([UP, []]);
    const again = hub.takeWritten();
    expect(again).toEqual(carrying);
    hub.hear(device(again ?? new Uint8Array()));
    expect([outcome.received, outcome.results, outcome.delivered]).toEqual([UP, ["queued"], ["down"]]);
  });

  test("a late answer does not end the turn of the device that is asked by then", () => {
    let master = createBusMaster({ baud: 38_400, expected: [5, 6], scanned: [] });
    const step = (input: Parameters<typeof stepBus>[1]) => {
      const [next, effects] = stepBus(master, input);
      master = next;
      return effects.map((effect) => effect.do);
    };
    step({ type: "opened", nowMs: 1_000 });
    step({ type: "tick", nowMs: dueMs(master) });
    expect(master.asking?.address).toBe(6);
    const late: WireFrame = {
      ...{ address: 5, fromDevice: true, type: "idle", sequence: 0 },
      payload: new Uint8Array(),
    };
    expect(step({ type: "heard", nowMs: dueMs(master) - 50, frames: [late], discards: 0 })).toEqual([]);
    expect([master.asking?.address, master.counters.late]).toEqual([6, 1]);
  });
});
