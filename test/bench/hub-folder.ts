/** A hub's folder made ready without a running centre: its enrolment is real, and the centre that it belongs to is away. */
import { createPublicKey } from "node:crypto";
import path from "node:path";
import { createSystemClock } from "../../centre/clock.ts";
import { parseConfig } from "../../centre/config.ts";
import { enrol, enrolProof, invite } from "../../centre/enrolment.ts";
import { openIdentity } from "../../centre/identity.ts";
import { openLedgerInThread } from "../../centre/ledger/open.ts";
import { writeEnrolment } from "../../hub/enrolments.ts";
import { KEY_FILES, makeKeys, readPrivate } from "../../hub/keys.ts";
import { createSigningKey } from "../../protocols/signature.ts";

const NOWHERE = { host: "127.0.0.1", port: 1 };

/** Keys and enrolment in `dir`; the centre's side in `centreDir` is made and forgotten. */
export async function makeHubFolder(dir: string, centreDir: string): Promise<void> {
  const config = parseConfig("{ realm: bench }", "bench");
  const { ca, receiptKey } = openIdentity(centreDir, config);
  await using ledger = openLedgerInThread({ path: ":memory:" });
  const options = {
    ledger,
    clock: createSystemClock(),
    ca,
    receiptKey,
    realm: config.realm,
    centre: config.name,
  };
  makeKeys(dir);
  const key = createSigningKey(readPrivate(path.join(dir, KEY_FILES.sign)));
  const tlsPublicKey = createPublicKey(readPrivate(path.join(dir, KEY_FILES.tls)));
  const tlsPublicKeyPem = tlsPublicKey.export({ type: "spki", format: "pem" }).toString();
  const { code } = await invite(options, NOWHERE, 60_000);
  const secret = code.slice(code.lastIndexOf(":") + 1);
  const proof = Buffer.from(key.sign(enrolProof(secret, tlsPublicKeyPem))).toString("hex");
  const { publicKey: signPublicKey, alg: signAlg } = key;
  const request = { secret, hubName: "Bench", signPublicKey, signAlg, tlsPublicKeyPem, proof };
  const answer = await enrol(options, request, NOWHERE);
  writeEnrolment(dir, {
    sealed: Buffer.from(answer.enrolment, "base64"),
    access: {
      realm: answer.realm,
      receiptPublicKey: answer.receiptPublicKey,
      receiptAlg: answer.receiptAlg,
      mqttHost: answer.mqttHost,
      mqttPort: answer.mqttPort,
    },
    certificatePem: answer.tlsCertificatePem,
    caPem: answer.caPem,
  });
}
