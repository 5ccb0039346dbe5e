/** The whole road on this machine: a centre, a hub and a line between them as processes of their own, started by the
 *  commands that an installer would type. What hangs on the hub (sites, gateways, load) is somebody else's part. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { callControl } from "../../centre/control.ts";
import type { BusConfig } from "../../hub/carriers/rs485-config.ts";
import { addBrokerUser } from "../../hub/credentials.ts";
import { enrolHub } from "../../hub/enrol.ts";
import { askHub } from "../../hub/status.ts";
import type { RegionName } from "../../protocols/lorawan/regions.ts";
import { createLink, type Link } from "./link.ts";
import { freeTcpPort, freeUdpPort } from "./ports.ts";
import { type Part, startPart } from "./process.ts";

export interface WorldOptions {
  /** Made when it is not there; keys, journal, ledger and logs live in it. */
  readonly dir: string;
  readonly region: RegionName;
  readonly realm: string;
  /** Wire buses of the hub, as hub.yaml has them. Default: none. */
  readonly buses?: readonly (Pick<BusConfig, "name" | "path"> & Partial<BusConfig>)[];
  /** Names of devices by DevEUI, for the console. */
  readonly deviceNames?: Readonly<Record<string, string>>;
  /** True: the ports of the manuals where they are free. False: any free ports. */
  readonly usualPorts?: boolean;
  /** Environment of both processes, e.g. a shim that slows the disk. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: (line: string) => void;
}

export interface WorldDevice {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
  readonly name: string;
  readonly place: { readonly site: string; readonly zone: string };
  readonly intervalS?: number;
}

export interface World {
  readonly hubDir: string;
  readonly centreDir: string;
  /** The line from the hub to the centre. */
  readonly link: Link;
  readonly udpPort: number;
  readonly console: { readonly url: string; readonly loginLink: string | null };
  hub(): Part;
  centre(): Part;
  /** Adds those that the hub does not know yet. */
  addDevices(devices: readonly WorldDevice[]): Promise<void>;
  /** Null while the hub is down. */
  hubStatus(): Promise<Record<string, unknown> | null>;
  centreStatus(): Promise<Record<string, unknown> | null>;
  /** Kill -9 and start again; settles when it answers. */
  crashHub(): Promise<void>;
  crashCentre(): Promise<void>;
  /** Name, secret and port for watching the hub's own broker. */
  readonly observer: { readonly name: string; readonly secret: string; readonly port: number };
  stop(): Promise<void>;
}

const OBSERVER = "demo";

/** Starts everything; settles when a press would be heard. Rejects with nothing left running. */
export async function startWorld(options: WorldOptions): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const { dir, progress = () => undefined, env = process.env } = options;
  const centreDir = path.join(dir, "centre");
  const hubDir = path.join(dir, "hub");
  for (const folder of [dir, centreDir, hubDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ports = await choosePorts(options.usualPorts ?? false);
  writeConfigs(options, { centreDir, hubDir }, ports);

  progress("starting the centre");
  const startCentre = async () => {
    const part = startPart(
      ["centre", "run", "--dir", centreDir, "--json"],
      path.join(dir, "centre.log"),
      env,
    );
    await part.said("mqttPort");
    return part;
  };
  let centre = await startCentre();
  stack.defer(() => centre.stop());
  const web = await centre.said<{ port: number; loginLink: string | null }>("loginLink");
  const link = await createLink(() => ports.centreMqtt);
  stack.defer(() => link.close());
  if (!existsSync(path.join(hubDir, "enrolment.cose"))) {
    progress("enrolling the hub with a one-time code");
    const { code } = (await callControl(centreDir, "invite", {})) as { code: string };
    await enrolHub({ dir: hubDir, code, hubName: "Demo hub", centre: "main" });
  }
  pointHubAt(hubDir, link.port);
  const secret = addBrokerUser(hubDir, OBSERVER, "observer");
  progress("starting the hub");
  const startHub = async () => {
    const part = startPart(["hub", "run", "--dir", hubDir], path.join(dir, "hub.log"), env);
    await part.said("udpPort");
    return part;
  };
  let hub = await startHub();
  stack.defer(() => hub.stop());
  const socket = path.join(hubDir, "status.sock");
  const hubStatus = async () => (await askHub(socket, "GET", "/status")) as Record<string, unknown> | null;

  const everything = stack.move();
  return {
    hubDir,
    centreDir,
    link,
    udpPort: ports.udp,
    console: { url: `http://127.0.0.1:${web.port}`, loginLink: web.loginLink },
    hub: () => hub,
    centre: () => centre,
    observer: { name: OBSERVER, secret, port: ports.hubMqtt },
    hubStatus,
    centreStatus: async () =>
      ((await callControl(centreDir, "status", {})) ?? null) as Record<string, unknown> | null,
    async addDevices(devices) {
      const known = (await askHub(socket, "GET", "/devices")) as { devEui: string }[];
      const fresh = devices.filter((d) => !known.some((k) => k.devEui === d.devEui));
      if (fresh.length > 0) await askHub(socket, "POST", "/devices", fresh);
    },
    async crashHub() {
      await hub.kill();
      hub = await startHub();
    },
    async crashCentre() {
      await centre.kill();
      centre = await startCentre();
    },
    stop: () => everything.disposeAsync(),
  };
}

interface Ports {
  readonly centreMqtt: number;
  readonly enrol: number;
  readonly web: number;
  readonly hubMqtt: number;
  readonly udp: number;
}

async function choosePorts(usual: boolean): Promise<Ports> {
  const tcp = (port: number) => freeTcpPort(usual ? port : 0);
  return {
    centreMqtt: await tcp(8883),
    enrol: await tcp(8884),
    web: await tcp(8080),
    hubMqtt: await tcp(1883),
    udp: await freeUdpPort(usual ? 1700 : 0),
  };
}

/** YAML is a superset of JSON, so what is written here is read by the same strict schemas as a person's file. */
function writeConfigs(
  { region, realm, deviceNames = {}, buses = [] }: WorldOptions,
  { centreDir, hubDir }: { centreDir: string; hubDir: string },
  ports: Ports,
): void {
  const write = (file: string, config: object) => {
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
  };
  write(path.join(centreDir, "centre.yaml"), {
    name: "Demo centre",
    realm,
    mqtt: { host: "127.0.0.1", port: ports.centreMqtt },
    enrol: { host: "127.0.0.1", port: ports.enrol },
    web: { host: "127.0.0.1", port: ports.web },
    devices: deviceNames,
  });
  write(path.join(hubDir, "hub.yaml"), {
    name: "Demo hub",
    region,
    semtechUdp: { host: "127.0.0.1", port: ports.udp },
    broker: { host: "127.0.0.1", port: ports.hubMqtt },
    buses,
    centre: { pollS: 2 },
  });
}

/** The hub reaches the centre over the line that can be cut. */
function pointHubAt(hubDir: string, port: number): void {
  const file = path.join(hubDir, "centre.json");
  const access = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, `${JSON.stringify({ ...access, mqttHost: "127.0.0.1", mqttPort: port }, null, 2)}\n`, {
    mode: 0o600,
  });
}
