import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { LOG_BYTES } from "../../centre/ledger/log-space.ts";
import { openLedger, openLedgerInThread } from "../../centre/ledger/open.ts";
import { openSqliteLedger } from "../../centre/ledger/sqlite.ts";
import { HUB, hashOf, hubRow, ledgerContract, record } from "./ledger-contract.ts";

const dir = mkdtempSync(path.join(tmpdir(), "ledger-"));
let places = 0;
const newPlace = () => path.join(dir, `${places++}.sqlite`);

afterAll(() => rmSync(dir, { recursive: true }));

ledgerContract("SQLite in a worker", (file) => openLedger({ path: file }), newPlace);
ledgerContract("SQLite in this thread", async (file) => openLedgerInThread({ path: file }), newPlace);

test("room is made for the log ahead, and when it is used up the log begins anew in it", () => {
  const file = newPlace();
  const { calls, transaction, makeRoom, checkpoint, close } = openSqliteLedger({ path: file });
  while (makeRoom());
  const { size } = statSync(`${file}-wal`);
  expect(size).toBeGreaterThanOrEqual(LOG_BYTES);
  transaction(() => calls.addInvite(hashOf("i"), 10));
  transaction(() => calls.enrol(hashOf("i"), 0, hubRow(HUB)));
  for (let sequence = 1; sequence <= 600; sequence++) {
    transaction(() => calls.append([record(sequence, { bytes: new Uint8Array(60_000) })]));
    checkpoint("full");
  }
  expect(statSync(`${file}-wal`).size).toBeLessThan(size + 1024 * 1024);
  expect(calls.hubs()[0]?.extent.head).toBe(600);
  close();
});

test("a full disk refuses and keeps nothing; with space again work goes on", async () => {
  const file = newPlace();
  const big = (sequence: number) => record(sequence, { bytes: new Uint8Array(60_000) });
  const small = openLedgerInThread({ path: file, maxBytes: 400_000 });
  await small.addInvite(hashOf("i"), 10);
  await small.enrol(hashOf("i"), 0, hubRow(HUB));
  let stored = 0;
  let refusal: unknown;
  while (refusal === undefined) {
    await small.append([big(stored + 1)]).then(
      () => {
        stored += 1;
      },
      (error) => {
        refusal = error;
      },
    );
  }
  expect(String(refusal)).toMatch(/full/);
  await expect(small.append([big(stored + 1)])).rejects.toThrow(/full/);
  expect(await small.lastIndex()).toBe(stored);
  await small[Symbol.asyncDispose]();
  await using large = openLedgerInThread({ path: file });
  const { extents } = await large.append([big(stored + 1)]);
  expect(extents[HUB]).toEqual({ complete: stored + 1, contiguous: stored + 1, head: stored + 1 });
});

test("a file that is no ledger is refused with a reason", async () => {
  await expect(openLedger({ path: path.join(dir, "no-such-folder", "x.sqlite") })).rejects.toThrow(
    /unable to open/,
  );
});

test("what is asked after closing is refused, not left waiting", async () => {
  const ledger = await openLedger({ path: newPlace() });
  await ledger[Symbol.asyncDispose]();
  await expect(ledger.lastIndex()).rejects.toThrow(/closed/);
});
