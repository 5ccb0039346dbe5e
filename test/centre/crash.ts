/** Kills a centre under load, again and again, and then looks whether it kept every word that it gave. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { parseConfig } from "../../centre/config.ts";
import type { Incident } from "../../centre/incidents/incident.ts";
import { openLedgerInThread } from "../../centre/ledger/open.ts";
import { startCentre } from "../../centre/main.ts";
import { type Asked, CRASH_CONFIG } from "./centre-child.ts";
import { createHub, createHubKeys, enrolBody, type HubDouble, postEnrol } from "./hub-double.ts";

const CHILD = fileURLToPath(new URL("./centre-child.ts", import.meta.url));

interface Child {
  readonly process: ChildProcess;
  readonly mqttPort: number;
  readonly enrolPort: number;
  ask(asked: Asked): Promise<unknown>;
}

async function startChild(dir: string, mqttPort: number, enrolPort: number): Promise<Child> {
  const child = fork(CHILD, [dir, String(mqttPort), String(enrolPort)], { execArgv: [] });
  const answer = () =>
    new Promise<unknown>((resolve, reject) => {
      const ended = () => reject(new Error("the centre ended"));
      child.once("exit", ended);
      child.once("message", (message) => {
        child.off("exit", ended);
        resolve(message);
      });
    });
  const ports = (await answer()) as { mqttPort: number; enrolPort: number };
  const ask = (asked: Asked) => {
    const answered = answer();
    child.send(asked);
    return answered;
  };
  return { process: child, ...ports, ask };
}

/** What the centre has told anybody: it must stand by all of it. */
interface Promised {
  /** Sequence → hash, by PUBACK or receipt. */
  readonly records: Map<number, string>;
  /** Incidents that were taken, by the answer to the act. */
  readonly taken: Set<string>;
}

interface Record {
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly sequence: number;
}

/** `rounds` kills, each after a random time from 1 to `maxMs` milliseconds of load. */
export async function crashRounds(rounds: number, maxMs: number): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), "crash-"));
  try {
    let child = await startChild(dir, 0, 0);
    const { code } = (await child.ask({ type: "invite" })) as { code: string };
    const keys = createHubKeys();
    const { answer } = await postEnrol(child.enrolPort, enrolBody(keys, code));
    const hub = createHub(keys, answer);
    const records: Record[] = [];
    const promised: Promised = { records: new Map(), taken: new Set() };
    for (let round = 0; round < rounds; round++) {
      const killed = new Promise<void>((resolve) => child.process.once("exit", () => resolve()));
      const kill = setTimeout(() => child.process.kill("SIGKILL"), 1 + Math.random() * maxMs);
      await load(hub, records, promised, child).catch(() => {
        // the centre was killed: that is the test
      });
      await killed;
      clearTimeout(kill);
      await hub.end();
      child = await startChild(dir, child.mqttPort, child.enrolPort);
    }
    await settle(hub, records, promised);
    const ended = new Promise<void>((resolve) => child.process.once("exit", () => resolve()));
    child.process.kill("SIGKILL");
    await ended;
    await check(dir, hub, records, promised);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Sends what is unanswered and then new presses, and takes incidents, until the centre is gone. */
async function load(hub: HubDouble, records: Record[], promised: Promised, child: Child): Promise<never> {
  await hub.connect();
  const send = async (some: readonly Record[]) => {
    await hub.publish(...some.map(({ bytes }) => bytes));
    for (const { sequence, hash } of some) promised.records.set(sequence, hash);
  };
  await sendUnanswered(hub, records, promised, send);
  for (;;) {
    const some = Array.from({ length: 1 + Math.floor(Math.random() * 8) }, () => press(hub, records));
    const incident = hub.receipts.at(-1)?.incident;
    const act = incident ? take(child, incident, promised) : Promise.resolve();
    await Promise.all([send(some.slice(0, 4)), some.length > 4 ? send(some.slice(4)) : undefined, act]);
  }
}

function press(hub: HubDouble, records: Record[]): Record {
  const number = records.length + 1;
  const device = String(1 + (number % 50)).padStart(16, "0");
  const { bytes, hash, event } = hub.next({ device, eventNumber: number & 0xffff });
  const record = { bytes, hash, sequence: event.sequence };
  records.push(record);
  return record;
}

async function take(child: Child, incident: string, promised: Promised): Promise<void> {
  const act = {
    type: "take",
    incident,
    operator: "Nodira",
    atMs: Date.now(),
    key: `take ${incident}`,
  } as const;
  const result = (await child.ask({ type: "act", act })) as { ok: boolean };
  if (result.ok) promised.taken.add(incident);
}

async function sendUnanswered(
  hub: HubDouble,
  records: Record[],
  promised: Promised,
  send: (some: readonly Record[]) => Promise<void>,
): Promise<void> {
  noteReceipts(hub, records, promised);
  const open = records.filter(({ sequence }) => !promised.records.has(sequence));
  for (let at = 0; at < open.length; at += 50) await send(open.slice(at, at + 50));
}

/** A receipt is the centre's word too, also where no PUBACK came. */
function noteReceipts(hub: HubDouble, records: readonly Record[], promised: Promised): void {
  for (const { sequence, recordHash, complete, more } of hub.receipts) {
    for (const named of [{ sequence, recordHash }, ...more])
      promised.records.set(named.sequence, named.recordHash);
    for (const record of records)
      if (record.sequence <= complete) promised.records.set(record.sequence, record.hash);
  }
}

async function settle(hub: HubDouble, records: Record[], promised: Promised): Promise<void> {
  await hub.connect();
  await sendUnanswered(hub, records, promised, async (some) => {
    await hub.publish(...some.map(({ bytes }) => bytes));
  });
  const last = press(hub, records);
  await hub.publish(last.bytes);
  await hub.wait(() => hub.receipts.find(({ complete }) => complete === last.sequence));
  noteReceipts(hub, records, promised);
  await hub.end();
}

async function check(
  dir: string,
  hub: HubDouble,
  records: readonly Record[],
  promised: Promised,
): Promise<void> {
  const config = parseConfig(CRASH_CONFIG, "test");
  const centre = await startCentre({ dir, config, ports: { mqtt: 0, enrol: 0 }, web: false });
  const incidents = new Map(
    centre.incidents().map((incident): [string, Incident] => [incident.id, incident]),
  );
  await centre.stop();
  await using ledger = openLedgerInThread({ path: path.join(dir, "ledger.sqlite") });
  const kept = await ledger.records(hub.id, 1, records.length + 10, records.length + 10);
  expect(kept.map(({ sequence }) => sequence)).toEqual(records.map(({ sequence }) => sequence));
  expect(kept.map(({ hash }) => hash)).toEqual(records.map(({ hash }) => hash));
  for (const [sequence, hash] of promised.records) expect(kept[sequence - 1]?.hash).toBe(hash);
  expect(await ledger.equivocations(hub.id)).toEqual([]);
  expect((await ledger.hubs())[0]?.extent).toEqual({
    complete: records.length,
    contiguous: records.length,
    head: records.length,
  });
  const shown = [...incidents.values()].reduce((sum, { repeats }) => sum + repeats + 1, 0);
  expect(shown).toBe(records.length);
  for (const id of promised.taken) {
    expect(incidents.get(id)).toMatchObject({ stage: "taken", owner: "Nodira" });
    const refs = incidents.get(id)?.records ?? [];
    const receipts = await ledger.receiptsOf(
      hub.id,
      refs.map(({ sequence }) => sequence),
    );
    expect(receipts.length).toBeGreaterThan(0);
  }
}
