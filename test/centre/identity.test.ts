import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { createCaCertificate, generateTlsKeyPem, openCa } from "../../centre/ca.ts";
import { COMMENTED_CONFIG, ConfigError, defaultConfig, parseConfig } from "../../centre/config.ts";
import { openIdentity } from "../../centre/identity.ts";
import { KeyFileError } from "../../centre/keys.ts";
import { createTimeCheck } from "../../centre/receive/time-check.ts";
import { createLengthFollower } from "../../protocols/mqtt-length.ts";
import { needs } from "../debian.ts";

const dir = mkdtempSync(path.join(tmpdir(), "identity-"));
afterAll(() => rmSync(dir, { recursive: true }));
const newDir = () => mkdtempSync(path.join(dir, "c-"));
const names = { name: "Centre 1", hosts: ["centre.example", "10.1.2.3"] };

test.skipIf(!needs("openssl"))(
  "OpenSSL takes both kinds of certificate in strict mode, for their use and for no other",
  () => {
    const folder = newDir();
    const caKey = generateTlsKeyPem();
    const ca = openCa(caKey, createCaCertificate("Centre 1", caKey));
    const key = createPublicKey(generateTlsKeyPem());
    const files = {
      ca: ca.certificatePem,
      server: ca.issueServer(["localhost", "127.0.0.1"], key),
      hub: ca.issueHub("00112233445566aa", key),
    };
    for (const [name, pem] of Object.entries(files)) writeFileSync(path.join(folder, name), pem);
    const verify = (name: string, purpose: string) => () =>
      execFileSync(
        "openssl",
        [
          "verify",
          "-x509_strict",
          "-purpose",
          purpose,
          "-CAfile",
          path.join(folder, "ca"),
          path.join(folder, name),
        ],
        { stdio: "pipe" },
      );
    expect(verify("server", "sslserver")).not.toThrow();
    expect(verify("hub", "sslclient")).not.toThrow();
    expect(verify("hub", "sslserver")).toThrow();
    expect(verify("server", "sslclient")).toThrow();
  },
);

test("certificates are good in 1970 and in 9999, and name what they are for", () => {
  const { tls, ca } = openIdentity(newDir(), names);
  const certificate = new X509Certificate(tls.cert);
  expect([certificate.validFromDate.toISOString(), certificate.validToDate.toISOString()]).toEqual([
    "1970-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.000Z",
  ]);
  expect(certificate.subjectAltName).toBe("DNS:centre.example, IP Address:10.1.2.3");
  expect(certificate.verify(new X509Certificate(ca.certificatePem).publicKey)).toBe(true);
  expect(new X509Certificate(ca.certificatePem).ca).toBe(true);
});

test("a CA whose certificate and key do not belong together is refused", () => {
  const [one, other] = [generateTlsKeyPem(), generateTlsKeyPem()];
  expect(() => openCa(one, createCaCertificate("x", other))).toThrow(/does not belong/);
});

test("private keys are 0600, stay the same at the next start, and are refused when others can read them", () => {
  const folder = newDir();
  const first = openIdentity(folder, names);
  const keys = path.join(folder, "keys");
  for (const name of ["ca.pem", "receipt.pem", "server.pem"])
    expect(statSync(path.join(keys, name)).mode & 0o777).toBe(0o600);
  expect(openIdentity(folder, names).receiptKey.publicKey).toBe(first.receiptKey.publicKey);
  expect(readdirSync(keys).filter((name) => name.endsWith(".new"))).toEqual([]);
  for (const mode of [0o644, 0o640, 0o604]) {
    chmodSync(path.join(keys, "receipt.pem"), mode);
    expect(() => openIdentity(folder, names)).toThrow(KeyFileError);
  }
  expect(() => openIdentity(folder, names)).toThrow(/receipt\.pem: mode 0604.*chmod 600/);
});

test("new host names get a new server certificate from the same CA", () => {
  const folder = newDir();
  const before = openIdentity(folder, names);
  const after = openIdentity(folder, { ...names, hosts: [...names.hosts, "new.example"] });
  expect(new X509Certificate(after.tls.cert).checkHost("new.example")).toBe("new.example");
  expect(after.ca.certificatePem).toBe(before.ca.certificatePem);
});

test("the commented configuration says the defaults, all of them", () => {
  expect(parseConfig(COMMENTED_CONFIG, "centre.yaml")).toEqual(defaultConfig());
});

test.each([
  ["relm: x", /centre\.yaml:1: relm: unexpected property/],
  ["name: A\nmqtt:\n  port: 99999", /centre\.yaml:3: mqtt\.port: expected integer to be less/],
  ["realm: With Space", /centre\.yaml:1: realm:/],
  ["hosts: []", /centre\.yaml:1: hosts:/],
  ["hosts: ['a:b']", /centre\.yaml:1: hosts\.0:/],
  ["a: [", /centre\.yaml:1: /],
  ["devices: { XYZ: name }", /devices\.XYZ: unexpected/],
])("a mistake in the configuration is named with its line: %s", (yaml, message) => {
  expect(() => parseConfig(yaml, "centre.yaml")).toThrow(message);
  expect(() => parseConfig(yaml, "centre.yaml")).toThrow(ConfigError);
});

test("packet lengths are followed whatever the pieces", () => {
  const packet = (length: number) => {
    const head = [0x30];
    for (let rest = length; ; ) {
      const byte = rest % 128;
      rest = Math.floor(rest / 128);
      head.push(rest > 0 ? byte | 0x80 : byte);
      if (rest === 0) break;
    }
    return Buffer.concat([Uint8Array.from(head), Buffer.alloc(length, 0xff)]);
  };
  const lengths = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      lengths,
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (sizes, piece, limit) => {
        const follow = createLengthFollower(limit);
        const stream = Buffer.concat(sizes.map(packet));
        let exceeded = false;
        for (let at = 0; at < stream.length && !exceeded; at += piece)
          exceeded = follow(stream.subarray(at, at + piece)) !== null;
        expect(exceeded).toBe(sizes.some((size) => size > limit));
      },
    ),
  );
});

test("a backlog is honestly old; a clock that contradicts the hub's own monotonic clock is not", () => {
  const hourMs = 3_600_000;
  const nowMs = 100 * hourMs;
  const check = createTimeCheck(10_000, hourMs);
  check.heard({ boot: 3, monotonicMs: 50 * hourMs }, nowMs);
  const event = (monotonicMs: number, unixMs: number) => ({
    boot: 3,
    monotonicMs,
    time: { unixMs, uncertaintyMs: 100, source: "ntp" as const },
  });
  expect(check.isBad(event(49 * hourMs, 99 * hourMs), nowMs)).toBe(false);
  expect(check.isBad(event(49 * hourMs, 98 * hourMs), nowMs)).toBe(true);
  expect(check.isBad(event(50 * hourMs, 100 * hourMs + 11_000), nowMs)).toBe(true);
  expect(check.isBad({ ...event(1, 20 * hourMs), boot: 2 }, nowMs)).toBe(false);
  expect(check.isBad({ ...event(1, 0), boot: 2 }, nowMs)).toBe(true);
});

test("the server's key is not the CA's, and neither signs receipts", () => {
  const folder = newDir();
  openIdentity(folder, names);
  const texts = ["ca.pem", "server.pem", "receipt.pem"].map((name) =>
    readFileSync(path.join(folder, "keys", name), "utf8"),
  );
  expect(new Set(texts).size).toBe(3);
});
