/** `tugma modbus …`: looks at a Modbus device without the hub. */
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Call, type CliIo, parseCall, textOf, Unavailable, UsageError } from "../cli-call.ts";
import { type Clock, createSystemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { type ModbusBus, openBus } from "./bus.ts";
import { createNotebook, createScan, type LearnRange, profileDraft, type Sighting } from "./learn.ts";
import type { OpenLine } from "./line.ts";
import { TABLES, type Table } from "./profile.ts";
import { PROFILES } from "./profiles.ts";
import type { CharacterFormat } from "./rtu-frame.ts";
import { openSerialLine } from "./serial-line.ts";
import { openTcpLine } from "./tcp-line.ts";

const USAGE = `usage: tugma modbus learn --bus BUS --unit N   shows a device's registers, marks what changes, drafts a profile
                           [--table holdingRegisters|inputRegisters|coils|discreteInputs] [--from A] [--count N]
                           [--watch-s S] until Ctrl-C, or so many seconds  [--out FILE] [--json] [--dir D]
                           BUS: a bus of hub.yaml, a serial device, or HOST[:PORT]
                           serial: [--baud 9600] [--parity none|even|odd] [--stop-bits 1|2] [--timeout-ms 500]
       tugma modbus profiles [--json]          what is built in, with its source`;

const OPTIONS = {
  dir: { type: "string" },
  json: { type: "boolean" },
  bus: { type: "string" },
  unit: { type: "string" },
  table: { type: "string" },
  from: { type: "string" },
  count: { type: "string" },
  "watch-s": { type: "string" },
  out: { type: "string" },
  baud: { type: "string" },
  parity: { type: "string" },
  "stop-bits": { type: "string" },
  "timeout-ms": { type: "string" },
} as const;

const MODBUS_PORT = 502;
const ROUND_MS = 500;
/** Rounds without any answer, after which there is nobody. */
const MUTE_ROUNDS = 3;

const COMMANDS: Readonly<Record<string, (call: Call) => Promise<number> | number>> = { learn, profiles };

/** As `run` of hub/cli.ts, which turns its errors into exit statuses. */
export async function runModbus(args: readonly string[], io: CliIo): Promise<number> {
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(USAGE);
  return command(parseCall(rest, OPTIONS, io));
}

function profiles({ values, io }: Call): number {
  if (values["json"]) io.print(JSON.stringify(PROFILES));
  else
    for (const [name, { title, source }] of Object.entries(PROFILES))
      io.print(`${name}\n  ${title}\n  ${source}`);
  return 0;
}

async function learn(call: Call): Promise<number> {
  const range = rangeOf(call);
  const place = placeOf(call);
  const out = textOf(call.values, "out");
  if (out !== undefined && existsSync(out)) throw new UsageError(`--out: ${out} exists already`);
  const watchMs = numberOf(call, "watch-s", { min: 1, max: 86_400 }, 0) * 1000;
  const clock = createSystemClock();
  const { bus, lost } = await reach(place, clock);
  try {
    const notebook = await watch({ bus, range, call, clock, lost, watchMs });
    const draft = profileDraft(range, notebook.registers());
    if (out !== undefined) {
      writeFileSync(out, draft, { flag: "wx" });
      if (!call.values["json"]) call.io.print(`A draft of its profile is in ${out}.`);
    } else if (!call.values["json"]) for (const line of draft.trimEnd().split("\n")) call.io.print(line);
    if (call.values["json"]) call.io.print(JSON.stringify({ ...range, registers: notebook.registers() }));
    return 0;
  } finally {
    await bus.close();
  }
}

interface Watch {
  readonly bus: ModbusBus;
  readonly range: LearnRange;
  readonly call: Call;
  readonly clock: Clock;
  /** Rejects when the line is down. */
  readonly lost: Promise<never>;
  /** 0: until the command is told to end. */
  readonly watchMs: number;
}

async function watch({ bus, range, call, clock, lost, watchMs }: Watch) {
  const { io } = call;
  const notebook = createNotebook();
  const scan = createScan(bus, range);
  const show = call.values["json"] ? shownAsJson : shownAsText;
  const beganMs = clock.monotonicMs();
  const isOver = () => io.signal.aborted || (watchMs > 0 && clock.monotonicMs() - beganMs >= watchMs);
  let mute = 0;
  do {
    const round = scan.round((address, values) => {
      for (const seen of notebook.see(address, values)) io.print(show(seen));
    });
    const answered = await Promise.race([round, lost]);
    if (!scan.hasAny)
      throw new Unavailable(`unit ${range.unit} answers, and has no ${range.table} from ${range.from} on`);
    mute = answered === 0 ? mute + 1 : 0;
    if (mute === MUTE_ROUNDS)
      throw new Unavailable(`unit ${range.unit} does not answer: check its number, the rate, A and B`);
    await pause(ROUND_MS, clock, io.signal);
  } while (!isOver());
  return notebook;
}

function shownAsText({ address, value, was }: Sighting): string {
  const shown = (word: number) => `${String(word).padStart(5)} 0x${word.toString(16).padStart(4, "0")}`;
  return was === null
    ? `  ${String(address).padStart(5)}  ${shown(value)}`
    : `* ${String(address).padStart(5)}  ${shown(value)}  was ${shown(was)}`;
}

function shownAsJson(seen: Sighting): string {
  return JSON.stringify(seen);
}

interface Place {
  readonly openLine: (clock: Clock) => OpenLine;
  readonly format: CharacterFormat | null;
  readonly timeoutMs: number;
  readonly name: string;
}

function placeOf(call: Call): Place {
  const name = textOf(call.values, "bus");
  if (name === undefined) throw new UsageError(`tugma modbus learn: which bus?\n${USAGE}`);
  const timeoutMs = numberOf(call, "timeout-ms", { min: 50, max: 5_000 }, 500);
  if (name.startsWith("/")) return serialPlace(name, formatOf(call), timeoutMs);
  const [host = "", port] = name.split(":");
  if (port !== undefined)
    return tcpPlace(host, whole(port, "--bus HOST:PORT", { min: 1, max: 65_535 }), timeoutMs);
  const file = path.join(call.dir, "hub.yaml");
  const bus = readConfig(file).modbus.buses.find((one) => one.name === name);
  if (bus === undefined) {
    if (name.includes(".")) return tcpPlace(name, MODBUS_PORT, timeoutMs);
    throw new UsageError(
      `tugma modbus learn: ${file} has no bus "${name}"; a device is written with /, a host with its port`,
    );
  }
  const { baudRate, parity, stopBits } = bus;
  const format = { baudRate, dataBits: 8, parity, stopBits } as const;
  if (bus.host === undefined) return serialPlace(bus.path ?? "", format, bus.timeoutMs);
  const place = tcpPlace(bus.host, bus.port, bus.timeoutMs);
  return bus.rtuOverTcp ? { ...place, format } : place;
}

function serialPlace(device: string, format: CharacterFormat, timeoutMs: number): Place {
  const openLine =
    (clock: Clock): OpenLine =>
    (events) =>
      openSerialLine({ path: device, clock, ...format }, events);
  return { openLine, format, timeoutMs, name: device };
}

function tcpPlace(host: string, port: number, timeoutMs: number): Place {
  const openLine =
    (clock: Clock): OpenLine =>
    (events) =>
      openTcpLine({ host, port, clock }, events);
  return { openLine, format: null, timeoutMs, name: `${host}:${port}` };
}

/** Settles when the line is up. Rejects with Unavailable when it cannot be opened. */
async function reach({ openLine, format, timeoutMs, name }: Place, clock: Clock) {
  const up = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined); // it may go down when nobody looks any more
  const bus = openBus({
    clock,
    format,
    timeoutMs,
    openLine: openLine(clock),
    mayWrite: () => false,
    onLine(reason) {
      if (reason === null) return up.resolve();
      const advice = /lock/i.test(reason)
        ? " Another program has it: if that is the hub, stop it meanwhile."
        : "";
      const error = new Unavailable(`${name}: ${reason}.${advice}`);
      up.reject(error);
      lost.reject(error);
    },
  });
  try {
    await up.promise;
  } catch (error) {
    await bus.close();
    throw error;
  }
  return { bus, lost: lost.promise };
}

function formatOf(call: Call): CharacterFormat {
  const parity = textOf(call.values, "parity") ?? "none";
  if (parity !== "none" && parity !== "even" && parity !== "odd")
    throw new UsageError(`--parity: "${parity}" is none of none, even, odd`);
  const stopBits = numberOf(call, "stop-bits", { min: 1, max: 2 }, 1) === 2 ? 2 : 1;
  return {
    baudRate: numberOf(call, "baud", { min: 300, max: 1_000_000 }, 9600),
    dataBits: 8,
    parity,
    stopBits,
  };
}

function rangeOf(call: Call): LearnRange {
  const table = textOf(call.values, "table") ?? "holdingRegisters";
  if (!Object.hasOwn(TABLES, table))
    throw new UsageError(`--table: "${table}" is none of ${Object.keys(TABLES).join(", ")}`);
  const from = numberOf(call, "from", { min: 0, max: 65_535 }, 0);
  const unit = textOf(call.values, "unit");
  if (unit === undefined) throw new UsageError(`tugma modbus learn: which unit?\n${USAGE}`);
  return {
    unit: numberOf(call, "unit", { min: 1, max: 247 }, 1),
    table: table as Table,
    from,
    count: numberOf(
      call,
      "count",
      { min: 1, max: Math.min(4096, 65_536 - from) },
      Math.min(64, 65_536 - from),
    ),
  };
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function numberOf({ values }: Call, name: string, bounds: Bounds, byDefault: number): number {
  const text = textOf(values, name);
  return text === undefined ? byDefault : whole(text, `--${name}`, bounds);
}

function whole(text: string, name: string, { min, max }: Bounds): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max)
    throw new UsageError(`${name}: "${text}" is no whole number from ${min} to ${max}`);
  return number;
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const timer = clock.setTimer(end, ms);
    function end(): void {
      timer.cancel();
      signal.removeEventListener("abort", end);
      done();
    }
    signal.addEventListener("abort", end);
  });
}
