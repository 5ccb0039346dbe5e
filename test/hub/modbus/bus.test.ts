import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../hub/modbus/bus.ts";
import { crc16, frameGapMs } from "../../../hub/modbus/rtu-frame.ts";
import { FORMAT, TIMEOUT_MS, UNIT, virtualBus } from "./virtual-bus.ts";

const value = (n: number): Outcome => ({ ok: true, values: [n] });
const TIMEOUT: Outcome = { ok: false, failure: { type: "timeout" } };
const exception = (exceptionCode: number): Outcome => ({
  ok: false,
  failure: { type: "exception", exceptionCode },
});

describe("a read on a serial line", () => {
  test("brings what the unit has, of all four tables", async () => {
    const { unit, bus, during } = await virtualBus();
    for (let n = 0; n < 20; n++) {
      unit.coils.set(n, n % 3 === 0 ? 1 : 0);
      unit.discreteInputs.set(n, n % 2);
      unit.inputRegisters.set(n, 65_535 - n);
    }
    const read = (functionCode: 1 | 2 | 3 | 4, address: number, count: number) =>
      during(bus.read({ unit: UNIT, functionCode, address, count }));
    expect(await read(1, 0, 10)).toEqual({ ok: true, values: [1, 0, 0, 1, 0, 0, 1, 0, 0, 1] });
    expect(await read(2, 1, 9)).toEqual({ ok: true, values: [1, 0, 1, 0, 1, 0, 1, 0, 1] });
    expect(await read(3, 2, 3)).toEqual({ ok: true, values: [1002, 1003, 1004] });
    expect(await read(4, 19, 1)).toEqual(value(65_516));
  });

  test("an exception is told with its code, and the next read is as good as before", async () => {
    const { unit, read } = await virtualBus();
    for (const code of [1, 2, 3, 4, 5, 6, 10, 11, 15]) {
      unit.refuse = () => code;
      expect(await read(3)).toEqual(exception(code));
      unit.refuse = () => null;
      expect(await read(3)).toEqual(value(1003));
    }
    expect(await read(60, 10)).toEqual(exception(2));
  });

  test("requests that nobody waits for in turn still get their own answers", async () => {
    const { bus, unit, during, line } = await virtualBus();
    line.units.set(6, { ...unit, holdingRegisters: new Map([[0, 6]]) });
    const asked = Array.from({ length: 12 }, (_, n) =>
      bus.read({ unit: n % 2 ? 6 : UNIT, functionCode: 3, address: n % 2 ? 0 : n, count: 1 }),
    );
    const all = await during(Promise.all(asked));
    expect(all).toEqual(all.map((_, n) => value(n % 2 ? 6 : 1000 + n)));
  });

  test("a unit that does not answer costs its time limit and the same time of quiet, no more", async () => {
    const { clock, unit, read } = await virtualBus();
    unit.isMute = true;
    const beganMs = clock.monotonicMs();
    expect(await read(1)).toEqual(TIMEOUT);
    unit.isMute = false;
    expect(await read(1)).toEqual(value(1001));
    expect(clock.monotonicMs() - beganMs).toBeLessThan(2 * TIMEOUT_MS + 120);
  });

  test("between frames the line is silent for three and a half characters", async () => {
    const { clock, line, read } = await virtualBus();
    await read(1);
    const answeredMs = clock.monotonicMs();
    let sentMs = 0;
    const write = line.requests.length;
    const asked = read(2);
    await clock.runUntil(() => line.requests.length > write, 1000);
    sentMs = clock.monotonicMs();
    await asked;
    expect(sentMs - answeredMs).toBeGreaterThanOrEqual(frameGapMs(FORMAT) - 1e-6);
  });

  test("nothing but reads leaves, and a write that is not allowed is refused before the line", async () => {
    const { bus, line } = await virtualBus();
    expect(() => bus.select(UNIT, 46_176, 1)).toThrow("not allowed");
    expect(line.requests).toEqual([]);
  });

  test("a selector is written where it is allowed, and only there", async () => {
    const { bus, unit, line, during } = await virtualBus({
      mayWrite: (id, at) => id === UNIT && at === 46_179,
    });
    const written: number[][] = [];
    unit.onWrite = (...args) => void written.push(args);
    expect(await during(bus.select(UNIT, 46_179, 7))).toEqual({ ok: true, values: [] });
    expect(written).toEqual([[46_179, 7]]);
    expect(() => bus.select(UNIT + 1, 46_179, 7)).toThrow("not allowed");
    expect(line.requests.map(([, code]) => code)).toEqual([6]);
  });
});

describe("an answer that comes too late", () => {
  test("is not taken for the next one, however late: each read has its own register's value, or none", async () => {
    const latency = fc.integer({ min: 0, max: 5 * TIMEOUT_MS });
    const step = fc.tuple(latency, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, unit, read } = await virtualBus();
        for (const [latencyMs, address, count] of steps) {
          unit.latencyMs = latencyMs;
          const outcome = await read(address, count);
          if (outcome.ok)
            expect(outcome.values).toEqual(Array.from({ length: count }, (_, n) => 1000 + address + n));
        }
        unit.latencyMs = 0;
        await clock.advance(60_000);
        expect(await read(0)).toEqual(value(1000));
      }),
      { numRuns: 150 },
    );
  });

  test("one late answer costs one read, and a unit that is always late gives no value at all", async () => {
    const { unit, read, bus } = await virtualBus();
    unit.latencyMs = 2.6 * TIMEOUT_MS;
    expect(await read(7)).toEqual(TIMEOUT);
    unit.latencyMs = 0;
    for (const n of [1, 2, 3, 9]) expect(await read(n)).toEqual(value(1000 + n));
    expect(bus.counters.probes).toBe(1);
    unit.latencyMs = 2.6 * TIMEOUT_MS;
    for (const n of [1, 2, 3, 9, 11, 12]) expect(await read(n)).toEqual(TIMEOUT);
  });

  test("a unit that only knows the one function is heard again once its late answers are over", async () => {
    const { clock, unit, read, line } = await virtualBus();
    unit.latencyMs = 2.6 * TIMEOUT_MS;
    await read(7);
    unit.latencyMs = 0;
    line.faults.change = (frame) => (frame[1] === 0x84 ? null : frame);
    expect(await read(1)).toEqual(TIMEOUT);
    await clock.advance(10 * TIMEOUT_MS);
    expect(await read(1)).toEqual(value(1001));
  });
});

describe("what else is on the line", () => {
  test("any single wrong byte of an answer: the read fails or is right, and the next one is right", async () => {
    const world = await virtualBus();
    const { line, read } = world;
    for (let at = 0; at < 9; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        line.faults.change = (frame) => frame.map((byte, n) => (n === at ? byte ^ flip : byte));
        expect(await read(3, 2)).toEqual(TIMEOUT);
        delete line.faults.change;
        expect(await read(4, 2)).toEqual({ ok: true, values: [1004, 1005] });
      }
    }
  });

  test("an answer by another unit, of another function or of another length answers nothing", async () => {
    const { line, read } = await virtualBus();
    const strangers = [
      [UNIT + 1, 3, 2, 0, 1],
      [UNIT, 4, 2, 0, 1],
      [UNIT, 3, 4, 0, 1, 0, 2],
      [UNIT, 3, 2, 0],
    ];
    for (const bytes of strangers) {
      line.faults.change = () => withCrc(bytes);
      expect(await read(3)).toEqual(TIMEOUT);
      delete line.faults.change;
      expect(await read(3)).toEqual(value(1003));
    }
  });

  test("noise before, behind and between answers is thrown away", async () => {
    const { line, read, clock, bus } = await virtualBus();
    line.faults.change = (frame) => Uint8Array.of(0xff, UNIT, 3, ...frame, 0x00);
    expect(await read(8)).toEqual(value(1008));
    line.noise(new Uint8Array(100_000).fill(UNIT));
    await clock.advance(10);
    expect(await read(9)).toEqual(value(1009));
    expect(bus.counters.discardedBytes).toBeGreaterThan(100_000);
  });

  test("an adapter that hears itself disturbs no read", async () => {
    const { line, unit, bus, read, during } = await virtualBus();
    line.faults.echo = true;
    for (let n = 768; n < 800; n++) unit.coils.set(n, 1);
    expect(await read(8)).toEqual(value(1008));
    // its answer is as long as the request, and the address stands where the length of the data would
    const alike = await during(bus.read({ unit: UNIT, functionCode: 1, address: 768, count: 24 }));
    expect(alike).toEqual({ ok: true, values: new Array(24).fill(1) });
  });

  test("a device that never stops fails the reads, in bounded time, and nothing is sent into it", async () => {
    const { line, bus, clock, during } = await virtualBus();
    let babbling = true;
    const babble = () => {
      line.noise(Uint8Array.of(0x55));
      if (babbling) clock.setTimer(babble, 1);
    };
    babble();
    const beganMs = clock.monotonicMs();
    const read = () => during(bus.read({ unit: UNIT, functionCode: 3, address: 1, count: 1 }));
    expect(await read()).toEqual(TIMEOUT);
    expect(clock.monotonicMs() - beganMs).toBeLessThan(2 * TIMEOUT_MS);
    expect([line.requests.length, bus.counters.babbles]).toEqual([0, 1]);
    babbling = false;
    await clock.advance(10);
    expect(await read()).toEqual(value(1001));
  });

  test("10 MB of noise while an answer is waited for: linear, and little is kept", async () => {
    const { line, unit, bus, during } = await virtualBus();
    unit.isMute = true;
    const asked = bus.read({ unit: UNIT, functionCode: 3, address: 0, count: 125 });
    const noise = Uint8Array.from({ length: 1000 }, (_, n) => (n % 3 === 0 ? UNIT : n % 3 === 1 ? 3 : 250));
    for (let mb = 0; mb < 10_000; mb++) line.noise(noise);
    expect(await during(asked)).toEqual(TIMEOUT);
  });
});

test("a line that goes down answers what is waiting, and what comes while it is down", async () => {
  const told: (string | null)[] = [];
  const { bus, line, clock, read, unit, plug } = await virtualBus({
    onLine: (reason) => void told.push(reason),
  });
  unit.isMute = true;
  const waiting = bus.read({ unit: UNIT, functionCode: 3, address: 0, count: 1 });
  await clock.advance(20);
  plug(false);
  const LOST = { ok: false, failure: { type: "line" } };
  expect(await waiting).toEqual(LOST);
  const sent = line.requests.length;
  expect(await read(1)).toEqual(LOST);
  expect(line.requests).toHaveLength(sent);
  expect(told).toEqual([null, "unplugged"]);
  expect(bus.counters.lineLosses).toBe(1);
});

function withCrc(bytes: readonly number[]): Uint8Array {
  const crc = crc16(Uint8Array.from(bytes));
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}
