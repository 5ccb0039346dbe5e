/** The hub is killed under hundreds of alarms a second, so that kills fall on every moment of a journal's commit. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createProgress, startCampaign, until, untilSettled } from "./campaign.ts";
import { startLoad } from "./load.ts";
import { LOAD_REGION } from "./load-device.ts";
import { campaignRandom } from "./seed.ts";
import { expectEachOnce, expectOneHistory, openBooks } from "./verdict.ts";

const KILLS = Number(process.env["TUGMA_KILLS"] ?? 80);
const PER_SECOND = 300;
const UP_MIN_MS = 300;
const UP_SPREAD_MS = 1_500;
const CALM_MS = 60_000;

test(`${KILLS} kills of the hub under ${PER_SECOND} alarms a second: what was acknowledged is in the chain, once`, async () => {
  const random = campaignRandom("hub-crash-dense");
  await using stack = new AsyncDisposableStack();
  const { world } = await startCampaign(LOAD_REGION, stack);
  const load = await startLoad(world, stack);
  load.raise(PER_SECOND);
  const progress = createProgress("hub-crash-dense", KILLS, 20);
  for (let kill = 1; kill <= KILLS; kill++) {
    await sleep(UP_MIN_MS + random() * UP_SPREAD_MS);
    await world.crashHub();
    progress(kill, `${load.said.size} alarms, ${load.acknowledged.size} acknowledged`);
  }
  load.rest();
  await until(
    () => load.open === 0,
    CALM_MS,
    "an acknowledgement for every alarm",
    () => load.open,
  );
  await untilSettled(world, CALM_MS);
  await world.stop();

  const books = openBooks(world);
  expectOneHistory(books);
  // each was said until it was acknowledged, so all of them must be there
  expect(load.acknowledged).toEqual(load.said);
  expectEachOnce(books, load.said);
  expect(load.witness.offences).toEqual([]);
  expect(load.strays).toBe(0);
  console.log(
    `hub-crash-dense: ${load.said.size} alarms, ${books.ledger.entries.length} records, ${load.witness.downlinks} downlinks`,
  );
  expect(load.said.size).toBeGreaterThan(KILLS * 50);
});
