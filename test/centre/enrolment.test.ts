import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAdmission } from "../../centre/enrol-door.ts";
import { EnrolRefusal, enrol, invite } from "../../centre/enrolment.ts";
import { openIdentity } from "../../centre/identity.ts";
import { openLedgerInThread } from "../../centre/ledger/open.ts";
import { openEnrolment } from "../../protocols/enrolment.ts";
import {
  createSigningKey,
  createVerifyingKey,
  generatePrivateKeyPem,
  keyIdOf,
} from "../../protocols/signature.ts";
import { startWorld, type World } from "./centre-world.ts";
import { createHubKeys, enrolBody, postEnrol } from "./hub-double.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.end());

const post = (body: unknown) => postEnrol(world.centre.enrolPort, body);
const newCode = async () => (await world.centre.invite()).code;

test("an invited hub gets its certificate, and an enrolment that the receipt key has signed for exactly its key", async () => {
  const keys = createHubKeys();
  const code = await newCode();
  const { status, answer } = await post(enrolBody(keys, code));
  expect(status).toBe(200);
  expect(answer.hubId).toBe(keyIdOf(keys.sign.publicKey));
  const receiptKey = createVerifyingKey(answer.receiptPublicKey, answer.receiptAlg);
  const { enrolment } = openEnrolment(
    Buffer.from(answer.enrolment, "base64"),
    answer.realm,
    () => receiptKey,
  );
  expect(enrolment).toMatchObject({ hub: answer.hubId, hubPublicKey: keys.sign.publicKey, fromSequence: 1 });
  const [certificate, ca] = [
    new X509Certificate(answer.tlsCertificatePem),
    new X509Certificate(answer.caPem),
  ];
  expect(certificate.subject).toBe(`CN=${answer.hubId}`);
  expect(certificate.verify(ca.publicKey)).toBe(true);
  const [, , , port, pin] = code.split(":");
  expect(Number(port)).toBe(world.centre.enrolPort);
  expect(createHash("sha256").update(ca.raw).digest("base64url")).toBe(pin);
});

test("a code enrols one hub; the next is refused with what to do", async () => {
  const code = await newCode();
  expect((await post(enrolBody(createHubKeys(), code))).status).toBe(200);
  const second = await post(enrolBody(createHubKeys(), code));
  expect(second.status).toBe(403);
  expect(second.answer.error).toMatch(/used by another hub.*tugma centre invite/);
});

test("two at the same moment: one is enrolled", async () => {
  const code = await newCode();
  const both = await Promise.all(
    [createHubKeys(), createHubKeys()].map((keys) => post(enrolBody(keys, code))),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
});

test("a hub whose answer was lost asks again with the same code and gets the same enrolment", async () => {
  const keys = createHubKeys();
  const code = await newCode();
  const [first, second] = [await post(enrolBody(keys, code)), await post(enrolBody(keys, code))];
  expect(second.status).toBe(200);
  expect(second.answer.enrolment).toBe(first.answer.enrolment);
});

describe("a request that is not honest or not whole consumes no code", () => {
  const keys = createHubKeys();
  const other = createHubKeys();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString();
  const cases: Record<string, [status: number, change: (code: string) => unknown]> = {
    "a key that the sender does not hold": [
      403,
      (code) => ({ ...enrolBody(keys, code), signPublicKey: other.sign.publicKey }),
    ],
    "another TLS key than was signed": [
      403,
      (code) => ({ ...enrolBody(keys, code), tlsPublicKeyPem: other.tlsPublicKeyPem }),
    ],
    "a proof for another code": [
      403,
      (code) => ({ ...enrolBody(keys, code), proof: enrolBody(keys, "x:y").proof }),
    ],
    "a guessed code": [403, () => enrolBody(keys, `${"A".repeat(22)}`)],
    "an RSA key for TLS": [400, (code) => enrolBody({ ...keys, tlsPublicKeyPem: rsa }, code)],
    "a private key in place of a public one": [
      400,
      (code) => enrolBody({ ...keys, tlsPublicKeyPem: keys.tlsKeyPem }, code),
    ],
    "a point that is no key": [400, (code) => ({ ...enrolBody(keys, code), signPublicKey: "ff".repeat(32) })],
    "an unknown algorithm": [400, (code) => ({ ...enrolBody(keys, code), signAlg: -8 })],
    "a name with a line break": [400, (code) => enrolBody(keys, code, "a\nb")],
    "a field missing": [400, (code) => ({ ...enrolBody(keys, code), proof: undefined })],
    "no JSON": [400, () => "{"],
    "JSON that is no object": [400, () => "[]"],
    "too long": [400, (code) => ({ ...enrolBody(keys, code), more: "x".repeat(10_000) })],
  };
  test.each(Object.entries(cases))("%s", async (_name, [status, change]) => {
    const code = await newCode();
    const answer = await post(change(code));
    expect([answer.status, typeof answer.answer.error]).toEqual([status, "string"]);
    expect((await post(enrolBody(createHubKeys(), code))).status).toBe(200);
  });
});

test("a code expires", async () => {
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs, setTimer: () => ({ cancel() {} }) };
  let nowMs = 1_000_000;
  await using ledger = openLedgerInThread({ path: ":memory:" });
  const { ca, receiptKey } = openIdentity(world.dir, world.config);
  const options = { ledger, clock, ca, receiptKey, realm: "r", centre: "c" };
  const door = { host: "localhost", port: 1 };
  const { code, expiresMs } = await invite(options, door, 60_000);
  expect(expiresMs).toBe(1_060_000);
  nowMs = expiresMs;
  const late = enrol(options, enrolBody(createHubKeys(), code), door);
  await expect(late).rejects.toThrow(EnrolRefusal);
  await expect(late).rejects.toThrow(/expired/);
});

test("an ESP256 key of a secure element is enrolled too", async () => {
  const keys = { ...createHubKeys(), sign: createSigningKey(generatePrivateKeyPem(-9)) };
  const { status, answer } = await post(enrolBody(keys, await newCode()));
  expect([status, answer.hubId]).toEqual([200, keys.sign.kid]);
});

test("one address may try so often a minute, all together so often", () => {
  let nowMs = 0;
  const admit = createAdmission(() => nowMs, 3);
  expect([1, 2, 3, 4].map(() => admit("a"))).toEqual([true, true, true, false]);
  expect(admit("b")).toBe(true);
  const others = Array.from({ length: 100 }, (_, i) => admit(`c${i}`));
  expect(others.filter(Boolean).length).toBe(3 * 12 - 4);
  nowMs = 60_000;
  expect(admit("a")).toBe(true);
});
