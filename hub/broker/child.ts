/** The hub's MQTT broker, alone in a child process so that no client can slow the alarm road. Started by broker.ts.
 *  Aedes sends PUBACK before it stores or delivers a QoS 1 message, but after `authorizePublish`: there the core is
 *  asked first, so a board that has its PUBACK may forget the frame [MQTT-4.3.2-2]. */
import { createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { createLengthFollower } from "../../protocols/mqtt-length.ts";
import { authenticate, judgePublish, mayHear, maySubscribe } from "./access.ts";
import type { BoardUplink, BrokerUser, FromBroker, Publish, ToBroker, UplinkOutcome } from "./messages.ts";

/** Below these a client is cut off; they bound memory by connections × packet, and time by the core's answer. */
const MAX_CONNECTIONS = 2000;
/** A board's frame and an observer's question are far smaller; the broker's parser alone would let a packet claim 256 MB. */
const MAX_PACKET_BYTES = 16 * 1024;
const UPLINK_ANSWER_MS = 10_000;
const COUNTERS_EVERY_MS = 2000;
const BAD_USER_OR_PASSWORD = 4;

const users = new Map<string, BrokerUser>();
const sessions = new WeakMap<Client, BrokerUser>();
const counters: Record<string, number> = {};
const waiting = new Map<number, (outcome: UplinkOutcome) => void>();
let outgoing: BoardUplink[] = [];
let nextUplink = 1;

function count(name: string): void {
  counters[name] = (counters[name] ?? 0) + 1;
}

function tell(message: FromBroker): void {
  process.send?.(message);
}

function askCore(devEui: string, phyPayload: Uint8Array): Promise<UplinkOutcome> {
  const id = nextUplink++;
  return new Promise((resolve) => {
    const timer = setTimeout(() => waiting.get(id)?.("notStored"), UPLINK_ANSWER_MS);
    waiting.set(id, (outcome) => {
      clearTimeout(timer);
      waiting.delete(id);
      resolve(outcome);
    });
    if (outgoing.push({ id, devEui, phyPayload }) === 1) setImmediate(flushUplinks);
  });
}

function flushUplinks(): void {
  tell({ type: "uplinks", uplinks: outgoing });
  outgoing = [];
}

function refusal(why: string): Error {
  count(`refused.${why}`);
  return new Error(`not allowed: ${why}`);
}

async function createBroker() {
  return Aedes.createBroker({
    // Aedes' default of 100 reorders one publisher's messages and can overflow the stack.
    concurrency: 100_000,
    queueLimit: 1000,
    connectTimeout: 10_000,
    preConnect(_client, packet, done) {
      // no memory of an observer that stays away: whoever comes back gets the retained states
      packet.clean = true;
      done(null, true);
    },
    authenticate(client, name, password, done) {
      const user = authenticate(users, name, password);
      if (user === undefined) {
        count("refused.credentials");
        const error = new Error("unknown user or wrong secret") as AuthenticateError;
        error.returnCode = BAD_USER_OR_PASSWORD;
        done(error, false);
        return;
      }
      sessions.set(client, user);
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      if (client === null) {
        done(null);
        return;
      }
      const user = sessions.get(client);
      const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
      if (user === undefined) {
        done(refusal("session"));
        return;
      }
      const judged = judgePublish(user, packet.topic, packet.qos, payload.length);
      packet.retain = false;
      if (judged.verdict === "refused") {
        done(refusal(judged.why));
      } else if (judged.verdict === "request") {
        done(null);
        // observers hear a question before its answer
        setImmediate(tell, { type: "request", name: judged.name, payload });
      } else {
        askCore(judged.devEui, payload).then((outcome) => {
          count(`uplink.${outcome}`);
          // "refused" gets its PUBACK too: the frame is bad for ever, and a board that repeats it would only block its queue.
          done(outcome === "notStored" ? new Error("not stored") : null);
        }, done);
      }
    },
    authorizeSubscribe(client, subscription, done) {
      const user = sessions.get(client);
      if (user !== undefined && maySubscribe(user, subscription.topic)) done(null, subscription);
      else done(refusal("subscription"));
    },
    authorizeForward(client, packet) {
      const user = sessions.get(client);
      return user !== undefined && mayHear(user, packet.topic) ? packet : null;
    },
  });
}

/** Ends a connection that announces too large a packet, before its bytes are collected. */
function limitPackets(socket: Socket): void {
  const follow = createLengthFollower(MAX_PACKET_BYTES);
  const read = socket.read.bind(socket);
  socket.read = (size?: number) => {
    const chunk: unknown = read(size);
    if (!(chunk instanceof Uint8Array) || follow(chunk) === null) return chunk;
    count("refused.packetSize");
    socket.destroy();
    return null;
  };
}

function takeUsers(list: readonly BrokerUser[]): void {
  users.clear();
  for (const user of list) users.set(user.name, user);
}

const broker = await createBroker();
let publishing: Promise<void> = Promise.resolve();

/** Aedes stores a retained message before it hands it on, meanwhile hands on what comes without that, and then drops the
 *  older one towards each client as a duplicate. So what is retained comes last, and has its turn before anything else. */
async function publishAll(publishes: readonly Publish[]): Promise<void> {
  for (const one of publishes) if (!one.retain) publish(one);
  for (const one of publishes) if (one.retain) publish(one);
  await nextTurn();
}

function publish({ topic, payload, retain }: Publish): void {
  broker.publish(
    { cmd: "publish", topic, payload: Buffer.from(payload), qos: 1, dup: false, retain },
    (error) => {
      if (error) count("publishErrors");
    },
  );
}
const server = createServer({ noDelay: true }, (socket) => {
  limitPackets(socket);
  broker.handle(socket);
});
server.maxConnections = MAX_CONNECTIONS;
server.on("error", (error) => tell({ type: "failed", reason: error.message }));
broker.on("client", () => count("connected"));
broker.on("clientDisconnect", () => count("disconnected"));
broker.on("clientError", () => count("clientErrors"));
broker.on("connectionError", () => count("connectionErrors"));
setInterval(() => tell({ type: "counters", counters: { ...counters } }), COUNTERS_EVERY_MS).unref();

function stop(): void {
  server.close();
  broker.close(() => process.exit(0));
}

process.on("message", (message: ToBroker) => {
  switch (message.type) {
    case "start":
      takeUsers(message.users);
      server.listen(message.port, message.host, () => {
        const address = server.address();
        if (address !== null && typeof address === "object") tell({ type: "listening", port: address.port });
      });
      break;
    case "users":
      takeUsers(message.users);
      break;
    case "publishes":
      publishing = publishing.then(() => publishAll(message.publishes));
      break;
    case "outcomes":
      for (const [id, outcome] of message.outcomes) waiting.get(id)?.(outcome);
      break;
    case "stop":
      stop();
  }
});
// The core is gone: say so to those who watch, then go as well. A new core starts a new broker.
process.on("disconnect", () => {
  broker.publish(
    {
      cmd: "publish",
      topic: "tugma/hub/state",
      payload: Buffer.from('{"state":"offline"}'),
      qos: 1,
      dup: false,
      retain: true,
    },
    () => setTimeout(() => process.exit(0), 100),
  );
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined); // the core decides when
