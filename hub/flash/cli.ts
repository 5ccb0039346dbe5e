/** `tugma flash`: boards on their ports become devices of this hub. Exit status as in sysexits.h: 0 all done, 64 wrong
 *  command line, 65 wrong list, 69 hub or folder not reachable, 74 a board or the disk failed, 75 a board is written but not
 *  registered: the same command again heals it. */
import path from "node:path";
import { type Call, type CliIo, parseCall, textOf, Unavailable, UsageError } from "../cli-call.ts";
import { deviceDoor } from "../device-door.ts";
import { DeviceListError } from "../devices.ts";
import { DiskRefused } from "../journal/disk.ts";
import { FileProblem, words } from "../keys.ts";
import type { Flasher } from "./board.ts";
import { type BoardResult, flashCrate } from "./crate.ts";
import { type FlashOrder, ORDER_COLUMNS, readOrders } from "./order.ts";
import { DEFAULT_BAUD, openPort } from "./port.ts";

const USAGE = `usage: tugma flash --port P --role R --name TEXT --site TEXT --zone TEXT --region R
       tugma flash CRATE.csv [the same options, for cells that the list leaves empty]
         P is a serial port (best by /dev/serial/by-id/…) or tcp://HOST:PORT
         --profile BUILD     how it is wired: a build of "tugma hardware list" (default: ROLE-UPLINK), or FILE.json
         --uplink rak3172    --wire-address 1-126    --heartbeat-s 3600    --join-eui E
         --baud 9600         of the console's UART; 115200 on an ESP32, and USB does not mind
         --labels DIR        where labels go (default: labels in the hub's folder)
         --dry-run           checks the list, the programs and the hub, and touches no board
         --dir D  --json
       columns: ${ORDER_COLUMNS.join(",")}`;

const OPTIONS = {
  dir: { type: "string" },
  json: { type: "boolean" },
  "dry-run": { type: "boolean" },
  labels: { type: "string" },
  baud: { type: "string" },
  port: { type: "string" },
  role: { type: "string" },
  uplink: { type: "string" },
  name: { type: "string" },
  site: { type: "string" },
  zone: { type: "string" },
  region: { type: "string" },
  profile: { type: "string" },
  "join-eui": { type: "string" },
  "heartbeat-s": { type: "string" },
  "wire-address": { type: "string" },
} as const;

const BOARD_FAILED = 74;
const NOT_REGISTERED = 75;

/** Settles with the exit status. Bugs keep their stack and reject. */
export async function runFlash(args: readonly string[], io: CliIo, flasher: Flasher): Promise<number> {
  try {
    const call = parseCall(args, OPTIONS, io);
    if (call.positionals.length > 1 || (call.positionals.length === 0 && args.length === 0))
      throw new UsageError(USAGE);
    const orders = readOrders(cellsOf(call), call.positionals[0], flasher);
    await findHub(call.dir);
    return call.values["dry-run"] === true
      ? await tryOut(call, orders, flasher)
      : await flash(call, orders, flasher);
  } catch (error) {
    const status = exitStatusOf(error);
    if (status === null) throw error;
    io.printError(words(error));
    return status;
  }
}

/** Before any board is touched. */
async function findHub(dir: string): Promise<void> {
  try {
    await deviceDoor(dir).list();
  } catch (error) {
    if (!(error instanceof Error && "errcode" in error)) throw error;
    throw new Unavailable(
      `${dir}: no hub's folder (${error.message}). Name it with --dir, or make it: tugma hub enrol`,
    );
  }
}

function exitStatusOf(error: unknown): number | null {
  if (error instanceof UsageError) return 64;
  if (error instanceof DeviceListError) return 65;
  if (error instanceof DiskRefused) return 74;
  if (error instanceof FileProblem) return 78;
  if (error instanceof Unavailable) return 69;
  // the operating system's own refusals
  if (error instanceof Error && "syscall" in error) return 69;
  return null;
}

function cellsOf({ values }: Call): Record<string, string | undefined> {
  return Object.fromEntries(
    ORDER_COLUMNS.map((column) => [column, textOf(values, column.replaceAll("_", "-"))]),
  );
}

async function tryOut(
  { io, values }: Call,
  orders: readonly FlashOrder[],
  flasher: Flasher,
): Promise<number> {
  const plans = [];
  for (const { port, name, role, uplink } of orders) {
    const bytes = Buffer.byteLength(await flasher.program(role, uplink));
    plans.push({ port, name, role, uplink, bytes });
  }
  if (values["json"]) io.print(JSON.stringify(plans));
  else
    for (const plan of plans)
      io.print(`${plan.port}  ${plan.name}: ${plan.role} on ${plan.uplink}, ${plan.bytes} bytes`);
  return 0;
}

async function flash(call: Call, orders: readonly FlashOrder[], flasher: Flasher): Promise<number> {
  const { io, dir, values } = call;
  const baud = Number(textOf(values, "baud") ?? DEFAULT_BAUD);
  if (!Number.isInteger(baud) || baud < 300 || baud > 2_000_000)
    throw new UsageError(`--baud ${values["baud"]}: a whole number from 300 to 2000000`);
  const results = await flashCrate({
    ...{ orders, dir, flasher, signal: io.signal },
    openPort: (port) => openPort(port, baud),
    labelDir: path.resolve(textOf(values, "labels") ?? path.join(dir, "labels")),
    onProgress: ({ port, name }, what) => {
      if (!values["json"]) io.print(`${port}  ${name}: ${what}`);
    },
  });
  if (values["json"]) io.print(JSON.stringify(results));
  else summarise(results, io);
  const troubled = results.filter(({ reason }) => reason !== null);
  if (troubled.length === 0) return 0;
  return troubled.every(({ outcome }) => outcome === "unregistered") ? NOT_REGISTERED : BOARD_FAILED;
}

function summarise(results: readonly BoardResult[], io: CliIo): void {
  const flashed = results.filter(({ outcome }) => outcome === "flashed");
  io.print(`${flashed.length} of ${results.length} flashed and registered.`);
  for (const { port, name, reason } of results)
    if (reason !== null) io.printError(`${port}  ${name}: ${reason}`);
  for (const { labels } of flashed) if (labels[0] !== undefined) io.print(`label ${labels[0]}`);
}
