/** The MQTT carrier: a Wi-Fi or Ethernet board's PHYPayload on the hub's own broker. The same LoRaWAN frames, session
 *  table and replay protection as on the radio; no receive windows, so an answer leaves at once. */
import type { UplinkOutcome } from "../broker/messages.ts";
import type { Clock } from "../clock.ts";
import type { Carrier, Reception } from "./carrier.ts";

export interface MqttCarrierOptions {
  readonly clock: Clock;
  /** Publishes to the broker child; never waits. */
  publish(topic: string, payload: Uint8Array): void;
  /** Hands the frame to the LoRaWAN server; settles when its fate is on stable storage. */
  receive(reception: Reception): Promise<UplinkOutcome>;
}

export interface MqttCarrier extends Carrier {
  /** For the broker's `onUplink`: settles with what may be told to the board. */
  uplink(devEui: string, phyPayload: Uint8Array): Promise<UplinkOutcome>;
}

/** A carrier named "mqtt". `send` settles at once: the broker queues for the board. */
export function createMqttCarrier(options: MqttCarrierOptions): MqttCarrier {
  return {
    name: "mqtt",
    leadMs: 0,
    uplink: (devEui, phyPayload) =>
      options.receive({
        phyPayload,
        carrier: "mqtt",
        gateway: "broker",
        rssiDbm: null,
        snrDb: null,
        frequencyHz: null,
        dataRate: null,
        tmst: null,
        atMs: options.clock.monotonicMs(),
        devEui,
      }),
    async send({ devEui, phyPayload }) {
      options.publish(`tugma/device/${devEui}/down`, phyPayload);
      return "queued";
    },
    close: async () => undefined,
  };
}
