/** Resident memory of the hub's core process as `tugma hub run` starts it, connected to a centre: with nothing to do, and with
 *  10,000 devices of which each has been heard. */
import path from "node:path";
import { callControl } from "../../centre/control.ts";
import { startPart } from "../../hardware/demo/process.ts";
import type { DeviceRow } from "../../hub/lorawan/store.ts";
import { createBenchDevice, deviceRow } from "./devices.ts";
import { gatewayEui, openBenchGateway, pushDatagram } from "./gateway.ts";
import type { Bench, Measured } from "./measure.ts";
import { residentMbOf } from "./process-stat.ts";
import { ownPart, prepareHub, startCentrePart, writeCentreConfig } from "./road.ts";
import { median } from "./stats.ts";

const DEVICES = 10_000;
/** So many that the hub's rate limit for one gateway leaves them alone. */
const GATEWAYS = 64;
const WINDOW = 32;
/** At rest: what the start left behind is collected, and timers have come round. */
const REST_MS = 4_000;

export async function measure(bench: Bench): Promise<Measured> {
  const centreDir = path.join(bench.dir, "centre");
  writeCentreConfig(centreDir);
  const centre = await startCentrePart(centreDir, path.join(bench.dir, "centre.log"));
  try {
    bench.progress("a hub without devices");
    const emptyMb = await weigh(bench, centreDir, "empty", []);
    bench.progress(`a hub with ${DEVICES} devices`);
    const rows = Array.from({ length: DEVICES }, (_, number) => deviceRow(number));
    const fullMb = await weigh(bench, centreDir, "full", rows);
    return {
      figures: [
        {
          name: "hub core's memory at rest",
          value: emptyMb.rest,
          unit: "MB",
          reference: null,
          bound: { is: "<=", limit: 120 },
        },
        {
          name: `hub core's memory for ${DEVICES} devices, all heard`,
          value: fullMb.heard - emptyMb.rest,
          unit: "MB more",
          reference: null,
          bound: { is: "<=", limit: 60 },
          detail: { beforeAnyWasHeardMb: fullMb.rest - emptyMb.rest },
        },
      ],
    };
  } finally {
    await centre.part.stop();
  }
}

async function weigh(bench: Bench, centreDir: string, name: string, rows: readonly DeviceRow[]) {
  bench.signal.throwIfAborted();
  const dir = path.join(bench.dir, name);
  const { code } = (await callControl(centreDir, "invite", {})) as { code: string };
  await prepareHub(dir, code, rows);
  await compileOnce(dir);
  const hub = ownPart(startPart(["hub", "run", "--dir", dir], path.join(bench.dir, `${name}.log`)));
  try {
    const { udpPort } = await hub.said<{ udpPort: number }>("udpPort");
    const rest = await residentAtRest(hub.pid);
    if (rows.length === 0) return { rest, heard: rest };
    const euis = Array.from({ length: GATEWAYS }, (_, number) => gatewayEui(number));
    const gateway = await openBenchGateway(udpPort, euis);
    const heartbeats = rows.map((_, number) =>
      pushDatagram(createBenchDevice(number).frame("heartbeat"), gatewayEui(number % GATEWAYS)),
    );
    const lost = await gateway.sendAll(heartbeats, WINDOW);
    gateway.close();
    if (lost > 0) throw new Error(`${lost} of ${DEVICES} heartbeats got no answer`);
    return { rest, heard: await residentAtRest(hub.pid) };
  } finally {
    await hub.stop();
  }
}

/** The first start after an installation also compiles, and holds the compiler until it ends. What is weighed is every
 *  start after it. */
async function compileOnce(dir: string): Promise<void> {
  const hub = ownPart(startPart(["hub", "run", "--dir", dir], path.join(dir, "first.log")));
  try {
    await hub.said("udpPort");
  } finally {
    await hub.stop();
  }
}

/** Median over the last second, in MB. */
async function residentAtRest(pid: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS - 1_000));
  const samples: number[] = [];
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    samples.push(residentMbOf(pid));
  }
  return median(samples);
}
