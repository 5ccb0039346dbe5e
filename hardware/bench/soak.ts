/** `tugma soak`: the bench rig presses a real button again and again, and every press is followed through the whole chain. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { parseArgs } from "node:util";
import mqtt from "mqtt";
import { KINDS, type Kind } from "../../protocols/device/kinds.ts";
import { STAGES, type Stage } from "../../protocols/device/stage.ts";
import { deviceTopic, EVENT_TOPIC } from "../../protocols/mqtt-topics.ts";
import { createRealClock } from "../virtual/clock.ts";
import { openRig, type Rig } from "./rig.ts";
import { CSV_HEAD, csvLine, describeSoak, drawSoak, readCsv, summarise } from "./soak-report.ts";
import { type HubWord, isLost, type SoakPress, type SoakStage, soak } from "./soak-run.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
  readonly signal: AbortSignal;
}

const USAGE = `usage: npx tugma soak --count N --port PATH --device DEVEUI --user NAME [--secret-file FILE]
  --port PATH          serial port of the rig's Arduino, with StandardFirmata
  --button 7           its digital pin of the relay across the button
  --lamp A0            its analog input of the phototransistor at the lamp
  --hub HOST:PORT      the hub's MQTT broker (127.0.0.1:1883)
  --user NAME          a name that "tugma hub user" made; its secret is read from the file, or from the standard input
  --until received     how far a press must come: stored, received, or lamp: the light that the rig sees
  --limit 120          seconds, after which a press is lost
  --hold 300 --gap 1500  milliseconds that a press lasts, and between one that is through and the next
  --csv soak.csv       a row for each press. If it is there, the soak goes on behind its last row
  --svg FILE --json
Ctrl-C ends it after the press that is on its way; the same command goes on. Exit status: 0 all pressed, none lost;
65 presses lost; 69 rig or hub not there; 75 not all pressed yet.`;

const OPTIONS = {
  count: { type: "string" },
  port: { type: "string" },
  device: { type: "string" },
  user: { type: "string" },
  "secret-file": { type: "string" },
  button: { type: "string", default: "7" },
  lamp: { type: "string", default: "A0" },
  hub: { type: "string", default: "127.0.0.1:1883" },
  until: { type: "string", default: "received" },
  limit: { type: "string", default: "120" },
  hold: { type: "string", default: "300" },
  gap: { type: "string", default: "1500" },
  csv: { type: "string", default: "soak.csv" },
  svg: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

interface Wanted {
  readonly count: number;
  readonly port: string;
  readonly device: string;
  readonly user: string;
  readonly secretFile: string | null;
  readonly button: number;
  readonly lamp: string;
  readonly host: string;
  readonly mqttPort: number;
  readonly until: SoakStage;
  readonly limitMs: number;
  readonly holdMs: number;
  readonly gapMs: number;
  readonly csv: string;
  readonly svg: string | null;
  readonly json: boolean;
}

const CONNECT_MS = 10_000;

/** Exit status as the usage says; 64 for a wrong command line. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let wanted: Wanted;
  let presses: SoakPress[];
  try {
    wanted = readWanted(args);
    presses = existsSync(wanted.csv) ? readCsv(readFileSync(wanted.csv, "utf8")) : [];
  } catch (error) {
    io.printError(`soak: ${(error as Error).message}\n${USAGE}`);
    return 64;
  }
  if (presses.length > 0)
    io.printError(`· ${wanted.csv} has ${presses.length} presses; going on behind them`);
  // a row that was cut off in the middle is pressed again
  writeFileSync(wanted.csv, [CSV_HEAD, ...presses.map(csvLine), ""].join("\n"));
  try {
    await pressAll(wanted, presses, io);
  } catch (error) {
    io.printError(`soak: ${(error as Error).message}`);
    return 69;
  } finally {
    if (wanted.svg !== null) writeFileSync(wanted.svg, drawSoak(presses, wanted.until));
  }
  const summary = summarise(presses, wanted.until);
  if (wanted.json) io.print(JSON.stringify(summary));
  else for (const line of describeSoak(summary)) io.print(line);
  if (summary.lost > 0) return 65;
  if (presses.length >= wanted.count) return 0;
  io.printError(`· stopped at press ${presses.length} of ${wanted.count}; the same command goes on`);
  return 75;
}

async function pressAll(wanted: Wanted, presses: SoakPress[], io: Io): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const clock = createRealClock();
  const { port: path, button, lamp, until, count } = wanted;
  const onHub = await followHub(wanted, stack);
  const rig: Rig = await openRig({ path, clock, button, power: null, lamps: { lamp } });
  stack.defer(() => rig.close());
  const broken = new AbortController();
  rig.onLost((reason) => broken.abort(new Error(`rig at ${path}: ${reason}`)));
  const { holdMs, gapMs, limitMs } = wanted;
  const onPress = (press: SoakPress) => {
    presses.push(press);
    appendFileSync(wanted.csv, `${csvLine(press)}\n`);
    const said = isLost(press, until) ? "LOST" : `${Math.round(press[`${until}Ms`] ?? 0)} ms`;
    io.printError(`· ${press.press}/${count}  event ${press.eventNumber ?? "–"}  ${until} ${said}`);
  };
  const from = presses.length + 1;
  const how = { from, to: count, holdMs, gapMs, until, limitMs, onPress, signal: io.signal };
  await soak({ clock, rig, onHub, ...how, broken: broken.signal });
}

/** What the hub says on its broker about the device. Rejects when the broker is not there or refuses the name. */
async function followHub(
  { host, mqttPort: port, user: username, device, secretFile }: Wanted,
  stack: AsyncDisposableStack,
) {
  const password = readFileSync(secretFile ?? process.stdin.fd, "utf8").trim();
  const listeners = new Set<(word: HubWord) => void>();
  const client = await mqtt.connectAsync(
    `mqtt://${host}:${port}`,
    { username, password, connectTimeout: CONNECT_MS, reconnectPeriod: 500 },
    false,
  );
  stack.defer(() => client.endAsync(true));
  const quick = () => (client.stream as Socket).setNoDelay(true);
  quick();
  client.on("connect", quick);
  client.on("error", () => undefined); // it connects again by itself
  client.on("message", (topic, payload, packet) => {
    const word = packet.retain ? null : wordOf(device, topic, payload);
    if (word !== null) for (const listener of listeners) listener(word);
  });
  await client.subscribeAsync([EVENT_TOPIC, deviceTopic("state", device)], { qos: 1 });
  return (listener: (word: HubWord) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
}

/** Null for what is about another device, or no alarm. */
function wordOf(device: string, topic: string, payload: Uint8Array): HubWord | null {
  const body = JSON.parse(Buffer.from(payload).toString("utf8")) as {
    device?: string | null;
    kind: Kind;
    eventNumber: number | null;
    ageMs: number;
    sequence: number;
    stage?: Stage;
    refersTo?: number | null;
  };
  const { eventNumber, ageMs, sequence, stage, kind } = body;
  if (eventNumber === null || !Object.hasOwn(KINDS, kind)) return null;
  const { priority } = KINDS[kind];
  if (priority !== "life" && priority !== "intrusion") return null;
  if (topic === EVENT_TOPIC)
    return body.device === device && body.refersTo === null
      ? { type: "event", eventNumber, ageMs, sequence }
      : null;
  return stage !== undefined && STAGES.includes(stage) ? { type: "stage", eventNumber, stage } : null;
}

function readWanted(args: readonly string[]): Wanted {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const text = (name: "port" | "user" | "device") => {
    const value = values[name];
    if (value === undefined) throw new Error(`--${name} is missing`);
    return value;
  };
  const number = (name: "count" | "button" | "limit" | "hold" | "gap", least: number) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least)
      throw new Error(`--${name} is a whole number from ${least}`);
    return value;
  };
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(values.hub) ?? [];
  const device = text("device").toLowerCase();
  if (!/^[0-9a-f]{16}$/.test(device)) throw new Error("--device is a DevEUI: 16 hex digits");
  if (host === "") throw new Error("--hub is HOST:PORT");
  if (!/^A[0-5]$/.test(values.lamp)) throw new Error("--lamp is an analog input, A0 to A5");
  const { until } = values;
  if (until !== "stored" && until !== "received" && until !== "lamp")
    throw new Error("--until is stored, received or lamp");
  return {
    count: number("count", 1),
    port: text("port"),
    device,
    user: text("user"),
    secretFile: values["secret-file"] ?? null,
    button: number("button", 2),
    lamp: values.lamp,
    host,
    mqttPort: Number(port),
    until,
    limitMs: number("limit", 1) * 1000,
    holdMs: number("hold", 1),
    gapMs: number("gap", 0),
    csv: values.csv,
    svg: values.svg ?? null,
    json: values.json,
  };
}
