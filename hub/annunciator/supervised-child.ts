/** The annunciators' child process: started, and started again when it dies or is stuck. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock } from "../clock.ts";
import { every } from "../every.ts";
import type { FromAnnunciator, ToAnnunciator } from "./messages.ts";

export interface ChildEvents {
  /** A child has been started; it knows nothing yet. */
  begin(): void;
  hear(message: FromAnnunciator): void;
  ended(reason: string): void;
}

export interface SupervisedChild {
  readonly counters: { readonly restarts: number };
  /** What a dying child no longer takes its heir is told by whoever hears `begin`. */
  say(message: ToAnnunciator): void;
  /** Settles when it has ended by itself, or was killed for not doing so. */
  close(): Promise<void>;
}

const RESTART_MS = 500;
const STOP_MS = 2_000;
/** A child that says nothing for so long is stuck. */
const STUCK_MS = 5_000;
const LOOK_MS = 1_000;
const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

/** The first one starts after the caller's turn. */
export function superviseChild(clock: Clock, events: ChildEvents): SupervisedChild {
  const counters = { restarts: 0 };
  let child: ChildProcess | null = null;
  let heardMs = 0;
  let closing = false;
  const stopLooking = every(clock, LOOK_MS, () => {
    if (child !== null && isRunning(child) && clock.monotonicMs() - heardMs > STUCK_MS) child.kill("SIGKILL");
  });
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

  const say = (message: ToAnnunciator) => {
    if (child?.connected) child.send(message, () => undefined);
  };
  return {
    counters,
    say,
    async close() {
      closing = true;
      stopLooking();
      if (child !== null && isRunning(child)) await end(child, () => say({ type: "stop" }));
    },
  };
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function end(child: ChildProcess, ask: () => void): Promise<void> {
  return new Promise((ended) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      ended();
    });
    ask();
  });
}
