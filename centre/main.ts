/** The centre's composition root: receiver, ledger, incidents and enrolment in this process, the console in a child. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { type Clock, createSystemClock, repeat } from "./clock.ts";
import type { CentreConfig } from "./config.ts";
import { startConsole } from "./console.ts";
import { type ControlCalls, openControl } from "./control.ts";
import { createAdmission, type EnrolDoor, openEnrolDoor } from "./enrol-door.ts";
import { type EnrolOptions, enrol, type Invitation, invite } from "./enrolment.ts";
import { exportEvidence } from "./evidence.ts";
import { openIdentity } from "./identity.ts";
import { type ActAnswer, openDesk } from "./incidents/desk.ts";
import type { Act, Incident } from "./incidents/incident.ts";
import { createStages } from "./incidents/stages.ts";
import { openLedger } from "./ledger/open.ts";
import { type Log, SILENT } from "./log.ts";
import type { ReceiptSigner } from "./receive/receipts.ts";
import { createReceive, type Receive } from "./receive/receive.ts";
import type { WebChild, WebReady } from "./web-child.ts";
import type { CentreStatus, HubView } from "./web-link.ts";

export interface CentreOptions {
  /** Keys, ledger, users and the control socket live here. Made when it is not there. */
  readonly dir: string;
  readonly config: CentreConfig;
  readonly clock?: Clock;
  readonly log?: Log;
  /** In place of the configured ones; 0 is any free port. */
  readonly ports?: { readonly mqtt?: number; readonly enrol?: number; readonly web?: number };
  /** False: no console. */
  readonly web?: boolean;
}

export interface Centre {
  readonly mqttPort: number;
  readonly enrolPort: number;
  /** Null until the console listens. */
  readonly webPort: number | null;
  /** Settles when the console listens; null when there is none. */
  readonly webReady: Promise<WebReady | null>;
  /** Hex, raw: what a reader of evidence trusts. */
  readonly receiptPublicKey: string;
  invite(): Promise<Invitation>;
  act(act: Act): Promise<ActAnswer>;
  /** All open ones and those closed last. */
  incidents(): Incident[];
  hubs(): HubView[];
  /** False when there is no such hub, or it is revoked already. */
  revokeHub(id: string): Promise<boolean>;
  /** Null when there is no such incident. */
  exportEvidence(incident: string): Promise<Uint8Array | null>;
  status(): CentreStatus;
  stop(): Promise<void>;
}

const SWEEP_MS = 1_000;

/** Settles when hubs can connect. Rejects with what is wrong and what to do. */
export async function startCentre(options: CentreOptions): Promise<Centre> {
  const { dir, config, clock = createSystemClock(), log = SILENT, ports = {} } = options;
  await using stack = new AsyncDisposableStack();
  const onError = (error: Error) => log.error({ err: error }, "centre.error");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const identity = openIdentity(dir, config);
  const control: Record<string, ControlCalls[string]> = { ping: async () => "pong" };
  const socket = await openControl(dir, control, onError);
  stack.defer(socket.close);
  const ledger = stack.use(await openLedger({ path: path.join(dir, "ledger.sqlite") }));
  const signer: ReceiptSigner = { realm: config.realm, receiver: config.name, key: identity.receiptKey };

  let web: WebChild | undefined;
  const fault = createFault(log, () => web?.send({ type: "status", status: status() }));
  const receive = await createReceive({
    ledger,
    clock,
    signer,
    clockToleranceMs: config.clockToleranceMs,
    broker: {
      host: config.mqtt.host,
      port: ports.mqtt ?? config.mqtt.port,
      maxConnections: config.maxConnections,
    },
    tls: identity.tls,
    onError,
    onFault: fault.set,
  });
  const status = (): CentreStatus => ({
    ledgerFault: fault.now,
    connections: receive.connections,
    counters: { ...receive.counters },
  });
  const stages = createStages({ ledger, clock, signer, send: receive.send, onError });
  const desk = await openDesk({
    ledger,
    clock,
    stages,
    openRecord: receive.openRecord,
    onShow: (incident, urgent) => web?.show(withDeviceName(incident, config), urgent),
    onError,
  });
  stack.defer(() => desk.save().catch(onError));
  const resume = (hub: string) => void stages.resume(hub).catch(onError);
  const { port: mqttPort } = await receive.listen({ ...desk, resume });
  stack.defer(receive.stop);

  const { ca, receiptKey, tls } = identity;
  const enrolment: EnrolOptions = { ledger, clock, ca, receiptKey, realm: config.realm, centre: config.name };
  const door = await openDoor({ options, clock, log, enrolment, receive, mqttPort, tls });
  stack.defer(door.close);
  const sweep = repeat(clock, desk.sweep, SWEEP_MS);
  stack.defer(sweep.cancel);

  const running: Omit<Centre, "stop" | "webPort" | "webReady"> = {
    mqttPort,
    enrolPort: door.port,
    receiptPublicKey: receiptKey.publicKey,
    invite: () =>
      invite(enrolment, { host: hostOf(config), port: door.port }, config.enrol.inviteHours * 3_600_000),
    act: desk.act,
    incidents: () => desk.all().map((incident) => withDeviceName(incident, config)),
    hubs: receive.hubs,
    async revokeHub(id) {
      const done = await ledger.revokeHub(id, clock.wallMs());
      await receive.reload();
      return done;
    },
    async exportEvidence(incident) {
      await desk.save();
      return exportEvidence(ledger, signer, incident);
    },
    status,
  };
  Object.assign(control, controlCalls(running));
  if (options.web !== false) {
    const { host, port } = config.web;
    web = startConsole({
      ...running,
      clock,
      log,
      start: { type: "start", dir, host, port: ports.web ?? port, centre: config.name, realm: config.realm },
      evidence: running.exportEvidence,
      quarantined: ledger.quarantined,
      quarantineCount: () => receive.quarantineCount,
    });
    stack.defer(web.stop);
  }
  log.info({ mqttPort, enrolPort: door.port, realm: config.realm }, "centre.ready");
  const release = stack.move();
  return {
    ...running,
    webReady: web?.ready ?? Promise.resolve(null),
    get webPort() {
      return web?.port ?? null;
    },
    stop: () => release.disposeAsync(),
  };
}

/** A fault of the ledger: said once when it comes and once when it goes. */
function createFault(log: Log, changed: () => void) {
  let now: string | null = null;
  return {
    get now() {
      return now;
    },
    set(fault: string | null) {
      if (fault === now) return;
      if (fault === null) log.info({}, "ledger.restored");
      else if (now === null) log.error({ fault }, "ledger.fault");
      now = fault;
      changed();
    },
  };
}

interface DoorParts {
  readonly options: CentreOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolment: EnrolOptions;
  readonly receive: Receive;
  readonly mqttPort: number;
  readonly tls: { readonly key: string; readonly cert: string };
}

function openDoor({ options, clock, log, enrolment, receive, mqttPort, tls }: DoorParts): Promise<EnrolDoor> {
  const { config, ports } = options;
  return openEnrolDoor({
    host: config.enrol.host,
    port: ports?.enrol ?? config.enrol.port,
    tls,
    admit: createAdmission(clock.monotonicMs, config.enrol.attemptsPerMinute),
    onError: (error) => log.error({ err: error }, "enrol.error"),
    async grant(body) {
      const answer = await enrol(enrolment, body, { host: hostOf(config), port: mqttPort });
      // before the answer: the hub connects at once
      await receive.reload();
      log.info({ hub: answer.hubId }, "hub.enrolled");
      return answer;
    },
  });
}

/** The name by which hubs reach this machine. */
function hostOf({ hosts }: CentreConfig): string {
  return hosts[0] ?? "localhost";
}

function withDeviceName(incident: Incident, { devices }: CentreConfig): Incident {
  const deviceName = devices[incident.device ?? ""];
  return deviceName === undefined ? incident : { ...incident, deviceName };
}

/** What the command line asks of a running centre. */
function controlCalls(centre: Omit<Centre, "stop" | "webPort" | "webReady">): ControlCalls {
  return {
    invite: () => centre.invite(),
    hubs: async () => centre.hubs(),
    status: async () => ({
      ...centre.status(),
      mqttPort: centre.mqttPort,
      enrolPort: centre.enrolPort,
      incidents: centre.incidents().filter(({ stage }) => stage !== "closed").length,
    }),
    revoke: ({ hub = "" }) => centre.revokeHub(hub),
    async evidence({ incident = "" }) {
      const file = await centre.exportEvidence(incident);
      return file === null ? null : Buffer.from(file).toString("base64");
    },
  };
}
