/** The wire: from a press to its record on a full bus, in virtual time, against the time of one round; and what noise costs
 *  the framer, in real time. */
import { createRandom } from "../../hardware/virtual/random.ts";
import { createDeframer, encodeFrame } from "../../protocols/device/frame.ts";
import { openWiredWorld, pressReport, type WiredWorld, wiredEui } from "../world/wired.ts";
import type { Bench, Curve, Measured } from "./measure.ts";
import { cpuSecondsSince, distribution, type Figure } from "./stats.ts";

const DEVICES = 31;
const BAUD = 38_400;
/** A board in C, and one that runs Espruino. */
const TURNAROUNDS_MS = [3, 12] as const;
const WITHIN = 1.5;

const NOISE_BYTES = 10_000_000;
const PARTS = 10;
const ROUNDS = 25;
/** Ten would be quadratic; what is above one is the collector's and other people's. */
const LINEAR_WITHIN = 1.5;
const FLAT_WITHIN_MB = 2;

export async function measure({ quick, progress }: Bench): Promise<Measured> {
  const figures: Figure[] = [];
  const curves: Curve[] = [];
  for (const turnaroundMs of TURNAROUNDS_MS) {
    progress(`presses on ${DEVICES} devices that answer within ${turnaroundMs} ms`);
    const samples = await pressToStored(turnaroundMs, quick ? 150 : 1_000);
    const name = `wire, ${DEVICES} devices, answers in ${turnaroundMs} ms: press to stored`;
    const { p50, p99, max } = distribution(samples);
    curves.push({ name, samples });
    figures.push({
      name: `${name}, p99`,
      value: p99,
      unit: "ms",
      reference: { what: "one round and the press", value: roundMs(turnaroundMs) },
      bound: { is: "<=", limit: WITHIN },
      detail: { p50, max, presses: samples.length },
    });
  }
  progress(`${NOISE_BYTES / 1e6} MB of noise`);
  return { figures: [...figures, ...framer()], curves };
}

/** Everybody is asked and has nothing, and one of them says a press: bytes on the line, two of quiet, turnarounds. */
function roundMs(turnaroundMs: number): number {
  const idle = encodeFrame({
    address: 1,
    fromDevice: true,
    type: "idle",
    sequence: 0,
    payload: new Uint8Array(),
  });
  const overheadBytes = 13;
  const payload = new Uint8Array(pressReport(1).length + overheadBytes).fill(1);
  const data = encodeFrame({ address: 1, fromDevice: true, type: "data", sequence: 0, payload });
  const lineMs = (bytes: number) => (bytes * 10_000) / BAUD;
  const exchangeMs = lineMs(2 * idle.length + 2) + turnaroundMs;
  return DEVICES * exchangeMs + lineMs(data.length - idle.length);
}

async function pressToStored(turnaroundMs: number, presses: number): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  const world = await openWiredWorld({ devices: DEVICES, turnaroundMs }, stack);
  await world.join();
  const random = createRandom(turnaroundMs);
  const samples: number[] = [];
  const numbers = new Map<number, number>();
  for (let press = 0; press < presses; press++) {
    await world.clock.advance(200 + random() * 1_000);
    const index = Math.floor(random() * DEVICES);
    const eventNumber = (numbers.get(index) ?? 0) + 1;
    numbers.set(index, eventNumber);
    samples.push(await onePress(world, index, eventNumber));
  }
  return samples;
}

async function onePress(world: WiredWorld, index: number, eventNumber: number): Promise<number> {
  const pressedMs = world.clock.monotonicMs();
  const isThis = ({ event }: WiredWorld["stored"][number]) =>
    event.kind === "panic" && event.device === wiredEui(index) && event.eventNumber === eventNumber;
  const from = world.stored.length;
  const found = () => world.stored.slice(from).find(isThis);
  world.press(index, eventNumber);
  await world.clock.runUntil(() => found() !== undefined, 60_000);
  const stored = found();
  if (stored === undefined) throw new Error(`press ${eventNumber} of device ${index + 1} was not stored`);
  return stored.atMs - pressedMs;
}

/** Ten megabytes must not cost more than ten times one, whatever the noise is like, and nothing of them may stay. */
function framer(): Figure[] {
  const random = createRandom(1);
  const noise = Uint8Array.from({ length: NOISE_BYTES / PARTS }, () => Math.floor(random() * 256));
  // without a single zero it is one endless piece
  noise.subarray(0, noise.length / 2).forEach((byte, i) => {
    noise[i] = byte | 1;
  });
  let frames = 0;
  const fresh = () =>
    createDeframer(
      () => frames++,
      () => undefined,
    );
  const costMs = (parts: number) => {
    const deframe = fresh();
    const before = process.cpuUsage();
    for (let part = 0; part < parts; part++) deframe(noise);
    return cpuSecondsSince(before) * 1000;
  };
  const held = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const before = held();
  let [partMs, wholeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    partMs = Math.min(partMs, costMs(1));
    wholeMs = Math.min(wholeMs, costMs(PARTS));
  }
  const grownMb = Math.max(0, held() - before) / 1e6;
  return [
    {
      name: "framer, 10 MB of noise",
      value: wholeMs,
      unit: "ms",
      reference: { what: "ten times one of them", value: partMs * PARTS },
      bound: { is: "<=", limit: LINEAR_WITHIN },
      detail: { frames },
    },
    {
      name: "framer, 10 MB of noise: memory kept",
      value: grownMb,
      unit: "MB",
      reference: null,
      bound: { is: "<=", limit: FLAT_WITHIN_MB },
    },
  ];
}
