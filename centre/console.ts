/** What the console is told, and how its wishes reach the incidents and the ledger. */
import { type Clock, repeat } from "./clock.ts";
import type { ActAnswer } from "./incidents/desk.ts";
import type { Act, Incident } from "./incidents/incident.ts";
import type { Quarantined } from "./ledger/ledger.ts";
import type { Log } from "./log.ts";
import { shown, startWebChild, WEB_SWEEP_MS, type WebChild } from "./web-child.ts";
import type { CentreStatus, FromWeb, HubView, QuarantineView, ToWeb, WebStart } from "./web-link.ts";

const SIDES_MS = 2_000;
const QUARANTINE_SHOWN = 50;

export interface ConsoleOptions {
  readonly start: WebStart;
  readonly clock: Clock;
  readonly log: Log;
  incidents(): Incident[];
  hubs(): HubView[];
  status(): CentreStatus;
  act(act: Act): Promise<ActAnswer>;
  /** Null when there is no such incident. */
  evidence(incident: string): Promise<Uint8Array | null>;
  quarantined(limit: number): Promise<Quarantined[]>;
  /** All since the start. */
  quarantineCount(): number;
}

/** Starts the web server's process and keeps it informed until it is stopped. */
export function startConsole(options: ConsoleOptions): WebChild {
  const { start, clock, log } = options;
  let quarantine: QuarantineView = { count: 0, items: [] };
  let hubsSaid = "";
  const web = startWebChild({
    start,
    clock,
    log,
    snapshot: () => ({
      incidents: options.incidents().map(shown),
      hubs: options.hubs(),
      quarantine,
      status: options.status(),
    }),
    onMessage: (message, answer) => {
      if (message.type === "act")
        options.act(message.act).then((result) => answer({ type: "actResult", ...result }));
      else evidenceFor(options, message).then(answer);
    },
  });

  /** What changes all the time and may be a little old. */
  async function showSides(): Promise<void> {
    const hubs = options.hubs();
    const said = JSON.stringify(hubs);
    if (said !== hubsSaid) web.send({ type: "hubs", hubs });
    hubsSaid = said;
    web.send({ type: "status", status: options.status() });
    const first = quarantine.items.length === 0;
    if (!first && options.quarantineCount() === quarantine.count) return;
    const items = await options.quarantined(QUARANTINE_SHOWN);
    const count = Math.max(options.quarantineCount(), items.length);
    if (count === quarantine.count) return;
    quarantine = {
      count,
      items: items.map(({ bytes, ...item }) => ({ ...item, head: Buffer.from(bytes).toString("hex") })),
    };
    web.send({ type: "quarantine", quarantine });
  }

  const sweep = repeat(clock, web.sweep, WEB_SWEEP_MS);
  const sides = repeat(
    clock,
    () => void showSides().catch((error) => log.error({ err: error }, "console.error")),
    SIDES_MS,
  );
  return {
    ...web,
    get port() {
      return web.port;
    },
    stop() {
      sweep.cancel();
      sides.cancel();
      return web.stop();
    },
  };
}

async function evidenceFor(
  { evidence }: ConsoleOptions,
  { incident, request }: Extract<FromWeb, { type: "evidence" }>,
): Promise<ToWeb> {
  try {
    const file = await evidence(incident);
    if (file === null) return { type: "evidence", request, reason: "There is no such incident." };
    return { type: "evidence", request, file: Buffer.from(file).toString("base64") };
  } catch (error) {
    return { type: "evidence", request, reason: error instanceof Error ? error.message : String(error) };
  }
}
