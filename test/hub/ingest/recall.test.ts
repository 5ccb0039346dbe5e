import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../hardware/virtual/clock.ts";
import { createIngest, type Ingest } from "../../../hub/ingest.ts";
import { openJournalInThread } from "../../../hub/journal/host.ts";
import type { Journal } from "../../../hub/journal/journal.ts";
import { encodeReport, MODES } from "../../../protocols/device/report.ts";
import { decodeStage } from "../../../protocols/device/stage.ts";
import { journalOptions } from "../journal/fixture.ts";

const DEVICE = "70b3d57ed0000001";
/** More presses than a device's memory at the hub holds. */
const MANY = 70;

let dir: string;
let clock: VirtualClock;
let journal: Journal;
let ingest: Ingest;
let fCntUp = 0;

async function start(): Promise<void> {
  const stamp = () => ({
    time: { unixMs: clock.wallMs(), uncertaintyMs: 200, source: "ntp" as const },
    monotonicMs: Math.floor(clock.monotonicMs()),
  });
  journal = await openJournalInThread({ ...journalOptions(path.join(dir, "journal.sqlite")), stamp });
  ingest = await createIngest({
    journal,
    clock,
    device: () => ({ place: { site: "Chilonzor 9", zone: "Entrance 2" }, allowModes: MODES }),
    onStage: () => undefined,
    onTrouble(error) {
      throw error;
    },
  });
}

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-recall-"));
  clock = createVirtualClock();
  await start();
});
afterEach(async () => {
  await journal[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** A press that happened `ageS` ago. */
function press(eventNumber: number, ageS = 0) {
  fCntUp++;
  const payload = encodeReport({
    kind: "panic",
    mode: "real",
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
    eventNumber,
    ageS,
    batteryPercent: 90,
    detail: 12,
  });
  const frame = { fPort: 2, payload, confirmed: true, fCntUp, lostFrames: 0, receptions: [] };
  const frameHash = fCntUp.toString(16).padStart(64, "0");
  const uplink = { devEui: DEVICE, ...frame, frameHash, phyPayload: new Uint8Array(21) };
  return ingest.accept(uplink, { devEui: DEVICE, fCntUp });
}

const written = async () =>
  (await journal.read(0, 1000)).map(({ event }) => [event.kind, event.eventNumber, event.note] as const);

/** Presses `from` to `to`, one every two seconds. */
async function pressMany(from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    await press(number);
    await clock.advance(2000);
  }
}

describe("a press that many newer ones have overtaken", () => {
  test("said again is a repeat, before and after a restart of the hub, and is answered", async () => {
    await pressMany(1, MANY);
    for (const restart of [false, true]) {
      if (restart) {
        await journal[Symbol.asyncDispose]();
        await start();
      }
      const ageS = Math.floor(clock.monotonicMs() / 1000);
      expect(await press(1, ageS)).toEqual({ hold: true, durable: false });
      expect(decodeStage(ingest.answer(DEVICE)?.payload ?? new Uint8Array())).toMatchObject({
        eventNumber: 1,
      });
    }
    expect(await written()).toHaveLength(MANY);
    expect(ingest.counters).toMatchObject({ events: 0, repeats: 1 });
  });

  test("is answered with the stage that it has reached", async () => {
    await pressMany(1, MANY);
    await journal.putReceipts({
      path: "main",
      receipts: [{ sequence: 1, stage: "taken", upTo: 1, bytes: new Uint8Array(1) }],
      complete: 1,
      beyond: [],
    });
    expect(await press(1, 2 * MANY)).toEqual({ hold: false, durable: false });
    expect(decodeStage(ingest.answer(DEVICE)?.payload ?? new Uint8Array())).toMatchObject({ stage: "taken" });
  });

  test("and never heard before is an event, and numbers go on from where they were", async () => {
    await press(1);
    await pressMany(3, MANY);
    await press(2, 2 * MANY);
    await press(MANY + 1);
    const others = (await written()).filter(([kind]) => kind !== "panic");
    expect(others).toEqual([["lostPress", 2, "event 2 never heard"]]);
    expect((await written()).filter(([, number]) => number === 2 || number === MANY + 1)).toHaveLength(3);
  });

  test("does not hide the newer one whose place in memory it takes", async () => {
    await press(1);
    await pressMany(3, MANY);
    await press(2, 2 * MANY);
    // 66 and 2 share their place
    await press(66, 2 * (MANY - 66));
    expect((await written()).filter(([kind, number]) => kind === "panic" && number === 66)).toHaveLength(1);
  });
});

test("a device that has lost its memory and presses under an old number alarms", async () => {
  await pressMany(1, MANY);
  await clock.advance(3_600_000);
  expect(await press(5)).toEqual({ hold: true, durable: true });
  const [kind, number, note] = (await written()).at(-1) ?? [];
  expect([kind, number, note]).toEqual(["panic", 5, `numbers go on from 5 after ${MANY}`]);
});

test("an event older than its age can say is known again", async () => {
  await pressMany(1, MANY);
  await clock.advance(0xffff * 1000);
  expect(await press(1, 0xffff)).toEqual({ hold: true, durable: false });
});
