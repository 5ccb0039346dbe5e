/** What the hub's core and its broker child say to each other over the fork's channel (structured clone). */

/** Who may connect. Secrets are 128 random bits made by the hub, so one SHA-256 is enough to keep them. */
export interface BrokerUser {
  /** MQTT user name: a DevEUI for a board, any other word for an observer. */
  readonly name: string;
  readonly role: "device" | "observer";
  /** SHA-256 of the secret, 64 hex characters. */
  readonly secretHash: string;
}

/** What became of a board's PHYPayload. Only "kept" may be acknowledged to the board. */
export type UplinkOutcome = "kept" | "refused" | "notStored";

export interface BoardUplink {
  readonly id: number;
  readonly devEui: string;
  readonly phyPayload: Uint8Array;
}

export interface Publish {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

/** Uplinks, outcomes and publishes travel in lists of whatever one turn of the event loop brought, announcements of what a few
 *  milliseconds did; nothing waits for a list to fill. */
export type ToBroker =
  | {
      readonly type: "start";
      readonly host: string;
      readonly port: number;
      readonly users: readonly BrokerUser[];
    }
  | { readonly type: "users"; readonly users: readonly BrokerUser[] }
  | { readonly type: "publishes"; readonly publishes: readonly Publish[] }
  | { readonly type: "outcomes"; readonly outcomes: readonly (readonly [id: number, UplinkOutcome])[] }
  | { readonly type: "stop" };

export type FromBroker =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "uplinks"; readonly uplinks: readonly BoardUplink[] }
  | { readonly type: "request"; readonly name: string; readonly payload: Uint8Array }
  | { readonly type: "counters"; readonly counters: Readonly<Record<string, number>> };
