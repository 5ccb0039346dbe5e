/** Our bus on a line in virtual time. */
import { createVirtualClock, type VirtualClock } from "../../../hardware/virtual/clock.ts";
import {
  createModbusLine,
  createModbusUnit,
  type ModbusUnit,
  type VirtualModbusLine,
} from "../../../hardware/virtual/modbus-slave.ts";
import { type BusOptions, type ModbusBus, type Outcome, openBus } from "../../../hub/modbus/bus.ts";
import type { OpenLine } from "../../../hub/modbus/line.ts";

export const FORMAT = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;
export const UNIT = 5;
export const TIMEOUT_MS = 200;

export interface VirtualBus {
  readonly clock: VirtualClock;
  readonly line: VirtualModbusLine;
  readonly unit: ModbusUnit;
  readonly bus: ModbusBus;
  /** Reads holding registers and lets time pass until the answer or the failure is there. */
  read(address: number, count?: number, unit?: number): Promise<Outcome>;
  plug(isIn: boolean): void;
  /** Lets time pass until a promise settles. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** A unit whose holding register n says 1000 + n, for n from 0 to 63. */
export async function virtualBus(change: Partial<BusOptions> = {}): Promise<VirtualBus> {
  const clock = createVirtualClock();
  const line = createModbusLine({ clock, baudRate: FORMAT.baudRate });
  const unit = createModbusUnit();
  for (let n = 0; n < 64; n++) unit.holdingRegisters.set(n, 1000 + n);
  line.units.set(UNIT, unit);
  let plug: (isIn: boolean) => void = () => undefined;
  const bus = openBus({
    clock,
    openLine: lineOf(line, clock, (handed) => {
      plug = handed;
    }),
    format: FORMAT,
    timeoutMs: TIMEOUT_MS,
    mayWrite: () => false,
    onLine: () => undefined,
    ...change,
  });
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false;
    void work.finally(() => {
      settled = true;
    });
    await clock.runUntil(() => settled, 600_000);
    return work;
  };
  await clock.advance(TIMEOUT_MS);
  const read = (address: number, count = 1, id = UNIT) =>
    during(bus.read({ unit: id, functionCode: 3, address, count }));
  return { clock, line, unit, bus, read, during, plug: (isIn) => plug(isIn) };
}

/** A line that is up at once and stays so until its plug is pulled. */
export function lineOf(
  virtual: VirtualModbusLine,
  clock: VirtualClock,
  hand: (plug: (isIn: boolean) => void) => void = () => undefined,
): OpenLine {
  return (events) => {
    let isUp = false;
    virtual.connect((bytes) => isUp && events.data(bytes));
    const plug = (isIn: boolean) => {
      isUp = isIn;
      if (isIn) events.up();
      else events.down("unplugged");
    };
    const plugIn = clock.setTimer(() => plug(true), 0);
    hand(plug);
    return {
      get isUp() {
        return isUp;
      },
      write: (bytes) => isUp && virtual.write(bytes),
      reset: () => undefined,
      async close() {
        plugIn.cancel();
        isUp = false;
      },
    };
  };
}
