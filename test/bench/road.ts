/** The whole road for measuring: a centre as `tugma centre run` starts it, and a hub in this process, so that the moment is seen
 *  at which its journal has a receipt. Real files, real mutual TLS between them, no radio: sessions are in the journal already. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { callControl } from "../../centre/control.ts";
import { type Part, startPart } from "../../hardware/demo/process.ts";
import { createSystemClock } from "../../hub/clock.ts";
import { configHash, type HubConfig, readConfig } from "../../hub/config.ts";
import { enrolHub } from "../../hub/enrol.ts";
import { loadIdentity } from "../../hub/enrolments.ts";
import { openJournal } from "../../hub/journal/host.ts";
import type { Journal } from "../../hub/journal/journal.ts";
import type { DeviceRow } from "../../hub/lorawan/store.ts";
import { type Hub, startHub } from "../../hub/main.ts";

export interface Road {
  readonly hub: Hub;
  readonly centre: Part;
  readonly centreDir: string;
  /** Calls `listener` when receipts are on stable storage: all records up to `complete`, and those `beyond` it. */
  onReceiptsStored(listener: (complete: number, beyond: readonly number[]) => void): void;
  /** Errors and warnings that the hub logged. */
  readonly complaints: readonly string[];
  stop(): Promise<void>;
}

export const REALM = "bench";
const UP_MS = 20_000;

/** Starts both in `dir` and waits until the hub is connected and all that it had to say itself is at the centre. */
export async function openRoad(dir: string, rows: readonly DeviceRow[]): Promise<Road> {
  await using stack = new AsyncDisposableStack();
  const centreDir = path.join(dir, "centre");
  const hubDir = path.join(dir, "hub");
  writeCentreConfig(centreDir);
  const { part: centre } = await startCentrePart(centreDir, path.join(dir, "centre.log"));
  stack.defer(() => centre.stop());
  const { code } = (await callControl(centreDir, "invite", {})) as { code: string };
  const config = await prepareHub(hubDir, code, rows);
  const complaints: string[] = [];
  const complain = (fields: object, event: string) => complaints.push(`${event} ${JSON.stringify(fields)}`);
  const silent = () => undefined;
  const hub = await startHub({
    dir: hubDir,
    config,
    clock: createSystemClock(),
    log: { debug: silent, info: silent, warn: complain, error: complain },
    wallSource: () => "ntp",
  });
  stack.defer(() => hub.stop());
  const listeners: ((complete: number, beyond: readonly number[]) => void)[] = [];
  watchReceipts(hub.journal, (complete, beyond) => {
    for (const listener of listeners) listener(complete, beyond);
  });
  await untilSettled(hub);
  const all = stack.move();
  return {
    hub,
    centre,
    centreDir,
    complaints,
    onReceiptsStored: (listener) => void listeners.push(listener),
    stop: () => all.disposeAsync(),
  };
}

/** A folder for a centre on free ports of the loopback. */
export function writeCentreConfig(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const host = "127.0.0.1";
  const free = { host, port: 0 };
  const config = { name: "Bench", realm: REALM, hosts: [host], mqtt: free, enrol: free, web: free };
  // what is JSON is YAML too
  writeFileSync(path.join(dir, "centre.yaml"), JSON.stringify(config));
}

/** A centre as its own process with its console. Settles when hubs can connect. */
export async function startCentrePart(
  dir: string,
  logFile: string,
): Promise<{ part: Part; mqttPort: number }> {
  const part = ownPart(startPart(["centre", "run", "--dir", dir, "--json"], logFile));
  const { mqttPort } = await part.said<{ mqttPort: number }>("mqttPort");
  return { part, mqttPort };
}

/** A part that does not outlive this process, however that ends. */
export function ownPart(part: Part): Part {
  const end = () => {
    try {
      process.kill(part.pid, "SIGKILL");
    } catch {
      // it has ended already
    }
  };
  process.once("exit", end);
  part.ended.then(() => process.off("exit", end));
  return part;
}

/** Settings for a hub; ports of 0 are any free ones. */
export function writeHubConfig(dir: string, ports = { udp: 0, mqtt: 0 }): HubConfig {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = path.join(dir, "hub.yaml");
  const host = "127.0.0.1";
  const doors = { semtechUdp: { host, port: ports.udp }, broker: { host, port: ports.mqtt } };
  writeFileSync(file, JSON.stringify({ name: "Bench", region: "EU868", ...doors }));
  return readConfig(file);
}

/** Enrols a hub in `dir` and gives it devices with their sessions, as if they had joined long ago. */
export async function prepareHub(dir: string, code: string, rows: readonly DeviceRow[]): Promise<HubConfig> {
  const config = writeHubConfig(dir);
  await enrolHub({ dir, code, hubName: "Bench", centre: "main" });
  await using journal = await openHubJournal(dir, config);
  await journal.saveDevices(rows);
  return config;
}

/** The journal of a hub that is not running. */
export function openHubJournal(dir: string, config: HubConfig): Promise<Journal> {
  const { genesis, hub, realm, signingKeyPem } = loadIdentity(dir);
  return openJournal({
    path: path.join(dir, "journal.sqlite"),
    genesis,
    hub,
    realm,
    configHash: configHash(config),
    privateKeyPem: signingKeyPem,
    stamp: () => ({
      time: { unixMs: Date.now(), uncertaintyMs: 1000, source: "ntp" },
      monotonicMs: Math.round(performance.now()),
    }),
  });
}

/** The hub stores receipts by `putReceipts`; when its promise settles they are on stable storage. */
function watchReceipts(
  journal: Journal,
  onStored: (complete: number, beyond: readonly number[]) => void,
): void {
  const putReceipts = journal.putReceipts.bind(journal);
  journal.putReceipts = async (batch) => {
    await putReceipts(batch);
    onStored(batch.complete, batch.beyond);
  };
}

async function untilSettled(hub: Hub): Promise<void> {
  const endMs = performance.now() + UP_MS;
  for (;;) {
    const { paths, head } = hub.status();
    const [main] = paths;
    if (main?.up === true && head.sequence > 0 && main.backlog === 0) return;
    if (performance.now() > endMs)
      throw new Error(`the hub did not get through to the centre in ${UP_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
