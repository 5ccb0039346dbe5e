/** The far end of a world: a real centre, and the line to it, which can be cut. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseConfig } from "../../centre/config.ts";
import { type Centre, startCentre } from "../../centre/main.ts";
import { createLink, type Link } from "../../hardware/demo/link.ts";
import type { Clock } from "../../hardware/virtual/clock.ts";
import { enrolHub } from "../../hub/enrol.ts";

export interface Far {
  readonly centre: Centre;
  readonly line: Link;
}

export interface FarOptions {
  /** The centre's folder. */
  readonly dir: string;
  readonly hubDir: string;
  readonly clock: Clock;
}

/** Starts the centre and enrols the hub with it as an installer would; `stack` ends both. */
export async function openFar({ dir, hubDir, clock }: FarOptions, stack: AsyncDisposableStack): Promise<Far> {
  const config = parseConfig("name: World\nhosts: [127.0.0.1]", "centre.yaml");
  const centre = await startCentre({ dir, config, clock, ports: { mqtt: 0, enrol: 0 }, web: false });
  stack.defer(() => centre.stop());
  const { code } = await centre.invite();
  await enrolHub({ dir: hubDir, code, hubName: "Hub of the world", centre: "main" });
  const line = await createLink(() => centre.mqttPort);
  stack.defer(() => line.close());
  const file = path.join(hubDir, "centre.json");
  const access = { ...JSON.parse(readFileSync(file, "utf8")), mqttPort: line.port };
  writeFileSync(file, JSON.stringify(access), { mode: 0o600 });
  return { centre, line };
}
