import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { certificatePin, createCaCertificate, generateTlsKeyPem, openCa } from "../../../centre/ca.ts";
import { enrolHub, parseCode } from "../../../hub/enrol.ts";
import { loadIdentity } from "../../../hub/enrolments.ts";
import { sha256Hex } from "../../../protocols/cose.ts";
import { sealEnrolment } from "../../../protocols/enrolment.ts";
import {
  createSigningKey,
  createVerifyingKey,
  generatePrivateKeyPem,
  keyIdOf,
} from "../../../protocols/signature.ts";

const SECRET = "c2VjcmV0LXNlY3JldC1zZQ";
const receiptKey = createSigningKey(generatePrivateKeyPem());

function authority(name: string) {
  const keyPem = generateTlsKeyPem();
  const certificatePem = createCaCertificate(name, keyPem);
  return openCa(keyPem, certificatePem);
}
const ca = authority("test centre");
const otherCa = authority("another centre");

let dir: string;
let server: Server;
let body: Record<string, string>;
/** What the scripted centre changes in its otherwise right answer. */
let change: (answer: Record<string, unknown>) => Record<string, unknown>;
let refusal: [status: number, words: string] | null;

beforeEach(async () => {
  dir = path.join(mkdtempSync(path.join(tmpdir(), "tugma-enrol-")), "hub");
  change = (answer) => answer;
  refusal = null;
  body = {};
  await listen(ca);
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(path.dirname(dir), { recursive: true });
});

async function listen(by: typeof ca): Promise<void> {
  server?.close();
  const key = generateTlsKeyPem();
  const cert = by.issueServer(["centre.invalid"], createPublicKey(key)) + by.certificatePem;
  server = createServer({ key, cert, minVersion: "TLSv1.3" }, (request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      body = JSON.parse(text);
      const [status, words] = refusal ?? [200, ""];
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(status === 200 ? change(rightAnswer()) : { error: words }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function rightAnswer(): Record<string, unknown> {
  const hubPublicKey = body["signPublicKey"] ?? "";
  const hub = keyIdOf(hubPublicKey);
  const { publicKey: receiptPublicKey, alg: receiptAlg } = receiptKey;
  const enrolment = sealEnrolment(
    {
      version: 1,
      realm: "test",
      hub,
      hubPublicKey,
      hubAlg: -19,
      centre: "The Centre",
      receiptPublicKey,
      receiptAlg,
      issuedMs: 1,
      fromSequence: 1,
    },
    receiptKey,
  );
  return {
    hubId: hub,
    tlsCertificatePem: ca.issueHub(hub, createPublicKey(body["tlsPublicKeyPem"] ?? "")),
    caPem: ca.certificatePem,
    enrolment: Buffer.from(enrolment).toString("base64"),
    receiptPublicKey,
    receiptAlg,
    realm: "test",
    mqttHost: "127.0.0.1",
    mqttPort: 8883,
  };
}

const code = (pinned = ca) =>
  `tugma-enrol:v1:127.0.0.1:${(server.address() as AddressInfo).port}:${certificatePin(pinned.certificatePem)}:${SECRET}`;
const enrol = (centre = "main", pinned = ca) =>
  enrolHub({ dir, code: code(pinned), hubName: "Chilonzor", centre });

describe("enrolment", () => {
  test("makes keys on the hub, proves them, and writes what it has verified", async () => {
    const { hub, realm, centre } = await enrol();
    expect([realm, centre]).toEqual(["test", "The Centre"]);
    const key = createVerifyingKey(body["signPublicKey"] ?? "", -19);
    const proven = Buffer.from(`tugma/enrol-proof/v1${SECRET}${body["tlsPublicKeyPem"]}`);
    expect(key.verify(proven, Buffer.from(body["proof"] ?? "", "hex"))).toBe(true);
    expect(body).toMatchObject({ secret: SECRET, hubName: "Chilonzor", signAlg: -19 });
    const identity = loadIdentity(dir);
    expect(identity).toMatchObject({
      hub,
      realm: "test",
      centres: [{ name: "main", access: { mqttPort: 8883 } }],
    });
    expect(identity.genesis).toBe(identity.centres[0]?.hash);
    expect(identity.genesis).toBe(sha256Hex(Buffer.from(String(rightAnswer()["enrolment"]), "base64")));
  });

  test("leaves every key file readable by its owner only", async () => {
    await enrol();
    for (const name of readdirSync(path.join(dir, "keys"))) {
      expect(statSync(path.join(dir, "keys", name)).mode & 0o777).toBe(0o600);
    }
  });

  test("with a second centre keeps the hub's keys and the first one's genesis", async () => {
    const first = await enrol();
    const { genesis } = loadIdentity(dir);
    expect((await enrol("backup")).hub).toBe(first.hub);
    expect(loadIdentity(dir)).toMatchObject({ genesis, centres: [{ name: "main" }, { name: "backup" }] });
  });

  test("twice with the same centre is refused in words", async () => {
    await enrol();
    await expect(enrol()).rejects.toThrow(/enrolled as "main" already/);
  });

  test("does not show the code to a server whose authority is not the pinned one", async () => {
    await listen(otherCa);
    await expect(enrol()).rejects.toThrow(/not the centre that made the code/);
    expect(body).toEqual({});
    expect(existsSync(path.join(dir, "enrolment.cose"))).toBe(false);
  });

  test("believes no hub of the centre that plays the centre", async () => {
    server.close();
    const key = generateTlsKeyPem();
    const cert = ca.issueHub("0000000000000000", createPublicKey(key)) + ca.certificatePem;
    server = createServer({ key, cert }, () => {
      body = { shown: "yes" };
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await expect(enrol()).rejects.toThrow(/purpose/);
    expect(body).toEqual({});
  });

  const stranger = createSigningKey(generatePrivateKeyPem());
  test.each<[string, typeof change]>([
    ["lacks a field", ({ realm: _, ...rest }) => rest],
    ["is not an object", () => [] as unknown as Record<string, unknown>],
    ["has no usable port", (a) => ({ ...a, mqttPort: 0 })],
    [
      "has a certificate of another authority",
      (a) => ({
        ...a,
        tlsCertificatePem: otherCa.issueHub(
          String(a["hubId"]),
          createPublicKey(body["tlsPublicKeyPem"] ?? ""),
        ),
      }),
    ],
    [
      "has a certificate for another key",
      (a) => ({
        ...a,
        tlsCertificatePem: ca.issueHub(String(a["hubId"]), createPublicKey(generateTlsKeyPem())),
      }),
    ],
    [
      "has a certificate for another name",
      (a) => ({
        ...a,
        tlsCertificatePem: ca.issueHub("0000000000000000", createPublicKey(body["tlsPublicKeyPem"] ?? "")),
      }),
    ],
    ["has no certificate", (a) => ({ ...a, tlsCertificatePem: "none" })],
    ["names another receipt key", (a) => ({ ...a, receiptPublicKey: stranger.publicKey })],
    ["is for another realm", (a) => ({ ...a, realm: "live" })],
    ["has a broken enrolment", (a) => ({ ...a, enrolment: "AAAA" })],
  ])("writes nothing when the answer %s", async (_, changed) => {
    change = changed;
    await expect(enrol()).rejects.toThrow(expect.objectContaining({ name: "EnrolError" }));
    expect(existsSync(path.join(dir, "enrolment.cose"))).toBe(false);
    expect(existsSync(path.join(dir, "keys/tls-cert.pem"))).toBe(false);
  });

  test("passes on the centre's own words when it refuses", async () => {
    refusal = [403, "This code has expired."];
    await expect(enrol()).rejects.toThrow("the centre refused: This code has expired.");
  });

  test("after a refusal goes on with the same keys", async () => {
    refusal = [403, "no"];
    await expect(enrol()).rejects.toThrow();
    const first = body["signPublicKey"];
    refusal = null;
    await enrol();
    expect(body["signPublicKey"]).toBe(first);
  });

  test("says when nobody answers", async () => {
    const dead = code();
    server.close();
    await expect(enrolHub({ dir, code: dead, hubName: "H", centre: "main" })).rejects.toThrow(
      /cannot connect/,
    );
  });
});

describe("files of an enrolled hub", () => {
  test("that others can read are refused, with what to do", async () => {
    await enrol();
    chmodSync(path.join(dir, "keys/sign.pem"), 0o644);
    expect(() => loadIdentity(dir)).toThrow(/mode is 644.*chmod 600/);
  });

  test("that are damaged are named", async () => {
    await enrol();
    writeFileSync(path.join(dir, "enrolment.cose"), "x");
    expect(() => loadIdentity(dir)).toThrow(/the enrolment with centre main cannot be used/);
  });

  test("that are not there yet say which command makes them", () => {
    expect(() => loadIdentity(dir)).toThrow(/Run "tugma hub enrol" first/);
  });
});

test.each([
  "",
  "tugma-enrol:v1",
  `tugma-enrol:v1:h:99999:${"a".repeat(43)}:${SECRET}`,
  `tugma-enrol:v2:h:1:${"a".repeat(43)}:${SECRET}`,
])("%j is no code", (text) => {
  expect(() => parseCode(text)).toThrow(/no enrolment code/);
});

test("a code may name an IPv6 address and be surrounded by space", () => {
  expect(parseCode(` tugma-enrol:v1:::1:8443:${"a".repeat(43)}:${SECRET}\n`)).toMatchObject({
    host: "::1",
    port: 8443,
  });
});
