/** A centre as a script: a real Aedes broker behind mutual TLS that keeps what hubs publish and says what a test tells it. */

import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import { Aedes } from "aedes";
import { createCaCertificate, generateTlsKeyPem, openCa } from "../../../centre/ca.ts";
import { type Command, sealCommand } from "../../../protocols/command.ts";
import { openEvent } from "../../../protocols/event.ts";
import { centreTopic, joinSequence, splitSequence } from "../../../protocols/mqtt-topics.ts";
import { openPoll, type Poll } from "../../../protocols/poll.ts";
import { type Receipt, sealReceipt } from "../../../protocols/receipt.ts";
import { createSigningKey, createVerifyingKey, generatePrivateKeyPem } from "../../../protocols/signature.ts";
import { HUB, HUB_KEY, REALM } from "../journal/fixture.ts";

const caKeyPem = generateTlsKeyPem();
const caPem = createCaCertificate("test centre", caKeyPem);
const ca = openCa(caKeyPem, caPem);

export const RECEIPT_KEY = createSigningKey(generatePrivateKeyPem());
export const CENTRE_KEY = createVerifyingKey(RECEIPT_KEY.publicKey, RECEIPT_KEY.alg);

/** What a hub needs to connect. */
export function hubLink(port: number) {
  const privateKeyPem = generateTlsKeyPem();
  const certificatePem = ca.issueHub(HUB, createPublicKey(privateKeyPem));
  return { host: "127.0.0.1", port, caPem, certificatePem, privateKeyPem, random: () => 0 };
}

export interface ReceivedRecord {
  readonly sequence: number;
  readonly hash: string;
}

export interface ScriptedCentre {
  readonly port: number;
  /** In the order of arrival, with repetitions. */
  readonly records: ReceivedRecord[];
  readonly polls: Poll[];
  /** Records per publish. */
  readonly batches: number[];
  /** What is sent for each publish; default: a receipt for its last record that completes all without gap. */
  answer: (received: readonly ReceivedRecord[]) => Receipt[];
  send(...receipts: Receipt[]): void;
  sendBytes(channel: "receipt" | "command", bytes: Uint8Array): void;
  command(command: Command): void;
  /** Drops every connection; with `refuse`, also refuses new ones. */
  cut(refuse: boolean): void;
  restore(): void;
  /** Settles when `done()` holds; asked after each message. */
  until(done: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export function receiptFor({ sequence, hash }: ReceivedRecord, change: Partial<Receipt> = {}): Receipt {
  return {
    version: 1,
    hub: HUB,
    sequence,
    recordHash: hash,
    result: "stored",
    receiver: "test",
    centreMs: 1_790_000_000_000,
    ledgerIndex: sequence,
    stage: "received",
    incident: null,
    complete: 0,
    more: [],
    ...change,
  };
}

const keyOf = (kid: string) =>
  kid === HUB_KEY.kid ? createVerifyingKey(HUB_KEY.publicKey, HUB_KEY.alg) : undefined;

export async function startScriptedCentre(): Promise<ScriptedCentre> {
  const aedes = await Aedes.createBroker({ concurrency: 100_000 });
  const sockets = new Set<Socket>();
  let refusing = false;
  const serverKeyPem = generateTlsKeyPem();
  const server: Server = createServer(
    {
      key: serverKeyPem,
      cert: ca.issueServer(["localhost"], createPublicKey(serverKeyPem)),
      ca: caPem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
    },
    (socket) => aedes.handle(socket),
  );
  server.on("connection", (socket: Socket) => {
    if (refusing) return socket.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const waiting = new Set<{ done: () => boolean; resolve: () => void }>();
  const look = () => {
    for (const one of waiting) if (one.done()) one.resolve();
  };
  const seen = new Map<number, string>();
  let complete = 0;
  const centre: ScriptedCentre = {
    port: (server.address() as AddressInfo).port,
    records: [],
    polls: [],
    batches: [],
    answer(received) {
      for (const { sequence, hash } of received) seen.set(sequence, hash);
      while (seen.has(complete + 1)) complete++;
      const [last] = received
        .filter(({ sequence }) => sequence <= complete)
        .toSorted((a, b) => b.sequence - a.sequence);
      const beyond = received.filter(({ sequence }) => sequence > complete);
      const [first, ...more] = last === undefined ? beyond : [last, ...beyond];
      if (first === undefined) return [];
      const entries = more.map(({ sequence, hash }) => ({
        sequence,
        recordHash: hash,
        result: "storedAfterGap" as const,
      }));
      return [receiptFor(first, { complete, more: entries })];
    },
    send: (...receipts) =>
      centre.sendBytes(
        "receipt",
        joinSequence(receipts.map((receipt) => sealReceipt(receipt, REALM, RECEIPT_KEY))),
      ),
    command: (command) => centre.sendBytes("command", sealCommand(command, REALM, RECEIPT_KEY)),
    sendBytes(channel, bytes) {
      aedes.publish(
        {
          cmd: "publish",
          topic: centreTopic(channel, HUB),
          payload: Buffer.from(bytes),
          qos: 1,
          retain: false,
          dup: false,
        },
        () => undefined,
      );
    },
    cut(refuse) {
      refusing = refuse;
      for (const socket of sockets) socket.destroy();
    },
    restore() {
      refusing = false;
    },
    until: (done) =>
      new Promise((resolve) => {
        const one = {
          done,
          resolve() {
            waiting.delete(one);
            resolve();
          },
        };
        waiting.add(one);
        look();
      }),
    async close() {
      centre.cut(true);
      server.close();
      await new Promise<void>((closed) => aedes.close(closed));
    },
  };
  aedes.on("publish", ({ topic, payload }, client) => {
    if (client === null) return;
    const bytes = new Uint8Array(Buffer.from(payload));
    if (topic === centreTopic("poll", HUB)) centre.polls.push(openPoll(bytes, REALM, keyOf).poll);
    if (topic === centreTopic("record", HUB)) {
      const received = splitSequence(bytes).map((item) => {
        const { event, hash } = openEvent(item, REALM, keyOf);
        return { sequence: event.sequence, hash };
      });
      centre.batches.push(received.length);
      centre.records.push(...received);
      const receipts = centre.answer(received);
      if (receipts.length > 0) centre.send(...receipts);
    }
    look();
  });
  return centre;
}
