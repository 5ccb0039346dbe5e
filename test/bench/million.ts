/** A hub's folder whose journal holds a million records, signed and chained as they should be. It takes a minute or two to make
 *  and half a gigabyte, so it is kept among the machine's temporary files for the next run. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { MAIN_CENTRE } from "../../hub/enrolments.ts";
import { deviceRow } from "./devices.ts";
import { makeHubFolder } from "./hub-folder.ts";
import { DRAFT } from "./journal.ts";
import type { Bench } from "./measure.ts";
import { openHubJournal, writeHubConfig } from "./road.ts";

export const RECORDS = 1_000_000;
/** Raised when what is in the folder changes, so that an old one is not used. */
const VERSION = 1;
const DEVICES = 1000;
/** Records in one transaction. */
const TOGETHER = 500;

/** The folder, made now if there is none of this version. */
export async function millionRecords(bench: Bench): Promise<string> {
  const folder = path.join(tmpdir(), `tugma-bench-${process.getuid?.() ?? 0}`, `million-${VERSION}`);
  const hub = path.join(folder, "hub");
  if (existsSync(hub)) return hub;
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  await write(bench, path.join(draft, "hub"), path.join(draft, "centre"));
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return hub;
}

async function write(bench: Bench, dir: string, centreDir: string): Promise<void> {
  await makeHubFolder(dir, centreDir);
  await using journal = await openHubJournal(dir, writeHubConfig(dir));
  const rows = Array.from({ length: DEVICES }, (_, number) => deviceRow(number));
  await journal.saveDevices(rows);
  for (let at = 0; at < RECORDS; at += TOGETHER) {
    bench.signal.throwIfAborted();
    if (at % 50_000 === 0) bench.progress(`writing ${RECORDS} records: ${at}`);
    const drafts = Array.from({ length: TOGETHER }, (_, n) => ({
      ...DRAFT,
      device: rows[(at + n) % DEVICES]?.devEui ?? null,
      eventNumber: Math.floor((at + n) / DEVICES),
    }));
    await journal.appendAll(drafts);
  }
  // all of it is at the centre: a hub's ordinary day, no backlog
  await journal.putReceipts({ path: MAIN_CENTRE, receipts: [], complete: journal.head.sequence, beyond: [] });
}
