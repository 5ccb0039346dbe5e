/** The centre's door tried with another client than ours: mosquitto's. */
import { execFile } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCaCertificate, generateTlsKeyPem, openCa } from "../../centre/ca.ts";
import { needs } from "../debian.ts";
import { startWorld, type World } from "./centre-world.ts";
import type { HubDouble } from "./hub-double.ts";

const run = promisify(execFile);

describe.skipIf(!needs("mosquitto_pub"))("mosquitto's clients", () => {
  let world: World;
  let a: HubDouble;
  let b: HubDouble;

  beforeAll(async () => {
    world = await startWorld();
    a = await world.newHub();
    b = await world.newHub();
    file("ca.pem", a.answer.caPem);
    file("a.pem", a.answer.tlsCertificatePem);
    file("a-key.pem", a.keys.tlsKeyPem);
    const record = a.next();
    file("record", record.bytes);
  });
  afterAll(() => world.end());

  const at = (name: string) => path.join(world.dir, name);
  const file = (name: string, content: string | Uint8Array) => writeFileSync(at(name), content);
  const server = () => [
    "-h",
    "localhost",
    "-p",
    String(world.centre.mqttPort),
    "--cafile",
    at("ca.pem"),
    "-V",
    "mqttv311",
  ];
  const asA = () => ["--cert", at("a.pem"), "--key", at("a-key.pem")];
  const publish = (identity: string[], topic: string) =>
    run("mosquitto_pub", [...server(), ...identity, "-q", "1", "-t", topic, "-f", at("record")], {
      timeout: 8_000,
    });
  const listen = (identity: string[], topic: string) =>
    run("mosquitto_sub", [...server(), ...identity, "-q", "1", "-t", topic, "-W", "2", "-v"], {
      timeout: 8_000,
    });
  const count = (name: string) => world.centre.status().counters[name] ?? 0;

  test("hub A's certificate publishes hub A's record", async () => {
    await publish(asA(), `hub/${a.id}/record`);
    expect(count("stored")).toBe(1);
  });

  test.each(["record", "poll", "receipt", "command"])(
    "hub A's certificate cannot publish to hub B's %s",
    async (channel) => {
      const before = count("refusedPublishes");
      await publish(asA(), `hub/${b.id}/${channel}`).catch(() => {
        // mosquitto_pub says "connection lost"; what counts is the centre's side
      });
      expect(count("refusedPublishes")).toBe(before + 1);
      expect(count("stored")).toBe(1);
      expect(b.receipts).toEqual([]);
    },
  );

  test.each(["receipt", "command", "record"])(
    "hub A's certificate cannot listen to hub B's %s",
    async (channel) => {
      const before = count("refusedSubscriptions");
      const refused = await listen(asA(), `hub/${b.id}/${channel}`).then(
        ({ stdout, stderr }) => `${stdout}${stderr}`,
        (error: { stdout: string; stderr: string }) => `${error.stdout}${error.stderr}`,
      );
      expect(count("refusedSubscriptions")).toBe(before + 1);
      expect(refused).toMatch(/denied|rejected/i);
    },
  );

  test("without a certificate nobody connects", async () => {
    await expect(publish([], `hub/${a.id}/record`)).rejects.toThrow();
    expect(count("stored")).toBe(1);
  });

  test("a certificate of another CA for hub A's name does not connect", async () => {
    const caKey = generateTlsKeyPem();
    const key = generateTlsKeyPem();
    file(
      "fake.pem",
      openCa(caKey, createCaCertificate("Tugma centre", caKey)).issueHub(a.id, createPublicKey(key)),
    );
    file("fake-key.pem", key);
    await expect(
      publish(["--cert", at("fake.pem"), "--key", at("fake-key.pem")], `hub/${a.id}/record`),
    ).rejects.toThrow();
  });

  test("the centre's own server certificate is no hub's", async () => {
    const keys = path.join(world.dir, "keys");
    const server = ["--cert", path.join(keys, "server-cert.pem"), "--key", path.join(keys, "server.pem")];
    await expect(publish(server, `hub/${a.id}/record`)).rejects.toThrow();
    expect(count("stored")).toBe(1);
  });
});
