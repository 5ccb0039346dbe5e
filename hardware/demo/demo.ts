/** `tugma demo` (`npm start`): a hub, a centre and a site of four entrances and a shop with fire sensors on this machine, with the real protocols
 *  between them. Two addresses are printed: the entrances, to press, and the console, to answer. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import mqtt from "mqtt";
import { loginLink } from "../../centre/web/links.ts";
import { createRealClock } from "../virtual/clock.ts";
import { openBundle } from "./build.ts";
import { buildPages } from "./build-pages.ts";
import { createDemoSite } from "./demo-site.ts";
import { startEntranceServer } from "./entrance-server.ts";
import { createFireRoom, type FireRoom, fitSensor } from "./fire-room.ts";
import { freeTcpPort } from "./ports.ts";
import {
  DEMO_ENTRANCES,
  DEMO_GATEWAYS,
  DEMO_REGION,
  DEMO_SHOP,
  DEMO_STAIRWELL,
  signedHouse,
  signedPlace,
} from "./site-data.ts";
import { type Stairs, startStairs } from "./stairs.ts";
import { type SiteDevice, startVirtualSite } from "./virtual-site.ts";
import { startWorld, type World } from "./world.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
  readonly signal: AbortSignal;
}

const USAGE = `usage: npx tugma demo [--fresh] [--dir D]
  --fresh   begin with an empty world
  --dir D   where its state is kept (./data/demo)`;

const ENTRANCE_PORT = 8070;
const REALM = "demo";
const DEMO_OPERATOR = "Demo operator";

/** Exit status 0 after Ctrl-C, 64 for a wrong command line, 69 when something could not start. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let values: { fresh?: boolean; dir?: string };
  try {
    const options = { fresh: { type: "boolean" }, dir: { type: "string" } } as const;
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    io.printError(`demo: ${(error as Error).message}\n${USAGE}`);
    return 64;
  }
  const dir = path.resolve(values.dir ?? "data/demo");
  if (values.fresh) rmSync(dir, { recursive: true, force: true });
  const started = performance.now();
  await using stack = new AsyncDisposableStack();
  try {
    const lines = await compose(dir, io, stack);
    for (const line of lines) io.print(line);
    io.printError(`up after ${((performance.now() - started) / 1000).toFixed(1)} s; Ctrl-C stops everything`);
  } catch (error) {
    if (io.signal.aborted) return 0;
    io.printError(`demo: ${(error as Error).message}`);
    return 69;
  }
  if (!io.signal.aborted) await once(io.signal, "abort");
  io.printError("stopping");
  return 0;
}

async function compose(dir: string, io: Io, stack: AsyncDisposableStack): Promise<string[]> {
  const progress = (line: string) => io.printError(`· ${line}`);
  progress("building the pages and the firmware, where they are out of date");
  await buildPages();
  const bundle = await openBundle("entrance-button");
  const clock = createRealClock();
  const fire = createFireRoom(clock);
  stack.defer(fire.close);
  const stairs = await startStairs(clock);
  stack.defer(() => stairs.close());
  const others = [await mountStairwell(stairs), ...(await mountSensors(fire))];
  io.signal.throwIfAborted();
  const world = await startWorld({
    dir,
    region: DEMO_REGION,
    realm: REALM,
    buses: [busOf(stairs)],
    deviceNames: Object.fromEntries([...DEMO_ENTRANCES, ...others].map(({ id, name }) => [id, name])),
    usualPorts: true,
    progress,
  });
  stack.defer(() => world.stop());
  watchParts(world, io);
  progress("switching on the site: four entrances, a wired stairwell, two sensors, two gateways");
  const virtual = await startVirtualSite({ dir, clock, bundle, world, others, signal: io.signal });
  stack.defer(() => virtual.stop());
  const site = createDemoSite({
    site: virtual.site,
    entrances: [...DEMO_ENTRANCES, DEMO_STAIRWELL],
    rooms: [{ room: DEMO_SHOP, fire }],
    wire: { stairs, devices: new Map([[DEMO_STAIRWELL.wireAddress, DEMO_STAIRWELL.id]]) },
    ...{ gateways: DEMO_GATEWAYS, link: world.link, wallMs: clock.wallMs },
  });
  stack.defer(await watchHub(world, site.onHubMessage));
  const port = await freeTcpPort(ENTRANCE_PORT);
  const pages = await startEntranceServer({ port, host: "127.0.0.1", site, clock });
  stack.defer(() => pages.close());
  return addressLines(pages.address, world);
}

function addressLines(entrances: string, world: World): string[] {
  const console = `${consoleLink(world)}   (this link works once; later: ${world.console.url}/)`;
  return ["", `  Entrances, to press:  ${entrances}/`, `  Console, to answer:   ${console}`, ""];
}

/** As hub.yaml has it. Scanned: the hub is up before the site has power, and that is no device that is missing. */
function busOf({ tcpPort }: Stairs) {
  const { wireAddress } = DEMO_STAIRWELL;
  return { name: "stairs", path: `tcp://127.0.0.1:${tcpPort}`, scan: { from: wireAddress, to: wireAddress } };
}

/** The stairwell's button: the same program, built for the wire. */
async function mountStairwell(stairs: Stairs): Promise<SiteDevice> {
  const { id, name, place, position, wireAddress } = DEMO_STAIRWELL;
  const bundle = await openBundle("entrance-button", "wire");
  const fitting = { bundle, wire: stairs.attach(), identity: { wireAddress } };
  return { id, name, position, place: signedPlace(place), fitting };
}

/** The shop's sensors, each with its role's firmware, in the air of its room. */
function mountSensors(fire: FireRoom): Promise<SiteDevice[]> {
  const site = signedHouse(DEMO_SHOP.place);
  return Promise.all(
    DEMO_SHOP.sensors.map(async ({ id, name, zone, role, position }) => {
      const fitting = fitSensor(fire, role, await openBundle(role));
      return { id, name, position, place: { site, zone }, fitting };
    }),
  );
}

/** The first operator chooses a name and a password; later starts sign in a demo operator without either. */
function consoleLink({ console, centreDir }: World): string {
  return console.loginLink ?? loginLink(centreDir, console.url, DEMO_OPERATOR);
}

/** A part that ends by itself is said, with the place of its last words. */
function watchParts(world: World, io: Io): void {
  for (const [name, part] of [
    ["hub", world.hub()],
    ["centre", world.centre()],
  ] as const) {
    part.ended.then((how) => {
      if (!io.signal.aborted)
        io.printError(`the ${name} has ended (${how}); its last words are in ${name}.log`);
    });
  }
}

/** Listens on the hub's own broker, as any observer may. Settles with the way to stop. */
export async function watchHub(
  world: World,
  listener: (topic: string, payload: Uint8Array) => void,
): Promise<() => Promise<void>> {
  const { name, secret, port } = world.observer;
  const client = mqtt.connect({
    host: "127.0.0.1",
    port,
    username: name,
    password: secret,
    reconnectPeriod: 500,
  });
  client.on("error", () => undefined); // it connects again by itself
  client.on("connect", () => (client.stream as Socket).setNoDelay(true));
  client.on("message", listener);
  await client.subscribeAsync("tugma/#", { qos: 1 });
  return () => client.endAsync(true);
}
