/** The hub's broker against mosquitto: QoS 1, 100 publishers, one consumer who must hear everything once and in order. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { startBroker } from "../../hub/broker/broker.ts";
import { createSystemClock } from "../../hub/clock.ts";
import type { Bench, Measured } from "./measure.ts";
import { connectTcp, type RawClient } from "./raw-mqtt.ts";
import { median } from "./stats.ts";
import { createTally, type Heard, type Tally } from "./tally.ts";

const PUBLISHERS = 100;
const PAYLOAD_BYTES = 256;
/** Unacknowledged messages of each publisher. */
const WINDOW = 10;
const LIMIT_MS = 30_000;
/** Short rounds: mosquitto acknowledges before it delivers, and a queue that grows without end would slow it down. */
const PER_PUBLISHER = 300;

interface Rate extends Heard {
  readonly messagesPerS: number;
}

const devEui = (n: number) => n.toString(16).padStart(16, "0");
const topicOf = (n: number) => `tugma/device/${devEui(n)}/up`;

/** Has all publishers send their part; ends when the consumer has heard it all. */
async function publishAll(port: number, tally: Tally): Promise<Rate> {
  const publishers = await Promise.all(Array.from({ length: PUBLISHERS }, (_, n) => openPublisher(port, n)));
  const start = performance.now();
  for (const publisher of publishers) publisher.begin();
  await tally.done(LIMIT_MS);
  const seconds = (performance.now() - start) / 1000;
  for (const publisher of publishers) publisher.close();
  const heard = tally.count();
  return { ...heard, messagesPerS: heard.heard / seconds };
}

async function openPublisher(port: number, n: number) {
  let sent = 0;
  const send = () => {
    if (sent === PER_PUBLISHER) return;
    const payload = Buffer.alloc(PAYLOAD_BYTES);
    payload.writeUInt32BE(n, 0);
    payload.writeUInt32BE(sent++, 4);
    client.publish(topicOf(n), payload, sent);
  };
  const client: RawClient = await connectTcp(port, {
    clientId: `publisher-${n}`,
    username: devEui(n),
    password: "s",
    onPubAck: send,
  });
  return {
    begin: () => {
      for (let i = 0; i < WINDOW; i++) send();
    },
    close: client.close,
  };
}

function hear(tally: Tally, payload: Uint8Array): void {
  const view = new DataView(payload.buffer, payload.byteOffset);
  tally.hear(view.getUint32(0), view.getUint32(4));
}

/** The hub's broker child, as the hub starts it: boards publish frames, the core hears each one and says "kept", and only
 *  then the board has its PUBACK. */
async function rateHubBroker(): Promise<Rate> {
  const tally = createTally(PUBLISHERS, PER_PUBLISHER);
  const secretHash = createHash("sha256").update("s").digest("hex");
  const broker = await startBroker({
    host: "127.0.0.1",
    port: 0,
    users: Array.from({ length: PUBLISHERS }, (_, n) => ({
      name: devEui(n),
      role: "device" as const,
      secretHash,
    })),
    clock: createSystemClock(),
    onUplink: async (_, phyPayload) => {
      hear(tally, phyPayload);
      return "kept";
    },
    onRequest: async () => null,
    onTrouble: (reason) => console.error(reason),
  });
  try {
    return await publishAll(broker.port, tally);
  } finally {
    await broker.close();
  }
}

/** Debian's mosquitto with the same messages and one subscriber as their consumer. */
async function rateMosquitto(dir: string): Promise<Rate> {
  const port = await freePort();
  const config = path.join(dir, "mosquitto.conf");
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 0
persistence false
`,
  );
  const child = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
  const tally = createTally(PUBLISHERS, PER_PUBLISHER);
  try {
    await untilListening(port);
    const watcher = await connectTcp(port, {
      clientId: "watcher",
      onPubAck: () => undefined,
      onPublish({ payload, messageId = 0 }) {
        hear(tally, payload as Buffer);
        watcher.acknowledge(messageId);
      },
    });
    await watcher.subscribe("tugma/#");
    const rate = await publishAll(port, tally);
    watcher.close();
    return rate;
  } finally {
    child.kill();
  }
}

/** A TCP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const ok = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on 127.0.0.1:${port}`);
}

export async function measure(bench: Bench): Promise<Measured> {
  const rounds = bench.quick ? 3 : 9;
  const hasMosquitto = spawnSync("mosquitto", ["-h"]).error === undefined;
  const hub: Rate[] = [];
  const mosquitto: Rate[] = [];
  for (let n = 1; n <= rounds; n++) {
    bench.signal.throwIfAborted();
    bench.progress(`round ${n} of ${rounds}`);
    hub.push(await rateHubBroker());
    if (hasMosquitto) mosquitto.push(await rateMosquitto(bench.dir));
  }
  return figures(hub, mosquitto);
}

function figures(hub: readonly Rate[], mosquitto: readonly Rate[]): Measured {
  const value = median(hub.map((rate) => rate.messagesPerS));
  const other = median(mosquitto.map((rate) => rate.messagesPerS));
  const wrong = hub.reduce((sum, rate) => sum + rate.lost + rate.reordered, 0);
  const name = "hub's broker, 100 publishers, QoS 1";
  const isThere = mosquitto.length > 0;
  return {
    figures: [
      ...(isThere
        ? [
            {
              name,
              value,
              unit: "messages per second",
              reference: { what: "mosquitto", value: other },
              bound: { is: ">=", limit: 0.65 },
            } as const,
          ]
        : []),
      {
        name: "hub's broker: lost or out of order",
        value: wrong,
        unit: "messages",
        reference: null,
        bound: { is: "<=", limit: 0 },
      },
    ],
    bars: [
      {
        name: "MQTT broker, QoS 1, 100 publishers",
        unit: "messages per second",
        bars: [{ label: "hub", value }, ...(isThere ? [{ label: "mosquitto", value: other }] : [])],
      },
    ],
    skipped: isThere ? [] : [{ name, why: "mosquitto is not installed" }],
  };
}
