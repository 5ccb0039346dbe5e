/** A centre in a process of its own, for tests that kill it: node centre-child.ts DIR MQTT_PORT ENROL_PORT. Says its ports on its
 *  IPC channel, and answers "invite" and acts there. */
import { parseConfig } from "../../centre/config.ts";
import type { Act } from "../../centre/incidents/incident.ts";
import { startCentre } from "../../centre/main.ts";

export const CRASH_CONFIG = "realm: tugma-crash\nenrol: { attemptsPerMinute: 100000 }";

export type Asked = { type: "invite" } | { type: "act"; act: Act };

const [dir, mqtt = "0", enrol = "0"] = process.argv.slice(2);

if (dir !== undefined && process.send) {
  const config = parseConfig(CRASH_CONFIG, "test");
  const centre = await startCentre({
    dir,
    config,
    ports: { mqtt: Number(mqtt), enrol: Number(enrol) },
    web: false,
  });
  process.on("message", (asked: Asked) => {
    const answer = asked.type === "invite" ? centre.invite() : centre.act(asked.act);
    answer.then((value) => process.send?.(value));
  });
  process.on("disconnect", () => process.exit(0));
  process.send({ mqttPort: centre.mqttPort, enrolPort: centre.enrolPort });
}
