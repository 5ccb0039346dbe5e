/** `tugma centre …`: runs the receiving centre, and asks the one that runs. Exit statuses of sysexits.h. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { createSystemClock } from "./clock.ts";
import { type CentreConfig, COMMENTED_CONFIG, ConfigError, readConfig } from "./config.ts";
import { ControlError, callControl } from "./control.ts";
import { type Invitation, invite } from "./enrolment.ts";
import { exportEvidence } from "./evidence.ts";
import { openIdentity } from "./identity.ts";
import { KeyFileError } from "./keys.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { openLedgerInThread } from "./ledger/open.ts";
import { startCentre } from "./main.ts";
import type { HubView } from "./web-link.ts";

/** What a command may touch; the same shape as in tugma.ts. */
export interface CommandIo {
  print(line: string): void;
  printError(line: string): void;
  readonly signal: AbortSignal;
}

const EXIT = {
  ok: 0,
  usage: 64,
  data: 65,
  unavailable: 69,
  software: 70,
  noPermission: 77,
  config: 78,
} as const;

const USAGE = `usage: tugma centre COMMAND [--dir D] [--json]
  init                     make the folder with its keys and a commented centre.yaml
  run                      run the centre until Ctrl-C
  invite                   a one-time code that enrols one hub
  hubs                     the enrolled hubs and how far their records are here
  revoke HUB               end a hub's right to connect
  evidence ID --out FILE   one incident as a file that proves itself offline
  status                   the running centre's health
  config                   print the commented default configuration
D is ./data/centre unless given.`;

interface Call {
  readonly dir: string;
  readonly json: boolean;
  readonly out: string | undefined;
  readonly operand: string | undefined;
  readonly io: CommandIo;
}

type Command = (call: Call) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  init,
  run: runCentre,
  invite: inviteHub,
  hubs,
  revoke,
  evidence,
  status,
  config,
};

/** Settles with the exit status. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parse(args);
  const command = parsed === null ? undefined : COMMANDS[parsed.name];
  if (parsed === null || command === undefined) {
    io.printError(USAGE);
    return EXIT.usage;
  }
  try {
    return await command({ ...parsed, io });
  } catch (error) {
    const exit = exitOf(error);
    if (exit === null) throw error;
    io.printError(`tugma centre ${parsed.name}: ${error instanceof Error ? error.message : String(error)}`);
    return exit;
  }
}

function parse(args: readonly string[]): (Omit<Call, "io"> & { name: string }) | null {
  try {
    const options = { dir: { type: "string" }, json: { type: "boolean" }, out: { type: "string" } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [name = "", operand, ...rest] = positionals;
    if (rest.length > 0 || !Object.hasOwn(COMMANDS, name)) return null;
    return { name, operand, dir: values.dir ?? "data/centre", json: values.json ?? false, out: values.out };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The status for what a person can put right; null for our own bugs. */
function exitOf(error: unknown): number | null {
  if (error instanceof ConfigError) return EXIT.config;
  if (error instanceof KeyFileError) return EXIT.noPermission;
  if (error instanceof ControlError) return EXIT.unavailable;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === "EADDRINUSE") return EXIT.unavailable;
  return code === "EACCES" || code === "EPERM" ? EXIT.noPermission : null;
}

async function init({ dir, json, io }: Call): Promise<number> {
  const file = path.join(dir, "centre.yaml");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fresh = !existsSync(file);
  if (fresh) writeFileSync(file, COMMENTED_CONFIG, { flag: "wx" });
  const { receiptKey } = openIdentity(dir, readConfig(file));
  const said = { dir, config: file, receiptPublicKey: receiptKey.publicKey };
  say(io, json, said, [
    `${fresh ? "Made" : "Kept"} ${file}: read it, and choose the realm before the first hub.`,
    `Receipts are signed by ${receiptKey.publicKey}: who checks evidence needs this key from you.`,
  ]);
  return EXIT.ok;
}

async function runCentre({ dir, json, io }: Call): Promise<number> {
  const settings = configOf(dir);
  const log = pino({ level: "info" }, pino.destination(2));
  const centre = await startCentre({ dir, config: settings, log });
  const { mqttPort, enrolPort } = centre;
  say(io, json, { mqttPort, enrolPort }, [
    `Hubs deliver at port ${mqttPort} and enrol at port ${enrolPort}.`,
  ]);
  centre.webReady.then((web) => {
    if (web === null) return;
    const lines = [`Console: http://${settings.web.host}:${web.port}`];
    if (web.loginLink !== null) lines.push(`First login, once: ${web.loginLink}`);
    say(io, json, web, lines);
  });
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    io.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await centre.stop();
  return EXIT.ok;
}

async function inviteHub({ dir, json, io }: Call): Promise<number> {
  const made = (await callControl(dir, "invite", {})) as Invitation | undefined;
  const { code, expiresMs } = made ?? (await withLedger(dir, (ledger) => inviteOnLedger(dir, ledger)));
  say(io, json, { code, expiresMs }, [
    code,
    `For one hub, until ${new Date(expiresMs).toLocaleString()}. On the hub, give it to: tugma hub enrol`,
  ]);
  return EXIT.ok;
}

function inviteOnLedger(dir: string, ledger: Ledger): Promise<Invitation> {
  const settings = configOf(dir);
  const { host = "localhost", port } = { host: settings.hosts[0], port: settings.enrol.port };
  if (port === 0)
    throw new ConfigError(
      `${dir}: enrol.port is 0 (any free port), so only a running centre knows it. Start it first.`,
    );
  const { ca } = openIdentity(dir, settings);
  return invite(
    { ledger, clock: createSystemClock(), ca },
    { host, port },
    settings.enrol.inviteHours * 3_600_000,
  );
}

async function hubs({ dir, json, io }: Call): Promise<number> {
  const running = (await callControl(dir, "hubs", {})) as readonly HubView[] | undefined;
  const list =
    running ??
    (await withLedger<readonly HubView[]>(dir, (ledger) =>
      ledger.hubs().then((rows) => rows.map(viewOfRow)),
    ));
  const lines = list.map(
    (hub) => `${hub.id}  ${hub.revoked ? "revoked" : hub.link}  ${hub.complete}/${hub.head}  ${hub.name}`,
  );
  say(
    io,
    json,
    list,
    lines.length > 0 ? lines : ['No hub is enrolled. Make a code with "tugma centre invite".'],
  );
  return EXIT.ok;
}

function viewOfRow(row: Awaited<ReturnType<Ledger["hubs"]>>[number]): HubView {
  const { id, name, extent, revokedMs } = row;
  return {
    id,
    name,
    link: "down",
    lastSeenMs: null,
    complete: extent.complete,
    head: extent.head,
    gaps: [],
    revoked: revokedMs !== null,
  };
}

async function revoke({ dir, json, operand, io }: Call): Promise<number> {
  if (operand === undefined) return usage(io);
  const atMs = createSystemClock().wallMs();
  const done =
    (await callControl(dir, "revoke", { hub: operand })) ??
    (await withLedger(dir, (ledger) => ledger.revokeHub(operand, atMs)));
  if (done === true) {
    say(io, json, { hub: operand, revoked: true }, [`Hub ${operand} can no longer connect.`]);
    return EXIT.ok;
  }
  io.printError(
    `tugma centre revoke: no hub ${operand} is enrolled, or it was revoked before. See "tugma centre hubs".`,
  );
  return EXIT.data;
}

async function evidence({ dir, json, operand, out, io }: Call): Promise<number> {
  if (operand === undefined || out === undefined) return usage(io);
  const running = await callControl(dir, "evidence", { incident: operand });
  const file =
    running === undefined
      ? await withLedger(dir, (ledger) => evidenceFromLedger(dir, ledger, operand))
      : fromBase64(running);
  if (file === null) {
    io.printError(`tugma centre evidence: there is no incident ${operand}`);
    return EXIT.data;
  }
  writeFileSync(out, file);
  say(io, json, { incident: operand, file: out, bytes: file.length }, [
    `${out}: ${file.length} bytes. Check it with: tugma verify ${out}`,
  ]);
  return EXIT.ok;
}

function evidenceFromLedger(dir: string, ledger: Ledger, incident: string): Promise<Uint8Array | null> {
  const settings = configOf(dir);
  const { receiptKey } = openIdentity(dir, settings);
  return exportEvidence(
    ledger,
    { realm: settings.realm, receiver: settings.name, key: receiptKey },
    incident,
  );
}

async function status({ dir, json, io }: Call): Promise<number> {
  const running = (await callControl(dir, "status", {})) as Record<string, unknown> | undefined;
  if (running === undefined) {
    io.printError(`tugma centre status: no centre runs on ${dir}`);
    return EXIT.unavailable;
  }
  say(
    io,
    json,
    running,
    Object.entries(running).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  );
  return EXIT.ok;
}

async function config({ io }: Call): Promise<number> {
  io.print(COMMENTED_CONFIG);
  return EXIT.ok;
}

function configOf(dir: string): CentreConfig {
  return readConfig(path.join(dir, "centre.yaml"));
}

/** For a centre that does not run. */
async function withLedger<T>(dir: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const file = path.join(dir, "ledger.sqlite");
  configOf(dir);
  await using ledger = openLedgerInThread({ path: file });
  return await work(ledger);
}

function fromBase64(value: unknown): Uint8Array | null {
  return typeof value === "string" ? Buffer.from(value, "base64") : null;
}

function usage(io: CommandIo): number {
  io.printError(USAGE);
  return EXIT.usage;
}

function say(io: CommandIo, json: boolean, value: unknown, lines: readonly string[]): void {
  if (json) io.print(JSON.stringify(value));
  else for (const line of lines) io.print(line);
}
