/** Outputs on a Modbus relay module, over a line of its own. Each coil is written when it changes, and all of them are read
 *  again and again: a module that does not answer, or whose coils are not as they were written, is lost until it has taken
 *  everything anew. */
import type { Clock, Timer } from "../clock.ts";
import { type ModbusBus, openBus } from "../modbus/bus.ts";
import type { OpenLine } from "../modbus/line.ts";
import { openSerialLine } from "../modbus/serial-line.ts";
import { openTcpLine } from "../modbus/tcp-line.ts";
import type { RelayConfig } from "./config.ts";
import type { Driver, DriverEvents } from "./driver.ts";

export interface RelayOptions {
  readonly relay: RelayConfig;
  readonly outputs: readonly { readonly name: string; readonly coil: number }[];
  readonly clock: Clock;
}

type Coils = RelayOptions["outputs"];

/** From one reading of the coils to the next. */
const READ_MS = 1_000;
const RETRY_MS = 250;
/** Requests in a row without success. */
const MISSES = 3;
/** The sirens are switched off within this time, or not at all. */
const CLOSE_MS = 1_000;

export function openRelay({ relay, outputs, clock }: RelayOptions, events: DriverEvents): Driver {
  const bus = openRelayBus(relay, outputs, clock);
  const { unit } = relay;
  let levels: Readonly<Record<string, boolean>> = {};
  /** What the module has confirmed. */
  const written = new Map<string, boolean>();
  let misses = 0;
  let state: "unknown" | "up" | "down" = "unknown";
  let closing = false;
  let wake: () => void = () => undefined;

  const wants = ({ name }: Coils[number]) => levels[name] ?? false;
  const isDone = () => outputs.every((output) => written.get(output.name) === wants(output));

  async function work(): Promise<void> {
    while (!closing || (misses === 0 && !isDone())) {
      const due = outputs.find((output) => written.get(output.name) !== wants(output));
      const problem = due === undefined ? await read() : await write(due);
      if (problem !== null) missed(problem);
      else misses = 0;
      if (problem === null && isDone() && state !== "up") {
        state = "up";
        events.up();
      }
      if (problem !== null) await rest(RETRY_MS);
      else if (isDone() && !closing) await rest(READ_MS);
    }
  }

  async function write(output: Coils[number]): Promise<string | null> {
    const isOn = wants(output);
    const outcome = await bus.switchCoil(unit, output.coil, isOn);
    if (!outcome.ok) return outcome.failure.type;
    written.set(output.name, isOn);
    return null;
  }

  async function read(): Promise<string | null> {
    const coils = outputs.map(({ coil }) => coil);
    const address = Math.min(...coils);
    const count = Math.max(...coils) - address + 1;
    const outcome = await bus.read({ unit, functionCode: 1, address, count });
    if (!outcome.ok) return outcome.failure.type;
    const wrong = outputs.find(
      ({ name, coil }) => outcome.values[coil - address] !== (written.get(name) ? 1 : 0),
    );
    if (wrong === undefined) return null;
    misses = MISSES;
    return `coil ${wrong.coil} is not as it was written`;
  }

  function missed(problem: string): void {
    misses++;
    if (misses < MISSES) return;
    // it may have lost its power: everything is said again
    written.clear();
    if (state === "down") return;
    state = "down";
    events.down(problem === "timeout" ? "no answer" : problem);
  }

  /** Until so long is over, or something is to be done. */
  function rest(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer: Timer = clock.setTimer(done, ms);
      wake = () => {
        timer.cancel();
        done();
      };
    });
  }

  const working = work();
  return {
    set(next) {
      levels = next;
      if (!isDone()) wake();
    },
    async close() {
      levels = {};
      closing = true;
      wake();
      await Promise.race([working, new Promise<void>((late) => clock.setTimer(late, CLOSE_MS))]);
      await bus.close();
    },
  };
}

function openRelayBus(relay: RelayConfig, outputs: Coils, clock: Clock): ModbusBus {
  const { host, port, path = "", baudRate, parity, stopBits, timeoutMs, unit } = relay;
  const format = { baudRate, dataBits: 8, parity, stopBits } as const;
  const openLine: OpenLine = (events) =>
    host === undefined
      ? openSerialLine({ path, clock, ...format }, events)
      : openTcpLine({ host, port, clock }, events);
  return openBus({
    clock,
    openLine,
    format: host === undefined ? format : null,
    timeoutMs,
    mayWrite: (to, address) => to === unit && outputs.some(({ coil }) => coil === address),
    onLine: () => undefined,
  });
}
