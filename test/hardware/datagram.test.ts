import { expect, test } from "vitest";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork, createUdpDatagrams, type Endpoint } from "../../hardware/virtual/datagram.ts";
import { createRandom } from "../../hardware/virtual/random.ts";

const BYTES = Uint8Array.from([1, 2, 3]);

test("a datagram arrives after the latency, once, from its sender", async () => {
  const clock = createVirtualClock();
  const network = createDatagramNetwork(clock, { latencyMs: 7 });
  const hub = network.bind(1700);
  const gateway = network.bind(0);
  const heard: [number, Uint8Array, Endpoint][] = [];
  hub.onMessage((bytes, from) => heard.push([clock.monotonicMs(), bytes, from]));
  gateway.send(BYTES, 1700, "127.0.0.1");
  await clock.advance(100);
  expect(heard).toEqual([[7, BYTES, gateway.address]]);
});

test("two sockets cannot have one port, and a closed one hears nothing", async () => {
  const clock = createVirtualClock();
  const network = createDatagramNetwork(clock);
  const hub = network.bind(1700);
  expect(() => network.bind(1700)).toThrow(/1700 is taken/);
  let heard = 0;
  hub.onMessage(() => heard++);
  await hub.close();
  network.bind(0).send(BYTES, 1700, "127.0.0.1");
  await clock.advance(10);
  expect(heard).toBe(0);
});

test("loss takes its share, and a cut network everything", async () => {
  const clock = createVirtualClock();
  const network = createDatagramNetwork(clock, { lossProbability: 0.3, random: createRandom(5) });
  const hub = network.bind(1700);
  const gateway = network.bind(0);
  let heard = 0;
  hub.onMessage(() => heard++);
  for (let i = 0; i < 1000; i++) gateway.send(BYTES, 1700, "127.0.0.1");
  await clock.advance(10);
  expect(heard).toBeGreaterThan(630);
  expect(heard).toBeLessThan(770);
  network.cut = true;
  const before = heard;
  gateway.send(BYTES, 1700, "127.0.0.1");
  await clock.advance(10);
  expect(heard).toBe(before);
});

test("latencies drawn per datagram let one overtake another", async () => {
  const clock = createVirtualClock();
  const latencies = [50, 1];
  const network = createDatagramNetwork(clock, { latencyMs: () => latencies.shift() ?? 0 });
  const hub = network.bind(1700);
  const order: number[] = [];
  hub.onMessage((bytes) => order.push(bytes[0] ?? -1));
  const gateway = network.bind(0);
  for (const byte of [1, 2]) gateway.send(Uint8Array.of(byte), 1700, "127.0.0.1");
  await clock.advance(100);
  expect(order).toEqual([2, 1]);
});

test("the machine's UDP does the same over loopback", async () => {
  const datagrams = createUdpDatagrams((error) => {
    throw error;
  });
  const hub = await datagrams.bind(0);
  const gateway = await datagrams.bind(0);
  const heard = new Promise<[Uint8Array, Endpoint]>((resolve) =>
    hub.onMessage((bytes, from) => resolve([bytes, from])),
  );
  gateway.send(BYTES, hub.address.port, hub.address.address);
  const [bytes, from] = await heard;
  expect([...bytes]).toEqual([1, 2, 3]);
  expect(from).toEqual(gateway.address);
  await Promise.all([hub.close(), gateway.close()]);
});
