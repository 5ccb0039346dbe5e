/** The hub is killed at any moment, again and again, while people press buttons and an operator answers. */
import { expect, test } from "vitest";
import { buildButton } from "../../hardware/demo/build.ts";
import { becomeFirstOperator, type Operator } from "../../hardware/demo/operator.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { pick, type Random } from "../../hardware/virtual/random.ts";
import { alarmKey, alarmsOf } from "./books.ts";
import { BUTTON_REGION, type Buttons, switchOnButtons } from "./buttons.ts";
import { createProgress, startCampaign, until, untilSettled } from "./campaign.ts";
import { createKiller, type Killer, tellKills } from "./kills.ts";
import { followMoments } from "./moments.ts";
import { type NumberedPress, numberPresses, wasPromised } from "./presses.ts";
import { campaignRandom } from "./seed.ts";
import {
  type Books,
  expectEachOnce,
  expectLossReported,
  expectOneHistory,
  expectOneIncidentEach,
  openBooks,
  settledIncidents,
} from "./verdict.ts";
import { createWitness, type Witness } from "./witness.ts";

const KILLS = Number(process.env["TUGMA_KILLS"] ?? 200);
const BUTTONS = 8;
/** Downlinks that a hub gets out, at most, before it may be killed again: not counted in seconds, so that a busy machine
 *  does not keep all lamps dark. */
const ANSWERS = 1;
/** Before every so many kills so many buttons join anew, with a kill on their way, and then the hub lives until they have. */
const JOIN_EVERY = 50;
const JOINING = 2;
const ACT_EVERY = 3;
const NEAR_MS = 15_000;
/** Joins, and the last presses' way to a green lamp over a hub that lives. */
const CALM_MS = 180_000;

test(`${KILLS} kills of the hub while ${BUTTONS} buttons are pressed: what a lamp has shown is true for ever`, async () => {
  const random = campaignRandom("hub-crash");
  await using stack = new AsyncDisposableStack();
  const { world } = await startCampaign(BUTTON_REGION, stack);
  const operator = await becomeFirstOperator(world.console.loginLink ?? "", "Operator");
  const clock = createRealClock();
  let witness: Witness = createWitness([]);
  const buttons = await switchOnButtons({
    count: BUTTONS,
    clock,
    random,
    bundle: await buildButton(),
    world,
    witness: (devices) => {
      witness = createWitness(devices);
      return witness;
    },
  });
  stack.defer(() => buttons.powerOff());
  const { modems } = buttons.site;
  await until(() => [...modems.values()].every(({ joined }) => joined), CALM_MS, "all buttons joined");

  const moments = followMoments(buttons.site, witness);
  const killer = createKiller({ world, buttons: buttons.buttons, clock, moments, random });
  buttons.start();
  const progress = createProgress("hub-crash", KILLS, 20);
  while (killer.kills.length < KILLS) {
    if ((killer.kills.length + 1) % JOIN_EVERY === 0) await joinAnew(buttons, killer, random);
    else {
      const taken = moments.taken + Math.floor(random() * (ANSWERS + 1));
      await until(() => moments.taken >= taken, CALM_MS, "answers from the hub");
      await killer.kill();
    }
    if (killer.kills.length % ACT_EVERY === 0) await act(operator, random);
    progress(
      killer.kills.length,
      `${tally(buttons)}, ${witness.downlinks} downlinks in ${witness.sessions} sessions`,
    );
  }
  await buttons.stop();
  await untilGreen(buttons);
  await untilSettled(world, CALM_MS);
  const incidents = await settledIncidents(world, operator.incidents, CALM_MS);
  await buttons.powerOff();
  await world.stop();

  const books = openBooks(world);
  expectOneHistory(books);
  const presses = buttons.buttons.flatMap(numberPresses);
  const promised = presses.filter(wasPromised);
  explainBroken(books, promised, buttons);
  expectEachOnce(
    books,
    promised.map(({ devEui, number }) => alarmKey(devEui, number)),
  );
  expectLossReported(books, unheard(books, presses));
  expectOneIncidentEach(books, incidents);
  expect(witness.offences).toEqual([]);
  const { entries } = books.ledger;
  console.log(`hub-crash: ${tellKills(killer, books, buttons.buttons)}`);
  console.log(
    `hub-crash: ${presses.length} presses, ${promised.length} whose lamp showed a stage, ${alarmsOf(entries).size} at the ` +
      `centre in ${incidents.length} incidents; ${entries.length} records, ${witness.downlinks} downlinks`,
  );
  // a campaign in which hardly a lamp ever lit would prove nothing
  expect(promised.length).toBeGreaterThan(presses.length / 2);
});

/** Prints all that is known of a press whose lamp promised what is not so. */
function explainBroken({ ledger }: Books, promised: readonly NumberedPress[], { buttons }: Buttons): void {
  const alarms = alarmsOf(ledger.entries);
  for (const press of promised) {
    const records = alarms.get(alarmKey(press.devEui, press.number)) ?? [];
    if (records.length === 1) continue;
    const { answers = [] } = buttons.find(({ device }) => device.devEui === press.devEui) ?? {};
    const near = answers.filter(({ atMs }) => Math.abs(atMs - press.atMs) < NEAR_MS);
    const shown = [...press.shown];
    const sequences = records.map(({ sequence }) => sequence);
    console.log(`hub-crash: BROKEN ${JSON.stringify({ ...press, shown, sequences, answers: near })}`);
  }
}

/** Presses that a button had to give up for newer ones, of which the hub has heard. What a button forgot when its battery
 *  was taken out is not among them: nobody can know of it. */
function unheard({ ledger }: Books, presses: readonly NumberedPress[]): readonly NumberedPress[] {
  const alarms = alarmsOf(ledger.entries);
  const isHere = ({ devEui, number }: NumberedPress) => alarms.has(alarmKey(devEui, number));
  return presses.filter(
    (press) =>
      !isHere(press) &&
      presses.some(
        (p) => p.devEui === press.devEui && p.life === press.life && p.atMs > press.atMs && isHere(p),
      ),
  );
}

/** Some buttons start again; the hub is killed on the way of a join, and then lives until all have joined. */
async function joinAnew({ buttons, site, restart }: Buttons, killer: Killer, random: Random): Promise<void> {
  const from = Math.floor(random() * buttons.length);
  const joining = [...buttons.slice(from), ...buttons.slice(0, from)].slice(0, JOINING);
  const starts = joining.map(restart);
  await killer.kill(joining[0]);
  await Promise.all(starts);
  const areJoined = () => [...site.modems.values()].every(({ joined }) => joined);
  await until(areJoined, CALM_MS, "the buttons joined anew");
}

/** The last press of each button is told to have been received. */
async function untilGreen({ buttons }: Buttons): Promise<void> {
  for (const { device, presses } of buttons) {
    const last = presses.at(-1);
    const shown = () => [...(last?.shown.keys() ?? [])];
    await until(() => last?.shown.has("received") ?? false, CALM_MS, `${device.name}: a green lamp`, shown);
  }
}

function tally({ buttons }: Buttons): string {
  const presses = buttons.flatMap((button) => button.presses);
  return `${presses.length} presses, ${presses.filter(wasPromised).length} whose lamp showed a stage`;
}

/** What an operator does at some moment: takes, dispatches or closes one incident. */
async function act(operator: Operator, random: Random): Promise<void> {
  const incidents = await operator.incidents();
  const one = pick(
    random,
    incidents.filter(({ kind, stage }) => kind === "panic" && stage !== "closed"),
  );
  if (one?.stage === "new") await operator.act({ type: "take", incident: one.id });
  else if (one?.stage === "taken") await operator.act({ type: "dispatch", incident: one.id, text: "Team 1" });
  else if (one !== undefined) await operator.act({ type: "close", incident: one.id, cause: "test" });
}
