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
  /** Frames on the line, of both sides. */
  readonly frames: number;
}

/** One device and its hub without a clock: `line` says what becomes of the n-th frame on the line (null: lost). */
function run(line: (bytes: Uint8Array, n: number) => Uint8Array | null, polls = 24): Outcome {
  const outcome = { received: [] as string[], delivered: [] as string[], results: [] as string[] };
  let frames = 0;
  let lost = 0;
  let toSlave = (_: Uint8Array): void => undefined;
  let answer: Uint8Array | null = null;
  const pass = (bytes: Uint8Array) => line(bytes, frames++);
  const port: BusPort = {
    send(bytes) {
      answer = pass(bytes);
    },
    onData(listener) {
      toSlave = listener;
    },
    setPlugged: () => undefined,
  };
  const atOnce = (callback: () => void) => {
    callback();
    return { cancel: () => undefined };
  };
  const slave = createBusSlave({
    clock: { wallMs: () => 0, monotonicMs: () => 0, setTimer: atOnce },
    port,
    address: 5,
    onPayload: (bytes) => outcome.delivered.push(Buffer.from(bytes).toString()),
  });
  for (const text of UP) slave.give(bytesOf(text));
  let master: BusMaster = createBusMaster({ baud: 38_400, expected: [5], scanned: [] });
  let written: Uint8Array | null = null;
  const note = (effect: BusEffect) => {
    if (effect.do === "write") written = effect.bytes;
    if (effect.do === "received") outcome.received.push(Buffer.from(effect.phyPayload).toString());
    if (effect.do === "settled") outcome.results.push(effect.result);
    if (effect.do === "lost") lost++;
  };
  const step = (input: Parameters<typeof stepBus>[1]) => {
    const [next, effects] = stepBus(master, input);
    master = next;
    for (const effect of effects) note(effect);
  };
  step({ type: "opened", nowMs: 0 });
  for (const [id, text] of DOWN.entries()) {
    step({ type: "send", nowMs: 0, address: 5, downlink: { id, phyPayload: bytesOf(text) } });
  }
  let heard: WireFrame[] = [];
  let discards = 0;
  const deframe = createDeframer(
    (frame) => heard.push(frame),
    () => discards++,
  );
  for (let poll = 0; poll < polls; poll++) {
    const bytes = written;
    answer = null;
    const arrived = bytes === null ? null : pass(bytes);
    written = null;
    if (arrived !== null) toSlave(arrived);
    const nowMs = dueMs(master) - 1;
    if (answer !== null) deframe(answer);
    if (heard.length > 0 || discards > 0) step({ type: "heard", nowMs, frames: heard, discards });
    heard = [];
    discards = 0;
    if (written === null) step({ type: "tick", nowMs: dueMs(master) });
  }
  return { ...outcome, lost, frames };
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
});
