/** The hub is killed at any moment, again and again, while people press buttons. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { buildButton } from "../../hardware/demo/build.ts";
import { becomeFirstOperator, type Operator } from "../../hardware/demo/operator.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { pick, type Random } from "../../hardware/virtual/random.ts";
import { alarmKey, alarmsOf } from "./books.ts";
import { BUTTON_REGION, type Buttons, LAMP_STAGES, numberPresses, switchOnButtons } from "./buttons.ts";
import { createProgress, startCampaign, until, untilSettled } from "./campaign.ts";
import { campaignRandom } from "./seed.ts";
import { expectEachOnce, expectOneHistory, expectOneIncidentEach, openBooks } from "./verdict.ts";
import { createWitness, type Witness } from "./witness.ts";

const KILLS = Number(process.env["TUGMA_KILLS"] ?? 200);
const BUTTONS = 8;
const UP_MIN_MS = 300;
const UP_SPREAD_MS = 2_700;
/** Joins, and the last presses' way to a green lamp over a hub that lives. */
const CALM_MS = 180_000;
const ACT_EVERY = 3;

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
    await sleep(UP_MIN_MS + random() * UP_SPREAD_MS);
    await world.crashHub();
    if (kill % ACT_EVERY === 0) await act(operator, random);
    progress(kill, `${tally(buttons)}, ${witness.downlinks} downlinks`);
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
  const promised = presses.filter(({ shown }) => LAMP_STAGES.some((stage) => shown.has(stage)));
  expectEachOnce(
    books,
    promised.map(({ devEui, number }) => alarmKey(devEui, number)),
  );
  expectOneIncidentEach(books, incidents);
  expect(witness.offences).toEqual([]);
  const alarms = alarmsOf(books.ledger.entries);
  console.log(
    `hub-crash: ${presses.length} presses, ${promised.length} with a lamp that showed a stage, ${alarms.size} at the centre, ` +
      `${books.ledger.entries.length} records, ${witness.downlinks} downlinks in ${witness.sessions} sessions`,
  );
  // a campaign in which hardly a lamp ever lit would prove nothing
  expect(promised.length).toBeGreaterThan(KILLS / 2);
});

/** The last press of each button is told to have been received. */
async function untilGreen(buttons: Buttons): Promise<void> {
  for (const button of buttons.buttons) {
    const last = button.presses.at(-1);
    await until(
      () => last?.shown.has("received") ?? false,
      CALM_MS,
      `${button.device.name}: a green lamp`,
      () => [...(last?.shown ?? [])],
    );
  }
}

function tally({ buttons }: Buttons): string {
  const presses = buttons.flatMap((button) => button.presses);
  const shown = presses.filter(({ shown }) => LAMP_STAGES.some((stage) => shown.has(stage)));
  return `${presses.length} presses, ${shown.length} with a stage shown`;
}

/** What an operator does at some moment: takes, dispatches or closes one incident. */
async function act(operator: Operator, random: Random): Promise<void> {
  const open = (await operator.incidents()).filter(
    ({ kind, stage }) => kind === "panic" && stage !== "closed",
  );
  const one = pick(random, open);
  if (one?.stage === "new") await operator.act({ type: "take", incident: one.id });
  else if (one?.stage === "taken") await operator.act({ type: "dispatch", incident: one.id, text: "Team 1" });
  else if (one !== undefined) await operator.act({ type: "close", incident: one.id, cause: "test" });
}
