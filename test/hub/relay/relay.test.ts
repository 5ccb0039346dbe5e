import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSystemClock } from "../../../hub/clock.ts";
import { openJournal } from "../../../hub/journal/host.ts";
import type { EventDraft, Journal } from "../../../hub/journal/journal.ts";
import type { Confirmed } from "../../../hub/relay/receipt-check.ts";
import { type Relay, startRelay } from "../../../hub/relay/relay.ts";
import { createHubTime } from "../../../hub/time.ts";
import { sealReceipt } from "../../../protocols/receipt.ts";
import { createSigningKey, generatePrivateKeyPem } from "../../../protocols/signature.ts";
import { HUB, HUB_KEY, journalOptions, pressDraft, REALM } from "../journal/fixture.ts";
import {
  CENTRE_KEY,
  hubLink,
  receiptFor,
  type ScriptedCentre,
  startScriptedCentre,
} from "./scripted-centre.ts";

let dir: string;
let journal: Journal;
let relay: Relay | undefined;
let centres: ScriptedCentre[];
let confirmed: [path: string, Confirmed][];
const clock = createSystemClock();

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-relay-"));
  journal = await openJournal(journalOptions(path.join(dir, "journal.sqlite")));
  centres = [];
  confirmed = [];
});
afterEach(async () => {
  await relay?.close();
  relay = undefined;
  await journal[Symbol.asyncDispose]();
  for (const centre of centres) await centre.close();
  rmSync(dir, { recursive: true });
});

async function aCentre(): Promise<ScriptedCentre> {
  const centre = await startScriptedCentre();
  centres.push(centre);
  return centre;
}

function start(paths: Record<string, ScriptedCentre>): Relay {
  relay = startRelay({
    centres: Object.entries(paths).map(([name, { port }]) => ({
      name,
      centreKey: CENTRE_KEY,
      fromSequence: 1,
      link: hubLink(port),
    })),
    realm: REALM,
    hub: HUB,
    signingKey: HUB_KEY,
    pollMs: 60_000,
    journal,
    clock,
    time: createHubTime({ clock }),
    onConfirmed: (name, one) => confirmed.push([name, one]),
    onChange: () => undefined,
    onReceiptLost: () => undefined,
    log: () => undefined,
  });
  return relay;
}

/** Settles when the journal says that a path is settled so far. */
function settled(name: string, sequence: number): Promise<void> {
  if (journal.cursor(name) >= sequence) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = journal.onReceipts(() => {
      if (journal.cursor(name) < sequence) return;
      stop();
      resolve();
    });
  });
}

const info = (n: number): EventDraft => ({ ...pressDraft(n), kind: "restore" });
const inOrder = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test("a stored record reaches the centre at once, its receipt is verified and stored", async () => {
  const centre = await aCentre();
  start({ main: centre });
  const record = await journal.append(pressDraft(1));
  await settled("main", 1);
  expect(centre.records).toEqual([{ sequence: 1, hash: record.hash }]);
  expect(confirmed).toMatchObject([["main", { sequences: [1], upTo: 1 }]]);
  expect(await journal.receipts(1)).toHaveLength(1);
});

test("a thousand alarms while the link is cut all arrive once and in order after its return", async () => {
  const centre = await aCentre();
  start({ main: centre });
  await journal.append(pressDraft(0));
  await settled("main", 1);
  centre.cut(true);
  await Promise.all(Array.from({ length: 1000 }, (_, i) => journal.append(pressDraft(i))));
  centre.restore();
  await settled("main", 1001);
  expect(centre.records.map(({ sequence }) => sequence)).toEqual(inOrder(1001));
  expect(relay?.view()).toMatchObject([{ backlog: 0, inFlight: 0 }]);
});

test("what was stored before the start is sent first, in pages, in order", async () => {
  await Promise.all(Array.from({ length: 300 }, (_, i) => journal.append(info(i))));
  const centre = await aCentre();
  start({ main: centre });
  await settled("main", 300);
  expect(centre.records.map(({ sequence }) => sequence)).toEqual(inOrder(300));
  expect(Math.max(...centre.batches)).toBeLessThanOrEqual(64);
});

test("a new alarm overtakes a long backlog, and the backlog still arrives whole", async () => {
  await Promise.all(Array.from({ length: 3000 }, (_, i) => journal.append(info(i & 0xffff))));
  const centre = await aCentre();
  const answer = centre.answer;
  centre.answer = () => [];
  start({ main: centre });
  await centre.until(() => centre.records.length >= 512);
  const alarm = await journal.append(pressDraft(1));
  await centre.until(() => centre.records.some(({ sequence }) => sequence === alarm.sequence));
  expect(centre.records.length).toBeLessThan(1000);
  centre.answer = answer;
  centre.cut(false);
  await settled("main", alarm.sequence);
  expect(new Set(centre.records.map(({ sequence }) => sequence)).size).toBe(3001);
});

test("every path gets every record; one that is down does not hold the other up", async () => {
  const [first, second] = [await aCentre(), await aCentre()];
  second.cut(true);
  start({ main: first, second });
  for (let i = 0; i < 5; i++) await journal.append(pressDraft(i));
  await settled("main", 5);
  expect(journal.cursor("second")).toBe(0);
  second.restore();
  await settled("second", 5);
  expect(second.records.map(({ sequence }) => sequence)).toEqual(inOrder(5));
});

test("a record without a receipt is sent again on the next connection, and nothing else is", async () => {
  const centre = await aCentre();
  const answer = centre.answer;
  start({ main: centre });
  await journal.append(pressDraft(1));
  await settled("main", 1);
  centre.answer = () => [];
  await journal.append(pressDraft(2));
  await centre.until(() => centre.records.length === 2);
  centre.answer = answer;
  centre.cut(false);
  await settled("main", 2);
  expect(centre.records.map(({ sequence }) => sequence)).toEqual([1, 2, 2]);
});

test("after a restart the path goes on behind its stored receipts", async () => {
  const centre = await aCentre();
  start({ main: centre });
  for (let i = 0; i < 3; i++) await journal.append(pressDraft(i));
  await settled("main", 3);
  await relay?.close();
  await journal[Symbol.asyncDispose]();
  journal = await openJournal(journalOptions(path.join(dir, "journal.sqlite")));
  start({ main: centre });
  await journal.append(pressDraft(3));
  await settled("main", 4);
  expect(centre.records.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
});

test("only the centre's own receipt for exactly this record settles it", async () => {
  const centre = await aCentre();
  const stranger = createSigningKey(generatePrivateKeyPem());
  centre.answer = () => [];
  start({ main: centre });
  const record = await journal.append(pressDraft(1));
  await centre.until(() => centre.records.length === 1);
  const right = receiptFor(record, { complete: 1 });
  centre.sendBytes("receipt", sealReceipt(right, REALM, stranger));
  centre.sendBytes("receipt", sealReceipt(right, "another realm", createSigningKey(generatePrivateKeyPem())));
  centre.sendBytes("receipt", new Uint8Array([1, 2, 3]));
  centre.send({ ...right, recordHash: "00".repeat(32) });
  centre.send({ ...right, hub: "0000000000000000" });
  centre.send({ ...right, sequence: 2, complete: 2 });
  await expect.poll(() => relay?.view()[0]?.counters.refused, { timeout: 5000 }).toBe(6);
  expect([journal.cursor("main"), confirmed]).toEqual([0, []]);
  centre.send(right);
  await settled("main", 1);
});

test("complete settles no further than the record that the receipt names", async () => {
  const centre = await aCentre();
  centre.answer = () => [];
  start({ main: centre });
  const records = [];
  for (let i = 0; i < 4; i++) records.push(await journal.append(pressDraft(i)));
  await centre.until(() => centre.records.length === 4);
  const [, second] = records;
  if (second === undefined) throw new Error("no record");
  centre.send(receiptFor(second, { complete: 4 }));
  await settled("main", 2);
  expect(journal.cursor("main")).toBe(2);
});

test("later stages of a record settled long ago are verified against the journal", async () => {
  const centre = await aCentre();
  start({ main: centre });
  const first = await journal.append(pressDraft(1));
  for (let i = 2; i < 700; i++) void journal.append(info(i));
  await journal.append(pressDraft(700));
  await settled("main", 700);
  confirmed = [];
  centre.send(receiptFor(first, { stage: "taken", complete: 700 }));
  await expect.poll(() => confirmed.length, { timeout: 5000 }).toBe(1);
  expect(confirmed[0]?.[1]).toMatchObject({ receipt: { stage: "taken", sequence: 1 }, sequences: [1] });
});

test("records the centre asks for again are sent again; a command by anybody else is not obeyed", async () => {
  const centre = await aCentre();
  start({ main: centre });
  for (let i = 0; i < 200; i++) void journal.append(info(i));
  await journal.append(info(200));
  await settled("main", 201);
  centre.records.length = 0;
  const command = {
    version: 1,
    type: "resend",
    hub: HUB,
    from: 10,
    to: 150,
    issuedMs: 0,
    nonce: "01".repeat(8),
  } as const;
  centre.command({ ...command, hub: "0000000000000000" });
  centre.command(command);
  centre.command(command);
  await centre.until(() => centre.records.length >= 141);
  await journal.append(info(201));
  await settled("main", 202);
  expect(centre.records.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual([
    ...Array.from({ length: 141 }, (_, i) => i + 10),
    202,
  ]);
});

test("the hub says at each connection where its chain stands", async () => {
  const centre = await aCentre();
  centre.answer = () => [];
  const { hash } = await journal.append(pressDraft(1));
  start({ main: centre });
  await centre.until(() => centre.polls.length === 1);
  expect(centre.polls[0]).toMatchObject({
    hub: HUB,
    sequence: 1,
    headHash: hash,
    backlog: 1,
    intervalMs: 60_000,
  });
});
