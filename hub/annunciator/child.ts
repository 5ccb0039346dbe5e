/** The annunciators, in a child process of their own: neither johnny-five nor a serial port can hold up the hub's core or
 *  take it down. Started by annunciator.ts. When the core is gone everything is switched off; the next core knows from its
 *  journal what must go on. */
import { createSystemClock } from "../clock.ts";
import { openArduino } from "./arduino.ts";
import type { AnnunciatorConfig } from "./config.ts";
import type { Driver, DriverEvents } from "./driver.ts";
import type { FromAnnunciator, ToAnnunciator } from "./messages.ts";
import { openRelay } from "./relay.ts";
import { createShow, type Show } from "./show.ts";

const ALIVE_MS = 1_000;

const clock = createSystemClock();
const running = new Map<string, { driver: Driver; show: Show }>();

function tell(message: FromAnnunciator): void {
  if (process.connected) process.send?.(message);
}

function start(config: AnnunciatorConfig): void {
  const { name } = config;
  const driver = openDriver(config, {
    up: () => tell({ type: "line", name, reason: null }),
    down: (reason) => tell({ type: "line", name, reason }),
    silence: () => tell({ type: "silence", name }),
  });
  running.set(name, { driver, show: createShow(driver, clock) });
}

/** The configuration was checked: an Arduino's outputs have pins, a relay module's have coils. */
function openDriver(
  { arduino, relay, outputs, silencePin }: AnnunciatorConfig,
  events: DriverEvents,
): Driver {
  if (relay !== undefined) {
    const coils = outputs.flatMap(({ name, coil }) => (coil === undefined ? [] : { name, coil }));
    return openRelay({ relay, outputs: coils, clock }, events);
  }
  const pins = outputs.flatMap(({ name, pin }) => (pin === undefined ? [] : { name, pin }));
  return openArduino({ path: arduino ?? "", outputs: pins, silencePin: silencePin ?? null }, clock, events);
}

async function stop(): Promise<void> {
  for (const { show } of running.values()) show.stop();
  await Promise.all([...running.values()].map(({ driver }) => driver.close()));
  process.exit(0);
}

process.on("message", (message: ToAnnunciator) => {
  if (message.type === "start") for (const config of message.annunciators) start(config);
  else if (message.type === "show") running.get(message.name)?.show.show(message.outputs);
  else void stop();
});
process.on("disconnect", () => void stop());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined); // the core decides when
setInterval(() => tell({ type: "alive" }), ALIVE_MS);
