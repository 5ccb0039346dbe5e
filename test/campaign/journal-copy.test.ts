/** The files of hub and centre are copied while they are written, as a backup, a snapshot or a power cut would have them. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Part } from "../../hardware/demo/process.ts";
import { alarmsOf, readJournal, readLedger, readTrust } from "./books.ts";
import { createProgress, pathOf, startCampaign, until } from "./campaign.ts";
import { type Load, startLoad } from "./load.ts";
import { LOAD_REGION } from "./load-device.ts";
import { campaignRandom } from "./seed.ts";

const COPIES = Number(process.env["TUGMA_COPIES"] ?? 60);
const PER_SECOND = 250;
const PAUSE_MS = 400;
const STOPPED_MS = 2_000;

interface Copy {
  readonly file: string;
  /** What somebody had been promised before the copy was begun. */
  readonly acknowledged: ReadonlySet<string>;
  readonly complete: number;
}

test(`${COPIES} copies of the journal and of the ledger under ${PER_SECOND} alarms a second: each opens and verifies`, async () => {
  const random = campaignRandom("journal-copy");
  await using stack = new AsyncDisposableStack();
  const { world, dir } = await startCampaign(LOAD_REGION, stack);
  const load = await startLoad(world, stack);
  load.raise(PER_SECOND);
  const sources = {
    journal: { part: () => world.hub(), file: path.join(world.hubDir, "journal.sqlite") },
    ledger: { part: () => world.centre(), file: path.join(world.centreDir, "ledger.sqlite") },
  };
  const copies: Record<keyof typeof sources, Copy[]> = { journal: [], ledger: [] };
  const progress = createProgress("journal-copy", COPIES, 20);
  for (let n = 1; n <= COPIES; n++) {
    for (const name of ["journal", "ledger"] as const) {
      await sleep(random() * PAUSE_MS);
      const promised = await promises(load, async () => (await pathOf(world))?.complete ?? 0);
      const folder = path.join(dir, "copies", name, String(n));
      const { part, file } = sources[name];
      copies[name].push({ file: await copyAtOneMoment(part(), file, folder), ...promised });
    }
    progress(n, `${load.said.size} alarms, ${load.acknowledged.size} acknowledged`);
  }
  load.rest();
  await world.stop();

  const trust = readTrust(world.hubDir);
  for (const { file, acknowledged } of copies.journal) {
    const { flaws, entries } = readJournal(file, trust);
    expect(flaws, file).toEqual([]);
    const alarms = alarmsOf(entries);
    expect(
      [...acknowledged].filter((key) => alarms.get(key)?.length !== 1),
      file,
    ).toEqual([]);
  }
  for (const { file, complete } of copies.ledger) {
    const { flaws, extent, equivocations, entries } = readLedger(file, trust);
    expect(flaws, file).toEqual([]);
    expect(equivocations, file).toBe(0);
    expect(extent.complete, file).toBeGreaterThanOrEqual(complete);
    expect(entries.length, file).toBe(extent.head);
  }
  const last = readLedger(copies.ledger.at(-1)?.file ?? "", trust);
  console.log(
    `journal-copy: ${load.said.size} alarms; the last copy of the ledger has ${last.entries.length} records`,
  );
  expect(last.entries.length).toBeGreaterThan(COPIES * 20);
});

async function promises(load: Load, complete: () => Promise<number>): Promise<Omit<Copy, "file">> {
  return { complete: await complete(), acknowledged: new Set(load.acknowledged) };
}

/** Main file and log as they are at one moment, whatever the program is doing then: it stands still meanwhile, as a disk's
 *  snapshot finds it. */
async function copyAtOneMoment({ pid }: Part, file: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const copy = path.join(folder, path.basename(file));
  process.kill(pid, "SIGSTOP");
  try {
    await until(
      () => stateOf(pid) === "T",
      STOPPED_MS,
      "the process stands still",
      () => stateOf(pid),
    );
    for (const end of ["", "-wal"]) if (existsSync(file + end)) copyFileSync(file + end, copy + end);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  return copy;
}

function stateOf(pid: number): string {
  return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
}
