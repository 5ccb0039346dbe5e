/** `tugma device …`: through the running hub where there is one, else straight into its journal. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Call, type CliIo, parseCall, readSecret, textOf, Unavailable, UsageError } from "./cli-call.ts";
import { deviceDoor } from "./device-door.ts";
import { CSV_HEADER, DeviceListError, readDeviceCsv } from "./devices.ts";
import { withDeviceTables } from "./journal/offline.ts";
import { askHub } from "./status.ts";

const USAGE = `usage: tugma device list   [--dir D] [--json]
       tugma device add    --dev-eui E --join-eui E --name TEXT --site TEXT --zone TEXT [--app-key-file FILE]
                           the AppKey (32 hex digits) is read from FILE, or from the standard input
                           [--mac 1.0.4] [--class A] [--interval-s 3600] [--modes "real test"] [--dir D]
       tugma device import FILE [--dir D]     a CSV list with the header
                           ${CSV_HEADER}
       tugma device remove DEVEUI [--dir D]
       tugma device set    DEVEUI [--heartbeat-s N] [--lights normal|off] [--sound normal|off]
                           [--mode test|drill|commissioning --minutes N | --mode real] [--check-in-minutes N]
                           [--self-test] [--dir D]
                           goes out with the answer to the device's next frame; "device list" says what became of it`;

const OPTIONS = {
  dir: { type: "string" },
  json: { type: "boolean" },
  "dev-eui": { type: "string" },
  "join-eui": { type: "string" },
  "app-key-file": { type: "string" },
  name: { type: "string" },
  site: { type: "string" },
  zone: { type: "string" },
  mac: { type: "string" },
  class: { type: "string" },
  "interval-s": { type: "string" },
  modes: { type: "string" },
  "heartbeat-s": { type: "string" },
  lights: { type: "string" },
  sound: { type: "string" },
  mode: { type: "string" },
  minutes: { type: "string" },
  "check-in-minutes": { type: "string" },
  "self-test": { type: "boolean" },
} as const;

const COMMANDS: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  list,
  add,
  import: importList,
  remove,
  set,
};

/** As `run` of cli.ts, which turns its errors into exit statuses. */
export async function runDevice(args: readonly string[], io: CliIo): Promise<number> {
  const [name = "", ...rest] = args;
  const command = COMMANDS[name];
  if (command === undefined) throw new UsageError(USAGE);
  return command(parseCall(rest, OPTIONS, io));
}

const journalOf = (dir: string) => path.join(dir, "journal.sqlite");
const socketOf = (dir: string) => path.join(dir, "status.sock");

async function list({ values, dir, io }: Call): Promise<number> {
  const devices = await deviceDoor(dir).list();
  if (values["json"]) io.print(JSON.stringify(devices));
  else if (devices.length === 0) io.print("No devices yet. Add one with: tugma device add");
  else
    for (const d of devices)
      io.print(
        `${d.devEui}  ${d.deviceClass}  ${d.name}  ·  ${d.place.site}, ${d.place.zone}` +
          (d.settings ? `  ·  settings ${d.settings.state}` : ""),
      );
  return 0;
}

async function add(call: Call): Promise<number> {
  const { values } = call;
  const cells = {
    dev_eui: "dev-eui",
    join_eui: "join-eui",
    name: "name",
    site: "site",
    zone: "zone",
    mac_version: "mac",
    class: "class",
    interval_s: "interval-s",
    modes: "modes",
  };
  const quoted = Object.values(cells).map(
    (option) => `"${(textOf(values, option) ?? "").replaceAll('"', '""')}"`,
  );
  const appKey = readSecret(call, "app-key-file", "the AppKey");
  const { inputs } = readDeviceCsv(
    `${Object.keys(cells).join(",")},app_key\n${quoted.join(",")},${appKey}\n`,
  );
  return store(call, inputs, () => "the device");
}

async function importList(call: Call): Promise<number> {
  const [file] = call.positionals;
  if (file === undefined) throw new UsageError(USAGE);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new DeviceListError(`${file}: ${(cause as Error).message}`);
  }
  try {
    const { inputs, lines } = readDeviceCsv(text);
    return await store(call, inputs, (index) => `line ${lines[index]}`);
  } catch (error) {
    if (!(error instanceof DeviceListError)) throw error;
    throw new DeviceListError(`${error.message.replaceAll(/^/gm, `${file}: `)}\nNothing was added.`);
  }
}

async function store(
  { dir, io, values }: Call,
  inputs: unknown[],
  placeOf: (index: number) => string,
): Promise<number> {
  await deviceDoor(dir).add(inputs, placeOf);
  io.print(values["json"] ? JSON.stringify({ added: inputs.length }) : `${inputs.length} added.`);
  return 0;
}

async function remove({ positionals: [devEui], dir, io }: Call): Promise<number> {
  if (devEui === undefined || !/^[0-9a-f]{16}$/.test(devEui)) throw new UsageError(USAGE);
  if ((await askHub(socketOf(dir), "GET", "/devices")) !== null) {
    await askHub(socketOf(dir), "DELETE", `/devices/${devEui}`);
  } else {
    withDeviceTables(journalOf(dir), (tables) => {
      if (!tables.load().some((row) => row.devEui === devEui))
        throw new DeviceListError(`no device ${devEui}`);
      tables.removeDevice(devEui);
    });
  }
  io.print(`${devEui} removed.`);
  return 0;
}

async function set({ positionals: [devEui], values, dir, io }: Call): Promise<number> {
  if (devEui === undefined || !/^[0-9a-f]{16}$/.test(devEui)) throw new UsageError(USAGE);
  const number = (name: string) => {
    const text = textOf(values, name);
    return text === undefined ? undefined : Number(text);
  };
  const wish = {
    heartbeatS: number("heartbeat-s"),
    lights: textOf(values, "lights"),
    sound: textOf(values, "sound"),
    mode: textOf(values, "mode"),
    minutes: number("minutes"),
    checkInMinutes: number("check-in-minutes"),
    selfTest: values["self-test"],
  };
  const setting = await askHub(socketOf(dir), "POST", `/devices/${devEui}/settings`, wish);
  if (setting === null) throw new Unavailable(`no hub runs in ${dir}: settings go out through a running hub`);
  io.print(
    values["json"] ? JSON.stringify(setting) : `${devEui} will be told with the answer to its next frame.`,
  );
  return 0;
}
