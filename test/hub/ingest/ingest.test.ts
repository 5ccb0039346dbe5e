import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../hardware/virtual/clock.ts";
import type { Reception } from "../../../hub/carriers/carrier.ts";
import type { KnownEvent } from "../../../hub/device-events.ts";
import { createIngest, type Ingest } from "../../../hub/ingest.ts";
import { DiskRefused } from "../../../hub/journal/disk.ts";
import { openJournalInThread } from "../../../hub/journal/host.ts";
import type { Journal } from "../../../hub/journal/journal.ts";
import type { Uplink } from "../../../hub/lorawan/sink.ts";
import { encodeReport, MODES, type Mode, type Report } from "../../../protocols/device/report.ts";
import { decodeStage } from "../../../protocols/device/stage.ts";
import type { EventRecord } from "../../../protocols/event.ts";
import { journalOptions } from "../journal/fixture.ts";

const DEVICE = "70b3d57ed0000001";
const place = { site: "Chilonzor 9", zone: "Entrance 2" };

let journal: Journal;
let ingest: Ingest;
let clock: VirtualClock;
let raised: KnownEvent[];
let allowModes: readonly Mode[];
let fCntUp = 0;
let dir: string;

async function openIngest(from: Journal): Promise<Ingest> {
  return createIngest({
    journal: from,
    clock,
    device: () => ({ place, allowModes }),
    onStage: (event) => raised.push({ ...event }),
    onTrouble(error) {
      throw error;
    },
  });
}

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-ingest-"));
  clock = createVirtualClock();
  raised = [];
  allowModes = MODES;
  journal = await openJournalInThread(journalOptions(path.join(dir, "journal.sqlite")));
  ingest = await openIngest(journal);
});
afterEach(async () => {
  await journal[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** The hub ends at once and begins again. */
async function crash(): Promise<void> {
  await journal[Symbol.asyncDispose]();
  journal = await openJournalInThread(journalOptions(path.join(dir, "journal.sqlite")));
  ingest = await openIngest(journal);
}

function reception(gateway = "0016c001f1500001"): Reception {
  return {
    phyPayload: new Uint8Array(21),
    carrier: "semtech-udp",
    gateway,
    rssiDbm: -91,
    snrDb: 6.2,
    frequencyHz: 433_175_000,
    dataRate: 5,
    tmst: 1,
    atMs: clock.monotonicMs(),
  };
}

function uplinkOf(payload: Uint8Array, fPort = 2): Uplink {
  fCntUp++;
  return {
    devEui: DEVICE,
    fPort,
    payload,
    confirmed: true,
    fCntUp,
    frameHash: fCntUp.toString(16).padStart(64, "0"),
    receptions: [reception()],
    lostFrames: 0,
    phyPayload: new Uint8Array(21),
  };
}

function report(change: Partial<Report> = {}): Report {
  return {
    kind: "panic",
    mode: "real",
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
    eventNumber: 1,
    ageS: 0,
    batteryPercent: 90,
    detail: 12,
    ...change,
  };
}

const say = (change: Partial<Report> = {}) => {
  const uplink = uplinkOf(encodeReport(report(change)));
  return ingest.accept(uplink, { devEui: DEVICE, fCntUp: uplink.fCntUp });
};
const heartbeat = (eventNumber: number, change: Partial<Report> = {}) =>
  say({ kind: "heartbeat", eventNumber, detail: 0, ...change });
const events = async (): Promise<EventRecord[]> =>
  (await journal.read(0, 10_000)).map((record) => record.event);
const kinds = async () => (await events()).map((event) => event.kind);
const answer = () => {
  const down = ingest.answer(DEVICE);
  return down && { fPort: down.fPort, ...decodeStage(down.payload) };
};

describe("a press", () => {
  test("is stored with all that the device said, and holds the answer back", async () => {
    expect(await say({ eventNumber: 7, ageS: 3, batteryLow: true })).toEqual({ hold: true, durable: true });
    expect(await events()).toMatchObject([
      {
        device: DEVICE,
        kind: "panic",
        mode: "real",
        eventNumber: 7,
        ageMs: 3000,
        place,
        provenance: "authenticated",
        state: { detail: 12, batteryPercent: 90, batteryLow: true },
        refersTo: null,
        note: null,
        receptions: [
          { carrier: "semtech-udp", gateway: "0016c001f1500001", rssiDbm: -91, snrDb: 6.2, dataRate: 5 },
        ],
      },
    ]);
    expect(answer()).toEqual({ fPort: 2, stage: "stored", eventNumber: 7 });
  });

  test("said again is evidence for the same event, five times, then only counted", async () => {
    for (let i = 0; i < 9; i++) expect((await say()).hold).toBe(true);
    expect(await kinds()).toEqual(["panic", ...Array(5).fill("moreReceptions")]);
    expect((await events()).slice(1).every((e) => e.refersTo === 1 && e.eventNumber === 1)).toBe(true);
    expect(ingest.counters).toMatchObject({ events: 1, repeats: 8 });
  });

  test("said again after the receipt is a question: nothing is written, nothing is held", async () => {
    await say();
    ingest.raise(1, "received");
    expect(await say()).toEqual({ hold: false, durable: false });
    expect(answer()).toMatchObject({ stage: "received" });
    expect(await kinds()).toEqual(["panic"]);
  });

  test("of another kind or mode under the same number is an event of its own", async () => {
    await say({ mode: "drill" });
    await say();
    await say({ kind: "tamper" });
    expect((await events()).map((e) => [e.kind, e.mode])).toEqual([
      ["panic", "drill"],
      ["panic", "real"],
      ["tamper", "real"],
    ]);
  });

  test("in a mode that is not allowed for the device counts as real, and says so", async () => {
    allowModes = ["real"];
    await say({ mode: "drill" });
    expect(await events()).toMatchObject([
      { mode: "real", note: expect.stringMatching(/drill.*not allowed/) },
    ]);
  });

  test("of no urgency is stored without holding the answer", async () => {
    expect(await say({ kind: "checkIn" })).toEqual({ hold: false, durable: true });
  });
});

describe("event numbers", () => {
  test("that were skipped are lost presses, recorded behind the alarm and with it", async () => {
    await say({ eventNumber: 4 });
    await say({ eventNumber: 7 });
    expect((await events()).map((e) => [e.kind, e.eventNumber, e.note])).toEqual([
      ["panic", 4, null],
      ["panic", 7, null],
      ["lostPress", 6, "events 5 to 6 never heard"],
    ]);
  });

  test("wrap around without a gap", async () => {
    for (const eventNumber of [0xfffe, 0xffff, 0, 1]) await say({ eventNumber });
    expect(await kinds()).toEqual(["panic", "panic", "panic", "panic"]);
  });

  test("that come late are events all the same", async () => {
    await say({ eventNumber: 4 });
    await say({ eventNumber: 6 });
    await say({ eventNumber: 5 });
    expect(await kinds()).toEqual(["panic", "panic", "lostPress", "panic"]);
  });

  test("that begin anew are noted, and the press counts", async () => {
    await say({ eventNumber: 900 });
    await say({ eventNumber: 2 });
    await say({ eventNumber: 3 });
    const all = await events();
    expect(all.map((e) => e.kind)).toEqual(["panic", "panic", "panic"]);
    expect(all[1]?.note).toBe("numbers go on from 2 after 900");
  });
});

describe("a heartbeat", () => {
  test("with nothing new is counted and not written", async () => {
    await heartbeat(3);
    expect(await heartbeat(3)).toEqual({ hold: false, durable: false });
    expect(await events()).toEqual([]);
    expect(ingest.counters.heartbeats).toBe(2);
  });

  test("whose flags changed is written once", async () => {
    await heartbeat(3);
    await heartbeat(3, { mainsLost: true });
    await heartbeat(3, { mainsLost: true });
    await heartbeat(3);
    expect((await events()).map((e) => [e.kind, e.state?.mainsLost])).toEqual([
      ["heartbeat", true],
      ["heartbeat", false],
    ]);
  });

  test("that knows of a press nobody heard reports it lost, once", async () => {
    await say({ eventNumber: 3 });
    await heartbeat(4);
    await heartbeat(4);
    expect((await events()).map((e) => [e.kind, e.note])).toEqual([
      ["panic", null],
      ["lostPress", "event 4 never heard"],
    ]);
    await say({ eventNumber: 4 });
    expect(await kinds()).toEqual(["panic", "lostPress", "panic"]);
  });

  test("that announces a restart explains the jump", async () => {
    await say({ eventNumber: 3 });
    await heartbeat(15, { detail: 1 });
    await say({ eventNumber: 16 });
    expect(await kinds()).toEqual(["panic", "heartbeat", "panic"]);
  });

  test("carries a stage down that is news, a bounded number of times", async () => {
    await say({ eventNumber: 3 });
    ingest.raise(1, "taken");
    const told = [];
    for (let i = 0; i < 5; i++) {
      await heartbeat(3);
      told.push(answer()?.stage ?? null);
    }
    expect(told).toEqual(["taken", "taken", "taken", null, null]);
  });

  test("knows after the hub's restart what it knew before", async () => {
    await heartbeat(3, { batteryLow: true });
    await crash();
    await heartbeat(3, { batteryLow: true });
    await heartbeat(5, { batteryLow: true });
    expect(await kinds()).toEqual(["heartbeat", "lostPress"]);
  });
});

describe("what cannot be understood", () => {
  test("is a fault with its raw bytes, and bounded", async () => {
    const bad = uplinkOf(new Uint8Array([0x5f, 1, 2]));
    expect(await ingest.accept(bad, { devEui: DEVICE, fCntUp: bad.fCntUp })).toMatchObject({ durable: true });
    const port = uplinkOf(encodeReport(report()), 77);
    await ingest.accept(port, { devEui: DEVICE, fCntUp: port.fCntUp });
    expect(await events()).toMatchObject([
      { kind: "unreadable", raw: "5f0102", device: DEVICE, note: expect.stringMatching(/^FPort 2: /) },
      { kind: "unreadable", note: "FPort 77: no such port" },
    ]);
    for (let i = 0; i < 20; i++) await ingest.accept(bad, { devEui: DEVICE, fCntUp });
    expect(await kinds()).toHaveLength(8);
    expect(ingest.counters.unreadable).toBe(22);
  });

  test("any bytes at all: an event, a lazy heartbeat or a fault, never a throw", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 242 }),
        fc.integer({ min: 1, max: 223 }),
        async (payload, fPort) => {
          const uplink = uplinkOf(payload, fPort);
          await ingest.accept(uplink, { devEui: DEVICE, fCntUp: uplink.fCntUp });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("later copies of a frame", () => {
  test("become one record that adds to the event, without delaying it", async () => {
    const uplink = uplinkOf(encodeReport(report()));
    await ingest.accept(uplink, { devEui: DEVICE, fCntUp: uplink.fCntUp });
    ingest.addReception(DEVICE, uplink.frameHash, reception("0016c001f1500002"));
    ingest.addReception(DEVICE, uplink.frameHash, reception("0016c001f1500003"));
    expect(await kinds()).toEqual(["panic"]);
    await clock.advance(1000);
    const [, more] = await events();
    expect(more).toMatchObject({ kind: "moreReceptions", refersTo: 1, frameHash: uplink.frameHash });
    expect(more?.receptions.map(({ gateway }) => gateway)).toEqual(["0016c001f1500002", "0016c001f1500003"]);
  });

  test("of heartbeats and of unknown frames are passed over", async () => {
    ingest.addReception(DEVICE, "00".repeat(32), reception());
    await clock.advance(1000);
    expect(await events()).toEqual([]);
  });
});

describe("stages", () => {
  test("only rise, are told once each, and come back after a restart", async () => {
    await say({ eventNumber: 1 });
    for (const stage of ["received", "taken", "received", "taken"] as const) ingest.raise(1, stage);
    expect(raised.map(({ stage }) => stage)).toEqual(["received", "taken"]);
    await journal.putReceipts({
      path: "main",
      receipts: [{ sequence: 1, stage: "taken", upTo: 1, bytes: new Uint8Array([1]) }],
      complete: 1,
      beyond: [],
    });
    await crash();
    await say({ eventNumber: 1 });
    expect(answer()).toMatchObject({ stage: "taken", eventNumber: 1 });
  });

  test("of an older event do not displace the one the device asks for", async () => {
    await say({ eventNumber: 1 });
    await say({ eventNumber: 2 });
    ingest.raise(1, "received");
    expect(answer()).toMatchObject({ eventNumber: 2, stage: "stored" });
    ingest.raiseAll(2, "received");
    expect(answer()).toMatchObject({ eventNumber: 2, stage: "received" });
  });
});

test("a refused disk acknowledges nothing; the same press is an event once there is space, and only one", async () => {
  let full = true;
  const refusing: Journal = {
    ...journal,
    get head() {
      return journal.head;
    },
    appendAll: (drafts, options) =>
      full ? Promise.reject(new DiskRefused("full", "full")) : journal.appendAll(drafts, options),
  };
  ingest = await openIngest(refusing);
  const [first, repeat] = await Promise.allSettled([say({ eventNumber: 5 }), say({ eventNumber: 5 })]);
  expect([first.status, repeat.status]).toEqual(["rejected", "rejected"]);
  full = false;
  await say({ eventNumber: 5 });
  await say({ eventNumber: 7 });
  expect(await kinds()).toEqual(["panic", "panic", "lostPress"]);
  full = true;
  await expect(say({ eventNumber: 9 })).rejects.toThrow("full");
  await expect(say({ kind: "heartbeat", eventNumber: 9 })).rejects.toThrow("full");
  full = false;
  await say({ eventNumber: 9 });
  expect(await kinds()).toEqual(["panic", "panic", "lostPress", "panic", "lostPress"]);
});

test("presses with their repeats in any order, with crashes anywhere: each is exactly one event", async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 11 }) },
    { weight: 1, arbitrary: fc.constant("crash" as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 0, max: 0xffff }),
      async (steps, base) => {
        await journal[Symbol.asyncDispose]();
        rmSync(dir, { recursive: true });
        dir = mkdtempSync(path.join(tmpdir(), "tugma-ingest-"));
        journal = await openJournalInThread(journalOptions(path.join(dir, "journal.sqlite")));
        ingest = await openIngest(journal);
        const said = new Set<number>();
        for (const one of steps) {
          if (one === "crash") await crash();
          else {
            said.add((base + one) & 0xffff);
            await Promise.all([
              say({ eventNumber: (base + one) & 0xffff }),
              say({ eventNumber: (base + one) & 0xffff }),
            ]);
          }
        }
        const panics = (await events()).filter((e) => e.kind === "panic").map((e) => e.eventNumber ?? -1);
        expect(panics.toSorted()).toEqual([...said].toSorted());
      },
    ),
    { numRuns: 40 },
  );
});
