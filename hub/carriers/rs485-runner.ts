/** One wire bus at work: feeds its master with what the line brings and with time, and does what the master wants. */
import { createDeframer, type WireFrame } from "../../protocols/device/frame.ts";
import type { Clock, Timer } from "../clock.ts";
import type { SendResult } from "./carrier.ts";
import { type BusEffect, type BusMaster, type BusNews, createBusMaster, dueMs } from "./rs485-bus.ts";
import { type BusConfig, scannedBy } from "./rs485-config.ts";
import type { Line, OpenLine } from "./rs485-line.ts";
import { stepBus } from "./rs485-master.ts";
import type { Slot, SlotCounters } from "./rs485-slot.ts";

export interface BusRunnerOptions {
  readonly clock: Clock;
  readonly openLine: OpenLine;
  onUplink(address: number, phyPayload: Uint8Array): void;
  onBus(isUp: boolean, reason: string | null): void;
  onDevice(address: number, isUp: boolean, reason: string | null): void;
  onConflict(address: number): void;
}

/** A bus on the status page. */
export interface BusView {
  readonly name: string;
  readonly path: string;
  readonly up: boolean;
  readonly reason: string | null;
  readonly devices: readonly DeviceView[];
}

export interface DeviceView extends SlotCounters {
  readonly address: number;
  readonly state: Slot["state"];
  readonly heardAgoMs: number | null;
}

export interface BusRunner {
  /** Settles when the device has it, or never will from here. */
  send(address: number, phyPayload: Uint8Array): Promise<SendResult>;
  readonly counters: BusMaster["counters"];
  view(): BusView;
  close(): Promise<void>;
}

/** A timer may call a rounding error early: the next one must not be as close. */
const LEAST_DELAY_MS = 0.1;
const GARBLED = "garbled answers: a bad line, or two devices on this address";

/** Opens the bus's line and begins to ask. */
export function openBus(config: BusConfig, options: BusRunnerOptions): BusRunner {
  return new Runner(config, options);
}

class Runner implements BusRunner {
  readonly #config: BusConfig;
  readonly #options: BusRunnerOptions;
  readonly #waiting = new Map<number, (result: SendResult) => void>();
  readonly #line: Line;
  #master: BusMaster;
  #timer: Timer | null = null;
  /** Null: not known yet. */
  #isUp: boolean | null = null;
  #reason: string | null = "not open yet";
  #lastId = 0;

  constructor(config: BusConfig, options: BusRunnerOptions) {
    this.#config = config;
    this.#options = options;
    const { baud, addresses, scan, path } = config;
    this.#master = createBusMaster({ baud, expected: addresses, scanned: scannedBy(scan) });
    const hearing = createHearing((frames, discards) => this.#step({ type: "heard", frames, discards }));
    this.#line = options.openLine(path, baud, {
      opened: () => {
        hearing.clear();
        this.#opened();
      },
      data: hearing.take,
      closed: (why) => {
        this.#step({ type: "closed" });
        this.#say(false, why);
      },
    });
  }

  send(address: number, phyPayload: Uint8Array): Promise<SendResult> {
    return new Promise((settled) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, settled);
      this.#step({ type: "send", address, downlink: { id, phyPayload } });
    });
  }

  get counters() {
    return this.#master.counters;
  }

  view(): BusView {
    const { name, path } = this.#config;
    const nowMs = this.#options.clock.monotonicMs();
    const devices = this.#master.slots.map(({ address, state, heardMs, counters }) => ({
      address,
      state,
      heardAgoMs: heardMs === null ? null : nowMs - heardMs,
      ...counters,
    }));
    return { name, path, up: this.#isUp === true, reason: this.#reason, devices };
  }

  async close(): Promise<void> {
    this.#step({ type: "closed" });
    await this.#line.close();
  }

  #opened(): void {
    this.#step({ type: "opened" });
    // behind an interruption only an answer shows that the bus is back
    if (this.#master.isMute) this.#reason = "no device answers yet";
    else this.#say(true, null);
  }

  #say(isUp: boolean, reason: string | null): void {
    const isNews = isUp !== this.#isUp;
    this.#isUp = isUp;
    this.#reason = reason;
    if (isNews) this.#options.onBus(isUp, reason);
  }

  #step(input: BusNews): void {
    const { clock } = this.#options;
    const [next, effects] = stepBus(this.#master, { ...input, nowMs: clock.monotonicMs() });
    this.#master = next;
    for (const effect of effects) this.#obey(effect);
    this.#timer?.cancel();
    const delayMs = Math.max(LEAST_DELAY_MS, dueMs(this.#master) - clock.monotonicMs());
    const tick = () => this.#step({ type: "tick" });
    this.#timer = Number.isFinite(delayMs) ? clock.setTimer(tick, delayMs) : null;
  }

  #obey(effect: BusEffect): void {
    const { onUplink, onDevice, onConflict } = this.#options;
    switch (effect.do) {
      case "write":
        this.#line.write(effect.bytes);
        break;
      case "received":
        onUplink(effect.address, effect.phyPayload);
        break;
      case "settled":
        this.#waiting.get(effect.id)?.(effect.result);
        this.#waiting.delete(effect.id);
        break;
      case "lost":
        onDevice(effect.address, false, effect.isGarbled ? GARBLED : "no answer");
        break;
      case "back":
        onDevice(effect.address, true, null);
        break;
      case "doubled":
        onConflict(effect.address);
        break;
      case "mute":
        this.#say(false, effect.isGarbled ? "noise, and no device answers" : "no device answers");
        break;
      case "unmute":
        this.#say(true, null);
        break;
    }
  }
}

/** Bytes of the line to whole frames, all those of one piece together. */
function createHearing(onHeard: (frames: readonly WireFrame[], discards: number) => void) {
  let frames: WireFrame[] = [];
  let discards = 0;
  const create = () =>
    createDeframer(
      (frame) => void frames.push(frame),
      () => void discards++,
    );
  let deframe = create();
  return {
    take(bytes: Uint8Array) {
      deframe(bytes);
      const heard = frames;
      const bad = discards;
      frames = [];
      discards = 0;
      onHeard(heard, bad);
    },
    /** Forgets half a frame: what comes next is another line's. */
    clear() {
      deframe = create();
    },
  };
}
