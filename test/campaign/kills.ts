/** Kills of the hub that fall on an alarm's way through it: chosen at random, remembered, and told by where they fell. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { World } from "../../hardware/demo/world.ts";
import type { Clock } from "../../hardware/virtual/clock.ts";
import type { Random } from "../../hardware/virtual/random.ts";
import { alarmKey, alarmsOf } from "./books.ts";
import type { Moments, Pushed } from "./moments.ts";
import type { Button } from "./presses.ts";
import type { Books } from "./verdict.ts";

/** From the frame's arrival until the hub is killed. Drawn evenly on a logarithmic scale: an alarm is stored, relayed and
 *  receipted within some ten milliseconds, and its answer has then up to a second to find a gateway. */
const AFTER_MIN_MS = 1;
const AFTER_MAX_MS = 1_000;
const AFTER_JOIN_MAX_MS = 6_000;

export interface Kill {
  /** The frame after which it came. */
  readonly pushed: Pushed;
  readonly atUnixMs: number;
  /** On the site's clock. */
  readonly atMs: number;
  /** The hub's start that it ended, counted from 1. */
  readonly boot: number;
  /** Presses whose lamp was not green. */
  readonly open: number;
  /** Downlinks that a gateway had taken and not sent. */
  readonly onTheWay: number;
}

export interface Killer {
  readonly kills: readonly Kill[];
  /** Kills the hub at a random moment after the next press's first frame, or after this button's next join-request, and
   *  starts it again. */
  kill(joining?: Button): Promise<void>;
}

export interface KillerOptions {
  readonly world: World;
  readonly buttons: readonly Button[];
  readonly moments: Moments;
  readonly random: Random;
  /** The site's. */
  readonly clock: Clock;
}

/** For a hub that has been started once. */
export function createKiller({ world, buttons, clock, moments, random }: KillerOptions): Killer {
  const kills: Kill[] = [];
  const open = () => buttons.filter(isOpen).length;
  const wants =
    (joining: Button | undefined) =>
    ({ devEui, eventNumber, isFirst }: Pushed) =>
      joining === undefined
        ? eventNumber !== null && isFirst
        : eventNumber === null && devEui === joining.device.devEui;
  return {
    kills,
    async kill(joining) {
      let pushed: Pushed;
      const maxMs = joining === undefined ? AFTER_MAX_MS : AFTER_JOIN_MAX_MS;
      do {
        pushed = await moments.next(wants(joining));
        await sleep(AFTER_MIN_MS * (maxMs / AFTER_MIN_MS) ** random());
      } while (open() + moments.onTheWay === 0);
      kills.push({
        pushed,
        atUnixMs: clock.wallMs(),
        atMs: clock.monotonicMs(),
        boot: kills.length + 1,
        open: open(),
        onTheWay: moments.onTheWay,
      });
      await world.crashHub();
    },
  };
}

/** Its last press is not green. */
function isOpen({ presses }: Button): boolean {
  const last = presses.at(-1);
  return last !== undefined && !last.shown.has("received");
}

const PLACES = ["join", "heard", "stored", "atCentre", "answered"] as const;
type Place = (typeof PLACES)[number];

/** How far the frame's event had come when the hub was killed: heard and not stored, stored and not at the centre, there
 *  and not answered, or its answer with a gateway. */
function placeOf(
  { pushed, boot, atUnixMs, atMs }: Kill,
  { ledger, journal }: Books,
  buttons: readonly Button[],
): Place {
  const { devEui, eventNumber } = pushed;
  if (eventNumber === null) return "join";
  const record = alarmsOf(ledger.entries).get(alarmKey(devEui, eventNumber))?.[0];
  if (record === undefined || record.event.boot > boot) return "heard";
  const answers = buttons.find(({ device }) => device.devEui === devEui)?.answers ?? [];
  if (answers.some((answer) => answer.atMs >= pushed.atMs && answer.atMs <= atMs)) return "answered";
  const isThere = journal.receipts.some(
    ({ sequence, complete, centreMs }) =>
      (sequence === record.sequence || complete >= record.sequence) && centreMs <= atUnixMs,
  );
  return isThere ? "atCentre" : "stored";
}

/** Kills by place, in words. Each must have found something on its way. */
export function tellKills({ kills }: Killer, books: Books, buttons: readonly Button[]): string {
  expect(
    kills.filter(({ open, onTheWay }) => open + onTheWay === 0),
    "kills with nothing on its way",
  ).toEqual([]);
  const places = Map.groupBy(kills, (kill) => placeOf(kill, books, buttons));
  const counts = PLACES.map((place) => `${place} ${places.get(place)?.length ?? 0}`).join(", ");
  const open = kills.filter((kill) => kill.open > 0).length;
  const onTheWay = kills.filter((kill) => kill.onTheWay > 0).length;
  return `${kills.length} kills (${counts}); ${open} with a press open, ${onTheWay} with a downlink on its way`;
}
