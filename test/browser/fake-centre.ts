/** The centre's core without its ledger: it starts the real web server as the real core does, and answers acts with the
 *  real rules for incidents, so that pages and server are tested without hubs. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { applyAct } from "../../centre/incidents/acts.ts";
import type { Act, Incident } from "../../centre/incidents/incident.ts";
import { loginLink } from "../../centre/web/links.ts";
import type { FromWeb, HubView, ToWeb } from "../../centre/web-link.ts";
import { NO_QUARANTINE } from "./samples.ts";

const SERVER = fileURLToPath(new URL("../../centre/web/server.ts", import.meta.url));

export interface FakeCentre extends AsyncDisposable {
  readonly address: string;
  /** Invitation for the first operator; null when there was one already. */
  readonly firstLink: string | null;
  readonly acts: readonly Act[];
  /** A one-time link that signs `name` in. */
  loginLink(name: string): string;
  incident(id: string): Incident | undefined;
  /** Opens or changes an incident, as a record would. */
  raise(incident: Incident): void;
  setHubs(hubs: readonly HubView[]): void;
  say(message: ToWeb): void;
  /** The server stops answering, as behind a broken cable; its connections stay open. */
  freeze(): void;
  thaw(): void;
}

/** Starts a server of its own on a free port with these incidents on the board. */
export async function startFakeCentre(
  incidents: readonly Incident[] = [],
  hubs: readonly HubView[] = [],
): Promise<FakeCentre> {
  const dir = mkdtempSync(join(tmpdir(), "tugma-web-"));
  const child = fork(SERVER, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const board = new Map(incidents.map((incident) => [incident.id, incident]));
  const acts: Act[] = [];
  const answers = new Map<string, ToWeb>();
  let cursor = 0;
  const say = (message: ToWeb) => {
    child.send(message);
  };
  const raise = (incident: Incident) => {
    board.set(incident.id, incident);
    say({ type: "change", cursor: ++cursor, incident });
  };
  const answer = (act: Act): ToWeb => {
    const before = board.get(act.incident);
    if (!before) return { type: "actResult", key: act.key, ok: false, reason: "unknown" };
    acts.push(act);
    const verdict = applyAct(before, act);
    if (!verdict.ok) return { type: "actResult", key: act.key, ok: false, reason: verdict.reason };
    raise(verdict.incident);
    return { type: "actResult", key: act.key, ok: true, incident: verdict.incident };
  };
  child.on("message", (message: FromWeb) => {
    if (message.type === "evidence") say({ type: "evidence", request: message.request, file: "oA==" });
    if (message.type !== "act") return;
    // one key is one act
    const result = answers.get(message.act.key) ?? answer(message.act);
    answers.set(message.act.key, result);
    say(result);
  });
  say({ type: "start", dir, host: "127.0.0.1", port: 0, centre: "test", realm: "test" });
  say({
    type: "snapshot",
    cursor,
    incidents: [...board.values()],
    hubs,
    quarantine: NO_QUARANTINE,
    status: { ledgerFault: null, connections: hubs.length, counters: {} },
  });
  let known = hubs;
  const pulse = setInterval(() => say({ type: "hubs", hubs: known }), 2000);
  const ready = await readiness(child);
  const address = `http://127.0.0.1:${ready.port}`;
  return {
    address,
    firstLink: ready.loginLink ?? null,
    acts,
    loginLink: (name) => loginLink(dir, address, name),
    incident: (id) => board.get(id),
    raise,
    setHubs(next) {
      known = next;
      say({ type: "hubs", hubs: next });
    },
    say,
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      clearInterval(pulse);
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function readiness(child: ChildProcess): Promise<Extract<FromWeb, { type: "ready" }>> {
  return new Promise((resolve, reject) => {
    child.on("message", (message: FromWeb) => {
      if (message.type === "ready") resolve(message);
    });
    child.once("exit", (code) =>
      reject(new Error(`the web server ended with code ${code} before it listened`)),
    );
  });
}
