/** What every host of the journal promises. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DiskRefused } from "../../../hub/journal/disk.ts";
import type { JournalOptions } from "../../../hub/journal/host.ts";
import type { Journal, StoredRecord } from "../../../hub/journal/journal.ts";
import type { DeviceRow, Session } from "../../../hub/lorawan/store.ts";
import { GENESIS, HUB, journalOptions, pressDraft, verifyChain } from "./fixture.ts";

const DEVICE = "70b3d57ed0000001";

const session: Session = {
  devAddr: "01020304",
  nwkSKey: "01".repeat(16),
  appSKey: "02".repeat(16),
  fCntUp: -1,
  fCntDown: 0,
  fCntDownReserved: 0,
  rx1DrOffset: 0,
  rx2DataRate: 0,
  rxDelayS: 1,
  dataRate: 5,
  txPowerIndex: 0,
  nbTrans: 1,
  channelsHz: [433_175_000],
};

const device: DeviceRow = {
  devEui: DEVICE,
  joinEui: "0000000000000001",
  appKey: "03".repeat(16),
  macVersion: "1.0.4",
  deviceClass: "A",
  name: "Entrance 2",
  place: { site: "Chilonzor 9", zone: "Entrance 2" },
  intervalS: 3600,
  allowModes: ["real", "test"],
  usedDevNonces: [],
  lastDevNonce: -1,
  joinNonce: 0,
  session: null,
  pendingSession: null,
};

export function journalContract(host: string, open: (options: JournalOptions) => Promise<Journal>): void {
  describe(`journal (${host})`, () => {
    let dir: string;
    let journal: Journal;
    const file = () => path.join(dir, "journal.sqlite");
    const reopen = async () => {
      await journal[Symbol.asyncDispose]();
      journal = await open(journalOptions(file()));
    };
    beforeEach(async () => {
      dir = mkdtempSync(path.join(tmpdir(), "tugma-journal-"));
      journal = await open(journalOptions(file()));
    });
    afterEach(async () => {
      await journal[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    });

    test("a new chain begins behind the enrolment, in boot 1", () => {
      expect(journal.head).toEqual({ boot: 1, sequence: 0, hash: GENESIS });
      expect(journal.damage).toEqual([]);
    });

    test("what append settles with is what stays, signed and chained", async () => {
      const first = await journal.append(pressDraft(1));
      const second = await journal.append(pressDraft(2));
      expect(journal.head).toEqual({ boot: 1, sequence: 2, hash: second.hash });
      await reopen();
      expect(journal.head).toEqual({ boot: 2, sequence: 2, hash: second.hash });
      const third = await journal.append(pressDraft(3));
      const events = verifyChain(await journal.readRows(0, 10));
      expect(events).toEqual([first.event, second.event, third.event]);
      expect(events.map(({ boot, hub }) => [boot, hub])).toEqual([
        [1, HUB],
        [1, HUB],
        [2, HUB],
      ]);
    });

    test("concurrent appends get their places in the order of the calls, and are told in it", async () => {
      const told: StoredRecord[] = [];
      journal.onStored((record) => told.push(record));
      const stored = await Promise.all(Array.from({ length: 300 }, (_, i) => journal.append(pressDraft(i))));
      expect(stored.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
      expect(told).toEqual(stored);
      const events = verifyChain(await journal.readRows(0, 1000));
      expect(events.map(({ eventNumber }) => eventNumber)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    });

    test("a draft that no record can hold fails alone and costs no sequence", async () => {
      const [good, bad, next] = await Promise.allSettled([
        journal.append(pressDraft(1)),
        journal.append({ ...pressDraft(2), place: { site: "x".repeat(1000), zone: "" } }),
        journal.append(pressDraft(3)),
      ]);
      expect([good.status, bad.status, next.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(bad).toMatchObject({ reason: { name: "CodecError" } });
      expect(verifyChain(await journal.readRows(0, 10)).map((e) => e.eventNumber)).toEqual([1, 3]);
    });

    test("several drafts are stored together or not at all", async () => {
      await expect(
        journal.appendAll([pressDraft(1), { ...pressDraft(2), place: { site: "x".repeat(1000), zone: "" } }]),
      ).rejects.toThrow();
      expect(journal.head.sequence).toBe(0);
      await journal.appendAll([pressDraft(1), pressDraft(2)]);
      expect(verifyChain(await journal.readRows(0, 10))).toHaveLength(2);
    });

    test("what stands at a polled point is stored with the record that says so, and only with it", async () => {
      const point = "0200000000000001";
      const raise = (lastNumber: number, name: string, draft = 0) =>
        ({ point, lastNumber, raised: [{ name, kind: "smoke", draft }], ended: [] }) as const;
      const polled = { ...pressDraft(1, point), provenance: "poller" } as const;
      await journal.append(pressDraft(1));
      await journal.appendAll([pressDraft(2), polled], { points: [raise(1, "code 37", 1)] });
      const bad = { ...polled, place: { site: "x".repeat(1000), zone: "" } };
      await expect(journal.appendAll([bad], { points: [raise(2, "code 40")] })).rejects.toThrow();
      const open = [{ name: "code 37", kind: "smoke", sequence: 3 }];
      expect(await journal.points()).toEqual([{ point, lastNumber: 1, open }]);
      await reopen();
      expect(await journal.points()).toEqual([{ point, lastNumber: 1, open }]);
      await journal.appendAll([], { points: [{ point, lastNumber: 2, raised: [], ended: ["code 37"] }] });
      expect(await journal.points()).toEqual([{ point, lastNumber: 2, open: [] }]);
      // no device says it again, so ingest has nothing to remember of it
      expect((await journal.memories()).events.map(({ devEui }) => devEui)).not.toContain(point);
    });

    test("records are read after a cursor, in pages, and one by one", async () => {
      for (let i = 1; i <= 5; i++) await journal.append(pressDraft(i));
      expect((await journal.read(2, 2)).map((r) => [r.sequence, r.event.eventNumber])).toEqual([
        [3, 3],
        [4, 4],
      ]);
      expect((await journal.record(5))?.event.eventNumber).toBe(5);
      expect(await journal.record(6)).toBeUndefined();
    });

    test("the uplink counter moves with the record, and never back", async () => {
      await journal.saveDevice({ ...device, session: { ...session, fCntUp: 4 } });
      await journal.append(pressDraft(1), { devEui: DEVICE, fCntUp: 9 });
      await journal.append(pressDraft(2), { devEui: DEVICE, fCntUp: 7 });
      const [row] = await journal.loadDevices();
      expect(row?.session?.fCntUp).toBe(9);
    });

    test("thousands of devices come back each with its own, in the order of their DevEUIs", async () => {
      const rows = Array.from({ length: 700 }, (_, n) => ({
        ...device,
        devEui: (0x70b3d57ed0000000n + BigInt(n)).toString(16),
        usedDevNonces: n % 3 === 0 ? [n, n + 1] : [],
        session: n % 2 === 0 ? { ...session, fCntUp: n } : null,
        pendingSession: n % 5 === 0 ? { ...session, devAddr: n.toString(16).padStart(8, "0") } : null,
      }));
      await journal.saveDevices([...rows].reverse());
      expect(await journal.loadDevices()).toEqual(rows);
    });

    test("devices, joins, session change and counters survive a restart", async () => {
      await journal.saveDevice(device);
      expect(await journal.loadDevices()).toEqual([device]);
      await journal.commitJoin(DEVICE, { devNonce: 7, joinNonce: 1, pendingSession: session });
      await reopen();
      const joined = {
        ...device,
        usedDevNonces: [7],
        lastDevNonce: 7,
        joinNonce: 1,
        pendingSession: session,
      };
      expect(await journal.loadDevices()).toEqual([joined]);
      await journal.switchSession(DEVICE);
      await journal.reserveFCntDown(DEVICE, 64);
      await journal.reserveFCntDown(DEVICE, 32);
      journal.saveCounters(DEVICE, {
        devAddr: session.devAddr,
        fCntUp: 12,
        dataRate: 3,
        txPowerIndex: 1,
        nbTrans: 2,
      });
      journal.saveCounters(DEVICE, {
        devAddr: "ffffffff",
        fCntUp: 99,
        dataRate: 0,
        txPowerIndex: 0,
        nbTrans: 1,
      });
      journal.saveDutyCycle("{}");
      await reopen();
      const counters = { fCntUp: 12, dataRate: 3, txPowerIndex: 1, nbTrans: 2 };
      const used = { ...session, ...counters, fCntDown: 64, fCntDownReserved: 64 };
      expect((await journal.loadDevices())[0]).toMatchObject({ session: used, pendingSession: null });
      expect(await journal.loadDutyCycle()).toBe("{}");
      await journal.removeDevice(DEVICE);
      expect(await journal.loadDevices()).toEqual([]);
    });

    test("receipts settle records, raise stages, and are found again", async () => {
      for (let i = 1; i <= 5; i++) await journal.append(pressDraft(i));
      const bytes = (n: number) => new Uint8Array([n]);
      await journal.putReceipts({
        path: "main",
        receipts: [{ sequence: 5, stage: "received", upTo: 0, bytes: bytes(5) }],
        complete: 0,
        beyond: [5],
      });
      expect([journal.cursor("main"), journal.settledBeyond("main")]).toEqual([0, [5]]);
      await journal.putReceipts({
        path: "main",
        receipts: [
          { sequence: 3, stage: "received", upTo: 3, bytes: bytes(3) },
          { sequence: 2, stage: "taken", upTo: 0, bytes: bytes(2) },
        ],
        complete: 3,
        beyond: [],
      });
      await reopen();
      expect([journal.cursor("main"), journal.settledBeyond("main")]).toEqual([3, [5]]);
      expect([journal.cursor("second"), journal.settledBeyond("second")]).toEqual([0, []]);
      const { events } = await journal.memories();
      expect(events.map((e) => [e.sequence, e.stage])).toEqual([
        [1, "received"],
        [2, "taken"],
        [3, "received"],
        [4, "stored"],
        [5, "received"],
      ]);
      expect(await journal.receipts(2)).toEqual([{ path: "main", sequence: 2, bytes: bytes(2) }]);
      expect(await journal.receipts(1)).toEqual([{ path: "main", sequence: 3, bytes: bytes(3) }]);
      expect(await journal.receipts(4)).toEqual([]);
    });

    test("what ingest knows of a device comes back with the record that changed it", async () => {
      await journal.appendAll([pressDraft(40)], { memory: { devEui: DEVICE, highest: 40, flags: 4 } });
      await journal.append({ ...pressDraft(8), kind: "tamper" });
      await journal.append({ ...pressDraft(8), kind: "moreReceptions", refersTo: 1 });
      await reopen();
      const { devices, events } = await journal.memories();
      expect(devices).toEqual([{ devEui: DEVICE, highest: 40, flags: 4 }]);
      expect(events.map(({ eventNumber, kind, sequence }) => [eventNumber, kind, sequence])).toEqual([
        [40, "panic", 1],
        [8, "tamper", 2],
      ]);
    });

    test("a device's memory is bounded: an event takes the place of the one 32 numbers before", async () => {
      for (let i = 0; i < 100; i++) await journal.append(pressDraft(i));
      const { events } = await journal.memories();
      expect(events.map((e) => e.eventNumber)).toEqual(Array.from({ length: 32 }, (_, i) => i + 68));
    });

    test("one event can be asked for long after that, by its whole name, with its stage", async () => {
      for (let i = 0; i < 100; i++) await journal.append(pressDraft(i));
      await journal.putReceipts({ path: "main", receipts: [], complete: 4, beyond: [6] });
      await reopen();
      const name = { devEui: DEVICE, eventNumber: 3, kind: "panic", mode: "real" } as const;
      expect(await journal.heard(name)).toEqual({ ...name, sequence: 4, stage: "received" });
      expect(await journal.heard({ ...name, eventNumber: 4 })).toMatchObject({
        sequence: 5,
        stage: "stored",
      });
      expect(await journal.heard({ ...name, eventNumber: 5 })).toMatchObject({
        sequence: 6,
        stage: "received",
      });
      for (const other of [
        { eventNumber: 100 },
        { mode: "drill" },
        { kind: "smoke" },
        { devEui: "0".repeat(16) },
      ])
        expect(await journal.heard({ ...name, ...other } as typeof name)).toBeUndefined();
    });

    test("another hub's journal is refused in words", async () => {
      await journal.append(pressDraft(1));
      await journal[Symbol.asyncDispose]();
      const other = { ...journalOptions(file()), genesis: "22".repeat(32) };
      await expect(open(other)).rejects.toThrow(/genesis is 1111.*move the journal away/s);
      journal = await open(journalOptions(file()));
    });

    test("an unreadable place for the file is a refusal of the disk", async () => {
      await expect(open(journalOptions(path.join(dir, "none", "journal.sqlite")))).rejects.toThrow(
        DiskRefused,
      );
    });
  });
}
