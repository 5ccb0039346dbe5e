import { describe, expect, test } from "vitest";
import type { DeviceMemory } from "../../hardware/virtual/device-session.ts";
import { lossByTable } from "../../hardware/virtual/path-loss.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { ALARM, createRadioWorld, GATEWAY, HEARTBEAT, joinedWorld, sendAndWait } from "./radio-world.ts";

describe("a confirmed uplink", () => {
  // first symbol to ACK in RX1: airtime of 21 bytes + 1 s + airtime of 12 bytes without CRC
  test.each([
    [5, 1098],
    [4, 1175],
    [3, 1330],
    [2, 1659],
    [1, 2319],
    [0, 3474],
  ])("at DR%i has its ACK in RX1 after %i ms", async (dataRate, ms) => {
    const { world, device } = await joinedWorld({ dataRate });
    const { sent, downlink, afterMs } = await sendAndWait(world, device);
    expect(sent).toMatchObject({ acknowledged: true, copies: 1, fCntUp: 0 });
    expect(downlink).toMatchObject({ slot: 1, fPort: null });
    expect(Math.abs(afterMs - ms)).toBeLessThan(2);
    expect(world.hub.uplinks[0]).toMatchObject({ fCntUp: 0, payload: ALARM.payload });
  });

  test("whose answer comes too late for RX1 has its ACK in RX2 at SF12", async () => {
    const { world, device } = await joinedWorld();
    world.latencies.push(960);
    const { sent, downlink, afterMs } = await sendAndWait(world, device);
    expect(world.hub.txAcks.slice(-2)).toMatchObject([{ error: "TOO_LATE" }, { error: null }]);
    expect(sent).toMatchObject({ acknowledged: true, copies: 1 });
    expect(downlink).toMatchObject({ slot: 2 });
    expect(afterMs).toBeCloseTo(56.6 + 2000 + 991.2, -1);
  });

  test("is repeated with the same counter 1 to 3 s after RX2 while ACKs are withheld, and no more once one comes", async () => {
    let withheld = 2;
    const { world, device } = await joinedWorld({
      echo: { answer: () => (withheld > 0 ? null : { ack: true }), again: () => --withheld <= 0 },
    });
    const starts: number[] = [];
    world.air.onTransmission((t) => t.polarity === "up" && starts.push(t.startMs));
    const { sent } = await sendAndWait(world, device, { ...ALARM, trials: 4 });
    expect(sent).toMatchObject({ acknowledged: true, copies: 3 });
    for (const gap of [0, 1]) {
      const gapMs = (starts[gap + 1] ?? 0) - (starts[gap] ?? 0);
      expect(gapMs).toBeGreaterThan(56.6 + 2000 + 1000);
      expect(gapMs).toBeLessThan(56.6 + 2000 + 3300);
    }
    expect(world.hub.uplinks).toHaveLength(1);
    expect(world.hub.uplinks[0]?.copies).toHaveLength(3);
  });

  test("that nobody acknowledges is given up after its trials", async () => {
    const { world, device } = await joinedWorld({ echo: { answer: () => null } });
    const { sent } = await sendAndWait(world, device, { ...ALARM, trials: 4 });
    expect(sent).toMatchObject({ acknowledged: false, copies: 4 });
  });

  test("heard by three gateways reaches the hub three times, different in tmst only", async () => {
    const world = createRadioWorld();
    for (const n of [1, 2, 3]) await world.gateway(`0016c001ff00000${n}`, { tmstStart: n * 1_000_000 });
    const device = world.device();
    await world.join(device);
    await sendAndWait(world, device);
    const copies = world.hub.uplinks[0]?.copies ?? [];
    expect(new Set(copies.map(({ gateway }) => gateway)).size).toBe(3);
    expect(new Set(copies.map(({ rxpk }) => rxpk.tmst)).size).toBe(3);
    expect(new Set(copies.map(({ rxpk }) => JSON.stringify({ ...rxpk, tmst: 0 }))).size).toBe(1);
  });

  test("joins and is acknowledged while the gateway's counter wraps between uplink and downlink", async () => {
    const world = createRadioWorld();
    // the first join-request ends about 70 ms after power-on, its answer is due 5 s later
    await world.gateway(GATEWAY, { tmstStart: 2 ** 32 - 3_000_000 });
    const device = world.device();
    expect(await world.join(device)).toBe(true);
    expect((await sendAndWait(world, device)).sent).toMatchObject({ acknowledged: true });
  });
});

describe("power cut", () => {
  test("what was remembered goes on with the same session and never reuses a counter or a DevNonce", async () => {
    const world = createRadioWorld();
    await world.gateway();
    let kept: DeviceMemory | undefined;
    const first = world.device("70b3d57ed0060001", { onMemory: (memory) => (kept = memory) });
    await world.join(first);
    await sendAndWait(world, first);
    first.send(ALARM);
    await world.clock.advance(20);
    first.off();
    await world.clock.advance(5000);
    expect(kept).toMatchObject({ devNonce: 1, session: { fCntUp: 2 } });
    const second = world.device("70b3d57ed0060001", kept === undefined ? {} : { memory: kept });
    expect((await sendAndWait(world, second)).sent).toMatchObject({ acknowledged: true, fCntUp: 2 });
    expect(world.hub.uplinks.map(({ fCntUp }) => fCntUp)).toEqual([0, 2]);
    const nonces: number[] = [];
    world.air.onTransmission((t) => {
      const frame = decodePhyPayload(t.bytes);
      if (frame.mType === "joinRequest") nonces.push(frame.devNonce);
    });
    await world.join(second);
    expect(nonces).toEqual([1]);
  });

  test("a 1.0.3 device draws its DevNonce", async () => {
    const world = createRadioWorld();
    const device = world.device("70b3d57ed0060001", { version: "1.0.3" });
    const nonces = new Set<number>();
    world.air.onTransmission((t) => {
      const frame = decodePhyPayload(t.bytes);
      if (frame.mType === "joinRequest") nonces.add(frame.devNonce);
    });
    for (let i = 0; i < 5; i++) await world.join(device);
    expect(nonces.size).toBe(5);
    expect(Math.max(...nonces)).toBeGreaterThan(1000);
  });
});

describe("refusals", () => {
  test("nothing is sent before the join, while busy, or longer than the data rate allows", async () => {
    const world = createRadioWorld();
    await world.gateway();
    const device = world.device("70b3d57ed0060001", { dataRate: 0 });
    expect(device.send(ALARM)).toEqual({ type: "refused", reason: "notJoined" });
    device.join();
    expect(device.join()).toEqual({ type: "refused", reason: "busy" });
    await world.clock.runUntil(() => device.joined, 20_000);
    expect(device.send({ ...ALARM, payload: new Uint8Array(52) })).toEqual({
      type: "refused",
      reason: "length",
    });
    expect(device.send({ ...ALARM, payload: new Uint8Array(51) })).toEqual({ type: "started" });
  });

  test("an hour's credit may be sent at once, and then the device says how long it must wait", async () => {
    const { world, device } = await joinedWorld({ dataRate: 0, echo: { answer: () => null } });
    let onAirMs = 0;
    world.air.onTransmission((t) => {
      if (t.polarity === "up" && t.frequencyHz > 868_000_000) onAirMs += t.endMs - t.startMs;
    });
    const startMs = world.clock.monotonicMs();
    for (;;) {
      const started = device.send(HEARTBEAT);
      if (started.type !== "started") {
        expect(started).toMatchObject({ type: "wait" });
        const waitMs = started.type === "wait" ? started.waitMs : 0;
        expect(waitMs).toBeGreaterThan(1000);
        await world.clock.advance(waitMs + 1);
        expect(device.send(HEARTBEAT)).toEqual({ type: "started" });
        break;
      }
      await world.clock.runUntil(() => !device.busy, 10_000);
    }
    // 1 % of an hour in 868.0-868.6, and what the time it took has earned
    const allowedMs = 36_000 + 0.01 * (world.clock.monotonicMs() - startMs);
    expect(onAirMs).toBeGreaterThan(30_000);
    expect(onAirMs).toBeLessThanOrEqual(allowedMs);
  });
});

test("a device out of reach does not join; a shorter path or a slower rate lets it", async () => {
  const world = createRadioWorld({ pathLoss: lossByTable({}, 145) });
  await world.gateway();
  const device = world.device("70b3d57ed0060001", { dataRate: 5 });
  expect(await world.join(device)).toBe(false);
  device.setDataRate(0);
  expect(await world.join(device)).toBe(true);
});

test.each(["EU433", "EU868", "RU864", "AS923", "UZ923"] as const)(
  "joins and is acknowledged in %s",
  async (region) => {
    const { world, device } = await joinedWorld({ region, dataRate: 3 });
    expect((await sendAndWait(world, device)).sent).toMatchObject({ acknowledged: true });
  },
);

test("the same seed gives the same world, another seed another", async () => {
  const trace = async (seed: number) => {
    const world = createRadioWorld({ seed });
    const lines: string[] = [];
    world.air.onTransmission((t) =>
      lines.push(`${t.startMs} ${t.from} ${t.frequencyHz} ${t.sf} ${Buffer.from(t.bytes).toString("hex")}`),
    );
    await world.gateway();
    await world.gateway("0016c001ff000002");
    const devices = [1, 2, 3, 4, 5].map((n) => world.device(`70b3d57ed006000${n}`));
    for (const device of devices) {
      device.join();
      await world.clock.advance(700);
    }
    await world.clock.advance(20_000);
    for (const device of devices) device.send({ ...ALARM, trials: 3 });
    await world.clock.advance(20_000);
    return lines;
  };
  const first = await trace(7);
  expect(first.length).toBeGreaterThan(12);
  expect(await trace(7)).toEqual(first);
  expect(await trace(8)).not.toEqual(first);
});
