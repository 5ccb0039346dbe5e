/** The hub is killed at any moment, again and again, while people press buttons and an operator answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { buildButton } from "../../hardware/demo/build.ts";
import { becomeFirstOperator, type Operator } from "../../hardware/demo/operator.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { pick, type Random } from "../../hardware/virtual/random.ts";
import { alarmKey, alarmsOf } from "./books.ts";
import { BUTTON_REGION, type Buttons, switchOnButtons } from "./buttons.ts";
import { createProgress, startCampaign, until, untilSettled } from "./campaign.ts";
import { type NumberedPress, numberPresses, wasPromised } from "./presses.ts";
import { campaignRandom } from "./seed.ts";
import {
  type Books,
  expectEachOnce,
  expectLossReported,
  expectOneHistory,
  expectOneIncidentEach,
  openBooks,
} from "./verdict.ts";
import { createWitness, type Witness } from "./witness.ts";

const KILLS = Number(process.env["TUGMA_KILLS"] ?? 200);
const BUTTONS = 8;
const UP_MIN_MS = 300;
const UP_SPREAD_MS = 2_700;
/** Before every so many kills a button joins anew; the hub lives as long as that takes, a little less or a little more. */
const JOIN_EVERY = 20;
const JOIN_MIN_MS = 7_000;
const JOIN_SPREAD_MS = 5_000;
const ACT_EVERY = 3;
const NEAR_MS = 15_000;
/** Joins, and the last presses' way to a green lamp over a hub that lives. */
const CALM_MS = 180_000;

test(`${KILLS} kills of the hub while ${BUTTONS} buttons are pressed: what a lamp has shown is true for ever`, async () => {
  const random = campaignRandom("hub-crash");
  await using stack = new AsyncDisposableStack();
  const { world } = await startCampaign(BUTTON_REGION, stack);
  const operator = await becomeFirstOperator(world.console.loginLink ?? "", "Operator");
  let witness: Witness = createWitness([]);
  const buttons = await switchOnButtons({
    count: BUTTONS,
    clock: createRealClock(),
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

  buttons.start();
  const progress = createProgress("hub-crash", KILLS, 20);
  for (let kill = 1; kill <= KILLS; kill++) {
    const upMs = UP_MIN_MS + random() * UP_SPREAD_MS;
    await sleep(kill % JOIN_EVERY === 0 ? joinMs(buttons, random) : upMs);
    await world.crashHub();
    if (kill % ACT_EVERY === 0) await act(operator, random);
    progress(kill, `${tally(buttons)}, ${witness.downlinks} downlinks in ${witness.sessions} sessions`);
  }
  await buttons.stop();
  await untilGreen(buttons);
  await untilSettled(world, CALM_MS);
  const incidents = await operator.incidents();
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
  console.log(
    `hub-crash: ${presses.length} presses, ${promised.length} whose lamp showed a stage, ${alarmsOf(entries).size} at the ` +
      `centre in ${incidents.length} incidents; ${entries.length} records, ${witness.downlinks} downlinks`,
  );
  // a campaign in which hardly a lamp ever lit would prove nothing
  expect(promised.length).toBeGreaterThan(KILLS / 4);
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

function joinMs({ buttons, restart }: Buttons, random: Random): number {
  const button = pick(random, buttons);
  if (button !== undefined) restart(button);
  return JOIN_MIN_MS + random() * JOIN_SPREAD_MS;
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
