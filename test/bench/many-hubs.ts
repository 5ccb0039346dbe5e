/** 500 hubs deliver alarms to one centre: one alarm in each message and one on its way per hub, so that every alarm costs the
 *  centre a verification, a place in the ledger and a signed receipt of its own. And what memory the centre needs with them. */
import path from "node:path";
import { readConfig } from "../../centre/config.ts";
import { callControl } from "../../centre/control.ts";
import { openIdentity } from "../../centre/identity.ts";
import { centreTopic, splitSequence } from "../../protocols/mqtt-topics.ts";
import { openReceipt } from "../../protocols/receipt.ts";
import { createVerifyingKey } from "../../protocols/signature.ts";
import { measureSignatureMs } from "./floor.ts";
import { type CrowdHub, connectHub, enrolCrowd, type SignedAlarm, signAlarms } from "./hub-crowd.ts";
import type { Bench, Measured } from "./measure.ts";
import { cpuSecondsOf, residentMbOf } from "./process-stat.ts";
import { REALM, startCentrePart, writeCentreConfig } from "./road.ts";
import { median, show } from "./stats.ts";

const HUBS = 500;
/** Handshakes at a time. */
const CONNECTING = 25;
const LIMIT_MS = 60_000;
const SETTLE_MS = 2_000;
/** The others are taken at their word, since the measuring side shares the machine; the ledger is asked in the end. */
const VERIFY_ONE_IN = 100;

/** Part of the alarms that warm everything up and do not count. */
const WARM_UP = 0.2;

interface Sender {
  readonly alarms: readonly SignedAlarm[];
  /** Sends its alarms up to number `until`, one after the other's receipt. */
  sendUntil(until: number): void;
  close(): void;
}

export async function measure(bench: Bench): Promise<Measured> {
  const perHub = bench.quick ? 20 : 100;
  const dir = path.join(bench.dir, "centre");
  writeCentreConfig(dir);
  bench.progress(`enrolling ${HUBS} hubs, signing ${HUBS * perHub} alarms`);
  const hubs = await enrolCrowd(dir, HUBS);
  const alarms = hubs.map((hub) => signAlarms(hub, REALM, perHub));
  const centre = await startCentrePart(dir, path.join(bench.dir, "centre.log"));
  const crowd = createCrowd(dir);
  const senders: Sender[] = [];
  try {
    bench.progress("connecting them over mutual TLS");
    for (let from = 0; from < HUBS; from += CONNECTING) {
      bench.signal.throwIfAborted();
      const some = hubs.slice(from, from + CONNECTING);
      const open = some.map((hub, n) => crowd.connect(hub, alarms[from + n] ?? [], centre.mqttPort));
      senders.push(...(await Promise.all(open)));
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const restMb = residentMbOf(centre.part.pid);
    bench.progress("delivering");
    await deliver(crowd, senders, centre.part.pid, WARM_UP * perHub);
    const run = await deliver(crowd, senders, centre.part.pid, perHub);
    const kept = (await callControl(dir, "hubs", {})) as { id: string; complete: number }[];
    const missing = kept.reduce((sum, { complete }) => sum + perHub - complete, 0);
    return figures({ ...run, restMb, missing, alarms: HUBS * perHub });
  } finally {
    for (const sender of senders) sender.close();
    await centre.part.stop();
  }
}

/** The hubs' side: each sends its next alarm when the receipt for the one before is there. */
function createCrowd(dir: string) {
  const { receiptKey } = openIdentity(dir, readConfig(path.join(dir, "centre.yaml")));
  const key = createVerifyingKey(receiptKey.publicKey, receiptKey.alg);
  const crowd = {
    receipts: 0,
    onReceipt: () => {},
    async connect(hub: CrowdHub, alarms: readonly SignedAlarm[], port: number): Promise<Sender> {
      let at = 0;
      let last = 0;
      const hear = (payload: Uint8Array) => {
        const [receipt = new Uint8Array()] = splitSequence(payload);
        if (crowd.receipts++ % VERIFY_ONE_IN === 0) {
          const opened = openReceipt(receipt, REALM, (kid) => (kid === key.kid ? key : undefined));
          if (opened.receipt.recordHash !== alarms[at - 1]?.hash)
            throw new Error("a receipt for another record");
        }
        send();
        crowd.onReceipt();
      };
      const client = await connectHub(hub, port, hear);
      const send = () => {
        const next = alarms[at];
        if (next !== undefined && at < last) client.publish(centreTopic("record", hub.id), next.bytes, ++at);
      };
      const sendUntil = (until: number) => {
        last = until;
        send();
      };
      return { alarms, sendUntil, close: client.close };
    },
  };
  return crowd;
}

/** Settles when each hub's alarms up to `until` have their receipts. */
async function deliver(
  crowd: ReturnType<typeof createCrowd>,
  senders: readonly Sender[],
  pid: number,
  until: number,
) {
  const before = crowd.receipts;
  const expected = senders.length * until - before;
  const verifyMs = [measureSignatureMs(2000).verifyMs];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`${crowd.receipts - before} of ${expected} receipts in ${LIMIT_MS} ms`)),
    LIMIT_MS,
  );
  crowd.onReceipt = () => {
    if (crowd.receipts - before === expected) resolve();
  };
  const cpuS = cpuSecondsOf(pid);
  const start = performance.now();
  for (const { sendUntil } of senders) sendUntil(until);
  await promise;
  clearTimeout(timer);
  const seconds = (performance.now() - start) / 1000;
  const centreCpuUs = ((cpuSecondsOf(pid) - cpuS) * 1e6) / expected;
  verifyMs.push(measureSignatureMs(2000).verifyMs);
  return {
    alarmsPerS: expected / seconds,
    verificationsPerS: 1000 / median(verifyMs),
    centreCpuUs,
    busyMb: residentMbOf(pid),
  };
}

interface Run {
  readonly alarms: number;
  readonly alarmsPerS: number;
  readonly verificationsPerS: number;
  readonly centreCpuUs: number;
  readonly restMb: number;
  readonly busyMb: number;
  readonly missing: number;
}

function figures(run: Run): Measured {
  const { alarms, alarmsPerS, verificationsPerS, centreCpuUs, restMb, busyMb, missing } = run;
  return {
    figures: [
      {
        name: `alarms per second, ${HUBS} hubs at one centre`,
        value: alarmsPerS,
        unit: "alarms per second",
        reference: { what: "Ed25519 verifications of one core", value: verificationsPerS },
        bound: { is: ">=", limit: 0.4 },
        detail: { centreCpuUsPerAlarm: centreCpuUs },
      },
      {
        name: `of ${show(alarms)} alarms not in the centre's ledger`,
        value: missing,
        unit: "alarms",
        reference: null,
        bound: { is: "<=", limit: 0 },
      },
      {
        name: `centre's memory with ${HUBS} hubs`,
        value: restMb,
        unit: "MB",
        reference: null,
        bound: { is: "<=", limit: 200 },
        detail: { afterTheAlarmsMb: busyMb },
      },
    ],
    bars: [
      {
        name: `Alarms of ${HUBS} hubs at one centre`,
        unit: "per second, each with a receipt of its own",
        bars: [
          { label: "one in flight per hub", value: alarmsPerS },
          { label: "one core's verifications", value: verificationsPerS },
        ],
      },
    ],
  };
}
