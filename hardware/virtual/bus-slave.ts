/** The device's side of the wire: answers when it is asked, by the rules in protocols/device/frame.ts. What is in the
 *  PHYPayloads is another's matter. */
import { createDeframer, encodeFrame, nextSequence, type WireFrame } from "../../protocols/device/frame.ts";
import type { BusPort } from "./bus.ts";
import type { Clock } from "./clock.ts";

export interface BusSlaveOptions {
  readonly clock: Clock;
  readonly port: BusPort;
  readonly address: number;
  /** From the end of the hub's frame to the start of the answer. Default 3 ms. */
  readonly turnaroundMs?: number;
  onPayload(phyPayload: Uint8Array): void;
}

export interface BusSlave {
  turnaroundMs: number;
  /** Gives a PHYPayload to be carried; oldest first. */
  give(phyPayload: Uint8Array): void;
  /** PHYPayloads that the hub has not been heard to have. */
  readonly waiting: number;
  /** A power cut: forgets everything, and hears nothing until `powerOn`. */
  powerOff(): void;
  powerOn(): void;
}

const DEFAULT_TURNAROUND_MS = 3;

/** A device with power. */
export function createBusSlave(options: BusSlaveOptions): BusSlave {
  return new Slave(options);
}

class Slave implements BusSlave {
  turnaroundMs: number;
  readonly #options: BusSlaveOptions;
  #deframe: (bytes: Uint8Array) => void;
  #isOn = true;
  #starts = 0;
  #last: { readonly sequence: number; readonly answer: Uint8Array; readonly carries: boolean } | null = null;
  #queue: Uint8Array[] = [];

  constructor(options: BusSlaveOptions) {
    this.#options = options;
    this.turnaroundMs = options.turnaroundMs ?? DEFAULT_TURNAROUND_MS;
    this.#deframe = this.#createDeframer();
    options.port.onData((bytes) => {
      if (this.#isOn) this.#deframe(bytes);
    });
  }

  get waiting(): number {
    return this.#queue.length;
  }

  give(phyPayload: Uint8Array): void {
    if (this.#isOn) this.#queue.push(phyPayload);
  }

  powerOff(): void {
    this.#isOn = false;
    this.#starts++;
    this.#last = null;
    this.#queue = [];
  }

  powerOn(): void {
    this.#isOn = true;
    this.#deframe = this.#createDeframer();
  }

  #createDeframer() {
    return createDeframer(
      (frame) => this.#hear(frame),
      // what is spoiled is asked again
      () => undefined,
    );
  }

  #hear(frame: WireFrame): void {
    const { address } = this.#options;
    if (frame.fromDevice || frame.address !== address || frame.type === "idle") return;
    const { sequence } = frame;
    const isRepetition = sequence !== 0 && sequence === this.#last?.sequence;
    if (this.#last === null || !isRepetition) this.#last = this.#answerTo(frame);
    const { answer } = this.#last;
    const start = this.#starts;
    this.#options.clock.setTimer(() => {
      if (this.#isOn && this.#starts === start) this.#options.port.send(answer);
    }, this.turnaroundMs);
  }

  #answerTo({ sequence, type, payload }: WireFrame) {
    const before = this.#last;
    const wasHeard = before !== null && sequence !== 0 && sequence === nextSequence(before.sequence);
    if (wasHeard && before.carries) this.#queue.shift();
    if (type === "data") this.#options.onPayload(payload);
    const [head] = this.#queue;
    const frame: WireFrame = {
      address: this.#options.address,
      fromDevice: true,
      type: head === undefined ? "idle" : "data",
      sequence,
      payload: head ?? new Uint8Array(),
    };
    return { sequence, answer: encodeFrame(frame), carries: head !== undefined };
  }
}
