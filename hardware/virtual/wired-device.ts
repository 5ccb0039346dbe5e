/** A bare LoRaWAN device on a wire bus: joins, sends what it is given until it is acknowledged, and hears answers. What a
 *  board with the firmware does beyond that (lamps, events, Storage) it does not. */
import { type AesKey, createAesKey, sessionKeys10 } from "../../protocols/lorawan/crypto.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { BusPort } from "./bus.ts";
import { type BusSlave, createBusSlave } from "./bus-slave.ts";
import type { Clock, Timer } from "./clock.ts";
import * as frames from "./device-frames.ts";
import * as sessions from "./device-session.ts";

export interface WiredDeviceOptions {
  readonly clock: Clock;
  readonly port: BusPort;
  readonly address: number;
  readonly region: Region;
  readonly identity: frames.Identity;
  /** Default 3 ms. */
  readonly turnaroundMs?: number;
  /** Default: a new device. */
  readonly memory?: sessions.DeviceMemory;
}

export type WiredEvent =
  | { readonly type: "joined" }
  /** The network has stored the payload that was sent. */
  | { readonly type: "acknowledged" }
  | { readonly type: "downlink"; readonly fPort: number | null; readonly payload: Uint8Array };

export interface WiredDevice {
  readonly slave: BusSlave;
  readonly memory: sessions.DeviceMemory;
  readonly isJoined: boolean;
  /** Asks to join until it is in. */
  join(): void;
  /** Sends a confirmed payload as new frames until one is acknowledged; a newer payload takes its place. */
  send(fPort: number, payload: Uint8Array): void;
  onEvent(listener: (event: WiredEvent) => void): void;
  powerOff(): void;
}

/** Without an answer by then, the next frame. */
const AGAIN_MS = 3_000;

/** A device with power that has not joined, unless its memory says so. */
export function createWiredDevice(options: WiredDeviceOptions): WiredDevice {
  return new Wired(options);
}

class Wired implements WiredDevice {
  readonly slave: BusSlave;
  readonly #options: WiredDeviceOptions;
  readonly #appKey: AesKey;
  readonly #listeners: ((event: WiredEvent) => void)[] = [];
  #memory: sessions.DeviceMemory;
  #keys: frames.SessionKeys | null = null;
  #joiningNonce: number | null = null;
  #open: { readonly fPort: number; readonly payload: Uint8Array } | null = null;
  #timer: Timer | null = null;

  constructor(options: WiredDeviceOptions) {
    const { clock, port, address, turnaroundMs } = options;
    this.#options = options;
    this.#appKey = createAesKey(options.identity.appKey);
    this.#memory = options.memory ?? sessions.BLANK_MEMORY;
    this.#useSession();
    this.slave = createBusSlave({
      ...{ clock, port, address },
      ...(turnaroundMs !== undefined && { turnaroundMs }),
      onPayload: (bytes) => this.#hear(bytes),
    });
  }

  get memory(): sessions.DeviceMemory {
    return this.#memory;
  }
  get isJoined(): boolean {
    return this.#memory.session !== null;
  }

  join(): void {
    this.#later(() => this.join());
    if (this.slave.waiting > 0) return;
    const { devNonce } = this.#memory;
    this.#memory = { ...this.#memory, devNonce: devNonce + 1 };
    this.#joiningNonce = devNonce;
    this.slave.give(frames.buildJoinRequest(this.#options.identity, this.#appKey, devNonce));
  }

  send(fPort: number, payload: Uint8Array): void {
    this.#open = { fPort, payload };
    this.#transmit();
  }

  onEvent(listener: (event: WiredEvent) => void): void {
    this.#listeners.push(listener);
  }

  powerOff(): void {
    this.#timer?.cancel();
    this.slave.powerOff();
  }

  #transmit(): void {
    const { session } = this.#memory;
    if (this.#open === null || session === null || this.#keys === null) return;
    this.#later(() => this.#transmit());
    // one frame at a time: the older one says the same, and the next poll fetches it
    if (this.slave.waiting > 0) return;
    const content = { ...this.#open, confirmed: true, adr: false, adrAckReq: false, fOpts: new Uint8Array() };
    this.slave.give(frames.buildUplink(session, this.#keys, content));
    this.#memory = { ...this.#memory, session: { ...session, fCntUp: session.fCntUp + 1, ackDue: false } };
  }

  #later(action: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(action, AGAIN_MS);
  }

  #hear(bytes: Uint8Array): void {
    if (this.#joiningNonce !== null && this.#acceptJoin(bytes, this.#joiningNonce)) return;
    const { session } = this.#memory;
    if (session === null || this.#keys === null) return;
    const opened = frames.openDownlink(session, this.#keys, bytes, Number.POSITIVE_INFINITY);
    if (opened === null) return;
    const { frame, fCntDown, payload } = opened;
    const ackDue = frame.mType === "confirmedDataDown";
    this.#memory = { ...this.#memory, session: { ...session, fCntDown, ackDue } };
    if (frame.fCtrl.ack && this.#open !== null) {
      this.#open = null;
      this.#timer?.cancel();
      this.#emit({ type: "acknowledged" });
    }
    if (payload.length > 0) this.#emit({ type: "downlink", fPort: frame.fPort, payload });
  }

  #acceptJoin(bytes: Uint8Array, devNonce: number): boolean {
    const accept = frames.openJoin(this.#appKey, bytes);
    if (accept === null || accept.joinNonce <= this.#memory.joinNonce) return false;
    const keys = sessionKeys10(this.#appKey, accept.joinNonce, accept.netId, devNonce);
    const session = sessions.startSession(this.#options.region, accept, keys, 0);
    this.#memory = { ...this.#memory, joinNonce: accept.joinNonce, session };
    this.#joiningNonce = null;
    this.#timer?.cancel();
    this.#useSession();
    this.#emit({ type: "joined" });
    this.#transmit();
    return true;
  }

  #useSession(): void {
    const { session } = this.#memory;
    this.#keys = session && frames.createSessionKeys(session);
  }

  #emit(event: WiredEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
