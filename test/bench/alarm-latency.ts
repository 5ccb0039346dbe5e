/** One alarm at a time: from the datagram at the hub's socket until the centre's verified receipt is on the hub's disk. */
import { createBenchDevice, deviceRow } from "./devices.ts";
import { type Floor, measureFloor, measureSyncMs, medianFloor } from "./floor.ts";
import { gatewayEui, openBenchGateways, pushDatagram } from "./gateway.ts";
import type { Bench, Curve, Measured } from "./measure.ts";
import { openRoad, type Road } from "./road.ts";
import { distribution, type Figure, show } from "./stats.ts";

const DEVICES = 250;
/** So many that none runs out of its hour's airtime for answers, as no single gateway would have such a day. */
const GATEWAYS = 32;
/** The first ones warm everything up and do not count. */
const WARM_UP = 100;
/** At the floor. */
const LOOKS = 4;
const LATE_MS = 10_000;

export async function measure(bench: Bench): Promise<Measured> {
  const alarms = bench.slowSyncMs > 0 ? 150 : bench.quick ? 500 : 1500;
  const road = await openRoad(
    bench.dir,
    Array.from({ length: DEVICES }, (_, number) => deviceRow(number)),
  );
  try {
    const { samples, floors } = await pressOneByOne(bench, road, alarms);
    if (road.complaints.length > 0) bench.progress(`the hub says: ${road.complaints.slice(0, 3).join("; ")}`);
    return bench.slowSyncMs > 0 ? slowFigures(bench, samples) : figures(samples, medianFloor(floors));
  } finally {
    await road.stop();
  }
}

/** Milliseconds of each alarm, and between them looks at the floor. */
async function pressOneByOne(bench: Bench, road: Road, alarms: number) {
  const gateways = await openBenchGateways(
    road.hub.udpPort,
    Array.from({ length: GATEWAYS }, (_, number) => gatewayEui(number)),
  );
  const devices = Array.from({ length: DEVICES }, (_, number) => createBenchDevice(number));
  const alarmSequence = followAlarms(road);
  const samples: number[] = [];
  const floors: Floor[] = [];
  try {
    for (let n = 0; n < WARM_UP + alarms; n++) {
      bench.signal.throwIfAborted();
      if (n % Math.ceil(alarms / LOOKS) === 0) {
        bench.progress(`alarm ${n} of ${WARM_UP + alarms}`);
        if (bench.slowSyncMs === 0) floors.push(await measureFloor(bench.dir));
      }
      const gateway = n % GATEWAYS;
      const datagram = pushDatagram(
        devices[n % DEVICES]?.frame("panic") ?? new Uint8Array(),
        gatewayEui(gateway),
      );
      const stored = alarmSequence.next();
      const start = performance.now();
      gateways[gateway]?.send(datagram);
      const endMs = await stored;
      if (n >= WARM_UP) samples.push(endMs - start);
    }
  } finally {
    for (const gateway of gateways) gateway.close();
  }
  return { samples, floors };
}

/** When the receipt of the next alarm is on disk. Records that the hub writes on its own account do not count. */
function followAlarms(road: Road) {
  let waiting: { sequence: number | null; resolve(endMs: number): void } | null = null;
  let settled = (_: number) => false;
  const look = () => {
    if (waiting?.sequence == null || !settled(waiting.sequence)) return;
    waiting.resolve(performance.now());
    waiting = null;
  };
  road.hub.journal.onStored(({ sequence, event }) => {
    if (waiting !== null && event.kind === "panic") waiting.sequence = sequence;
  });
  road.onReceiptsStored((complete, beyond) => {
    settled = (sequence) => sequence <= complete || beyond.includes(sequence);
    look();
  });
  return {
    next(): Promise<number> {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`an alarm without a receipt after ${LATE_MS} ms`)),
          LATE_MS,
        );
        const done = (endMs: number) => {
          clearTimeout(timer);
          resolve(endMs);
        };
        waiting = { sequence: null, resolve: done };
      });
    },
  };
}

function figures(samples: readonly number[], floor: Floor): Measured {
  const { p50, p99 } = distribution(samples);
  const reference = {
    what: "3 syncs, 2 signatures, 2 verifications, 2 TLS round trips",
    value: floor.alarmMs,
  };
  const shared = { unit: "ms", reference, detail: { ...floor } };
  return {
    figures: [
      { ...shared, name: "one alarm to its stored receipt, p50", value: p50, bound: { is: "<=", limit: 2 } },
      { ...shared, name: "one alarm to its stored receipt, p99", value: p99, bound: { is: "<=", limit: 5 } },
    ],
    curves: [{ name: "one alarm", samples }],
  };
}

function slowFigures(bench: Bench, samples: readonly number[]): Measured {
  const syncMs = measureSyncMs(bench.dir, 50);
  const figure: Figure = {
    name: `one alarm, syncs ${bench.slowSyncMs} ms slower, p50`,
    value: distribution(samples).p50,
    unit: "ms",
    reference: { what: "one sync", value: syncMs },
    bound: { is: "<=", limit: 4 },
  };
  const curve: Curve = { name: `one alarm, sync ${show(syncMs)} ms`, samples };
  return { figures: [figure], curves: [curve] };
}
