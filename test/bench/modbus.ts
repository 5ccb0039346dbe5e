/** Reads per second of a Modbus line, against the most that its characters and the silence of three and a half of them
 *  around each frame allow. A slave of libmodbus takes the time that the characters would take on a wire. */
import { createSystemClock } from "../../hub/clock.ts";
import { type ModbusBus, openBus } from "../../hub/modbus/bus.ts";
import { characterMs, frameGapMs, replyLength } from "../../hub/modbus/rtu-frame.ts";
import { openSerialLine } from "../../hub/modbus/serial-line.ts";
import { hasSlave, openPtyPair, slaveFolder, startSlave } from "../hub/modbus/slave.ts";
import type { Bench, Measured } from "./measure.ts";
import type { Figure } from "./stats.ts";

const UNIT = 1;
const REQUEST_BYTES = 8;
const LINES = [
  { baudRate: 9600, count: 1 },
  { baudRate: 9600, count: 100 },
  { baudRate: 19_200, count: 1 },
  { baudRate: 38_400, count: 16 },
] as const;
const AT_LEAST = 0.9;

export async function measure({ quick, signal, progress }: Bench): Promise<Measured> {
  if (!hasSlave())
    return { figures: [], skipped: [{ name: "Modbus reads", why: "it needs gcc, socat and libmodbus-dev" }] };
  await using stack = new AsyncDisposableStack();
  const { dir, binary } = slaveFolder(stack);
  const figures: Figure[] = [];
  for (const { baudRate, count } of LINES) {
    if (signal.aborted) break;
    progress(`${baudRate} baud, ${count} registers a read`);
    const format = { baudRate, dataBits: 8, parity: "none", stopBits: 1 } as const;
    await using line = new AsyncDisposableStack();
    const pty = await openPtyPair(dir, line);
    const slave = await startSlave(binary, ["rtu", pty.theirs, String(baudRate), String(UNIT)], line);
    await slave.tell(`pace ${baudRate}`);
    const bus = await openReadyBus(pty.ours, format, line);
    const perSecond = await readsPerSecond(bus, count, quick ? 2_000 : 8_000);
    const bytes = REQUEST_BYTES + replyLength({ functionCode: 3, count });
    const limit = 1000 / (bytes * characterMs(format) + 2 * frameGapMs(format));
    figures.push({
      name: `Modbus, ${baudRate} baud, ${count} ${count === 1 ? "register" : "registers"} a read`,
      value: perSecond,
      unit: "reads/s",
      reference: { what: "the line's limit", value: limit },
      bound: { is: ">=", limit: AT_LEAST },
    });
  }
  return { figures };
}

async function openReadyBus(
  path: string,
  format: Parameters<typeof frameGapMs>[0],
  stack: AsyncDisposableStack,
): Promise<ModbusBus> {
  const clock = createSystemClock();
  const up = Promise.withResolvers<void>();
  const bus = openBus({
    clock,
    format,
    openLine: (events) => openSerialLine({ path, clock, ...format }, events),
    timeoutMs: 500,
    mayWrite: () => false,
    onLine: (reason) => reason === null && up.resolve(),
  });
  stack.defer(() => bus.close());
  await up.promise;
  return bus;
}

async function readsPerSecond(bus: ModbusBus, count: number, forMs: number): Promise<number> {
  const read = async () => {
    const outcome = await bus.read({ unit: UNIT, functionCode: 3, address: 0, count });
    if (!outcome.ok) throw new Error(`a read failed: ${outcome.failure.type}`);
  };
  await read();
  const beganMs = performance.now();
  let reads = 0;
  for (; performance.now() - beganMs < forMs; reads++) await read();
  return (reads * 1000) / (performance.now() - beganMs);
}
