/** Disk and power: what was acknowledged is there, what was refused is not, no sequence is given twice. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskRefused } from "../../../hub/journal/disk.ts";
import { openJournal, openJournalInThread } from "../../../hub/journal/host.ts";
import { checkChain } from "../../../hub/journal/offline.ts";
import { openStore } from "../../../hub/journal/store.ts";
import { createVerifyingKey } from "../../../protocols/signature.ts";
import { GENESIS, HUB_KEY, journalOptions, pressDraft, REALM, verifyChain } from "./fixture.ts";

let dir: string;
const file = () => path.join(dir, "journal.sqlite");

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-journal-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Acknowledged {
  readonly sequence: number;
  readonly hash: string;
}

/** Kills the writer after a number of acknowledgements; returns what it had acknowledged by then. */
async function writeUntilKilled(acknowledgements: number): Promise<Acknowledged[]> {
  const writer: ChildProcess = fork(path.join(import.meta.dirname, "writer.ts"), [file()], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const acknowledged: Acknowledged[] = [];
  writer.on("message", (message: Acknowledged) => {
    acknowledged.push(message);
    if (acknowledged.length === acknowledgements) writer.kill("SIGKILL");
  });
  await once(writer, "exit");
  return acknowledged;
}

test("after SIGKILL every acknowledged record is there, the chain is whole, no sequence was used twice", async () => {
  const all = new Map<number, string>();
  for (const acknowledgements of [1, 40, 7, 150, 23, 90]) {
    for (const { sequence, hash } of await writeUntilKilled(acknowledgements)) {
      expect(all.has(sequence)).toBe(false);
      all.set(sequence, hash);
    }
    const journal = await openJournalInThread(journalOptions(file()));
    const rows = await journal.readRows(0, 100_000);
    await journal[Symbol.asyncDispose]();
    verifyChain(rows);
    expect(journal.damage).toEqual([]);
    for (const [sequence, hash] of all) expect(rows[sequence - 1]?.hash).toBe(hash);
  }
});

test("a copy made while it is being written opens and verifies: main file first, then its log", async () => {
  const journal = await openJournal(journalOptions(file()));
  let writing = true;
  const writers = Array.from({ length: 8 }, async () => {
    while (writing) await journal.append(pressDraft(1));
  });
  const copies: { copy: string; acknowledged: number }[] = [];
  for (let i = 0; i < 12; i++) {
    for (const target = journal.head.sequence + 1 + i * 3; journal.head.sequence < target; ) await nextTurn();
    const acknowledged = journal.head.sequence;
    const copy = path.join(dir, `copy-${i}.sqlite`);
    copyFileSync(file(), copy);
    copyFileSync(`${file()}-wal`, `${copy}-wal`);
    copies.push({ copy, acknowledged });
  }
  writing = false;
  await Promise.all(writers);
  await journal[Symbol.asyncDispose]();
  for (const { copy, acknowledged } of copies) {
    const opened = await openJournalInThread(journalOptions(copy));
    const rows = await opened.readRows(0, 100_000);
    await opened[Symbol.asyncDispose]();
    verifyChain(rows);
    expect(rows.length).toBeGreaterThanOrEqual(acknowledged);
  }
});

test("a full disk refuses, acknowledges nothing, burns no sequence; work goes on when there is space", () => {
  const store = openStore(journalOptions(file()));
  const { stamp } = journalOptions(file());
  const press = (eventNumber: number) =>
    store.run([
      { op: "append", drafts: [{ draft: pressDraft(eventNumber), stamp: stamp() }], options: {} },
    ])[0];
  const limit = (pages: number) => store.limitPages(pages);
  limit(24);
  let stored = 0;
  let refused = press(stored);
  while (refused?.ok) refused = press(++stored);
  expect(refused).toMatchObject({ ok: false, error: expect.any(DiskRefused) });
  expect(refused).toMatchObject({ error: { trouble: "full" } });
  expect(store.head.sequence).toBe(stored);
  for (let i = 0; i < 3; i++) expect(press(stored)?.ok).toBe(false);
  expect(store.head.sequence).toBe(stored);
  limit(10_000);
  expect(press(stored)?.ok).toBe(true);
  expect(store.head.sequence).toBe(stored + 1);
  const [rows] = store.run([{ op: "rows", after: 0, limit: 10_000 }]);
  if (!rows?.ok) throw new Error("the rows cannot be read");
  expect(verifyChain(rows.value as [])).toHaveLength(stored + 1);
  store.close();
});

test("in one group, a refusal of the disk refuses all of it", () => {
  const store = openStore(journalOptions(file()));
  const { stamp } = journalOptions(file());
  store.limitPages(1);
  const operations = Array.from({ length: 200 }, (_, i) => ({
    op: "append" as const,
    drafts: [{ draft: pressDraft(i), stamp: stamp() }],
    options: {},
  }));
  expect(store.run(operations).every(({ ok }) => !ok)).toBe(true);
  expect(store.head.sequence).toBe(0);
  store.close();
});

test("a damaged newest record is named, and the chain goes on so that alarms do", async () => {
  const journal = await openJournalInThread(journalOptions(file()));
  for (let i = 1; i <= 3; i++) await journal.append(pressDraft(i));
  await journal[Symbol.asyncDispose]();
  const database = new DatabaseSync(file());
  database.exec("UPDATE record SET bytes = zeroblob(length(bytes)) WHERE sequence = 3");
  database.close();
  const again = await openJournalInThread(journalOptions(file()));
  expect(again.damage).toEqual([expect.stringMatching(/^record 3: /)]);
  expect((await again.append(pressDraft(4))).sequence).toBe(4);
  await again[Symbol.asyncDispose]();
});

test("a journal of a newer version is refused in words", async () => {
  const database = new DatabaseSync(file());
  database.exec("PRAGMA user_version = 99");
  database.close();
  await expect(openJournalInThread(journalOptions(file()))).rejects.toThrow(/newer Tugma/);
});

test("the whole chain can be checked while it is being written, and every flaw is named", async () => {
  const journal = await openJournal(journalOptions(file()));
  await Promise.all(Array.from({ length: 50 }, (_, i) => journal.append(pressDraft(i))));
  const options = {
    path: file(),
    realm: REALM,
    genesis: GENESIS,
    hubKey: createVerifyingKey(HUB_KEY.publicKey, HUB_KEY.alg),
    centreKeys: [],
  };
  expect(checkChain(options)).toEqual({ records: 50, receipts: 0, flaws: [] });
  await journal[Symbol.asyncDispose]();
  const database = new DatabaseSync(file());
  database.exec("UPDATE record SET bytes = (SELECT bytes FROM record WHERE sequence = 8) WHERE sequence = 7");
  database.exec("DELETE FROM record WHERE sequence = 20");
  database.exec("INSERT INTO receipt (path, sequence, up_to, bytes) VALUES ('main', 3, 3, x'00')");
  database.close();
  expect(checkChain(options)).toMatchObject({
    records: 50,
    receipts: 1,
    flaws: [
      "record 7: its bytes do not match its stored hash",
      "record 21: it follows 19",
      expect.stringMatching(/^receipt for record 3: /),
    ],
  });
  expect(checkChain({ ...options, realm: "live" }).flaws[0]).toMatch(/^record 1: .*signature/);
});
