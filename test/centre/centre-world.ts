/** A real centre on this machine, in a folder that goes away with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type CentreConfig, parseConfig } from "../../centre/config.ts";
import { type Centre, startCentre } from "../../centre/main.ts";
import { enrolHub, type HubDouble } from "./hub-double.ts";

export interface World {
  readonly dir: string;
  readonly config: CentreConfig;
  centre: Centre;
  newHub(name?: string): Promise<HubDouble>;
  /** Stops the centre and starts it again at the same ports. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

export async function startWorld(yaml = ""): Promise<World> {
  const dir = mkdtempSync(path.join(tmpdir(), "centre-"));
  const config = parseConfig(`enrol: { attemptsPerMinute: 1000 }\n${yaml}`, "test");
  const start = (mqtt: number, enrol: number) =>
    startCentre({ dir, config, ports: { mqtt, enrol }, web: false });
  const hubs: HubDouble[] = [];
  const world: World = {
    dir,
    config,
    centre: await start(0, 0),
    async newHub(name) {
      const { code } = await world.centre.invite();
      const hub = await enrolHub(world.centre.enrolPort, code, name);
      hubs.push(hub);
      return hub;
    },
    async restart() {
      const { mqttPort, enrolPort } = world.centre;
      await world.centre.stop();
      world.centre = await start(mqttPort, enrolPort);
    },
    async end() {
      for (const hub of hubs) await hub.end();
      await world.centre.stop();
      rmSync(dir, { recursive: true });
    },
  };
  return world;
}
