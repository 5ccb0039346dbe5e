/** The wire carrier on a virtual bus: what passes, what is told, and whom a disturbance costs what. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf, textOf, type WireWorld, wireWorld } from "./rs485-world.ts";

const THREE = [1, 2, 3];

function textsFrom(world: WireWorld, address: number): string[] {
  return world.received
    .filter(({ gateway }) => gateway === `stairs/${address}`)
    .map(({ hex }) => textOf(hex));
}

function textsTo(world: WireWorld, address: number): string[] {
  return world.delivered.filter((one) => one.address === address).map(({ hex }) => textOf(hex));
}

/** Without what comes twice in a row. */
function once(texts: readonly string[]): string[] {
  return texts.filter((text, i) => text !== texts[i - 1]);
}

describe("a quiet bus", () => {
  test("brings what each device says, with bus and address, and takes answers back with the next poll", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    world.device(2).give(bytesOf("press"));
    await world.clock.advance(50);
    expect(world.received.map(({ gateway, hex }) => [gateway, textOf(hex)])).toEqual([["stairs/2", "press"]]);
    const sent = world.send(2, "stored");
    await world.clock.advance(20);
    expect(await sent).toBe("queued");
    expect(textsTo(world, 2)).toEqual(["stored"]);
    expect(world.told).toEqual(["stairs up"]);
    expect(world.counter("misses")).toBe(0);
  });

  test("who has spoken is asked next", async () => {
    const world = wireWorld({ devices: Array.from({ length: 31 }, (_, i) => i + 1) });
    await world.clock.advance(1_000);
    world.device(9).give(bytesOf("one"));
    world.device(9).give(bytesOf("two"));
    await world.clock.runUntil(() => textsFrom(world, 9).length === 2, 1_000);
    const [one, two] = world.received.map(({ atMs }) => atMs);
    expect((two ?? 0) - (one ?? 0)).toBeLessThan(12);
  });

  test("a device that never stops talking does not keep others waiting for longer than two rounds", async () => {
    const world = wireWorld({ devices: Array.from({ length: 31 }, (_, i) => i + 1) });
    await world.clock.advance(1_000);
    for (let i = 0; i < 200; i++) world.device(5).give(new Uint8Array(200).fill(7));
    world.device(6).give(bytesOf("press"));
    const longMs = 31 * 8 + 31 * 62;
    expect(await world.clock.runUntil(() => textsFrom(world, 6).length === 1, longMs)).toBe(true);
  });

  test("several answers for one device leave in order, the oldest falls when there are too many", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    const results = Promise.all(["a", "b", "c", "d", "e", "f", "g"].map((text) => world.send(1, text)));
    await world.clock.advance(100);
    expect((await results).filter((result) => result === "queued")).toHaveLength(textsTo(world, 1).length);
    expect(textsTo(world, 1).slice(-4)).toEqual(["d", "e", "f", "g"]);
  });

  test("an address that is not there, and a bus that is not there, take nothing", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    expect(await world.send(77, "x")).toBe("noGateway");
    const nowhere = { tmst: null, frequencyHz: 0, dataRate: 0, eirpDbm: 0, devEui: "", gateway: "attic/1" };
    expect(await world.carrier.send({ ...nowhere, phyPayload: bytesOf("x") })).toBe("noGateway");
    await world.carrier.close();
    expect(await world.send(1, "x")).toBe("noGateway");
  });
});

describe("a device that is gone", () => {
  test("is told after three misses and when it is back, and costs the others little", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    world.device(3).powerOff();
    const answer = world.send(3, "x");
    await world.clock.advance(1_000);
    expect(await answer).toBe("noAnswer");
    expect(world.told.at(-1)).toBe("stairs/3 lost: no answer");
    expect(await world.send(3, "y")).toBe("noAnswer");
    world.device(1).give(bytesOf("press"));
    await world.clock.advance(260);
    expect(textsFrom(world, 1)).toEqual(["press"]);
    const pollsBefore = world.counter("polls");
    const answersBefore = world.counter("answers");
    await world.clock.advance(60_000);
    const missed = world.counter("polls") - pollsBefore - (world.counter("answers") - answersBefore);
    expect(missed).toBeLessThanOrEqual(30);
    world.device(3).powerOn();
    await world.clock.advance(2_500);
    expect(world.told.at(-1)).toBe("stairs/3 back");
    expect(world.told.filter((words) => words.startsWith("stairs/3"))).toHaveLength(2);
    world.device(3).give(bytesOf("again"));
    await world.clock.advance(100);
    expect(textsFrom(world, 3)).toEqual(["again"]);
  });

  test("from the start is told too; a scanned address only once it has been heard", async () => {
    const world = wireWorld({
      devices: [2, 9],
      config: { addresses: [2, 3], scan: { from: 8, to: 12 } },
    });
    await world.clock.advance(5_000);
    expect(world.told.filter((words) => words.includes("/"))).toEqual(["stairs/3 lost: no answer"]);
    world.device(9).powerOff();
    await world.clock.advance(2_000);
    expect(world.told.at(-1)).toBe("stairs/9 lost: no answer");
  });

  test("everybody at once is the bus, told once and not for each", async () => {
    const world = wireWorld({ devices: [1, 2, 3, 4, 5] });
    await world.clock.advance(100);
    for (const slave of world.slaves.values()) slave.powerOff();
    await world.clock.advance(10_000);
    expect(world.told.slice(1)).toEqual(["stairs down: no device answers"]);
    world.device(4).powerOn();
    await world.clock.advance(20_000);
    expect(world.told[2]).toBe("stairs up");
    expect(world.told.slice(3).sort()).toEqual([
      ...[1, 2, 3, 5].map((address) => `stairs/${address} lost: no answer`),
    ]);
  });

  test("a restart in the middle of anything costs what it had not said, and nothing of anybody else", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(103);
    world.device(2).powerOff();
    world.device(2).powerOn();
    world.device(2).give(bytesOf("after"));
    await world.clock.advance(700);
    expect(textsFrom(world, 2)).toEqual(["after"]);
  });
});

describe("the adapter", () => {
  test("is pulled out and put back: told once each, and what was pressed meanwhile arrives once", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    world.adapter.unplug();
    const answer = world.send(2, "x");
    world.device(2).give(bytesOf("press"));
    await world.clock.advance(5_000);
    expect(await answer).toBe("noGateway");
    expect(world.told.at(-1)).toBe("stairs down: the adapter is gone");
    expect(world.carrier.view()[0]).toMatchObject({ up: false, reason: "the adapter is gone" });
    world.adapter.plug();
    await world.clock.advance(200);
    expect(world.told.slice(1)).toEqual(["stairs down: the adapter is gone", "stairs up"]);
    expect(textsFrom(world, 2)).toEqual(["press"]);
  });

  test("that hears itself changes nothing", async () => {
    const world = wireWorld({ devices: THREE });
    world.bus.disturbance.hasEcho = true;
    await world.clock.advance(100);
    world.device(1).give(bytesOf("press"));
    const sent = world.send(1, "stored");
    await world.clock.advance(100);
    expect(await sent).toBe("queued");
    expect([textsFrom(world, 1), textsTo(world, 1)]).toEqual([["press"], ["stored"]]);
    expect(world.counter("echoes")).toBe(world.counter("polls"));
  });
});

describe("bad lines", () => {
  test("whatever is lost, flipped or echoed: each says what it says in order, none as another, none lost", async () => {
    const anyWorld = fc.record({
      seed: fc.nat(),
      flips: fc.double({ min: 0, max: 0.01, noNaN: true }),
      losses: fc.double({ min: 0, max: 0.15, noNaN: true }),
      hasEcho: fc.boolean(),
      pieceBytes: fc.constantFrom(1, 7, 64),
    });
    await fc.assert(
      fc.asyncProperty(anyWorld, async ({ seed, pieceBytes, ...disturbance }) => {
        const world = wireWorld({ devices: THREE, seed, pieceBytes });
        await world.clock.advance(100);
        Object.assign(world.bus.disturbance, disturbance);
        for (const address of THREE) {
          for (let i = 0; i < 3; i++) world.device(address).give(bytesOf(`${address} says ${i}`));
        }
        const results = Promise.all(THREE.map((address) => world.send(address, `to ${address}`)));
        await world.clock.advance(5_000);
        Object.assign(world.bus.disturbance, { flips: 0, losses: 0 });
        await world.clock.advance(10_000);
        for (const [i, result] of (await results).entries()) {
          const address = THREE[i] ?? 0;
          const said = [0, 1, 2].map((n) => `${address} says ${n}`);
          expect(once(textsFrom(world, address))).toEqual(said);
          if (result === "queued") expect(textsTo(world, address)).toEqual([`to ${address}`]);
        }
      }),
      { numRuns: 25 },
    );
  });

  test("late answers are dropped or taken for their own frame, never for another's", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    world.device(2).turnaroundMs = 260;
    for (const address of THREE) world.device(address).give(bytesOf(`from ${address}`));
    await world.clock.advance(30_000);
    expect(once(textsFrom(world, 1))).toEqual(["from 1"]);
    expect(once(textsFrom(world, 3))).toEqual(["from 3"]);
    for (const text of textsFrom(world, 2)) expect(text).toBe("from 2");
    world.device(2).turnaroundMs = 3;
    await world.clock.advance(5_000);
    expect(once(textsFrom(world, 2))).toEqual(["from 2"]);
  });

  test("two devices on one address, one behind the other, are told as such", async () => {
    const world = wireWorld({ devices: THREE });
    world.addSlave(2, 9);
    await world.clock.advance(30_000);
    expect(world.told).toContain("stairs/2 twice");
    expect(world.carrier.view()[0]?.devices[1]?.doubled).toBeGreaterThan(0);
    world.device(3).give(bytesOf("press"));
    await world.clock.advance(1_000);
    expect(once(textsFrom(world, 3))).toEqual(["press"]);
  });

  test("two devices that answer together spoil each other: that address is lost, with the reason, no other is", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    world.addSlave(2, 3.6);
    world.device(1).give(bytesOf("press"));
    await world.clock.advance(5_000);
    expect(world.told.slice(1)).toEqual([
      "stairs/2 lost: garbled answers: a bad line, or two devices on this address",
    ]);
    expect(textsFrom(world, 1)).toEqual(["press"]);
    expect(world.counter("garbled")).toBeGreaterThanOrEqual(3);
  });

  test("a babbling device takes the bus away, and gives it back with nothing lost", async () => {
    const world = wireWorld({ devices: THREE });
    await world.clock.advance(100);
    const babbler = world.bus.attach();
    const junk = new Uint8Array(500).map((_, i) => (i * 37) % 251);
    let isBabbling = true;
    const babble = () => {
      if (!isBabbling) return;
      babbler.send(junk);
      world.clock.setTimer(babble, 131);
    };
    babble();
    world.device(2).give(bytesOf("press"));
    await world.clock.advance(20_000);
    expect(world.told.at(-1)).toBe("stairs down: noise, and no device answers");
    isBabbling = false;
    await world.clock.advance(3_000);
    expect(world.told.slice(2)).toEqual(["stairs up"]);
    expect(once(textsFrom(world, 2))).toEqual(["press"]);
  });

  test("noise between and within exchanges delays, and never invents or loses", async () => {
    const world = wireWorld({ devices: THREE, seed: 5 });
    await world.clock.advance(100);
    for (let i = 0; i < 40; i++) {
      world.bus.noise(new Uint8Array(3 + (i % 9)).fill(i % 3 === 0 ? 0 : i));
      world.device(1 + (i % 3)).give(bytesOf(`${i}`));
      await world.clock.advance(310);
    }
    await world.clock.advance(10_000);
    const all = THREE.flatMap((address) => once(textsFrom(world, address)).map(Number));
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});
