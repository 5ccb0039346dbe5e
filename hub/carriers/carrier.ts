/** What brings PHYPayloads to the hub and takes them back: radio gateways, the hub's MQTT broker, the wire. */
import type { TxError } from "../../protocols/semtech-udp.ts";

export type CarrierName = "semtech-udp" | "mqtt" | "rs485";

/** One frame as one receiver heard it. The same frame from two gateways is two receptions. */
export interface Reception {
  phyPayload: Uint8Array;
  carrier: CarrierName;
  /** Gateway EUI (16 lowercase hex), or the broker's or the bus's name. */
  gateway: string;
  rssiDbm: number | null;
  snrDb: number | null;
  frequencyHz: number | null;
  /** Index into the region's data rates. */
  dataRate: number | null;
  /** The concentrator's counter at the end of the frame, µs modulo 2^32; null where there is no radio timing. */
  tmst: number | null;
  /** Hub's monotonic clock when the frame reached the hub. */
  atMs: number;
  /** Set by carriers that know the sender from its credentials: the frame must then be this device's. */
  devEui?: string;
}

/** One frame to send. */
export interface Transmission {
  phyPayload: Uint8Array;
  gateway: string;
  /** Concentrator counter at which to start, µs modulo 2^32; null: at once. */
  tmst: number | null;
  frequencyHz: number;
  /** Index into the region's data rates. */
  dataRate: number;
  eirpDbm: number;
  devEui: string;
}

/** "queued": the gateway has taken it and will send it. Everything else: it has not, or nobody knows ("noAnswer"). */
export type SendResult = "queued" | TxError | "noAnswer" | "noGateway";

export interface Carrier {
  readonly name: CarrierName;
  /** How long before its start a transmission must leave the hub. */
  readonly leadMs: number;
  /** Never rejects: what went wrong is the result. */
  send(transmission: Transmission): Promise<SendResult>;
  close(): Promise<void>;
}
