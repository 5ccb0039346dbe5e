/** The core's end of the annunciators: decides by stored records what they show, has a child process do it, and says so
 *  when one of them is lost. Takes no part in the alarm's road: nobody waits for it. */
import type { EventRecord } from "../../protocols/event.ts";
import type { Timer } from "../clock.ts";
import { hubDraft } from "../drafts.ts";
import { every } from "../every.ts";
import type { Foundation } from "../foundation.ts";
import type { AnnunciatorConfig } from "./config.ts";
import type { FromAnnunciator, ToAnnunciator } from "./messages.ts";
import { dueMs, nothingShown, type Outputs, outputsAt, raise, silence } from "./policy.ts";
import { superviseChild } from "./supervised-child.ts";

export interface Annunciators {
  view(): AnnunciatorView[];
  readonly counters: { readonly restarts: number };
  /** As by the key of each. Returns how many there are. */
  silence(): number;
  /** Everything off. */
  close(): Promise<void>;
}

export interface AnnunciatorView {
  readonly name: string;
  readonly isUp: boolean;
  readonly outputs: Outputs;
}

/** One that is back within this time was never lost. */
const LOST_MS = 5_000;
const LOOK_MS = 1_000;
/** Newest records that are looked through at the start for alarms that are still to be shown. */
const RECALLED_RECORDS = 256;

type Parts = Pick<Foundation, "clock" | "log" | "tell" | "journal" | "time">;

/** Begins; what is wrong with a device is told by records. Rejects when the journal cannot be read. */
export async function startAnnunciators(
  parts: Parts,
  configs: readonly AnnunciatorConfig[],
): Promise<Annunciators> {
  const { clock, log, journal, time } = parts;
  const all = configs.map((config) => createOne(parts, config, (message) => child.say(message)));
  const child = superviseChild(clock, {
    begin() {
      child.say({ type: "start", annunciators: configs });
      for (const one of all) one.show();
    },
    hear(message) {
      if (message.type !== "alive") all.find(({ name }) => name === message.name)?.hear(message);
    },
    ended(reason) {
      log.warn({ reason }, "annunciator.restarted");
      for (const one of all) one.turn(reason);
    },
  });
  const take = (event: EventRecord, atMs: number) => {
    for (const one of all) one.take(event, atMs);
  };
  const stopHearing = journal.onStored(({ event }) => take(event, clock.monotonicMs()));
  const stopLooking = every(clock, LOOK_MS, () => {
    for (const one of all) one.look();
  });
  const after = Math.max(0, journal.head.sequence - RECALLED_RECORDS);
  for (const { event } of await journal.read(after, RECALLED_RECORDS)) {
    const ageMs = time.stamp().time.unixMs - event.time.unixMs;
    // a clock that was set back says nothing: the alarm is as good as new
    take(event, clock.monotonicMs() - Math.max(0, ageMs));
  }
  return {
    view: () => all.map((one) => one.view()),
    counters: child.counters,
    silence() {
      for (const one of all) one.mute();
      return all.length;
    },
    async close() {
      stopHearing();
      stopLooking();
      for (const one of all) one.stop();
      await child.close();
    },
  };
}

/** One annunciator: what it shows, and whether it is there. */
function createOne(
  { clock, log, tell }: Parts,
  config: AnnunciatorConfig,
  say: (message: ToAnnunciator) => void,
) {
  const { name } = config;
  let shown = nothingShown(config);
  let timer: Timer | null = null;
  /** Null: nothing was heard of it yet. */
  let isUp: boolean | null = null;
  let sinceMs = clock.monotonicMs();
  let isReported = false;

  function show(): void {
    timer?.cancel();
    const nowMs = clock.monotonicMs();
    say({ type: "show", name, outputs: outputsAt(config, shown, nowMs) });
    const due = dueMs(shown, nowMs);
    timer = due === null ? null : clock.setTimer(show, due - nowMs);
  }

  function look(): void {
    const isLost = !isUp && clock.monotonicMs() - sinceMs >= LOST_MS;
    if (isReported === isLost || (!isLost && !isUp)) return;
    isReported = isLost;
    tell(hubDraft(isLost ? "annunciatorLost" : "annunciatorBack", name));
  }

  /** `reason`: why it cannot be used; null when it can. */
  function turn(reason: string | null): void {
    if (isUp === (reason === null)) return;
    isUp = reason === null;
    sinceMs = clock.monotonicMs();
    if (isUp) log.info({ annunciator: name }, "annunciator.up");
    else log.warn({ annunciator: name, reason }, "annunciator.down");
    look();
  }

  function mute(): void {
    log.info({ annunciator: name }, "annunciator.silenced");
    shown = silence(shown);
    show();
  }

  return {
    name,
    show,
    mute,
    look,
    turn,
    take(event: EventRecord, atMs: number) {
      const next = raise(config, shown, event, atMs);
      if (next === shown) return;
      shown = next;
      // whoever else hears of this record comes first
      setImmediate(show);
    },
    hear(message: Exclude<FromAnnunciator, { type: "alive" }>) {
      if (message.type === "line") turn(message.reason);
      else mute();
    },
    view: (): AnnunciatorView => ({
      name,
      isUp: isUp === true,
      outputs: outputsAt(config, shown, clock.monotonicMs()),
    }),
    stop: () => timer?.cancel(),
  };
}
