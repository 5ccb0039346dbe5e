/** What carries a device's frames, as every carrier shows it to the core: a pure reducer. Bytes and time in, news and
 *  requests to the board out. Each `uplink-NAME.ts` exports, by these names:
 *    createUplink(identity, nowMs)          the carrier just given power
 *    stepUplink(uplink, input, luck)        → [uplink, effects]; `luck` is 0 to 1, another for every step
 *    lowestRateOf(identity)                 lowest LoRaWAN data rate with room for a report
 *    isUsable(identity)                     true when the carrier can be told this identity
 *
 *  A frame is handed over only while `phase` is PHASE.idle. Then comes, unless it is refused, `onAir` once, perhaps
 *  `answered` once. `received` comes behind the `answered` of the frame that it answers; a carrier that can be reached at
 *  any time may say it without a frame. A refused frame is not kept: the core makes it anew, with its age, when the
 *  carrier is idle again. */
import type { DeviceIdentity } from "./identity.ts";

/** One frame as a carrier takes it. */
export interface Frame {
  readonly port: number;
  readonly hex: string;
  readonly isConfirmed: boolean;
  /** LoRaWAN data rate, -1: the network decides (ADR). */
  readonly dataRate: number;
}

/** idle: takes a frame · boot: after power or reset · start: being configured · join · pause: between joins · wait:
 *  refused, or busy · send: the frame is being handed over · air: on its way, its answer awaited · listen: for a
 *  downlink that comes behind the answer. A carrier uses those it needs. Numbers in the bundle. */
export const PHASE = {
  idle: 0,
  boot: 1,
  start: 2,
  join: 3,
  pause: 4,
  wait: 5,
  send: 6,
  air: 7,
  listen: 8,
} as const;

/** What a step asks for, or tells. write: bytes, complete with line ends · reset: hold the reset pin · power: take the
 *  power away for a moment · onAir: the frame is being transmitted · answered: the frame is over · received: a
 *  downlink · keep: Storage has to take the session in `text`, and reserve a count · connect, close: the network
 *  connection. */
export const DO = {
  write: 0,
  reset: 1,
  power: 2,
  onAir: 3,
  answered: 4,
  received: 5,
  keep: 6,
  connect: 7,
  close: 8,
} as const;

/** What the core asks of any carrier's state. */
export interface Uplink {
  /** Of PHASE. */
  readonly phase: number;
  /** When time alone is worth a step; Infinity: never. */
  readonly dueMs: number;
}

/** What happened: bytes came (an 8-bit string), a frame is to be sent (only when `phase` is idle), a new alarm waits
 *  (ends a pause now), the connection opened or closed, a count is reserved (the first comes with the session that was
 *  kept), or nothing but time: with `isQuiet` when nothing waits to be said, so that Storage may be written. */
export interface UplinkInput {
  readonly nowMs: number;
  readonly text?: string;
  readonly frame?: Frame;
  readonly isAlarm?: boolean;
  readonly isConnected?: boolean;
  readonly isQuiet?: boolean;
  readonly count?: number;
  readonly kept?: string | undefined;
}

export type UplinkEffect =
  | { readonly do: typeof DO.write; readonly text: string }
  | { readonly do: typeof DO.reset | typeof DO.power | typeof DO.onAir | typeof DO.connect | typeof DO.close }
  | { readonly do: typeof DO.answered; readonly isAcked: boolean }
  | { readonly do: typeof DO.received; readonly port: number; readonly hex: string }
  | { readonly do: typeof DO.keep; readonly text: string };

/** What each `uplink-NAME.ts` exports, for those who run several (`U` is its state). */
export interface UplinkDialect<U extends Uplink> {
  createUplink(identity: DeviceIdentity, nowMs: number): U;
  stepUplink(uplink: U, input: UplinkInput, luck: number): readonly [U, readonly UplinkEffect[]];
  lowestRateOf(identity: DeviceIdentity): number;
  isUsable(identity: DeviceIdentity): boolean;
}
