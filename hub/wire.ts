/** The wired part of the hub: its RS-485 buses, with their losses told. */

import { openRs485, type Rs485Carrier } from "./carriers/rs485.ts";
import { createLines } from "./carriers/rs485-line.ts";
import { hubDraft } from "./drafts.ts";
import type { Foundation, HubOptions } from "./foundation.ts";
import type { Road } from "./road.ts";
import type { Supervision } from "./supervision.ts";

export interface WireParts {
  readonly foundation: Foundation;
  readonly supervision: Supervision;
  readonly road: Road;
}

/** Opens the buses of the configuration; null where there is none, and then nothing of this is loaded or runs. */
export async function openWire(
  { config, clock, log, lines }: HubOptions,
  { foundation, supervision, road }: WireParts,
  stack: AsyncDisposableStack,
): Promise<Rs485Carrier | null> {
  if (config.buses.length === 0) return null;
  for (const { name } of config.buses) supervision.bus(name, false, clock.monotonicMs());
  const carrier = openRs485({
    buses: config.buses,
    clock,
    openLine: lines ?? (await createLines(clock)),
    onReception: (reception) => road.network.receive(reception),
    onBus(bus, isUp, reason) {
      supervision.bus(bus, isUp, clock.monotonicMs());
      if (isUp) log.info({ bus }, "bus.up");
      else log.warn({ bus, reason }, "bus.down");
    },
    onDevice(gateway, isUp, reason) {
      supervision.wire(gateway, isUp, reason);
      if (isUp) log.info({ gateway }, "bus.deviceBack");
      else log.warn({ gateway, reason }, "bus.deviceLost");
    },
    onConflict(gateway) {
      log.warn({ gateway }, "bus.conflict");
      foundation.tell(hubDraft("busConflict", gateway));
    },
  });
  stack.defer(() => carrier.close());
  road.network.attach(carrier);
  return carrier;
}
