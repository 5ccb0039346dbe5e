/** One connection to a centre's broker: MQTT 3.1.1 over mutual TLS, QoS 1, clean session, tried again for ever. Nothing
 *  rests on MQTT's own memory: what has no receipt is sent again by the path. */
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { MqttClient } from "mqtt";
import { centreTopic, type HubChannel } from "../../protocols/mqtt-topics.ts";
import type { Clock } from "../clock.ts";
import { keepNoMqttNumbers } from "./mqtt-numbers.ts";

export interface LinkOptions {
  readonly host: string;
  readonly port: number;
  /** The centre's own CA: the only one that is believed. PEM. */
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Hub id, 16 hex digits. */
  readonly hub: string;
  readonly clock: Clock;
  /** 0 to 1, for the backoff's jitter. */
  random(): number;
  /** Subscribed and ready to send. */
  onUp(): void;
  /** Was up, or an attempt failed. `reason` in words. */
  onDown(reason: string): void;
  onMessage(channel: HubChannel, payload: Uint8Array): void;
}

export interface Link {
  readonly isUp: boolean;
  /** Settles when the broker has acknowledged; rejects when the connection ends first. */
  publish(channel: "record" | "poll", payload: Uint8Array): Promise<void>;
  /** Gives the connection up and makes a new one. */
  renew(reason: string): void;
  close(): Promise<void>;
}

const KEEPALIVE_S = 10;
const CONNECT_MS = 5_000;
const FIRST_BACKOFF_MS = 250;
/** Ten seconds after a centre's return every hub's backlog is to be there. */
const MAX_BACKOFF_MS = 2_000;

export function startLink(options: LinkOptions): Link {
  const { clock, hub } = options;
  keepNoMqttNumbers();
  let client: MqttClient | null = null;
  let up = false;
  let closed = false;
  let failures = 0;

  function connect(): void {
    if (closed) return;
    const own = new MqttClient(() => tlsStream(options), {
      clientId: hub,
      clean: true,
      protocolVersion: 4,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
    });
    // one listener per publish in flight, which the path bounds
    own.setMaxListeners(0);
    client = own;
    let reason = "the centre closed the connection";
    own.on("error", (error) => {
      reason = error.message;
    });
    own.on("connect", () => {
      const topics = [centreTopic("receipt", hub), centreTopic("command", hub)];
      own.subscribe(topics, { qos: 1 }, (error, granted) => {
        if (own !== client || closed) return;
        if (error || granted?.some(({ qos }) => qos > 2)) return own.end(true);
        up = true;
        failures = 0;
        options.onUp();
      });
    });
    own.on("message", (topic, payload) => {
      if (own !== client) return;
      if (topic === centreTopic("receipt", hub)) options.onMessage("receipt", payload);
      else if (topic === centreTopic("command", hub)) options.onMessage("command", payload);
    });
    own.once("close", () => lost(own, reason));
  }

  function lost(from: MqttClient, reason: string): void {
    if (from !== client) return;
    client = null;
    up = false;
    from.end(true);
    options.onDown(reason);
    if (closed) return;
    const ceiling = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures++);
    clock.setTimer(connect, ceiling * (0.5 + options.random() / 2));
  }

  connect();
  return {
    get isUp() {
      return up;
    },
    publish(channel, payload) {
      const to = client;
      if (to === null || !up) return Promise.reject(new Error("no connection to the centre"));
      return new Promise((resolve, reject) => {
        const late = () => reject(new Error("the connection ended before the acknowledgement"));
        to.once("close", late);
        to.publish(
          centreTopic(channel, hub),
          Buffer.from(payload.buffer, payload.byteOffset, payload.length),
          { qos: 1 },
          (error) => {
            to.off("close", late);
            if (error) reject(error);
            else resolve();
          },
        );
        // MQTT.js would write when this turn's other work is done: the device's answer, announcements
        if (channel === "record") to.stream.uncork();
      });
    },
    renew(reason) {
      if (client !== null) lost(client, reason);
    },
    async close() {
      closed = true;
      up = false;
      const ending = client;
      client = null;
      if (ending !== null) await ending.endAsync(true);
    },
  };
}

/** Only the centre's own CA is believed, and it certifies for the server's part (extendedKeyUsage) nobody but the
 *  centre. So any name and address of the centre will do, and hubs need no renewal when it moves. */
function tlsStream({ host, port, caPem, certificatePem, privateKeyPem }: LinkOptions) {
  const tls: ConnectionOptions = {
    host,
    port,
    ca: caPem,
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: "TLSv1.3",
    checkServerIdentity: () => undefined,
  };
  const stream = connectTls(tls);
  // Nagle's algorithm against delayed acknowledgements costs 40 ms per alarm.
  stream.setNoDelay(true);
  return stream;
}
