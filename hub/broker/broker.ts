/** The core's end of the broker child: starts it, starts it again when it dies, and never waits for it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "../clock.ts";
import type { BrokerUser, FromBroker, Publish, ToBroker, UplinkOutcome } from "./messages.ts";

export interface BrokerOptions {
  readonly host: string;
  /** 0 takes a free port; a restarted child takes the same one again. */
  readonly port: number;
  readonly users: readonly BrokerUser[];
  readonly clock: Clock;
  /** A board's PHYPayload. What it settles with decides the PUBACK. */
  onUplink(devEui: string, phyPayload: Uint8Array): Promise<UplinkOutcome>;
  /** `tugma/request/<name>`: settles with the response, or null for an unknown name. */
  onRequest(name: string, body: unknown): Promise<unknown>;
  /** The child died or could not listen; it is being started again. */
  onTrouble(reason: string): void;
}

export interface Broker {
  readonly port: number;
  readonly counters: Readonly<Record<string, number>>;
  /** The child's process id, for the status page and for the tests that kill it. */
  pid(): number;
  /** Never waits. Retained payloads are kept here too (one per topic) and said again to a restarted child. */
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): void;
  setUsers(users: readonly BrokerUser[]): void;
  close(): Promise<void>;
}

export interface PublishOptions {
  readonly retain?: boolean;
  /** Said to who watches, not to a board that waits for it: it may gather with others for a moment. */
  readonly gather?: boolean;
}

/** Under load a message to the child for each announcement would cost the alarms behind it as much as their records. */
const GATHER_MS = 10;
const RESTART_MS = 500;
const STOP_MS = 1500;
const START_MS = 15_000;
const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

/** Settles when the broker listens. Rejects when its first start fails (port taken, no permission). */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const retained = new Map<string, Uint8Array>();
  let users = options.users;
  let port = options.port;
  let counters: Readonly<Record<string, number>> = {};
  let child: ChildProcess | undefined;
  let restarts = 0;
  let closing = false;

  const say = (message: ToBroker) => {
    // what a dying child no longer takes is nothing to throw about: its end is reported, and its heir is told all again
    if (child?.connected) child.send(message, () => undefined);
  };
  const respond = async (name: string, payload: Uint8Array) => {
    const answer = await answerRequest(options, name, payload);
    publish({
      topic: `tugma/response/${name}`,
      payload: Buffer.from(JSON.stringify(answer)),
      retain: false,
    });
  };
  let publishes: Publish[] = [];
  let gathering: Timer | null = null;
  const flush = () => {
    gathering?.cancel();
    gathering = null;
    if (publishes.length > 0) say({ type: "publishes", publishes });
    publishes = [];
  };
  const publish = (one: Publish, gather = false) => {
    publishes.push(one);
    if (gather) gathering ??= options.clock.setTimer(flush, GATHER_MS);
    else setImmediate(flush);
  };
  let outcomes: [number, UplinkOutcome][] = [];
  const settle = (id: number, outcome: UplinkOutcome) => {
    if (outcomes.push([id, outcome]) > 1) return;
    setImmediate(() => {
      say({ type: "outcomes", outcomes });
      outcomes = [];
    });
  };
  const hear = (message: FromBroker) => {
    if (message.type === "uplinks") {
      for (const { id, devEui, phyPayload } of message.uplinks)
        options.onUplink(devEui, phyPayload).then(
          (outcome) => settle(id, outcome),
          () => settle(id, "notStored"),
        );
    } else if (message.type === "request") void respond(message.name, message.payload);
    else if (message.type === "counters") counters = { ...message.counters, restarts };
  };

  const start = () =>
    new Promise<void>((resolve, reject) => {
      const started = fork(CHILD, {
        serialization: "advanced",
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      child = started;
      const late = setTimeout(() => started.kill("SIGKILL"), START_MS);
      started.on("message", (message: FromBroker) => {
        if (message.type === "listening") {
          clearTimeout(late);
          port = message.port;
          say({
            type: "publishes",
            publishes: Array.from(retained, ([topic, payload]) => ({ topic, payload, retain: true })),
          });
          resolve();
        } else if (message.type === "failed") {
          reject(new Error(`MQTT broker on ${options.host}:${port}: ${message.reason}`));
          started.kill("SIGKILL");
        } else hear(message);
      });
      started.once("exit", (code, signal) => {
        clearTimeout(late);
        const reason = `MQTT broker ended (${signal ?? `status ${code}`})`;
        reject(new Error(reason));
        if (closing || child !== started) return;
        restarts++;
        options.onTrouble(reason);
        options.clock.setTimer(() => {
          if (!closing) start().catch((error: Error) => options.onTrouble(error.message));
        }, RESTART_MS);
      });
      say({ type: "start", host: options.host, port, users });
    });

  try {
    await start();
  } catch (error) {
    closing = true;
    throw error;
  }
  return {
    get port() {
      return port;
    },
    get counters() {
      return counters;
    },
    pid: () => child?.pid ?? 0,
    publish(topic, payload, { retain = false, gather = false } = {}) {
      const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
      if (retain) retained.set(topic, bytes);
      publish({ topic, payload: bytes, retain }, gather);
    },
    setUsers(list) {
      users = list;
      say({ type: "users", users });
    },
    async close() {
      closing = true;
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => ending.kill("SIGKILL"), STOP_MS);
        ending.once("exit", () => {
          clearTimeout(timer);
          resolve();
        });
        flush();
        say({ type: "stop" });
      });
    },
  };
}

async function answerRequest(options: BrokerOptions, name: string, payload: Uint8Array) {
  let body: unknown;
  try {
    body = payload.length === 0 ? {} : JSON.parse(Buffer.from(payload).toString("utf8"));
  } catch {
    return { status: "error", error: "the request is not JSON" };
  }
  const transaction =
    typeof body === "object" && body !== null && "transaction" in body ? body.transaction : undefined;
  try {
    const data = await options.onRequest(name, body);
    if (data === null) return { status: "error", error: `no request "${name}"`, transaction };
    return { status: "ok", data, transaction };
  } catch (error) {
    return { status: "error", error: error instanceof Error ? error.message : String(error), transaction };
  }
}
