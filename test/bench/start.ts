/** From `tugma hub run` to the first acknowledgement: a board publishes its alarm to the hub's broker as soon as that takes it,
 *  and its PUBACK says that the alarm is on stable storage. With a new journal, and with one of a million records. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { freeTcpPort } from "../../hardware/demo/ports.ts";
import { startPart } from "../../hardware/demo/process.ts";
import { addBrokerUser } from "../../hub/credentials.ts";
import { withDeviceTables } from "../../hub/journal/offline.ts";
import { deviceTopic } from "../../protocols/mqtt-topics.ts";
import { createBenchDevice, devEuiOf, deviceRow } from "./devices.ts";
import { makeHubFolder } from "./hub-folder.ts";
import type { Bench, Measured } from "./measure.ts";
import { millionRecords, RECORDS } from "./million.ts";
import { connectTcp, type RawClient } from "./raw-mqtt.ts";
import { openHubJournal, ownPart, writeHubConfig } from "./road.ts";
import { distribution, type Figure, show } from "./stats.ts";

/** Behind all others, so that the million's devices are left alone. */
const BOARD = 5000;
const LIMIT_MS = 20_000;
const RETRY_MS = 10;

export async function measure(bench: Bench): Promise<Measured> {
  const rounds = bench.quick ? 3 : 7;
  const fresh = path.join(bench.dir, "hub");
  await makeHubFolder(fresh, path.join(bench.dir, "centre"));
  await (await openHubJournal(fresh, writeHubConfig(fresh)))[Symbol.asyncDispose]();
  bench.progress("with a new journal");
  const samples = await startAgainAndAgain(bench, fresh, rounds);
  const name = "start to first acknowledgement";
  const curves = [{ name, samples }];
  const first = figureOf(name, samples, 1.5);
  const second = `start with ${show(RECORDS)} records`;
  if (bench.quick)
    return { figures: [first], curves, skipped: [{ name: second, why: "left out by --quick" }] };
  const million = await millionRecords(bench);
  bench.progress(`with a journal of ${RECORDS} records`);
  const later = await startAgainAndAgain(bench, million, rounds);
  return {
    figures: [first, figureOf(second, later, 2)],
    curves: [...curves, { name: second, samples: later }],
  };
}

function figureOf(name: string, samples: readonly number[], limit: number): Figure {
  const { p50, max } = distribution(samples);
  const detail = { slowestS: max / 1000, starts: samples.length };
  return { name, value: p50 / 1000, unit: "s", reference: null, bound: { is: "<=", limit }, detail };
}

/** Milliseconds of each start. */
async function startAgainAndAgain(bench: Bench, dir: string, rounds: number): Promise<number[]> {
  const mqtt = await freeTcpPort(0);
  writeHubConfig(dir, { udp: 0, mqtt });
  const name = devEuiOf(BOARD);
  const password = addBrokerUser(dir, name, "device");
  withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.saveDevice(deviceRow(BOARD)));
  mkdirSync(bench.dir, { recursive: true });
  const board = createBenchDevice(BOARD);
  const samples: number[] = [];
  for (let n = 0; n < rounds; n++) {
    bench.signal.throwIfAborted();
    const frame = Buffer.from(board.frame("panic"));
    const start = performance.now();
    const hub = ownPart(startPart(["hub", "run", "--dir", dir], path.join(bench.dir, "hub.log")));
    try {
      await Promise.race([publishUntilAcknowledged(mqtt, { name, password, frame }), hub.said("never")]);
      samples.push(performance.now() - start);
    } finally {
      await hub.stop();
    }
  }
  return samples;
}

/** Connects again and again; settles with the PUBACK. */
async function publishUntilAcknowledged(
  port: number,
  { name, password, frame }: { name: string; password: string; frame: Buffer },
): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  const acknowledged = Promise.withResolvers<void>();
  const options = { clientId: name, username: name, password, onPubAck: () => acknowledged.resolve() };
  let client: RawClient | null = null;
  while (client === null) {
    if (performance.now() > endMs) throw new Error(`the hub's broker took no connection in ${LIMIT_MS} ms`);
    // refused connections are what is expected until it listens
    client = await connectTcp(port, options).catch(() => null);
    if (client === null) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  client.publish(deviceTopic("up", name), frame, 1);
  await acknowledged.promise;
  client.close();
}
