/** Room made ahead in the journal's log changes how fast a commit is, never what is in it. */
import { copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { StoredRow } from "../../../hub/journal/journal.ts";
import { growLog, LOG_BYTES } from "../../../hub/journal/log-space.ts";
import { openStore } from "../../../hub/journal/store.ts";
import { journalOptions, pressDraft, verifyChain } from "./fixture.ts";

function newFile(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-log-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return path.join(dir, "journal.sqlite");
}

function openRoomy(file: string) {
  const options = journalOptions(file);
  const store = openStore(options);
  while (store.makeRoom());
  let eventNumber = 0;
  const append = () =>
    store.run([
      { op: "append", drafts: [{ draft: pressDraft(++eventNumber), stamp: options.stamp() }], options: {} },
    ])[0]?.ok;
  return { store, append };
}

test("room is made up to its bound, commits stay inside it, and what a crash leaves behind opens whole", () => {
  const file = newFile();
  const { store, append } = openRoomy(file);
  expect(statSync(`${file}-wal`).size).toBeGreaterThanOrEqual(LOG_BYTES);
  const size = statSync(`${file}-wal`).size;
  for (let n = 0; n < 100; n++) expect(append()).toBe(true);
  expect(statSync(`${file}-wal`).size).toBe(size);
  const crashed = newFile();
  for (const part of ["", "-wal"]) copyFileSync(`${file}${part}`, `${crashed}${part}`);
  store.close();

  const again = openStore(journalOptions(crashed));
  const [rows] = again.run([{ op: "rows", after: 0, limit: 1000 }]);
  again.close();
  expect(again.damage).toEqual([]);
  const kept = rows?.ok ? (rows.value as StoredRow[]) : [];
  verifyChain(kept);
  expect(kept).toHaveLength(100);
});

test("when the room is used up the log begins anew in it instead of growing", () => {
  const file = newFile();
  const { store, append } = openRoomy(file);
  const size = statSync(`${file}-wal`).size;
  for (let n = 0; n < 3_000; n++) {
    append();
    if (n % 32 === 0) store.checkpoint("full");
  }
  expect(statSync(`${file}-wal`).size).toBeLessThan(size + 1024 * 1024);
  store.close();
}, 20_000);

test("no room is made while another process has the log, nor in a file that is no more", () => {
  const file = newFile();
  const store = openStore(journalOptions(file));
  const other = new DatabaseSync(file);
  const own = new DatabaseSync(file, { timeout: 10 });
  other.exec("BEGIN IMMEDIATE");
  const size = statSync(`${file}-wal`).size;
  expect(growLog(own, file)).toBe(false);
  expect(statSync(`${file}-wal`).size).toBe(size);
  other.exec("ROLLBACK");
  expect(growLog(own, file)).toBe(true);
  expect(growLog(own, path.join(path.dirname(file), "nothing.sqlite"))).toBe(false);
  for (const one of [own, other, store]) one.close();
});
