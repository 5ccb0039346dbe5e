/** What hangs on a hub besides its own devices: panels of others, and its own sirens. Loaded only where hub.yaml has any. */
import type { Annunciators } from "./annunciator/annunciator.ts";
import type { Foundation, HubOptions } from "./foundation.ts";
import { openBook } from "./modbus/book.ts";
import type { Modbus } from "./modbus/modbus.ts";

/** Null where hub.yaml names no bus: then its libraries are not even loaded, and what stood at points is forgotten.
 *  `stack` ends the polling. */
export async function openPollers(
  { config, modbusLines }: HubOptions,
  foundation: Foundation,
  stack: AsyncDisposableStack,
): Promise<Modbus | null> {
  if (config.modbus.buses.length === 0) {
    const { journal, clock, trouble } = foundation;
    const book = await openBook({ journal, nowMs: clock.monotonicMs(), trouble });
    await book.forgetAllBut(new Set());
    return null;
  }
  const { openModbus } = await import("./modbus/modbus.ts");
  const modbus = await openModbus(foundation, config.modbus, modbusLines);
  stack.defer(() => modbus.close());
  return modbus;
}

/** Null where hub.yaml has none, and in virtual time; `stack` stops them. */
export async function openAnnunciators(
  { config, simulated }: HubOptions,
  foundation: Foundation,
  stack: AsyncDisposableStack,
): Promise<Annunciators | null> {
  if (config.annunciators.length === 0 || simulated) return null;
  const { startAnnunciators } = await import("./annunciator/annunciator.ts");
  const annunciators = await startAnnunciators(foundation, config.annunciators);
  stack.defer(() => annunciators.close());
  return annunciators;
}
