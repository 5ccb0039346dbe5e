/** The core's end of the annunciators: decides by stored records what they show, has a child process do it, and says so
 *  when one of them is lost. Takes no part in the alarm's road: nobody waits for it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { EventRecord } from "../../protocols/event.ts";
import type { Clock, Timer } from "../clock.ts";
import { hubDraft } from "../drafts.ts";
import { every } from "../every.ts";
import type { Foundation } from "../foundation.ts";
import type { AnnunciatorConfig } from "./config.ts";
import type { FromAnnunciator, ToAnnunciator } from "./messages.ts";
import { dueMs, nothingShown, type Outputs, outputsAt, raise, type Shown, silence } from "./policy.ts";

export interface Annunciators {
  view(): AnnunciatorView[];
  readonly counters: { readonly restarts: number };
  /** Of the child, 0 where there is none. */
  pid(): number;
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
const RESTART_MS = 500;
const STOP_MS = 2_000;
/** A child that says nothing for so long is stuck. */
const STUCK_MS = 5_000;
const LOOK_MS = 1_000;
/** Newest records that are looked through at the start for alarms that are still to be shown. */
const RECALLED_RECORDS = 256;
const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

type Parts = Pick<Foundation, "clock" | "log" | "tell" | "journal" | "time">;

interface One {
  readonly config: AnnunciatorConfig;
  shown: Shown;
  timer: Timer | null;
  isUp: boolean;
  /** Since when it is as it is. */
  sinceMs: number;
  isReported: boolean;
}

/** Begins; what is wrong with a device is told by records. */
export async function startAnnunciators(
  { clock, log, tell, journal, time }: Parts,
  configs: readonly AnnunciatorConfig[],
): Promise<Annunciators> {
  const all = configs.map(
    (config): One => ({
      config,
      shown: nothingShown(config),
      timer: null,
      isUp: false,
      sinceMs: clock.monotonicMs(),
      isReported: false,
    }),
  );
  const child = superviseChild(clock, {
    begin() {
      child.say({ type: "start", annunciators: configs });
      for (const one of all) show(one);
    },
    hear,
    ended(reason) {
      log.warn({ reason }, "annunciator.restarted");
      for (const one of all) turn(one, reason);
    },
  });

  function hear(message: FromAnnunciator): void {
    if (message.type === "alive") return;
    const one = all.find(({ config }) => config.name === message.name);
    if (one === undefined) return;
    if (message.type === "line") {
      turn(one, message.reason);
      return;
    }
    log.info({ annunciator: message.name }, "annunciator.silenced");
    one.shown = silence(one.shown);
    show(one);
  }

  function turn(one: One, reason: string | null): void {
    const isUp = reason === null;
    if (isUp === one.isUp) return;
    Object.assign(one, { isUp, sinceMs: clock.monotonicMs() });
    const { name } = one.config;
    if (isUp) log.info({ annunciator: name }, "annunciator.up");
    else log.warn({ annunciator: name, reason }, "annunciator.down");
    look(one);
  }

  function look(one: One): void {
    const isLost = !one.isUp && clock.monotonicMs() - one.sinceMs >= LOST_MS;
    if (one.isReported === isLost || (!isLost && !one.isUp)) return;
    one.isReported = isLost;
    tell(hubDraft(isLost ? "annunciatorLost" : "annunciatorBack", one.config.name));
  }

  function show(one: One): void {
    one.timer?.cancel();
    const nowMs = clock.monotonicMs();
    child.say({ type: "show", name: one.config.name, outputs: outputsAt(one.config, one.shown, nowMs) });
    const due = dueMs(one.shown, nowMs);
    one.timer = due === null ? null : clock.setTimer(() => show(one), due - nowMs);
  }

  function take(event: EventRecord, atMs = clock.monotonicMs()): void {
    for (const one of all) {
      const shown = raise(one.config, one.shown, event, atMs);
      if (shown === one.shown) continue;
      one.shown = shown;
      // what else hears of this record comes first
      setImmediate(() => show(one));
    }
  }

  const stopHearing = journal.onStored(({ event }) => take(event));
  const { sequence } = journal.head;
  const wallMs = time.stamp().time.unixMs;
  for (const { event } of await journal.read(Math.max(0, sequence - RECALLED_RECORDS), RECALLED_RECORDS)) {
    const ageMs = wallMs - event.time.unixMs;
    // a clock that was set back says nothing: the alarm is as good as new
    take(event, clock.monotonicMs() - Math.max(0, ageMs));
  }
  const stopLooking = every(clock, LOOK_MS, () => all.forEach(look));
  return {
    view: () =>
      all.map(({ config, isUp, shown }) => ({
        name: config.name,
        isUp,
        outputs: outputsAt(config, shown, clock.monotonicMs()),
      })),
    counters: child.counters,
    pid: child.pid,
    async close() {
      stopHearing();
      stopLooking();
      for (const one of all) one.timer?.cancel();
      await child.close();
    },
  };
}

interface ChildEvents {
  /** A child has been started; it knows nothing yet. */
  begin(): void;
  hear(message: FromAnnunciator): void;
  ended(reason: string): void;
}

/** Starts the child, again when it dies or is stuck. */
function superviseChild(clock: Clock, events: ChildEvents) {
  const counters = { restarts: 0 };
  let child: ChildProcess | null = null;
  let heardMs = 0;
  let closing = false;
  // the first one when whoever asked for it knows it
  setImmediate(start);

  function start(): void {
    if (closing) return;
    const started = fork(CHILD, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child = started;
    heardMs = clock.monotonicMs();
    started.on("message", (message: FromAnnunciator) => {
      heardMs = clock.monotonicMs();
      if (!closing) events.hear(message);
    });
    let isOver = false;
    const over = (reason: string) => {
      if (closing || isOver) return;
      isOver = true;
      counters.restarts++;
      events.ended(reason);
      clock.setTimer(start, RESTART_MS);
    };
    started.once("exit", (code, signal) => over(`the child ended (${signal ?? `status ${code}`})`));
    started.on("error", (error) => over(error.message));
    events.begin();
  }
  const stopLooking = every(clock, LOOK_MS, () => {
    if (child?.exitCode === null && clock.monotonicMs() - heardMs > STUCK_MS) child.kill("SIGKILL");
  });

  return {
    counters,
    pid: () => child?.pid ?? 0,
    say(message: ToAnnunciator): void {
      // what a dying child no longer takes its heir is told
      if (child?.connected) child.send(message, () => undefined);
    },
    async close(): Promise<void> {
      closing = true;
      stopLooking();
      const ending = child;
      if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => ending.kill("SIGKILL"), STOP_MS);
        ending.once("exit", () => {
          clearTimeout(timer);
          resolve();
        });
        this.say({ type: "stop" });
      });
    },
  };
}
