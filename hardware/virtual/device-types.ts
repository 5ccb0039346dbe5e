/** What a LoRaWAN end device takes and tells: the surface of lorawan-device.ts. */
import type { MacCommand } from "../../protocols/lorawan/mac.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Air } from "./air-types.ts";
import type { Clock } from "./clock.ts";
import type { Identity } from "./device-frames.ts";
import type { DeviceMemory, LorawanVersion } from "./device-session.ts";
import type { Slot } from "./radio.ts";
import type { Random } from "./random.ts";

export interface Uplink {
  /** 1-223; not sent when the payload is empty, as the LoRaMac stack does it. */
  readonly fPort: number;
  readonly payload: Uint8Array;
  readonly confirmed: boolean;
  /** Least number of transmissions of a confirmed frame; the network's NbTrans may ask for more. Default 1. */
  readonly trials?: number;
}

/** What became of a request: under way, or why not. `wait`: the duty cycle allows it in so many milliseconds. */
export type Started =
  | { type: "started" }
  | { type: "wait"; waitMs: number }
  | { type: "refused"; reason: Refused };
/** `dataRate`: no enabled channel takes the data rate, or it is too slow for the sub-band's hour. */
export type Refused = "busy" | "notJoined" | "length" | "dataRate";

export interface ReceivedDownlink {
  readonly type: "downlink";
  readonly fPort: number | null;
  /** In the clear; empty when the frame carried an ACK or MAC commands only. */
  readonly payload: Uint8Array;
  readonly slot: Slot;
  readonly rssiDbm: number;
  readonly snrDb: number;
  readonly confirmed: boolean;
  readonly fPending: boolean;
}

export type DeviceEvent =
  | { type: "joined"; devAddr: string }
  | { type: "joinFailed" }
  | { type: "sent"; confirmed: boolean; acknowledged: boolean; copies: number; fCntUp: number }
  | ReceivedDownlink
  /** The network answered LinkCheckReq or DeviceTimeReq. */
  | { type: "answer"; command: MacCommand };

export interface LorawanDeviceOptions {
  readonly clock: Clock;
  readonly air: Air;
  readonly random: Random;
  readonly region: Region;
  readonly identity: Identity;
  /** Default 1.0.4. */
  readonly version?: LorawanVersion;
  /** Default: a new device. */
  readonly memory?: DeviceMemory;
  /** Called with every change before it takes effect on air: what was given here is what a power cut leaves. */
  readonly onMemory?: (memory: DeviceMemory) => void;
  /** DevStatusAns: 0 mains, 1-254, 255 unknown (default). */
  readonly battery?: () => number;
}

export interface LorawanDevice {
  /** The ADR bit; true at first. */
  adr: boolean;
  readonly memory: DeviceMemory;
  readonly joined: boolean;
  /** A join, or an uplink with its copies and windows, is under way. */
  readonly busy: boolean;
  readonly dataRate: number;
  /** Of the running session and of later joins. */
  setDataRate(dataRate: number): void;
  /** Class C opens the receiver between uplinks, once joined. */
  setClass(deviceClass: "A" | "C"): void;
  /** Sends one join-request, which ends the old session. `joined` or `joinFailed` follows when the windows are over. */
  join(): Started;
  /** Sends one frame with its copies. `sent` follows, and then `downlink` if one came. */
  send(uplink: Uplink): Started;
  /** Puts the request into the next uplink; `answer` may follow. */
  request(cid: "LinkCheckReq" | "DeviceTimeReq"): void;
  onEvent(listener: (event: DeviceEvent) => void): void;
  /** Power cut: nothing more is sent or heard. Make a new device from `memory` to go on. */
  off(): void;
}
