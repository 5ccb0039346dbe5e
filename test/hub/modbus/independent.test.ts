/** Our bus and the bare library against a slave that is not ours, over a pseudo-terminal and over TCP. */
import modbusSerial from "modbus-serial";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createSystemClock } from "../../../hub/clock.ts";
import { type ModbusBus, openBus } from "../../../hub/modbus/bus.ts";
import type { OpenLine } from "../../../hub/modbus/line.ts";
import { openSerialLine } from "../../../hub/modbus/serial-line.ts";
import { openTcpLine } from "../../../hub/modbus/tcp-line.ts";
import { freePort, hasSlave, openPtyPair, type Slave, slaveFolder, startSlave } from "./slave.ts";

const { default: ModbusRTU } = modbusSerial;
const FORMAT = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;
const UNIT = 5;
const TIMEOUT_MS = 150;

const folder = new AsyncDisposableStack();
let place: { dir: string; binary: string };
const present = hasSlave();
beforeAll(() => {
  if (present) place = slaveFolder(folder);
});
afterAll(() => folder.disposeAsync());

function world(): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  return stack;
}

/** Registers 0 to 63 say 1000 more than their number. */
async function fill(slave: Slave): Promise<void> {
  for (let n = 0; n < 64; n++) await slave.tell(`holding ${n} ${1000 + n}`);
}

async function connected(
  openLine: OpenLine,
  isSerial: boolean,
  stack: AsyncDisposableStack,
): Promise<{ bus: ModbusBus; read(address: number, count?: number, unit?: number): Promise<unknown> }> {
  const up = Promise.withResolvers<void>();
  const bus = openBus({
    clock: createSystemClock(),
    openLine,
    format: isSerial ? FORMAT : null,
    timeoutMs: TIMEOUT_MS,
    mayWrite: (_, address) => address === 40,
    onLine: (reason) => reason === null && up.resolve(),
  });
  stack.defer(() => bus.close());
  await up.promise;
  return {
    bus,
    async read(address, count = 1, unit = UNIT) {
      const outcome = await bus.read({ unit, functionCode: 3, address, count });
      return outcome.ok ? outcome.values : outcome.failure;
    },
  };
}

async function overPty() {
  const stack = world();
  const pty = await openPtyPair(place.dir, stack);
  const slave = await startSlave(place.binary, ["rtu", pty.theirs, "9600", String(UNIT)], stack);
  await fill(slave);
  const clock = createSystemClock();
  const openLine: OpenLine = (events) => openSerialLine({ path: pty.ours, clock, ...FORMAT }, events);
  return { stack, pty, slave, openLine };
}

async function overTcp() {
  const stack = world();
  const port = await freePort();
  const slave = await startSlave(place.binary, ["tcp", String(port), String(UNIT)], stack);
  await fill(slave);
  const clock = createSystemClock();
  const openLine: OpenLine = (events) => openTcpLine({ host: "127.0.0.1", port, clock }, events);
  return { stack, slave, openLine };
}

describe.skipIf(!present)("a slave of libmodbus, over a pseudo-terminal", () => {
  test("after one late answer the bare library gives every read the value of the read before, for ever", async () => {
    const { stack, pty, slave } = await overPty();
    const client = new ModbusRTU();
    await client.connectRTUBuffered(pty.ours, { baudRate: 9600 });
    stack.defer(() => new Promise<void>((done) => client.close(() => done())));
    client.setID(UNIT);
    client.setTimeout(TIMEOUT_MS);
    const read = async (address: number) => (await client.readHoldingRegisters(address, 1)).data[0];
    expect(await read(1)).toBe(1001);
    await slave.tell(`delay ${TIMEOUT_MS + 50} 1`);
    await expect(read(7)).rejects.toMatchObject({ name: "TransactionTimedOutError" });
    const got: unknown[] = [];
    for (const n of [1, 2, 3, 9, 4]) got.push(await read(n));
    expect(got).toEqual([1007, 1001, 1002, 1003, 1009]);
  });

  test("ours gives each read its own value, whenever the late answer comes", async () => {
    const { stack, slave, openLine } = await overPty();
    const { read } = await connected(openLine, true, stack);
    for (const lateMs of [50, 180, 320, 400]) {
      await slave.tell(`delay ${TIMEOUT_MS + lateMs} 1`);
      expect(await read(7)).toEqual({ type: "timeout" });
      const after = [await read(1), await read(2), await read(3), await read(9), await read(4)];
      const wrong = after.filter(
        (got, at) => Array.isArray(got) && got[0] !== [1001, 1002, 1003, 1009, 1004][at],
      );
      expect(wrong).toEqual([]);
      expect(after.at(-1)).toEqual([1004]);
    }
  });

  test("tables, exceptions, registers that are not there, units that are not there", async () => {
    const { stack, slave, openLine } = await overPty();
    const { bus, read } = await connected(openLine, true, stack);
    await slave.tell("coil 3 1");
    await slave.tell("discrete 12 1");
    await slave.tell("input 9 65535");
    const of = (functionCode: 1 | 2 | 4, address: number, count: number) =>
      bus.read({ unit: UNIT, functionCode, address, count });
    expect(await of(1, 0, 10)).toEqual({ ok: true, values: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0] });
    expect(await of(2, 12, 1)).toEqual({ ok: true, values: [1] });
    expect(await of(4, 9, 1)).toEqual({ ok: true, values: [65_535] });
    for (const exceptionCode of [5, 6, 11]) {
      await slave.tell(`except ${exceptionCode} 1`);
      expect(await read(1)).toEqual({ type: "exception", exceptionCode });
    }
    expect(await read(49_999, 2)).toEqual({ type: "exception", exceptionCode: 2 });
    expect(await read(1, 125)).toHaveLength(125);
    expect(await bus.select(UNIT, 40, 7)).toEqual({ ok: true, values: [] });
    expect(await read(40)).toEqual([7]);
    expect(await read(1, 1, UNIT + 1)).toEqual({ type: "timeout" });
  });

  test("an adapter that is unplugged is told once, and what waits for an answer is told at once", async () => {
    const { stack, slave, pty, openLine } = await overPty();
    const { bus, read } = await connected(openLine, true, stack);
    await slave.tell("mute 1");
    const waiting = read(1);
    while (slave.requests.length === 0) await quiet(1);
    await pty.end();
    expect(await waiting).toEqual({ type: "line" });
    expect(await read(1)).toEqual({ type: "line" });
    expect(bus.counters.lineLosses).toBe(1);
  });

  test("an adapter that is plugged in again is used again, time after time", async () => {
    const { stack, pty, openLine } = await overPty();
    const { bus, read } = await connected(openLine, true, stack);
    for (let n = 0; n < 2; n++) {
      await pty.end();
      while (bus.isUp) await quiet(5);
      await pty.again();
      const slave = await startSlave(place.binary, ["rtu", pty.theirs, "9600", String(UNIT)], stack);
      await slave.tell(`holding 1 ${1234 + n}`);
      while (!bus.isUp) await quiet(5);
      expect(await read(1)).toEqual([1234 + n]);
    }
    expect(bus.counters.lineLosses).toBe(2);
  });
});

describe.skipIf(!present)("a slave of libmodbus, over TCP", () => {
  test("values, exceptions, and a late answer that is known by its number", async () => {
    const { stack, slave, openLine } = await overTcp();
    const { read } = await connected(openLine, false, stack);
    expect([await read(3), await read(0, 2)]).toEqual([[1003], [1000, 1001]]);
    await slave.tell("except 6 1");
    expect(await read(3)).toEqual({ type: "exception", exceptionCode: 6 });
    expect(await read(49_999, 2)).toEqual({ type: "exception", exceptionCode: 2 });
    await slave.tell(`delay ${TIMEOUT_MS + 50} 1`);
    expect(await read(7)).toEqual({ type: "timeout" });
    for (const n of [1, 2, 3, 9]) expect(await read(n)).toEqual([1000 + n]);
  });

  test("a connection that no longer answers is made anew", async () => {
    const { stack, slave, openLine } = await overTcp();
    const { bus, read } = await connected(openLine, false, stack);
    await slave.tell("mute 3");
    for (let n = 0; n < 3; n++) expect(await read(1)).toEqual({ type: "timeout" });
    expect(bus.isUp).toBe(false);
    while (!bus.isUp) await quiet(20);
    expect(await read(1)).toEqual([1001]);
    expect(bus.counters.lineLosses).toBe(1);
  });
});

/** While something else is polled for. */
function quiet(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
