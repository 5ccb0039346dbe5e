/** The journal's group commit: 64 writers, each waiting for its record, against one that does the same. */
import path from "node:path";
import { openJournal } from "../../hub/journal/host.ts";
import type { EventDraft, Journal } from "../../hub/journal/journal.ts";
import { createSigningKey, generatePrivateKeyPem } from "../../protocols/signature.ts";
import { measureSignatureMs, measureSyncMs } from "./floor.ts";
import type { Bench, Measured } from "./measure.ts";
import { median } from "./stats.ts";

export const DRAFT: Omit<EventDraft, "eventNumber"> = {
  device: "70b3d57ed0000001",
  ageMs: 0,
  kind: "panic",
  mode: "real",
  drill: null,
  place: { site: "Chilonzor 9", zone: "Entrance 2" },
  state: {
    detail: 12,
    batteryPercent: 90,
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
  },
  frameHash: "ab".repeat(32),
  receptions: [
    { carrier: "semtech-udp", gateway: "0016c001f1500001", rssiDbm: -80, snrDb: 7.5, dataRate: 5 },
  ],
  provenance: "authenticated",
  refersTo: null,
  raw: null,
  note: null,
};

const WRITERS = 64;

/** The hub's journal in a file, in a worker thread as in the hub, under a new key. */
export async function openBenchJournal(file: string): Promise<Journal> {
  const privateKeyPem = generatePrivateKeyPem();
  return openJournal({
    path: file,
    genesis: "11".repeat(32),
    hub: createSigningKey(privateKeyPem).kid,
    realm: "bench",
    configHash: "00".repeat(8),
    privateKeyPem,
    stamp: () => ({
      time: { unixMs: Date.now(), uncertaintyMs: 1000, source: "ntp" },
      monotonicMs: Math.round(performance.now()),
    }),
  });
}

/** Records per second with `writers` writers, each awaiting its record before the next. */
async function rate(journal: Journal, writers: number, records: number): Promise<number> {
  let left = records;
  const write = async () => {
    while (left-- > 0) await journal.append({ ...DRAFT, eventNumber: left & 0xffff });
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: writers }, write));
  return records / ((performance.now() - start) / 1000);
}

export async function measure(bench: Bench): Promise<Measured> {
  const { slowSyncMs } = bench;
  const rounds = bench.quick ? 3 : 7;
  const [few, many] = slowSyncMs > 0 ? [100, 10_000] : [1000, 20_000];
  await using journal = await openBenchJournal(path.join(bench.dir, "journal.sqlite"));
  await rate(journal, WRITERS, many / 4);
  const one: number[] = [];
  const all: number[] = [];
  for (let n = 1; n <= rounds; n++) {
    bench.signal.throwIfAborted();
    bench.progress(`round ${n} of ${rounds}`);
    one.push(await rate(journal, 1, few));
    all.push(await rate(journal, WRITERS, many));
  }
  const value = median(all);
  const alone = median(one);
  const disk = slowSyncMs > 0 ? `, syncs ${slowSyncMs} ms slower` : "";
  return {
    figures: [
      {
        name: `journal, 64 writers${disk}`,
        value,
        unit: "records per second",
        reference: { what: "one writer", value: alone },
        bound: { is: ">=", limit: 20 },
        detail: {
          syncMs: measureSyncMs(bench.dir, slowSyncMs > 0 ? 50 : 200),
          // each record names the hash of the signed one before it, so signatures cannot run side by side
          signaturesPerSecond: 1000 / measureSignatureMs().signMs,
        },
      },
    ],
    bars: [
      {
        name: `Journal${disk}`,
        unit: "records per second, signed and on stable storage",
        bars: [
          { label: "64 writers", value },
          { label: "one writer", value: alone },
        ],
      },
    ],
  };
}
