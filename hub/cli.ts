/** `tugma hub …` and `tugma device …`. Exit status as in sysexits.h: 0, 64 wrong command line, 65 wrong data, 69 not
 *  reachable, 74 the disk refuses, 78 configuration or key files. */
import { flushCompileCache } from "node:module";
import path from "node:path";
import type { ParseArgsConfig } from "node:util";
import { pino } from "pino";
import { createVerifyingKey } from "../protocols/signature.ts";
import {
  type Call,
  type CliIo,
  DEFAULT_DIR,
  parseCall,
  readSecret,
  textOf,
  Unavailable,
  UsageError,
} from "./cli-call.ts";
import { createSystemClock } from "./clock.ts";
import { ConfigError, commentedConfig, configHash, readConfig } from "./config.ts";
import { addBrokerUser } from "./credentials.ts";
import { runDevice } from "./device-cli.ts";
import { DeviceListError } from "./devices.ts";
import { EnrolError, enrolHub } from "./enrol.ts";
import { loadIdentity, MAIN_CENTRE } from "./enrolments.ts";
import { DiskRefused } from "./journal/disk.ts";
import { checkChain } from "./journal/offline.ts";
import { FileProblem } from "./keys.ts";
import { startHub } from "./main.ts";
import { askHub } from "./status.ts";
import { wallSourceOfMachine } from "./time-source.ts";

const USAGE = `usage: tugma hub run    [--dir D]                      run the hub until it is told to stop
       tugma hub enrol  [--code-file FILE] [--dir D] [--name TEXT] [--centre NAME]
                                                      make keys, enrol with the centre that made the code; the code
                                                      is read from FILE, or from the standard input
       tugma hub config [--dir D] | --commented       check hub.yaml | print a documented default
       tugma hub status [--dir D] [--json]            what the running hub says of itself
       tugma hub silence [--dir D] [--json]           stop the local sirens, until the next alarm
       tugma hub verify [--dir D] [--json]            check every signature and link in the journal
       tugma hub user   NAME [--device] [--dir D]     a name and secret for the hub's MQTT broker
       tugma device …                                 the devices it listens to
D is ${DEFAULT_DIR} unless given.`;

const OPTIONS = {
  dir: { type: "string" },
  json: { type: "boolean" },
  name: { type: "string" },
  centre: { type: "string" },
  commented: { type: "boolean" },
  "code-file": { type: "string" },
  device: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

const COMMANDS: Readonly<Record<string, (call: Call) => Promise<number> | number>> = {
  run: runHub,
  enrol,
  config,
  status,
  silence,
  verify,
  user,
};

/** Runs one command; settles with its exit status. Bugs keep their stack and reject. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const [name = "", ...rest] = args;
  try {
    if (name === "device") return await runDevice(rest, io);
    if (name === "modbus") {
      const { runModbus } = await import("./modbus/cli.ts");
      return await runModbus(rest, io);
    }
    const command = COMMANDS[name];
    if (command === undefined) throw new UsageError(USAGE);
    return await command(parseCall(rest, OPTIONS, io));
  } catch (error) {
    const exit = exitStatusOf(error);
    if (exit === null) throw error;
    io.printError((error as Error).message);
    return exit;
  }
}

/** Null for what is a bug. */
function exitStatusOf(error: unknown): number | null {
  if (error instanceof UsageError) return 64;
  if (error instanceof DeviceListError) return 65;
  if (error instanceof EnrolError || error instanceof Unavailable) return 69;
  if (error instanceof DiskRefused) return 74;
  if (error instanceof ConfigError || error instanceof FileProblem) return 78;
  // the operating system's own refusals: a port taken, a folder that cannot be written
  if (error instanceof Error && "syscall" in error) return 69;
  return null;
}

async function runHub({ dir, io }: Call): Promise<number> {
  const config = readConfig(path.join(dir, "hub.yaml"));
  const log = pino(
    { level: config.log.level, base: null },
    { write: (line: string) => io.print(line.trimEnd()) },
  );
  const hub = await startHub({
    dir,
    config,
    clock: createSystemClock(),
    log,
    wallSource: wallSourceOfMachine,
  });
  // now, since a hub may never end but by a power cut; what is kept already is not written again
  flushCompileCache();
  const reload = () => hub.reloadUsers();
  process.on("SIGHUP", reload);
  if (!io.signal.aborted) {
    await new Promise<void>((resolve) =>
      io.signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  }
  process.off("SIGHUP", reload);
  await hub.stop();
  log.info({ hub: hub.id }, "hub.stopped");
  return 0;
}

async function enrol(call: Call): Promise<number> {
  const { positionals, values, dir, io } = call;
  if (positionals.length > 0)
    throw new UsageError(
      "tugma hub enrol: the code is a secret: give it on the standard input or with --code-file",
    );
  const code = readSecret(call, "code-file", 'the code that "tugma centre invite" printed');
  const hubName = textOf(values, "name") ?? path.basename(dir);
  const centre = textOf(values, "centre") ?? MAIN_CENTRE;
  const enrolled = await enrolHub({ dir, code, hubName, centre });
  if (values["json"]) io.print(JSON.stringify(enrolled));
  else
    io.print(
      `Hub ${enrolled.hub} is enrolled with ${enrolled.centre}, realm ${enrolled.realm}. Next: tugma hub run --dir ${dir}`,
    );
  return 0;
}

function config({ values, dir, io }: Call): number {
  if (values["commented"]) {
    for (const line of commentedConfig().trimEnd().split("\n")) io.print(line);
    return 0;
  }
  const file = path.join(dir, "hub.yaml");
  const read = readConfig(file);
  if (values["json"]) io.print(JSON.stringify(read));
  else io.print(`${file} is in order (configuration ${configHash(read)}).`);
  return 0;
}

async function status({ values, dir, io }: Call): Promise<number> {
  const answer = await askHub(path.join(dir, "status.sock"), "GET", "/status");
  if (answer === null)
    throw new Unavailable(`${dir}: no hub is running there. Start it with: tugma hub run --dir ${dir}`);
  io.print(JSON.stringify(answer, null, values["json"] ? undefined : 2));
  return 0;
}

async function silence({ values, dir, io }: Call): Promise<number> {
  const answer = await askHub(path.join(dir, "status.sock"), "POST", "/annunciators/silence");
  if (answer === null)
    throw new Unavailable(`${dir}: no hub is running there. Start it with: tugma hub run --dir ${dir}`);
  const { silenced } = answer as { silenced: number };
  if (values["json"]) io.print(JSON.stringify(answer));
  else
    io.print(silenced === 0 ? "This hub has no local sirens." : "Silent until the next alarm; lights go on.");
  return 0;
}

function verify({ values, dir, io }: Call): number {
  const identity = loadIdentity(dir);
  const [main] = identity.centres;
  if (main === undefined) throw new FileProblem(`${dir}: no enrolment`);
  const { records, receipts, flaws } = checkChain({
    path: path.join(dir, "journal.sqlite"),
    realm: identity.realm,
    genesis: identity.genesis,
    hubKey: createVerifyingKey(main.enrolment.hubPublicKey, main.enrolment.hubAlg),
    centreKeys: identity.centres.map(({ access }) =>
      createVerifyingKey(access.receiptPublicKey, access.receiptAlg),
    ),
  });
  if (values["json"]) io.print(JSON.stringify({ ok: flaws.length === 0, records, receipts, flaws }));
  else {
    for (const flaw of flaws) io.print(`✗ ${flaw}`);
    io.print(
      `${records} records and ${receipts} receipts: ${flaws.length === 0 ? "all signed, all linked" : `${flaws.length} flaws`}.`,
    );
  }
  return flaws.length === 0 ? 0 : 65;
}

function user({ positionals: [name], values, dir, io }: Call): number {
  if (name === undefined)
    throw new UsageError("tugma hub user NAME [--device]: a board's name is its DevEUI");
  const secret = addBrokerUser(dir, name, values["device"] ? "device" : "observer");
  if (values["json"]) io.print(JSON.stringify({ name, secret }));
  else {
    io.print(`name   ${name}`);
    io.print(`secret ${secret}`);
    io.print(
      "The secret is shown this once. A running hub takes it after: kill -HUP its process, or a restart.",
    );
  }
  return 0;
}
