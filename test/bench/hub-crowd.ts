/** Many hubs at one centre, enrolled beforehand and as cheap as can be: each is a key, a certificate, records signed ahead and
 *  one raw MQTT connection over mutual TLS. */
import { createPublicKey } from "node:crypto";
import path from "node:path";
import type { ConnectionOptions } from "node:tls";
import { generateTlsKeyPem } from "../../centre/ca.ts";
import { createSystemClock } from "../../centre/clock.ts";
import { readConfig } from "../../centre/config.ts";
import { enrol, enrolProof, invite } from "../../centre/enrolment.ts";
import { openIdentity } from "../../centre/identity.ts";
import { openLedgerInThread } from "../../centre/ledger/open.ts";
import { sha256Hex } from "../../protocols/cose.ts";
import { sealEvent } from "../../protocols/event.ts";
import { centreTopic } from "../../protocols/mqtt-topics.ts";
import { createSigningKey, generatePrivateKeyPem, type SigningKey } from "../../protocols/signature.ts";
import { DRAFT } from "./journal.ts";
import { connectTls, type RawClient } from "./raw-mqtt.ts";

/** What a hub of the crowd holds. */
export interface CrowdHub {
  readonly id: string;
  readonly key: SigningKey;
  readonly genesis: string;
  readonly tls: ConnectionOptions;
}

/** Enrols `count` hubs with the centre in `dir`, which is not running: over its door this takes minutes by design. */
export async function enrolCrowd(dir: string, count: number): Promise<CrowdHub[]> {
  const config = readConfig(path.join(dir, "centre.yaml"));
  const identity = openIdentity(dir, config);
  await using ledger = openLedgerInThread({ path: path.join(dir, "ledger.sqlite") });
  const { ca, receiptKey } = identity;
  const options = {
    ledger,
    clock: createSystemClock(),
    ca,
    receiptKey,
    realm: config.realm,
    centre: config.name,
  };
  const nowhere = { host: "127.0.0.1", port: 1 };
  // one TLS key for all: what tells them apart is the certificate
  const tlsKeyPem = generateTlsKeyPem();
  const tlsPublicKeyPem = createPublicKey(tlsKeyPem).export({ type: "spki", format: "pem" }).toString();
  const hubs: CrowdHub[] = [];
  for (let n = 0; n < count; n++) {
    const { code } = await invite(options, nowhere, 60_000);
    const secret = code.slice(code.lastIndexOf(":") + 1);
    const key = createSigningKey(generatePrivateKeyPem());
    const proof = Buffer.from(key.sign(enrolProof(secret, tlsPublicKeyPem))).toString("hex");
    const { publicKey: signPublicKey, alg: signAlg } = key;
    const request = { secret, hubName: `Hub ${n}`, signPublicKey, signAlg, tlsPublicKeyPem, proof };
    const answer = await enrol(options, request, nowhere);
    hubs.push({
      id: key.kid,
      key,
      genesis: sha256Hex(Buffer.from(answer.enrolment, "base64")),
      tls: { key: tlsKeyPem, cert: answer.tlsCertificatePem, ca: answer.caPem, minVersion: "TLSv1.3" },
    });
  }
  return hubs;
}

/** One alarm, signed, and what comes after it in its hub's chain. */
export interface SignedAlarm {
  readonly bytes: Buffer;
  readonly sequence: number;
  readonly hash: string;
}

/** The hub's first `count` records, one alarm each, from four devices in turn. */
export function signAlarms(hub: CrowdHub, realm: string, count: number): SignedAlarm[] {
  const alarms: SignedAlarm[] = [];
  let previous = { sequence: 0, hash: hub.genesis };
  for (let n = 0; n < count; n++) {
    const sequence = previous.sequence + 1;
    const sealed = sealEvent(
      {
        ...DRAFT,
        version: 1,
        hub: hub.id,
        boot: 1,
        sequence,
        previous: previous.hash,
        time: { unixMs: Date.now(), uncertaintyMs: 1000, source: "ntp" },
        monotonicMs: sequence,
        device: `${hub.id.slice(0, 14)}0${n % 4}`,
        eventNumber: (n >> 2) & 0xffff,
        configHash: "00".repeat(8),
      },
      realm,
      hub.key,
    );
    previous = { sequence, hash: sha256Hex(sealed) };
    alarms.push({ bytes: Buffer.from(sealed), ...previous });
  }
  return alarms;
}

/** Connects a hub and listens to its receipts. */
export async function connectHub(
  hub: CrowdHub,
  port: number,
  onReceipt: (payload: Uint8Array) => void,
): Promise<RawClient> {
  const client: RawClient = await connectTls(
    { ...hub.tls, host: "127.0.0.1", port },
    {
      clientId: hub.id,
      onPubAck: () => undefined,
      onPublish({ payload, qos, messageId = 0 }) {
        if (qos === 1) client.acknowledge(messageId);
        onReceipt(payload as Buffer);
      },
    },
  );
  await client.subscribe(centreTopic("receipt", hub.id));
  return client;
}
