/** Presses one after the other, each followed until it has come where it should, or its time is over. The rig presses and
 *  sees the lamp, the hub says what it has heard. */
import type { Stage } from "../../protocols/device/stage.ts";
import type { Clock } from "../virtual/clock.ts";
import type { Rig } from "./rig.ts";

/** What the hub says of the device that is pressed. */
export type HubWord =
  /** A record of an alarm. `ageMs`: by the device's own account, in whole seconds. */
  | {
      readonly type: "event";
      readonly eventNumber: number;
      readonly ageMs: number;
      readonly sequence: number;
    }
  | { readonly type: "stage"; readonly eventNumber: number; readonly stage: Stage };

export interface SoakPress {
  /** From 1. */
  readonly press: number;
  readonly wallMs: number;
  readonly eventNumber: number | null;
  /** Its place in the hub's journal. */
  readonly sequence: number | null;
  /** From the relay to the hub's word; null: it never came. */
  readonly storedMs: number | null;
  readonly receivedMs: number | null;
  /** From the relay to the first light of the lamp that is looked at. */
  readonly lampMs: number | null;
}

/** How far a press can come: into the hub's journal, to the centre and back, to the light at the device. */
export type SoakStage = "stored" | "received" | "lamp";

export interface SoakOptions {
  readonly clock: Clock;
  readonly rig: Pick<Rig, "press" | "onLamp">;
  /** Calls for each word of the hub about the device. Returns the way to stop it. */
  readonly onHub: (listener: (word: HubWord) => void) => () => void;
  /** First and last press. */
  readonly from: number;
  readonly to: number;
  readonly holdMs: number;
  /** From the end of a press that is through to the next. */
  readonly gapMs: number;
  /** A press that has not come so far after `limitMs` is lost. */
  readonly until: SoakStage;
  readonly limitMs: number;
  /** In the order of presses. */
  readonly onPress: (press: SoakPress) => void;
  /** Ends the soak behind the press that is on its way. */
  readonly signal: AbortSignal;
  /** The rig is gone: the press that is on its way says nothing of the device. */
  readonly broken: AbortSignal;
}

interface Following {
  readonly pressedMs: number;
  /** The device has answered for this press, or nobody waits any more. */
  row: SoakPress;
}

/** Presses that were given up, to which a late event may belong. */
const REMEMBERED = 16;

export function isLost(press: SoakPress, until: SoakStage): boolean {
  return press[`${until}Ms`] === null;
}

/** Settles after the last press, or after the one at which `signal` was aborted. Rejects with the reason of `broken`. */
export async function soak(options: SoakOptions): Promise<void> {
  const { clock, rig, onHub, from, to, until, signal, broken } = options;
  const open: Following[] = [];
  let look: () => void = () => undefined;
  const note = (following: Following, change: Partial<SoakPress>) => {
    following.row = { ...following.row, ...change };
    look();
  };
  const stopHearing = onHub((word) => {
    const atMs = clock.monotonicMs();
    const following = open.find(({ row }) => row.eventNumber === word.eventNumber);
    if (word.type === "stage") {
      if (following === undefined || following.row.receivedMs !== null || word.stage === "stored") return;
      note(following, { receivedMs: atMs - following.pressedMs });
    } else if (following === undefined) {
      const { eventNumber, sequence } = word;
      const whose = pressOf(open, atMs - word.ageMs);
      if (whose !== null) note(whose, { eventNumber, sequence, storedMs: atMs - whose.pressedMs });
    }
  });
  const stopLooking = rig.onLamp(({ isLit, atMs }) => {
    const newest = open.at(-1);
    if (isLit && newest !== undefined && newest.row.lampMs === null)
      note(newest, { lampMs: atMs - newest.pressedMs });
  });
  broken.addEventListener("abort", () => look());
  try {
    for (let press = from; press <= to && !signal.aborted; press++) {
      const following: Following = { pressedMs: clock.monotonicMs(), row: emptyRow(press, clock.wallMs()) };
      open.push(following);
      if (open.length > REMEMBERED) open.shift();
      const through = new Promise<void>((done) => {
        const timer = clock.setTimer(done, options.limitMs);
        look = () => {
          if (isLost(following.row, until) && !broken.aborted) return;
          timer.cancel();
          done();
        };
      });
      await rig.press(options.holdMs);
      look();
      await through;
      broken.throwIfAborted();
      // the lamp may be a moment behind the hub
      await pause(clock, options.gapMs);
      broken.throwIfAborted();
      options.onPress(following.row);
    }
  } finally {
    stopHearing();
    stopLooking();
  }
}

function emptyRow(press: number, wallMs: number): SoakPress {
  const nothing = { eventNumber: null, sequence: null, storedMs: null, receivedMs: null, lampMs: null };
  return { press, wallMs, ...nothing };
}

/** The press that is nearest to when an event happened, of those that no event belongs to. */
function pressOf(open: readonly Following[], happenedMs: number): Following | null {
  const waiting = open.filter(({ row }) => row.eventNumber === null);
  const away = ({ pressedMs }: Following) => Math.abs(pressedMs - happenedMs);
  return waiting.reduce<Following | null>(
    (best, one) => (best === null || away(one) <= away(best) ? one : best),
    null,
  );
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((done) => void clock.setTimer(done, ms));
}
