/** What every ledger engine promises (centre/ledger/ledger.ts). `open` opens the same ledger again when it is given the same
 *  place; each test has a place of its own. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ledger, LedgerEntry, LedgerRecord, NewHub } from "../../centre/ledger/ledger.ts";

export const HUB = "00000000000000a1";
export const OTHER = "00000000000000b2";

const ONE_TO_TWELVE = Array.from({ length: 12 }, (_, i) => i + 1);

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function hubRow(id: string, fields: Partial<NewHub> = {}): NewHub {
  const enrolment = Buffer.from(`enrolment of ${id}`);
  return {
    id,
    name: `hub ${id}`,
    publicKey: "ab".repeat(32),
    alg: -19,
    tlsFingerprint: "cd".repeat(32),
    enrolment,
    enrolledMs: 5,
    ...fields,
  };
}

/** Record `sequence` of the one history in which each record says `text` and its own number. */
export function record(
  sequence: number,
  fields: Partial<LedgerRecord> = {},
  hub = HUB,
  text = "r",
): LedgerRecord {
  const previous = sequence === 1 ? hashOf(`enrolment of ${hub}`) : hashOf(`${hub} ${text} ${sequence - 1}`);
  const bytes = new Uint8Array(Buffer.from(`bytes ${sequence}`));
  return {
    hub,
    sequence,
    hash: hashOf(`${hub} ${text} ${sequence}`),
    previous,
    boot: 1,
    bytes,
    receivedMs: 1000 + sequence,
    badTime: false,
    ...fields,
  };
}

async function enrolled(ledger: Ledger, id: string): Promise<void> {
  await ledger.addInvite(hashOf(`invite ${id}`), 1000);
  expect(await ledger.enrol(hashOf(`invite ${id}`), 0, hubRow(id))).toMatchObject({ type: "ok" });
}

export function ledgerContract(
  name: string,
  open: (place: string) => Promise<Ledger>,
  newPlace: () => string,
): void {
  const world = async () => {
    const place = newPlace();
    const ledger = await open(place);
    await enrolled(ledger, HUB);
    await enrolled(ledger, OTHER);
    const reopen = async () => {
      await ledger[Symbol.asyncDispose]();
      return open(place);
    };
    return { ledger, reopen };
  };
  const run = (title: string, body: (w: Awaited<ReturnType<typeof world>>) => Promise<void>) =>
    test(title, async () => {
      const w = await world();
      await body(w);
      await w.ledger[Symbol.asyncDispose]();
    });

  describe(`${name}: records`, () => {
    run("in order they are linked, and complete follows", async ({ ledger }) => {
      const { outcomes, extents } = await ledger.append([record(1), record(2), record(3)]);
      const linked = { afterGap: false, chain: "linked", boot: "same", successor: null };
      expect(outcomes.map((o) => o.type === "stored" && o.placement)).toEqual([linked, linked, linked]);
      expect(extents).toEqual({ [HUB]: { complete: 3, contiguous: 3, head: 3 } });
    });

    run("the same record again is a duplicate of the first, for ever", async ({ ledger, reopen }) => {
      const [first] = (await ledger.append([record(1)])).outcomes;
      const again = { type: "duplicate", index: first?.index, receivedMs: 1001 };
      expect((await ledger.append([record(1, { receivedMs: 9999 })])).outcomes).toEqual([again]);
      const later = await reopen();
      expect((await later.append([record(1, { receivedMs: 9999 })])).outcomes).toEqual([again]);
      await later[Symbol.asyncDispose]();
    });

    run("twice in one call is stored once", async ({ ledger }) => {
      const { outcomes } = await ledger.append([record(1), record(1)]);
      expect(outcomes.map((o) => o.type)).toEqual(["stored", "duplicate"]);
    });

    run(
      "another record at the same place is kept beside the first, and known the second time",
      async ({ ledger }) => {
        await ledger.append([record(1)]);
        const other = record(1, { hash: hashOf("other"), bytes: new Uint8Array([7]) });
        const [first] = (await ledger.append([other])).outcomes;
        const [second] = (await ledger.append([other])).outcomes;
        expect(first).toMatchObject({ type: "equivocation", known: false });
        expect(second).toMatchObject({ type: "equivocation", known: true, index: first?.index });
        const kept = await ledger.equivocations(HUB);
        expect(kept.map((k) => ({ hash: k.hash, bytes: [...k.bytes] }))).toEqual([
          { hash: hashOf("other"), bytes: [7] },
        ]);
        expect((await ledger.records(HUB, 1, 1, 9)).map((r) => r.hash)).toEqual([record(1).hash]);
      },
    );

    run(
      "a record beyond a gap is stored at once; filling the gap completes the chain",
      async ({ ledger }) => {
        await ledger.append([record(1)]);
        const ahead = await ledger.append([record(4)]);
        expect(ahead.outcomes[0]).toMatchObject({
          type: "stored",
          placement: { afterGap: true, chain: "pending" },
        });
        expect(ahead.extents[HUB]).toEqual({ complete: 1, contiguous: 1, head: 4 });
        expect(await ledger.missing(HUB, 9)).toEqual([[2, 3]]);
        await ledger.append([record(2)]);
        const filled = await ledger.append([record(3)]);
        expect(filled.outcomes[0]).toMatchObject({
          placement: { afterGap: false, chain: "linked", successor: "linked" },
        });
        expect(filled.extents[HUB]).toEqual({ complete: 4, contiguous: 4, head: 4 });
        expect(await ledger.missing(HUB, 9)).toEqual([]);
      },
    );

    run("missing ranges are exact, and bounded by the limit", async ({ ledger }) => {
      await ledger.append([record(3), record(4), record(9), record(11)]);
      expect(await ledger.missing(HUB, 9)).toEqual([
        [1, 2],
        [5, 8],
        [10, 10],
      ]);
      expect(await ledger.missing(HUB, 2)).toEqual([
        [1, 2],
        [5, 8],
      ]);
      expect(await ledger.missing("0000000000000000", 9)).toEqual([]);
    });

    run("a link that does not fit is marked and ends what counts as complete", async ({ ledger }) => {
      await ledger.append([record(1)]);
      const broken = await ledger.append([record(2, { previous: hashOf("elsewhere") }), record(3)]);
      expect(broken.outcomes[0]).toMatchObject({ type: "stored", placement: { chain: "broken" } });
      expect(broken.extents[HUB]).toEqual({ complete: 1, contiguous: 3, head: 3 });
    });

    run("a filler that does not fit its successor says so", async ({ ledger }) => {
      await ledger.append([record(1), record(3, { previous: hashOf("another two") })]);
      const { outcomes, extents } = await ledger.append([record(2)]);
      expect(outcomes[0]).toMatchObject({ placement: { chain: "linked", successor: "broken" } });
      expect(extents[HUB]).toEqual({ complete: 2, contiguous: 3, head: 3 });
    });

    run("a restart of the hub and a boot number that goes back are marked", async ({ ledger }) => {
      const { outcomes } = await ledger.append([
        record(1, { boot: 4 }),
        record(2, { boot: 5 }),
        record(3, { boot: 2 }),
      ]);
      expect(outcomes.map((o) => o.type === "stored" && o.placement.boot)).toEqual([
        "same",
        "restart",
        "back",
      ]);
    });

    run("hubs do not see each other", async ({ ledger }) => {
      const { extents } = await ledger.append([record(1), record(1, {}, OTHER), record(2, {}, OTHER)]);
      expect(extents).toEqual({
        [HUB]: { complete: 1, contiguous: 1, head: 1 },
        [OTHER]: { complete: 2, contiguous: 2, head: 2 },
      });
    });

    run("records of a stranger are refused, and nothing of that call is kept", async ({ ledger }) => {
      await expect(ledger.append([record(1), record(1, { hub: "0000000000000009" })])).rejects.toThrow(
        /not enrolled/,
      );
      expect(await ledger.lastIndex()).toBe(0);
      expect((await ledger.append([record(1)])).extents[HUB]).toEqual({
        complete: 1,
        contiguous: 1,
        head: 1,
      });
    });

    run("bytes, time and marks come back as they went in", async ({ ledger }) => {
      const given = record(2, { badTime: true, bytes: new Uint8Array([1, 2, 255]), boot: 3 });
      await ledger.append([given]);
      const [kept] = await ledger.records(HUB, 1, 9, 9);
      expect(kept).toMatchObject({ ...given, bytes: expect.anything() });
      expect([...(kept?.bytes ?? [])]).toEqual([1, 2, 255]);
    });

    test("any order of arrival, with repeats, ends in the same chain", async () => {
      const order = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(order, async (sequences) => {
          const { ledger } = await world();
          for (const sequence of [...sequences, ...ONE_TO_TWELVE]) await ledger.append([record(sequence)]);
          expect((await ledger.hubs()).find(({ id }) => id === HUB)?.extent).toEqual({
            complete: 12,
            contiguous: 12,
            head: 12,
          });
          expect((await ledger.records(HUB, 1, 99, 99)).map((r) => r.sequence)).toEqual(ONE_TO_TWELVE);
          await ledger[Symbol.asyncDispose]();
        }),
        { numRuns: 20 },
      );
    });
  });

  describe(`${name}: one index over all`, () => {
    run("entries come back in the order of their index, across a restart", async ({ ledger, reopen }) => {
      await ledger.append([record(1)]);
      await ledger.appendAct("1", "k1", '{"n":1}');
      await ledger.appendFact('{"n":2}');
      await ledger.append([record(1, { hash: hashOf("other") })]);
      const later = await reopen();
      await later.append([record(2)]);
      const entries = await later.entriesAfter(0, 99);
      expect(entries.map(({ type }) => type)).toEqual(["record", "act", "fact", "equivocation", "record"]);
      const indices = entries.map(({ index }) => index);
      expect(indices).toEqual([...indices].sort((a, b) => a - b));
      expect(new Set(indices).size).toBe(5);
      const paged: LedgerEntry[] = [];
      for (
        let page = await later.entriesAfter(0, 2);
        page.length > 0;
        page = await later.entriesAfter(page.at(-1)?.index ?? 0, 2)
      )
        paged.push(...page);
      expect(paged).toEqual(entries);
      await later[Symbol.asyncDispose]();
    });

    run("an act with the same key happens once", async ({ ledger }) => {
      const first = await ledger.appendAct("7", "key", "{}");
      expect(first.fresh).toBe(true);
      expect(await ledger.appendAct("7", "key", "{}")).toEqual({ index: first.index, fresh: false });
      expect(await ledger.actsOf("7")).toEqual([{ index: first.index, json: "{}" }]);
    });

    run("a call that fails leaves its neighbours of the same moment alone", async ({ ledger }) => {
      const [ok, bad, also] = await Promise.allSettled([
        ledger.append([record(1)]),
        ledger.append([record(1, { hub: "0000000000000009" })]),
        ledger.append([record(2)]),
      ]);
      expect([ok.status, bad.status, also.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect((await ledger.hubs()).find(({ id }) => id === HUB)?.extent.complete).toBe(2);
    });
  });

  describe(`${name}: hubs and invitations`, () => {
    const secret = hashOf("secret");
    run("an invitation is good for one hub; that hub may ask again until it expires", async ({ ledger }) => {
      await ledger.addInvite(secret, 500);
      const one = hubRow("0000000000000001");
      expect(await ledger.enrol(secret, 400, one)).toMatchObject({ type: "ok" });
      expect(await ledger.enrol(secret, 400, hubRow("0000000000000002"))).toEqual({ type: "used" });
      const again = await ledger.enrol(secret, 499, {
        ...one,
        tlsFingerprint: "11".repeat(32),
        enrolment: Buffer.from("another"),
      });
      expect(again.type === "ok" && Buffer.from(again.enrolment).toString()).toBe(
        "enrolment of 0000000000000001",
      );
      expect((await ledger.hubs()).find(({ id }) => id === one.id)?.tlsFingerprint).toBe("11".repeat(32));
      expect(await ledger.enrol(secret, 500, one)).toEqual({ type: "expired" });
    });

    run("unknown and expired invitations register nobody", async ({ ledger }) => {
      await ledger.addInvite(secret, 500);
      expect(await ledger.enrol(secret, 500, hubRow("0000000000000001"))).toEqual({ type: "expired" });
      expect(await ledger.enrol(hashOf("guess"), 0, hubRow("0000000000000001"))).toEqual({ type: "unknown" });
      expect((await ledger.hubs()).map(({ id }) => id)).toEqual([HUB, OTHER]);
    });

    run("a revoked hub stays in the registry and cannot enrol again", async ({ ledger }) => {
      expect(await ledger.revokeHub(HUB, 77)).toBe(true);
      expect(await ledger.revokeHub(HUB, 78)).toBe(false);
      expect(await ledger.revokeHub("0000000000000009", 78)).toBe(false);
      await ledger.addInvite(secret, 500);
      expect(await ledger.enrol(secret, 0, hubRow(HUB))).toEqual({ type: "revoked" });
      expect((await ledger.hubs()).find(({ id }) => id === HUB)?.revokedMs).toBe(77);
    });

    run("a promised poll interval is remembered", async ({ ledger, reopen }) => {
      await ledger.setPollInterval(HUB, 8000);
      const later = await reopen();
      expect((await later.hubs())[0]?.pollIntervalMs).toBe(8000);
      await later[Symbol.asyncDispose]();
    });
  });

  describe(`${name}: receipts, quarantine, incidents`, () => {
    const receipt = (sequence: number, rank: number) => ({
      hub: HUB,
      sequence,
      rank,
      bytes: new Uint8Array([sequence, rank]),
    });
    run(
      "of undelivered stages the highest of each record goes out, and its delivery covers the lower ones",
      async ({ ledger }) => {
        await ledger.putReceipts([receipt(1, 2), receipt(1, 3), receipt(2, 2)]);
        await ledger.putReceipts([{ ...receipt(1, 2), bytes: new Uint8Array([9]) }]);
        const due = await ledger.undelivered(HUB);
        expect(due.map(({ sequence, rank, bytes }) => [sequence, rank, [...bytes]])).toEqual([
          [1, 3, [1, 3]],
          [2, 2, [2, 2]],
        ]);
        expect(await ledger.undelivered(OTHER)).toEqual([]);
        await ledger.delivered([{ hub: HUB, sequence: 1, rank: 3 }], 50);
        expect((await ledger.undelivered(HUB)).map(({ sequence }) => sequence)).toEqual([2]);
        const all = await ledger.receiptsOf(HUB, [1, 2, 3]);
        expect(all.map(({ sequence, rank, deliveredMs }) => [sequence, rank, deliveredMs])).toEqual([
          [1, 2, 50],
          [1, 3, 50],
          [2, 2, null],
        ]);
      },
    );

    run("quarantine keeps the newest, and no more than its limit", async ({ ledger }) => {
      for (let n = 1; n <= 5; n++) {
        await ledger.quarantine(
          { atMs: n, hub: HUB, code: "cose", message: "m", bytes: new Uint8Array([n]) },
          3,
        );
      }
      expect((await ledger.quarantined(9)).map(({ atMs }) => atMs)).toEqual([5, 4, 3]);
      expect((await ledger.quarantined(1)).map(({ bytes }) => [...bytes])).toEqual([[5]]);
    });

    run("incidents come back: all open ones, and of the closed the newest", async ({ ledger, reopen }) => {
      const row = (id: string, isOpen: boolean) => ({ id, open: isOpen, json: `{"id":"${id}"}` });
      await ledger.saveIncidents(10, [row("1", true), row("2", false), row("3", true)]);
      await ledger.saveIncidents(20, [row("3", false), row("4", false)]);
      const later = await reopen();
      const { upTo, rows } = await later.loadIncidents(2);
      expect(upTo).toBe(20);
      expect(rows.map(({ id, open: isOpen }) => `${id}${isOpen ? " open" : ""}`).sort()).toEqual([
        "1 open",
        "3",
        "4",
      ]);
      expect(await later.loadIncident("2")).toEqual(row("2", false));
      expect(await later.loadIncident("9")).toBeUndefined();
      await later[Symbol.asyncDispose]();
    });
  });
}
