/** The line to the centre is cut while a thousand alarms arrive, and comes back. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { World } from "../../hardware/demo/world.ts";
import { pathOf, startCampaign, until, untilSettled } from "./campaign.ts";
import { type Load, startLoad } from "./load.ts";
import { LOAD_REGION } from "./load-device.ts";
import { expectEachOnce, expectOneHistory, openBooks } from "./verdict.ts";

const ALARMS = 1_000;
/** So few that what the hub remembers of each one's last events (32, line or no line) is full before memory is measured. */
const DEVICES = 128;
const PER_SECOND = 100;
/** Until the hub's heap has its working size. With the line up each alarm is answered at once. */
const WARM_UP = 6_000;
const WARM_UP_PER_SECOND = 250;
const BACK_MS = 10_000;
const CALM_MS = 60_000;
const SAMPLE_MS = 100;
/** What the collector's waves may add to the working size. A backlog lies on the disk and adds nothing. */
const MAX_GROWTH_MB = 30;
const MAX_SECOND_GROWTH_MB = 5;

test(`the line is cut for twice ${ALARMS} alarms: all come in order within ${BACK_MS / 1000} s of its return, and memory stays flat`, async () => {
  await using stack = new AsyncDisposableStack();
  const { world } = await startCampaign(LOAD_REGION, stack);
  const load = await startLoad(world, stack, DEVICES);
  await alarms(load, WARM_UP, WARM_UP_PER_SECOND);
  await untilSettled(world, CALM_MS);
  const memory = sampleMemory(world, stack);
  await alarms(load, ALARMS);
  const before = memory.take();
  const reached = (await pathOf(world))?.complete ?? 0;

  world.link.cut();
  await until(async () => (await pathOf(world))?.up === false, CALM_MS, "the hub sees that the line is cut");
  await alarms(load, ALARMS);
  const first = memory.take();
  await alarms(load, ALARMS);
  const second = memory.take();
  const backlog = (await pathOf(world))?.backlog ?? 0;
  expect(backlog).toBeGreaterThanOrEqual(2 * ALARMS);

  const restoredMs = performance.now();
  world.link.restore();
  await untilSettled(world, CALM_MS);
  const tookMs = performance.now() - restoredMs;
  const after = memory.take();
  memory.end();
  console.log(
    `link-cut: a backlog of ${backlog} was at the centre ${Math.round(tookMs)} ms after the line was back; ` +
      `resident memory of the hub, median and most in MB: ${[before, first, second, after].map(words).join(" · ")} ` +
      "(line up · first thousand · second thousand · catching up)",
  );
  await world.stop();

  const books = openBooks(world);
  expectOneHistory(books);
  expectEachOnce(books, load.said);
  expect(orderOfArrival(world, reached)).toEqual(
    books.journal.entries.slice(reached).map(({ sequence }) => sequence),
  );
  expect(tookMs).toBeLessThan(BACK_MS);
  expect(first.mostMb - before.mostMb).toBeLessThan(MAX_GROWTH_MB);
  expect(second.medianMb - first.medianMb).toBeLessThan(MAX_SECOND_GROWTH_MB);
});

/** Raises so many alarms and waits until each is acknowledged to its device. */
async function alarms(load: Load, count: number, perSecond = PER_SECOND): Promise<void> {
  const target = load.acknowledged.size + count;
  load.raise(perSecond, count);
  await until(
    () => load.acknowledged.size >= target,
    CALM_MS + (count / PER_SECOND) * 1000,
    `${count} alarms acknowledged`,
    () => ({ acknowledged: load.acknowledged.size, target, open: load.open }),
  );
}

/** Sequences in the order in which the centre stored them, beyond `after`. */
function orderOfArrival({ centreDir }: World, after: number): number[] {
  using database = new DatabaseSync(path.join(centreDir, "ledger.sqlite"), { readOnly: true });
  return database
    .prepare("SELECT sequence FROM records WHERE sequence > ? ORDER BY idx")
    .all(after)
    .map((row) => Number(row["sequence"]));
}

interface Memory {
  readonly medianMb: number;
  readonly mostMb: number;
}

/** `take` gives what was seen since the last call. To be ended before the hub is. */
function sampleMemory(world: World, stack: AsyncDisposableStack): { take(): Memory; end(): void } {
  let samples: number[] = [];
  const timer = setInterval(() => samples.push(residentMb(world.hub().pid)), SAMPLE_MS);
  const end = () => clearInterval(timer);
  stack.defer(end);
  return {
    end,
    take() {
      const sorted = samples.sort((a, b) => a - b);
      samples = [];
      return { medianMb: sorted[sorted.length >> 1] ?? 0, mostMb: sorted.at(-1) ?? 0 };
    },
  };
}

function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1024;
}

function words({ medianMb, mostMb }: Memory): string {
  return `${medianMb.toFixed(0)}/${mostMb.toFixed(0)}`;
}
