/** Alarms under load: one hub with 128 of them on their way at any moment, each from another button. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { callControl } from "../../centre/control.ts";
import { deviceRow } from "./devices.ts";
import { measureSignatureMs } from "./floor.ts";
import type { ToLoad } from "./gateway-load.ts";
import type { Bench, Measured } from "./measure.ts";
import { openRoad, type Road } from "./road.ts";
import { cpuSecondsSince, median, show } from "./stats.ts";

const IN_FLIGHT = 128;
const DEVICES = 1000;
/** So many that the hub's rate limit for one gateway leaves them alone. */
const GATEWAYS = 128;
const LIMIT_MS = 20_000;

interface Run {
  readonly alarmsPerS: number;
  readonly verificationsPerS: number;
  /** The hub's process, all threads, per alarm. */
  readonly hubCpuUs: number;
}

export async function measure(bench: Bench): Promise<Measured> {
  const rows = Array.from({ length: DEVICES }, (_, number) => deviceRow(number));
  const road = await openRoad(bench.dir, rows);
  const load = startLoad();
  const panics = watchPanics(road);
  const rounds = bench.quick ? 2 : 5;
  const perRound = bench.quick ? 4_000 : 10_000;
  const runs: Run[] = [];
  try {
    await load.ask({ open: { port: road.hub.udpPort, gateways: GATEWAYS, devices: DEVICES } });
    for (let n = 0; n <= rounds; n++) {
      bench.signal.throwIfAborted();
      bench.progress(n === 0 ? "warming up" : `round ${n} of ${rounds}`);
      runs.push(await runRound(load, panics, perRound));
    }
    if (road.complaints.length > 0) bench.progress(`the hub says: ${road.complaints.slice(0, 3).join("; ")}`);
    const sent = (rounds + 1) * perRound;
    return figures(runs.slice(1), { sent, ...(await countAtCentre(road)), outOfOrder: panics.outOfOrder });
  } finally {
    load.stop();
    await road.stop();
  }
}

/** The gateways' process. */
function startLoad() {
  const child = fork(fileURLToPath(new URL("gateway-load.ts", import.meta.url)), { stdio: ["ignore", 2, 2, "ipc"] });
  const send = (message: ToLoad) => void child.send(message);
  return {
    send,
    async ask(message: ToLoad): Promise<void> {
      const answered = once(child, "message");
      send(message);
      await answered;
    },
    stop: () => child.disconnect(),
  };
}

/** Sends `alarms`, a new one whenever one has its receipt on the hub's disk; settles with the rate. */
async function runRound(
  load: ReturnType<typeof startLoad>,
  panics: ReturnType<typeof watchPanics>,
  alarms: number,
): Promise<Run> {
  const verificationsPerS = 1000 / measureSignatureMs(1000).verifyMs;
  await load.ask({ make: alarms });
  const before = panics.settled;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`${panics.settled - before} of ${alarms} alarms in ${LIMIT_MS} ms`)),
    LIMIT_MS,
  );
  panics.onSettled = () => {
    const arrived = panics.settled - before;
    if (arrived === alarms) resolve();
    else load.send({ arrived });
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  load.send({ begin: { inFlight: IN_FLIGHT } });
  await promise;
  clearTimeout(timer);
  const alarmsPerS = (alarms * 1000) / (performance.now() - start);
  return { alarmsPerS, verificationsPerS, hubCpuUs: (cpuSecondsSince(cpu) * 1e6) / alarms };
}

/** Follows the alarms among the hub's records: how many have their receipt stored, and whether each device's keep their order. */
function watchPanics(road: Road) {
  const open: number[] = [];
  const last = new Map<string, number>();
  const panics = { settled: 0, outOfOrder: 0, onSettled: () => {} };
  road.hub.journal.onStored(({ sequence, event }) => {
    if (event.kind !== "panic") return;
    open.push(sequence);
    const device = event.device ?? "";
    if (event.eventNumber !== ((last.get(device) ?? 0) + 1) % 65_536) panics.outOfOrder++;
    last.set(device, event.eventNumber ?? 0);
  });
  road.onReceiptsStored((complete) => {
    while ((open[0] ?? Number.POSITIVE_INFINITY) <= complete) {
      open.shift();
      panics.settled++;
    }
    panics.onSettled();
  });
  return panics;
}

/** What the centre itself says: its ledger's records of this hub, and incidents. */
async function countAtCentre(road: Road): Promise<{ missing: number; incidents: number }> {
  const [hub] = (await callControl(road.centreDir, "hubs", {})) as { complete: number }[];
  const { incidents } = (await callControl(road.centreDir, "status", {})) as { incidents: number };
  return { missing: road.hub.journal.cursor("main") - (hub?.complete ?? 0), incidents };
}

interface Counted {
  readonly sent: number;
  readonly missing: number;
  readonly incidents: number;
  readonly outOfOrder: number;
}

function figures(runs: readonly Run[], counted: Counted): Measured {
  const value = median(runs.map((run) => run.alarmsPerS));
  const verifications = median(runs.map((run) => run.verificationsPerS));
  const wrong = counted.missing + counted.outOfOrder;
  return {
    figures: [
      {
        name: `alarms per second, ${IN_FLIGHT} in flight`,
        value,
        unit: "alarms per second",
        reference: { what: "Ed25519 verifications of one core", value: verifications },
        bound: { is: ">=", limit: 0.35 },
        detail: { ...counted, hubCpuUsPerAlarm: median(runs.map((run) => run.hubCpuUs)) },
      },
      {
        name: `of ${show(counted.sent)} alarms lost or out of order`,
        value: wrong,
        unit: "alarms",
        reference: null,
        bound: { is: "<=", limit: 0 },
      },
    ],
    bars: [
      {
        name: "Alarms, verified, stored and answered",
        unit: "per second",
        bars: [
          { label: `one hub, ${IN_FLIGHT} in flight`, value },
          { label: "one core's verifications", value: verifications },
        ],
      },
    ],
  };
}
