/** Alarms under load: one hub with 128 of them on their way at any moment, each from another button. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { callControl } from "../../centre/control.ts";
import { deviceRow } from "./devices.ts";
import { measureSignatureMs } from "./floor.ts";
import type { ToLoad } from "./gateway-load.ts";
import type { Bars, Bench, Measured } from "./measure.ts";
import { cpuSecondsOf } from "./process-stat.ts";
import { openRoad, type Road } from "./road.ts";
import { cpuSecondsSince, median, show } from "./stats.ts";

const IN_FLIGHT = 128;
/** For the plot. The hub has no more than 512 alarms on their way to a centre itself. */
const OTHER_LOADS = [1, 8, 32, 512];
const DEVICES = 1000;
/** So many that the hub's rate limit for one gateway leaves them alone. */
const GATEWAYS = 128;
const LIMIT_MS = 20_000;

type Bar = Bars["bars"][number];

interface Run {
  readonly alarmsPerS: number;
  readonly verificationsPerS: number;
  /** CPU time of the hub's and the centre's process, all threads, per alarm. */
  readonly hubCpuUs: number;
  readonly centreCpuUs: number;
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
    const byLoad = bench.quick ? [] : await measureLoads(bench, load, panics);
    if (road.complaints.length > 0) bench.progress(`the hub says: ${road.complaints.slice(0, 3).join("; ")}`);
    const counted = { sent: panics.settled, ...(await countAtCentre(road)), outOfOrder: panics.outOfOrder };
    return figures(runs.slice(1), byLoad, counted);
  } finally {
    load.stop();
    await road.stop();
  }
}

/** The same with other numbers of alarms on their way, a few seconds each. */
async function measureLoads(
  bench: Bench,
  load: ReturnType<typeof startLoad>,
  panics: ReturnType<typeof watchPanics>,
): Promise<Bar[]> {
  const bars: Bar[] = [];
  for (const inFlight of OTHER_LOADS) {
    bench.signal.throwIfAborted();
    bench.progress(`${inFlight} in flight`);
    const { alarmsPerS } = await runRound(load, panics, inFlight === 1 ? 1000 : 5000, inFlight);
    bars.push({ label: `${inFlight} in flight`, value: alarmsPerS });
  }
  return bars;
}

/** The gateways' process. */
function startLoad() {
  const child = fork(fileURLToPath(new URL("gateway-load.ts", import.meta.url)), {
    stdio: ["ignore", 2, 2, "ipc"],
  });
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
  inFlight = IN_FLIGHT,
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
  const centreCpuS = cpuSecondsOf(panics.centrePid);
  const start = performance.now();
  load.send({ begin: { inFlight } });
  await promise;
  clearTimeout(timer);
  const alarmsPerS = (alarms * 1000) / (performance.now() - start);
  const hubCpuUs = (cpuSecondsSince(cpu) * 1e6) / alarms;
  const centreCpuUs = ((cpuSecondsOf(panics.centrePid) - centreCpuS) * 1e6) / alarms;
  return { alarmsPerS, verificationsPerS, hubCpuUs, centreCpuUs };
}

/** Follows the alarms among the hub's records: how many have their receipt stored, and whether each device's keep their order. */
function watchPanics(road: Road) {
  const open: number[] = [];
  const last = new Map<string, number>();
  const panics = { centrePid: road.centre.pid, settled: 0, outOfOrder: 0, onSettled: () => {} };
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

function figures(runs: readonly Run[], byLoad: readonly Bar[], counted: Counted): Measured {
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
        detail: {
          ...counted,
          hubCpuUsPerAlarm: median(runs.map((run) => run.hubCpuUs)),
          centreCpuUsPerAlarm: median(runs.map((run) => run.centreCpuUs)),
        },
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
        name: "Alarms of one hub, by load",
        unit: "per second, each stored and answered by the centre",
        bars: [...byLoad.slice(0, -1), { label: `${IN_FLIGHT} in flight`, value }, ...byLoad.slice(-1)],
      },
    ],
  };
}
