/** The web server as a child process: started, restarted, told what happens, never waited for. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "./clock.ts";
import type { Incident } from "./incidents/incident.ts";
import type { Log } from "./log.ts";
import type { FromWeb, ToWeb, WebStart } from "./web-link.ts";

const SERVER = fileURLToPath(new URL("./web/server.ts", import.meta.url));
const FIRST_RESTART_MS = 500;
const SLOWEST_RESTART_MS = 30_000;
/** A child that leaves so many messages unread gets a whole snapshot later instead. */
const MAX_UNREAD = 1_000;
/** Changes go together in what an eye does not notice, or a burst would cost the alarms behind it a message each. */
const GATHER_MS = 20;
/** What an operator acts on: a change of it is shown without delay. */
const STANDING = [
  "stage",
  "owner",
  "priority",
  "marks",
  "unseen",
  "escalation",
  "cause",
  "deviceName",
] as const;
/** A repeat of what is on the screen already may wait this long. */
const REPEAT_MS = 1_000;
const STOP_MS = 2_000;
/** Of an incident's records the page shows the first and the newest. */
const RECORDS_SHOWN = 8;

export interface WebReady {
  readonly port: number;
  readonly loginLink: string | null;
}

export interface WebChildOptions {
  readonly start: WebStart;
  readonly clock: Clock;
  readonly log: Log;
  /** The whole picture, but for the cursor. */
  snapshot(): Omit<Extract<ToWeb, { type: "snapshot" }>, "type" | "cursor">;
  onMessage(
    message: Exclude<FromWeb, { type: "ready" } | { type: "changesSince" }>,
    answer: (message: ToWeb) => void,
  ): void;
}

export interface WebChild {
  /** Of the first start; null when there is no web server in this installation. */
  readonly ready: Promise<WebReady | null>;
  readonly port: number | null;
  show(incident: Incident, urgent: boolean): void;
  send(message: ToWeb): void;
  /** To be called about once a second. */
  sweep(): void;
  stop(): Promise<void>;
}

export function startWebChild(options: WebChildOptions): WebChild {
  const { clock, log } = options;
  const first = Promise.withResolvers<WebReady | null>();
  const later = new Map<string, Incident>();
  const soon = new Map<string, Incident>();
  /** What was shown within the last `REPEAT_MS`. */
  const onScreen = new Map<string, { readonly incident: Incident; readonly atMs: number }>();
  let gathering: Timer | null = null;
  let child: ChildProcess | null = null;
  let port: number | null = null;
  let listening = false;
  let stopped = false;
  let restartMs = FIRST_RESTART_MS;
  let cursor = 0;
  let unread = 0;
  let stale = false;

  function post(message: ToWeb): void {
    flush();
    transmit(message);
  }

  /** Of several changes of one incident the last one says all. */
  function flush(): void {
    gathering?.cancel();
    gathering = null;
    if (soon.size === 0) return;
    const atMs = clock.monotonicMs();
    const changes = Array.from(soon.values(), (incident) => {
      onScreen.set(incident.id, { incident, atMs });
      return { type: "change" as const, cursor: ++cursor, incident: shown(incident) };
    });
    soon.clear();
    transmit({ type: "changes", changes });
  }

  function transmit(message: ToWeb): void {
    if (child === null || !child.connected) return;
    if (unread >= MAX_UNREAD) {
      stale = true;
      return;
    }
    unread += 1;
    child.send(message, () => {
      unread -= 1;
      if (unread > 0 || !stale) return;
      stale = false;
      snapshot();
    });
  }

  function snapshot(): void {
    later.clear();
    soon.clear();
    post({ type: "snapshot", cursor, ...options.snapshot() });
  }

  function show(incident: Incident, urgent: boolean): void {
    if (!listening) return;
    if (!soon.has(incident.id) && (!urgent || isOnScreen(incident))) {
      later.set(incident.id, incident);
      return;
    }
    later.delete(incident.id);
    soon.set(incident.id, incident);
    gathering ??= clock.setTimer(flush, GATHER_MS);
  }

  /** Whether an operator has just been shown the same but for what it counts. */
  function isOnScreen(incident: Incident): boolean {
    const before = onScreen.get(incident.id);
    if (before === undefined || clock.monotonicMs() - before.atMs >= REPEAT_MS) return false;
    return STANDING.every((part) => before.incident[part] === incident[part]);
  }

  function run(): void {
    unread = 0;
    stale = false;
    listening = false;
    const now = fork(SERVER, { execArgv: [], serialization: "json" });
    child = now;
    now.on("message", (message: FromWeb) => hear(message));
    now.on("error", (error) => log.error({ err: error }, "web.error"));
    now.on("exit", (code, signal) => {
      child = null;
      listening = false;
      if (stopped) return;
      log.warn({ code, signal, restartMs }, "web.ended");
      clock.setTimer(() => stopped || run(), restartMs);
      restartMs = Math.min(restartMs * 2, SLOWEST_RESTART_MS);
    });
    // a restart keeps the address that operators have open
    post({ ...options.start, port: port ?? options.start.port });
  }

  function hear(message: FromWeb): void {
    if (message.type === "ready") {
      restartMs = FIRST_RESTART_MS;
      port = message.port;
      listening = true;
      log.info({ port }, "web.ready");
      first.resolve({ port, loginLink: message.loginLink ?? null });
      snapshot();
    } else if (message.type === "changesSince") snapshot();
    else options.onMessage(message, post);
  }

  if (existsSync(SERVER)) run();
  else {
    log.warn({ file: SERVER }, "web.absent");
    first.resolve(null);
  }
  return {
    ready: first.promise,
    get port() {
      return port;
    },
    show,
    send: (message) => listening && post(message),
    sweep() {
      for (const [id, incident] of later) soon.set(id, incident);
      later.clear();
      flush();
      const oldestMs = clock.monotonicMs() - REPEAT_MS;
      for (const [id, { atMs }] of onScreen) if (atMs <= oldestMs) onScreen.delete(id);
    },
    async stop() {
      stopped = true;
      first.resolve(null);
      const ending = child;
      if (ending === null) return;
      const exited = new Promise<void>((resolve) => ending.once("exit", () => resolve()));
      ending.kill("SIGTERM");
      const timer = clock.setTimer(() => ending.kill("SIGKILL"), STOP_MS);
      await exited;
      timer.cancel();
    },
  };
}

/** How often `sweep` is to be called. */
export const WEB_SWEEP_MS = REPEAT_MS;

/** An incident as it travels to the screen: of many records only some. */
export function shown(incident: Incident): Incident {
  const { records } = incident;
  if (records.length <= RECORDS_SHOWN) return incident;
  return { ...incident, records: [...records.slice(0, 1), ...records.slice(1 - RECORDS_SHOWN)] };
}
