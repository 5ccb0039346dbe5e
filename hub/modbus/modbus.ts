/** All Modbus buses of a hub: lines, units, and what the journal hears of them. Loaded only where hub.yaml has a bus. In
 *  the hub's own process: reading is waiting, and a round of a whole panel costs it some tens of microseconds a read; a
 *  child would add a second way for an alarm to be lost, between reading and storing. */

import type { Foundation } from "../foundation.ts";
import { type Book, openBook } from "./book.ts";
import { type ModbusBus, openBus } from "./bus.ts";
import { watchBus } from "./bus-watch.ts";
import { type BusConfig, type ModbusConfig, profileOf } from "./config.ts";
import { polledEui } from "./identity.ts";
import type { LineEvents, ModbusLines, OpenLine } from "./line.ts";
import type { CharacterFormat } from "./rtu-frame.ts";
import { openSerialLine } from "./serial-line.ts";
import { openTcpLine } from "./tcp-line.ts";
import { type PolledUnit, pollUnit, type UnitView } from "./unit.ts";

export interface Modbus {
  view(): BusView[];
  /** Sums over all buses. */
  readonly counters: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export interface BusView {
  readonly name: string;
  readonly isUp: boolean;
  readonly counters: ModbusBus["counters"];
  readonly units: readonly UnitView[];
}

/** Begins to poll. Rejects only when the journal cannot be read. */
export async function openModbus(
  foundation: Foundation,
  config: ModbusConfig,
  lines: ModbusLines = (bus) => machineLine(bus, foundation),
): Promise<Modbus> {
  const { journal, clock, trouble } = foundation;
  const book = await openBook({ journal, nowMs: clock.monotonicMs(), trouble });
  await book.forgetAllBut(new Set(config.buses.flatMap((bus) => euisOf(foundation.identity.hub, bus))));
  const buses = config.buses.map((bus) => startBus({ foundation, config, bus, book, openLine: lines(bus) }));
  return {
    view: () => buses.map(({ view }) => view()),
    get counters() {
      const all = buses.flatMap(({ view }) => Object.entries(view().counters));
      const sums: Record<string, number> = {};
      for (const [name, value] of all) sums[name] = (sums[name] ?? 0) + value;
      return sums;
    },
    async close() {
      await Promise.all(buses.map(({ close }) => close()));
    },
  };
}

interface BusParts {
  readonly foundation: Foundation;
  readonly config: ModbusConfig;
  readonly bus: BusConfig;
  readonly book: Book;
  readonly openLine: OpenLine;
}

function startBus({ foundation, config, bus, book, openLine }: BusParts) {
  const { clock, identity, log } = foundation;
  const watch = watchBus({ clock, book, name: bus.name, eui: polledEui(identity.hub, bus.name) });
  const writable = new Set(
    bus.units.flatMap((unit) => {
      const select = profileOf(config, unit)?.select;
      return unit.allowSelect && select !== undefined ? [`${unit.unit}/${select + unit.shift}`] : [];
    }),
  );
  const port = openBus({
    clock,
    openLine,
    format: bus.host === undefined || bus.rtuOverTcp ? formatOf(bus) : null,
    timeoutMs: bus.timeoutMs,
    mayWrite: (unit, address) => writable.has(`${unit}/${address}`),
    onLine(reason) {
      if (reason === null) log.info({ bus: bus.name }, "modbus.lineUp");
      else log.warn({ bus: bus.name, reason }, "modbus.lineDown");
      watch.line(reason === null);
    },
  });
  const units: PolledUnit[] = [];
  const lostUnits = () => units.filter((unit) => unit.view().isLost).length;
  for (const unit of bus.units) {
    const profile = profileOf(config, unit);
    if (profile === undefined) throw new Error(`modbus: no profile ${unit.profile}`);
    const names = [bus.name, unit.name] as const;
    const eui = (point?: number) =>
      polledEui(identity.hub, ...names, ...(point === undefined ? [] : [point]));
    units.push(
      pollUnit({ bus: port, busName: bus.name, config: unit, profile, book, clock, eui, lostUnits }),
    );
  }
  return {
    view: (): BusView => ({
      name: bus.name,
      isUp: port.isUp,
      counters: port.counters,
      units: units.map((unit) => unit.view()),
    }),
    async close() {
      const stopped = units.map((unit) => unit.stop());
      await port.close();
      await Promise.all(stopped);
      await watch.stop();
    },
  };
}

function euisOf(hub: string, bus: BusConfig): string[] {
  const units = bus.units.flatMap(({ name, points }) => [
    polledEui(hub, bus.name, name),
    ...points.map(({ at }) => polledEui(hub, bus.name, name, at)),
  ]);
  return [polledEui(hub, bus.name), ...units];
}

function formatOf({ baudRate, parity, stopBits }: BusConfig): CharacterFormat {
  return { baudRate, dataBits: 8, parity, stopBits };
}

function machineLine(bus: BusConfig, { clock }: Pick<Foundation, "clock">): OpenLine {
  return (events: LineEvents) => {
    if (bus.host !== undefined) return openTcpLine({ host: bus.host, port: bus.port, clock }, events);
    return openSerialLine({ path: bus.path ?? "", clock, ...formatOf(bus) }, events);
  };
}
