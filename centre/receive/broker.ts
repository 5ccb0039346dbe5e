/** The door for hubs: MQTT 3.1.1 over TLS 1.3 with client certificates. Who a hub is says its certificate alone; which
 *  certificate counts says the ledger's registry. A hub may publish its records and polls and hear its receipts and
 *  commands, nothing else.                                                                                            */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { Aedes, type Client, type PublishPacket } from "aedes";
import { centreTopic, parseCentreTopic } from "../../protocols/mqtt-topics.ts";
import type { HubLink, HubSession } from "./hub-link.ts";
import { limitPacketSize } from "./packet-limit.ts";
import { createSessionStore } from "./session-store.ts";

export const BROKER_LIMITS = { packetBytes: 1024 * 1024 + 128, keepaliveS: 300, connectMs: 10_000 } as const;

/** mqemitter reorders and may overflow the stack below this (Aedes 1.2). */
const CONCURRENCY = 100_000;

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
  /** The hub with this certificate; undefined when it is not enrolled, is revoked, or has another certificate now. */
  hubOf(id: string, fingerprint: string): HubLink | undefined;
  /** Settles when the PUBACK may go. */
  onRecord(hub: HubLink, session: HubSession, payload: Uint8Array): Promise<void>;
  onPoll(hub: HubLink, payload: Uint8Array): void;
  /** It listens to its receipts now. */
  onSubscribed(hub: HubLink): void;
  count(name: string): void;
}

export interface Broker {
  readonly port: number;
  readonly connections: number;
  close(): Promise<void>;
}

interface Connected {
  readonly hub: HubLink;
  readonly session: HubSession;
  readonly acks: Map<number, () => void>;
}

/** Settles when it listens. Rejects when the port is taken. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const connected = new WeakMap<Client, Connected>();
  let messageId = 0;
  let forwarding: number | undefined;
  const store = createSessionStore((id, acknowledged) => {
    const acks = byHub.get(id)?.acks;
    acks?.get(acknowledged)?.();
    acks?.delete(acknowledged);
  });
  const byHub = new Map<string, Connected>();

  const aedes = await Aedes.createBroker({
    concurrency: CONCURRENCY,
    connectTimeout: BROKER_LIMITS.connectMs,
    persistence: store,
    preConnect(client, packet, done) {
      const hub = hubOfSocket(client, options);
      if (hub === undefined) {
        options.count("refusedConnections");
        return done(new Error("no enrolled hub has this certificate"), false);
      }
      // the name on the wire could take over another hub's connection; sessions and endless silence are not offered
      packet.clientId = hub.id;
      packet.clean = true;
      if (!packet.keepalive || packet.keepalive > BROKER_LIMITS.keepaliveS)
        packet.keepalive = BROKER_LIMITS.keepaliveS;
      if (packet.will !== undefined) return done(new Error("wills are not taken"), false);
      connected.set(client, { hub, session: createSession(client, hub), acks: new Map() });
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      const from = client === null ? undefined : connected.get(client);
      if (from === undefined) return done(client === null ? null : new Error("not connected"));
      const flaw = flawOfPublish(from.hub, packet);
      if (flaw !== null) {
        options.count("refusedPublishes");
        return done(new Error(flaw));
      }
      const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
      if (parseCentreTopic(packet.topic)?.type === "record") {
        options.onRecord(from.hub, from.session, payload).then(() => done(null), done);
      } else {
        options.onPoll(from.hub, payload);
        done(null);
      }
    },
    authorizeSubscribe(client, subscription, done) {
      const topic = parseCentreTopic(subscription.topic);
      const may =
        topic?.hub === connected.get(client)?.hub.id &&
        (topic?.type === "receipt" || topic?.type === "command");
      if (!may) options.count("refusedSubscriptions");
      done(null, may ? subscription : null);
    },
    authorizeForward(_client, packet) {
      if (packet.qos === 1 && forwarding !== undefined) packet.messageId = forwarding;
      return packet;
    },
  });

  function createSession(client: Client, hub: HubLink): HubSession {
    let gathering = false;
    return {
      seen: 0,
      proven: 0,
      close: () => client.close(),
      gather() {
        if (gathering) return;
        gathering = true;
        client.conn.cork();
        setImmediate(() => {
          gathering = false;
          client.conn.uncork();
        });
      },
      send(channel, payload, onAck) {
        messageId = (messageId % 65_535) + 1;
        if (onAck !== undefined) connected.get(client)?.acks.set(messageId, onAck);
        // the broker numbers messages itself unless one comes with a number; it forwards within this very call
        forwarding = onAck === undefined ? undefined : messageId;
        const packet: PublishPacket = {
          cmd: "publish",
          topic: centreTopic(channel, hub.id),
          payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
          qos: onAck === undefined ? 0 : 1,
          retain: false,
          dup: false,
        };
        client.publish(packet, (error) => {
          if (error) options.count("undelivered");
        });
        forwarding = undefined;
        // the broker itself would write when this turn's other work is done
        if (!gathering) client.conn.uncork();
      },
    };
  }

  aedes.on("clientReady", (client) => {
    const now = connected.get(client);
    if (now === undefined) return;
    byHub.set(now.hub.id, now);
    now.hub.session = now.session;
    options.count("connects");
  });
  aedes.on("clientDisconnect", (client) => {
    const gone = connected.get(client);
    if (gone === undefined || gone.hub.session !== gone.session) return;
    gone.hub.session = null;
    byHub.delete(gone.hub.id);
  });
  aedes.on("subscribe", (subscriptions, client) => {
    const at = connected.get(client);
    if (at !== undefined && subscriptions.some(({ topic }) => topic === centreTopic("receipt", at.hub.id))) {
      options.onSubscribed(at.hub);
    }
  });
  aedes.on("clientError", () => options.count("clientErrors"));
  aedes.on("connectionError", () => options.count("connectionErrors"));

  const server = createServer(
    {
      ...options.tls,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
      handshakeTimeout: BROKER_LIMITS.connectMs,
      noDelay: true,
    },
    (socket) => {
      limitPacketSize(socket, BROKER_LIMITS.packetBytes, () => options.count("oversizedPackets"));
      aedes.handle(socket);
    },
  );
  // also those that are still shaking hands: a stop must not wait for them
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.maxConnections = options.maxConnections;
  server.on("tlsClientError", () => options.count("tlsErrors"));
  server.on("drop", () => options.count("droppedConnections"));
  server.listen(options.port, options.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return byHub.size;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      await new Promise<void>((done) => aedes.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function hubOfSocket(client: Client, options: BrokerOptions): HubLink | undefined {
  const certificate = (client.conn as TLSSocket).getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const id = /^CN=([0-9a-f]{16})$/.exec(certificate.subject)?.[1];
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return id === undefined ? undefined : options.hubOf(id, fingerprint);
}

/** A record needs an answer, so QoS 1; a poll may go without. */
function flawOfPublish(hub: HubLink, packet: PublishPacket): string | null {
  const topic = parseCentreTopic(packet.topic);
  if (topic?.hub !== hub.id || (topic.type !== "record" && topic.type !== "poll"))
    return `not allowed: ${packet.topic}`;
  if (packet.retain) return "retained messages are not taken";
  if (packet.qos === 2 || (packet.qos === 0 && topic.type === "record"))
    return `QoS ${packet.qos} is not taken here`;
  return null;
}
