/** Between the LoRaWAN server and what the hub makes of its frames. */
import type { Reception } from "../carriers/carrier.ts";

/** An authenticated, decrypted, never seen before uplink with application data (FPort 1-255). */
export interface Uplink {
  devEui: string;
  fPort: number;
  payload: Uint8Array;
  confirmed: boolean;
  /** All 32 bits. */
  fCntUp: number;
  /** SHA-256 of the PHYPayload, 64 lowercase hex digits. */
  frameHash: string;
  /** The first copy; later ones come through `addReception`. */
  receptions: Reception[];
  /** Counter values skipped since the last uplink: frames this hub never heard. */
  lostFrames: number;
  phyPayload: Uint8Array;
}

/** What accepting an uplink came to. */
export interface Acceptance {
  /** An alarm: the RX1 answer waits for the centre's receipt until the last safe moment. */
  hold: boolean;
  /** The counter is on stable storage already; otherwise the server has it saved lazily. */
  durable?: boolean;
}

export interface UplinkSink {
  /** Settles when what the uplink says is on stable storage together with `counter` (alarms), or is accepted for
   *  lazy storage (heartbeats). A rejection means it is not stored: nothing is acknowledged, and the device's next
   *  copy of the same frame comes here again. */
  accept(uplink: Uplink, counter: { devEui: string; fCntUp: number }): Promise<Acceptance>;
  /** A later copy of an uplink already accepted: another gateway, or an NbTrans repetition. */
  addReception(devEui: string, frameHash: string, reception: Reception): void;
  /** What to put into the next downlink to this device: the newest stage for its open event, or settings, or null.
   *  `canWait`: nobody waits for it. */
  answer(devEui: string): { fPort: number; payload: Uint8Array; canWait?: boolean } | null;
  /** Security and MAC facts for supervision. */
  notice(notice: Notice): void;
}

/** What became of a frame. "kept": it is stored (or was before); "refused": not authentic, or replayed;
 *  "notStored": the disk did not take it, send it again. */
export type ReceiveOutcome = "kept" | "refused" | "notStored";

export type JoinRefusal =
  | "unknownDevice"
  | "joinEui"
  | "mic"
  | "devNonce"
  | "wrongSender"
  | "disk"
  | "addresses";

/** Repeated facts of one kind about one device are joined: `count` is how many the notice stands for. */
export type Notice =
  /** An authentic frame whose counter was used before: recorded and played back, or a device that lost its counter. */
  | { type: "replay"; devEui: string; fCntUp: number; gateway: string; frameHash: string; count: number }
  /** An authentic frame too far ahead of the counter for LoRaWAN 1.0.3; the device must join again. */
  | { type: "counterGap"; devEui: string; fCntUp: number; gateway: string; count: number }
  /** Many frames under a known DevAddr that none of its keys signed: noise, a neighbour's network, or an attack. */
  | { type: "badMic"; devAddr: string; gateway: string; count: number }
  | { type: "joinRefused"; devEui: string; reason: JoinRefusal; gateway: string; count: number }
  /** The device has sent its first frame under new keys. */
  | { type: "joined"; devEui: string; devAddr: string }
  /** An authentic uplink without application data: the device lives. */
  | { type: "alive"; devEui: string; reception: Reception }
  /** DevStatusAns. `batteryPercent` null: unknown; `external`: mains. `snrMarginDb`: last downlink at the device. */
  | {
      type: "deviceStatus";
      devEui: string;
      batteryPercent: number | null;
      external: boolean;
      snrMarginDb: number;
    }
  /** An uplink that asked for an answer got none: no free window, no duty cycle left, or no gateway took it. */
  | { type: "unanswered"; devEui: string; fCntUp: number; reason: string }
  /** The store refused a write; nothing that depends on it was sent. */
  | { type: "storeFault"; devEui: string; what: string; error: string };
