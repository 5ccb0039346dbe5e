/** As little MQTT client as can be (3.1.1, one socket, no queue), so that the broker is what is measured. */
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import mqttPacket from "mqtt-packet";

export interface RawClient {
  publish(topic: string, payload: Buffer, messageId: number): void;
  /** Settles when the broker has granted QoS 1 for it. */
  subscribe(topic: string): Promise<void>;
  acknowledge(messageId: number): void;
  close(): void;
}

export interface RawClientOptions {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  onPubAck(messageId: number): void;
  onPublish?(packet: mqttPacket.IPublishPacket): void;
}

/** Over plain TCP on the loopback. */
export function connectTcp(port: number, options: RawClientOptions): Promise<RawClient> {
  return open(net.connect({ port, host: "127.0.0.1", noDelay: true }), options);
}

/** Over mutual TLS. */
export function connectTls(secure: tls.ConnectionOptions, options: RawClientOptions): Promise<RawClient> {
  const socket = tls.connect({ ...secure, checkServerIdentity: () => undefined });
  socket.setNoDelay(true);
  return open(socket, options);
}

/** Settles when the broker has let it in. */
function open(socket: Duplex, options: RawClientOptions): Promise<RawClient> {
  const parser = mqttPacket.parser();
  const granted: (() => void)[] = [];
  const send = (packet: mqttPacket.Packet) => void socket.write(mqttPacket.generate(packet));
  const client: RawClient = {
    publish: (topic, payload, messageId) =>
      send({ cmd: "publish", topic, payload, qos: 1, messageId, dup: false, retain: false }),
    subscribe: (topic) =>
      new Promise((resolve) => {
        granted.push(resolve);
        send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 1 }] });
      }),
    acknowledge: (messageId) => send({ cmd: "puback", messageId }),
    close: () => socket.destroy(),
  };
  socket.on("data", (chunk) => parser.parse(chunk));
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the broker closed the connection")));
    parser.on("packet", (packet) => {
      if (packet.cmd === "puback") options.onPubAck(packet.messageId ?? 0);
      else if (packet.cmd === "publish") options.onPublish?.(packet);
      else if (packet.cmd === "suback") granted.shift()?.();
      else if (packet.cmd === "connack") {
        if (packet.returnCode === 0) resolve(client);
        else reject(new Error(`the broker refuses ${options.clientId}: ${packet.returnCode}`));
      }
    });
    send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId: options.clientId,
      keepalive: 0,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: Buffer.from(options.password) }),
    });
  });
}
