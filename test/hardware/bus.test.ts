import { describe, expect, test } from "vitest";
import { type BusPort, createVirtualBus } from "../../hardware/virtual/bus.ts";
import { createBusSlave } from "../../hardware/virtual/bus-slave.ts";
import { createVirtualClock, type VirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createDeframer, encodeFrame, type WireFrame } from "../../protocols/device/frame.ts";

/** What a port hears, with the time. */
function ear(port: BusPort, clock: VirtualClock) {
  const heard: { atMs: number; hex: string }[] = [];
  port.onData((bytes) => heard.push({ atMs: clock.monotonicMs(), hex: Buffer.from(bytes).toString("hex") }));
  return heard;
}

const TEN = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
/** Ten bytes of ten bits at 38 400 baud. */
const TEN_MS = 100_000 / 38_400;

function line(options: { pieceBytes?: number; seed?: number } = {}) {
  const clock = createVirtualClock();
  const { seed, ...rest } = options;
  const bus = createVirtualBus({ clock, ...rest, ...(seed !== undefined && { random: createRandom(seed) }) });
  return { clock, bus };
}

describe("a virtual RS-485 line", () => {
  test("carries bytes to everybody else at its pace, and back to the speaker only with echo", async () => {
    const { clock, bus } = line();
    const [a, b, c] = [bus.attach(), bus.attach(), bus.attach()];
    const heard = [a, b, c].map((port) => ear(port, clock));
    a.send(TEN);
    await clock.advance(10);
    expect(heard.map((list) => list.map(({ hex }) => hex))).toEqual([
      [],
      ["0102030405060708090a"],
      ["0102030405060708090a"],
    ]);
    expect(heard[1]?.[0]?.atMs).toBeCloseTo(TEN_MS);
    bus.disturbance.hasEcho = true;
    b.send(TEN);
    await clock.advance(10);
    expect(heard.map((list) => list.length)).toEqual([1, 2, 2]);
    expect(bus.busyMs).toBeCloseTo(2 * TEN_MS);
  });

  test("one port's words follow each other, in pieces where that is asked for", async () => {
    const { clock, bus } = line({ pieceBytes: 4 });
    const [a, b] = [bus.attach(), bus.attach()];
    const heard = ear(b, clock);
    a.send(TEN);
    a.send(TEN);
    await clock.advance(20);
    expect(heard.map(({ hex }) => hex.length / 2)).toEqual([4, 4, 2, 4, 4, 2]);
    expect(heard.at(-1)?.atMs).toBeCloseTo(2 * TEN_MS);
    expect(bus.collisions).toBe(0);
  });

  test("who speaks into another spoils what overlaps of both, and nothing else", async () => {
    const { clock, bus } = line();
    const [a, b, c] = [bus.attach(), bus.attach(), bus.attach()];
    const heard = ear(c, clock);
    a.send(TEN);
    await clock.advance(TEN_MS / 2 + 0.01);
    b.send(TEN);
    await clock.advance(20);
    expect(heard[0]?.hex.slice(0, 10)).toBe("0102030405");
    expect(heard[0]?.hex.slice(12)).not.toBe("0708090a");
    expect(heard[1]?.hex.slice(-8)).toBe("0708090a");
    expect(bus.collisions).toBe(2);
  });

  test("flips and losses come at their rate, and the same for the same seed", async () => {
    const run = async () => {
      const { clock, bus } = line({ seed: 7 });
      const [a, b] = [bus.attach(), bus.attach()];
      const heard = ear(b, clock);
      Object.assign(bus.disturbance, { flips: 0.1, losses: 0.2 });
      for (let i = 0; i < 500; i++) {
        a.send(TEN);
        await clock.advance(5);
      }
      return heard.map(({ hex }) => hex);
    };
    const heard = await run();
    expect(heard.length).toBeGreaterThan(350);
    expect(heard.length).toBeLessThan(450);
    const whole = heard.filter((hex) => hex === Buffer.from(TEN).toString("hex")).length / heard.length;
    expect(whole).toBeGreaterThan(0.25);
    expect(whole).toBeLessThan(0.45);
    expect(await run()).toEqual(heard);
  });

  test("who is pulled off is not heard to the end, and hears nothing", async () => {
    const { clock, bus } = line({ pieceBytes: 1 });
    const [a, b] = [bus.attach(), bus.attach()];
    const heard = ear(b, clock);
    a.send(TEN);
    await clock.advance(TEN_MS / 2 + 0.01);
    a.setPlugged(false);
    await clock.advance(20);
    expect(heard.map(({ hex }) => hex)).toEqual(["01", "02", "03", "04", "05"]);
    const own = ear(a, clock);
    b.send(TEN);
    bus.noise(TEN);
    await clock.advance(20);
    expect(own).toEqual([]);
  });
});

describe("a virtual slave", () => {
  /** A hub that says what it is told, one frame at a time. */
  function master() {
    const { clock, bus } = line();
    const payloads: string[] = [];
    const onPayload = (bytes: Uint8Array) => void payloads.push(Buffer.from(bytes).toString());
    const slave = createBusSlave({ clock, port: bus.attach(), address: 5, onPayload });
    const port = bus.attach();
    let answer: WireFrame | null = null;
    port.onData(
      createDeframer(
        (frame) => {
          answer = frame;
        },
        () => undefined,
      ),
    );
    const ask = async (sequence: number, text = "", address = 5) => {
      answer = null;
      const payload = Buffer.from(text);
      port.send(encodeFrame({ address, fromDevice: false, type: text ? "data" : "poll", sequence, payload }));
      await clock.advance(50);
      const given = answer as WireFrame | null;
      return given && [given.type, given.sequence, Buffer.from(given.payload).toString()];
    };
    return { slave, ask, payloads };
  }

  test("says what waits until the next sequence shows that it was heard; a repetition gets the same answer", async () => {
    const { slave, ask } = master();
    slave.give(Buffer.from("one"));
    slave.give(Buffer.from("two"));
    expect(await ask(0)).toEqual(["data", 0, "one"]);
    expect(await ask(1)).toEqual(["data", 1, "two"]);
    expect(await ask(1)).toEqual(["data", 1, "two"]);
    expect(slave.waiting).toBe(1);
    expect(await ask(2)).toEqual(["idle", 2, ""]);
    expect(slave.waiting).toBe(0);
  });

  test("takes what comes once, and answers nobody else's frames", async () => {
    const { ask, payloads } = master();
    expect(await ask(0)).toEqual(["idle", 0, ""]);
    expect(await ask(1, "a")).toEqual(["idle", 1, ""]);
    expect(await ask(1, "a")).toEqual(["idle", 1, ""]);
    expect(await ask(2, "b")).toEqual(["idle", 2, ""]);
    expect(await ask(3, "c", 6)).toBeNull();
    expect(payloads).toEqual(["a", "b"]);
  });

  test("says again what a jump in the sequence or a new beginning leaves open", async () => {
    const { slave, ask } = master();
    slave.give(Buffer.from("one"));
    expect(await ask(2)).toEqual(["data", 2, "one"]);
    expect(await ask(1)).toEqual(["data", 1, "one"]);
    expect(await ask(0)).toEqual(["data", 0, "one"]);
    expect(await ask(0)).toEqual(["data", 0, "one"]);
    expect(await ask(1)).toEqual(["idle", 1, ""]);
  });

  test("forgets everything with its power", async () => {
    const { slave, ask } = master();
    slave.give(Buffer.from("one"));
    expect(await ask(0)).toEqual(["data", 0, "one"]);
    slave.powerOff();
    expect(await ask(1)).toBeNull();
    slave.powerOn();
    expect(await ask(1)).toEqual(["idle", 1, ""]);
  });
});
