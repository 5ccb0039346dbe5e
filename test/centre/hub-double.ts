/** The hub's side of the road in as few lines as it takes to test the centre: it enrols, signs, chains and sends as a hub does, and
 *  can be told to do each of it wrongly. */
import { createPublicKey } from "node:crypto";
import { request } from "node:https";
import mqtt, { type MqttClient } from "mqtt";
import { generateTlsKeyPem } from "../../centre/ca.ts";
import { type EnrolAnswer, enrolProof } from "../../centre/enrolment.ts";
import { openCommand, type ResendCommand } from "../../protocols/command.ts";
import { sha256Hex } from "../../protocols/cose.ts";
import { type EventRecord, sealEvent } from "../../protocols/event.ts";
import { joinSequence, splitSequence } from "../../protocols/mqtt-topics.ts";
import { sealPoll } from "../../protocols/poll.ts";
import { openReceipt, type Receipt } from "../../protocols/receipt.ts";
import {
  createSigningKey,
  createVerifyingKey,
  generatePrivateKeyPem,
  keyIdOf,
  type SigningKey,
} from "../../protocols/signature.ts";

export interface EnrolBody {
  secret: string;
  hubName: string;
  signPublicKey: string;
  signAlg: number;
  tlsPublicKeyPem: string;
  proof: string;
}

/** POSTs to the enrolment port; the CA is not checked here (a hub compares it with its code's pin). */
export function postEnrol(
  port: number,
  body: unknown,
): Promise<{ status: number; answer: EnrolAnswer & { error?: string } }> {
  return new Promise((resolve, reject) => {
    const posted = request(
      { host: "127.0.0.1", port, path: "/enrol", method: "POST", rejectUnauthorized: false },
      (response) => {
        let text = "";
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, answer: JSON.parse(text) }));
      },
    );
    posted.on("error", reject);
    posted.end(typeof body === "string" ? body : JSON.stringify(body));
  });
}

export interface HubKeys {
  readonly sign: SigningKey;
  readonly tlsKeyPem: string;
  readonly tlsPublicKeyPem: string;
}

export function createHubKeys(): HubKeys {
  const tlsKeyPem = generateTlsKeyPem();
  const tlsPublicKeyPem = createPublicKey(tlsKeyPem).export({ type: "spki", format: "pem" }).toString();
  return { sign: createSigningKey(generatePrivateKeyPem()), tlsKeyPem, tlsPublicKeyPem };
}

/** The request of an honest hub. */
export function enrolBody(keys: HubKeys, code: string, hubName = "Bog‘iston 14"): EnrolBody {
  const secret = code.split(":").at(-1) ?? "";
  const proof = Buffer.from(keys.sign.sign(enrolProof(secret, keys.tlsPublicKeyPem))).toString("hex");
  const { publicKey: signPublicKey, alg: signAlg } = keys.sign;
  return { secret, hubName, signPublicKey, signAlg, tlsPublicKeyPem: keys.tlsPublicKeyPem, proof };
}

export type Draft = Partial<EventRecord>;

export interface HubDouble {
  readonly id: string;
  readonly keys: HubKeys;
  readonly answer: EnrolAnswer;
  readonly receipts: Receipt[];
  readonly commands: ResendCommand[];
  readonly client: MqttClient;
  /** Signs and chains the next record. */
  next(draft?: Draft): { event: EventRecord; bytes: Uint8Array; hash: string };
  /** Publishes as one message; settles with the PUBACK, rejects when the connection ends without one. */
  publish(...records: readonly Uint8Array[]): Promise<void>;
  poll(fields?: { intervalMs?: number; sequence?: number }): Promise<void>;
  receiptFor(sequence: number, stage?: Receipt["stage"]): Receipt | undefined;
  /** Settles when `found` answers something. */
  wait<T>(found: () => T | undefined | false): Promise<T>;
  connect(): Promise<void>;
  end(): Promise<void>;
}

/** Polls a condition, not the clock: fails after `limitMs`. */
export async function waitFor<T>(found: () => T | undefined | false, limitMs = 10_000): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    const value = found();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > until) throw new Error(`waited ${limitMs} ms in vain: ${found}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Enrols with `code` and connects. */
export async function enrolHub(enrolPort: number, code: string, name?: string): Promise<HubDouble> {
  const keys = createHubKeys();
  const { status, answer } = await postEnrol(enrolPort, enrolBody(keys, code, name));
  if (status !== 200) throw new Error(`enrolment: ${status} ${answer.error}`);
  const hub = createHub(keys, answer);
  await hub.connect();
  return hub;
}

export function createHub(keys: HubKeys, answer: EnrolAnswer): HubDouble {
  const id = keyIdOf(keys.sign.publicKey);
  const receiptKey = createVerifyingKey(answer.receiptPublicKey, answer.receiptAlg);
  const keyOf = (kid: string) => (kid === receiptKey.kid ? receiptKey : undefined);
  const receipts: Receipt[] = [];
  const commands: ResendCommand[] = [];
  let client: MqttClient;
  let sequence = 0;
  let previous = sha256Hex(Buffer.from(answer.enrolment, "base64"));
  let monotonicMs = 1_000;

  return {
    id,
    keys,
    answer,
    receipts,
    commands,
    get client() {
      return client;
    },
    next(draft = {}) {
      sequence = draft.sequence ?? sequence + 1;
      monotonicMs += 1;
      const event: EventRecord = {
        ...EVENT,
        hub: id,
        sequence,
        previous,
        monotonicMs,
        time: { unixMs: Date.now(), uncertaintyMs: 50, source: "ntp" },
        ...draft,
      };
      const bytes = sealEvent(event, answer.realm, keys.sign);
      const hash = sha256Hex(bytes);
      previous = hash;
      return { event, bytes, hash };
    },
    publish: (...records) => publishRaw(client, `hub/${id}/record`, joinSequence(records)),
    poll(fields = {}) {
      monotonicMs += 1;
      const time = { unixMs: Date.now(), uncertaintyMs: 50, source: "ntp" } as const;
      const poll = {
        version: 1,
        hub: id,
        boot: 1,
        sequence,
        headHash: previous,
        intervalMs: 8_000,
        monotonicMs,
        time,
        backlog: 0,
        ...fields,
      } as const;
      return publishRaw(client, `hub/${id}/poll`, sealPoll(poll, answer.realm, keys.sign));
    },
    receiptFor: (wanted, stage = "received") =>
      receipts.find(
        (r) =>
          r.stage === stage && (r.sequence === wanted || r.more.some((more) => more.sequence === wanted)),
      ),
    wait: waitFor,
    async connect() {
      client = mqtt.connect({
        protocol: "mqtts",
        host: "127.0.0.1",
        port: answer.mqttPort,
        key: keys.tlsKeyPem,
        cert: answer.tlsCertificatePem,
        ca: answer.caPem,
        clientId: id,
        reconnectPeriod: 0,
        connectTimeout: 5_000,
      });
      client.setMaxListeners(0);
      client.on("error", () => {
        // each test looks at what became of its promise
      });
      client.on("message", (topic, payload) => {
        for (const item of splitSequence(payload)) {
          if (topic.endsWith("/receipt")) receipts.push(openReceipt(item, answer.realm, keyOf).receipt);
          else commands.push(openCommand(item, answer.realm, keyOf).command);
        }
      });
      const connecting = client;
      await new Promise<void>((resolve, reject) => {
        connecting.once("connect", () => resolve());
        connecting.once("close", () => reject(new Error("the connection was closed")));
      });
      await connecting.subscribeAsync([`hub/${id}/receipt`, `hub/${id}/command`], { qos: 1 });
    },
    end: () => client.endAsync(true),
  };
}

export function publishRaw(
  client: MqttClient,
  topic: string,
  payload: Uint8Array,
  qos: 0 | 1 | 2 = 1,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error("closed without a PUBACK"));
    client.once("close", closed);
    client.publish(topic, Buffer.from(payload), { qos }, (error) => {
      client.off("close", closed);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** A press. */
export const EVENT: EventRecord = {
  version: 1,
  hub: "0".repeat(16),
  boot: 1,
  sequence: 1,
  previous: "0".repeat(64),
  time: { unixMs: 0, uncertaintyMs: 50, source: "ntp" },
  monotonicMs: 0,
  device: "70b3d57ed0060001",
  eventNumber: 17,
  ageMs: 120,
  kind: "panic",
  mode: "real",
  drill: null,
  place: { site: "Chilonzor, Bog‘iston", zone: "14-uy, 2-kirish" },
  state: {
    detail: 12,
    batteryPercent: 91,
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
  },
  frameHash: "ab".repeat(32),
  receptions: [
    { carrier: "semtech-udp", gateway: "aa555a0000000001", rssiDbm: -71, snrDb: 9.5, dataRate: 5 },
  ],
  provenance: "authenticated",
  configHash: "00112233445566aa",
  refersTo: null,
  raw: null,
  note: null,
};
