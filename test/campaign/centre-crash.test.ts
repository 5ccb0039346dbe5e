/** The centre is killed at any moment, again and again, under hundreds of alarms a second. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { becomeFirstOperator, type Operator } from "../../hardware/demo/operator.ts";
import { pick, type Random } from "../../hardware/virtual/random.ts";
import { crashRounds } from "../centre/crash.ts";
import { createProgress, pathOf, startCampaign, until, untilSettled } from "./campaign.ts";
import { startLoad } from "./load.ts";
import { LOAD_REGION } from "./load-device.ts";
import { campaignRandom } from "./seed.ts";
import type { Books } from "./verdict.ts";
import {
  expectEachOnce,
  expectOneHistory,
  expectOneIncidentEach,
  openBooks,
  settledIncidents,
} from "./verdict.ts";

const KILLS = Number(process.env["TUGMA_KILLS"] ?? 100);
const PER_SECOND = 150;
const SCRIPTED_KILLS = Math.ceil(KILLS / 2);
const UP_MIN_MS = 200;
const UP_SPREAD_MS = 1_000;
const CALM_MS = 60_000;
const ACT_EVERY = 4;

test(`${KILLS} kills of the centre under a hub with ${PER_SECOND} alarms a second: what it has signed for, it has`, async () => {
  const random = campaignRandom("centre-crash");
  await using stack = new AsyncDisposableStack();
  const { world } = await startCampaign(LOAD_REGION, stack);
  const operator = await becomeFirstOperator(world.console.loginLink ?? "", "Operator");
  const load = await startLoad(world, stack);
  const taken = new Set<string>();
  load.raise(PER_SECOND);
  const progress = createProgress("centre-crash", KILLS, 20);
  for (let kill = 1; kill <= KILLS; kill++) {
    if (kill % ACT_EVERY === 0) await take(operator, random, taken);
    await sleep(UP_MIN_MS + random() * UP_SPREAD_MS);
    await world.crashCentre();
    progress(
      kill,
      `${load.said.size} alarms, complete ${(await pathOf(world))?.complete}, ${taken.size} taken`,
    );
  }
  load.rest();
  await until(
    () => load.open === 0,
    CALM_MS,
    "an acknowledgement for every alarm",
    () => load.open,
  );
  await untilSettled(world, CALM_MS);
  const ask = () => incidentsOf(operator);
  const before = await settledIncidents(world, ask, CALM_MS);
  await world.crashCentre();
  const incidents = await ask();
  await world.stop();

  const books = openBooks(world);
  expectReceiptsHold(books);
  expectOneHistory(books);
  expectEachOnce(books, load.said);
  expectOneIncidentEach(books, incidents);
  expect(incidents, "incidents rebuilt after a last kill").toEqual(before);
  for (const id of taken) expect(incidents.find((i) => i.id === id)).toMatchObject({ owner: "Operator" });
  expect(load.witness.offences).toEqual([]);
  console.log(
    `centre-crash: ${load.said.size} alarms, ${books.ledger.entries.length} records, ` +
      `${books.journal.receipts.length} receipts, ${incidents.length} incidents, ${taken.size} taken`,
  );
  expect(load.said.size).toBeGreaterThan(KILLS * 50);
  expect(taken.size).toBeGreaterThan(0);
});

test(`${SCRIPTED_KILLS} kills of a centre under a scripted hub that hears every PUBACK: what was acknowledged is there once`, () =>
  crashRounds(SCRIPTED_KILLS, 500));

/** Every word that the hub holds of the centre is in the ledger, exactly. */
function expectReceiptsHold({ journal, ledger }: Books): void {
  const kept = new Map(ledger.entries.map(({ sequence, hash }) => [sequence, hash]));
  const broken = journal.receipts.flatMap(({ sequence, recordHash, complete, more }) => [
    ...[{ sequence, recordHash }, ...more].filter((named) => kept.get(named.sequence) !== named.recordHash),
    ...(complete > ledger.extent.complete ? [{ sequence, recordHash }] : []),
  ]);
  expect(broken, "receipts for what is not in the ledger").toEqual([]);
}

async function take(operator: Operator, random: Random, taken: Set<string>): Promise<void> {
  const open = (await incidentsOf(operator)).filter(({ kind, stage }) => kind === "panic" && stage === "new");
  const one = pick(random, open);
  if (one === undefined) return;
  await operator.act({ type: "take", incident: one.id });
  taken.add(one.id);
}

/** The console comes a little after the centre that it belongs to. */
async function incidentsOf(operator: Operator): ReturnType<Operator["incidents"]> {
  let incidents: Awaited<ReturnType<Operator["incidents"]>> = [];
  const ask = () =>
    operator.incidents().then(
      (answer) => {
        incidents = answer;
        return true;
      },
      (error: Error) => {
        lastWords = error.message;
        return false;
      },
    );
  let lastWords = "";
  await until(ask, CALM_MS, "the console's answer", () => lastWords);
  return [...incidents].sort((a, b) => Number(a.id) - Number(b.id));
}
