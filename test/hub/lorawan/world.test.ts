import { describe, expect, test } from "vitest";
import { createRandom } from "../../../hardware/virtual/random.ts";
import { createWorld, devEuiOf, GATEWAY_A, GATEWAY_B, type World } from "./world.ts";

const stage = (n: number) => ({ fPort: 2, payload: Uint8Array.of(0x21, n, 0, 1) });
const downlinkOf = (world: World, index = 0) =>
  world
    .device(index)
    .events.filter((event) => event.type === "downlink")
    .at(-1);
const sentBy = (world: World, gateway: string) =>
  world.gatewayEvents.filter((event) => event.type === "sent" && event.gateway === gateway);

describe("joining", () => {
  test("a device joins, and its first confirmed uplink is acknowledged in RX1", async () => {
    const world = await createWorld();
    await world.join();
    const sent = await world.send(0, { confirmed: true });
    expect(sent).toMatchObject({ acknowledged: true, copies: 1 });
    expect(world.accepted.map(({ payload, fCntUp }) => [[...payload], fCntUp])).toEqual([[[1, 2, 3], 0]]);
    expect(world.notices.map(({ type }) => type)).toContain("joined");
    await world.clock.advance(1);
    expect(await world.store.loadDevices()).toMatchObject([{ pendingSession: null, session: { fCntUp: 0 } }]);
  });

  test("the DevNonce is on disk before the join-accept leaves; a refusing disk means no accept", async () => {
    const world = await createWorld();
    world.store.refuses = true;
    world.device().modem.join();
    await world.clock.advance(8_000);
    expect(world.device().modem.joined).toBe(false);
    expect(sentBy(world, GATEWAY_A)).toEqual([]);
    expect(world.notices.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["storeFault", "joinRefused"]),
    );
    world.store.refuses = false;
    await world.join();
    expect((await world.store.loadDevices())[0]).toMatchObject({ lastDevNonce: 1 });
  });

  test("the old session serves until the first uplink under the new keys", async () => {
    const world = await createWorld();
    await world.join();
    await world.send(0, { confirmed: true });
    const old = (await world.store.loadDevices())[0]?.session;
    const silence = world.air.addFault({ type: "loss", probability: 1, station: devEuiOf(0) });
    world.device().modem.join();
    await world.clock.advance(8_000);
    silence();
    expect((await world.store.loadDevices())[0]?.session?.devAddr).toBe(old?.devAddr);
    await world.join();
    await world.send(0, { confirmed: false });
    const row = (await world.store.loadDevices())[0];
    expect(row?.session?.devAddr).not.toBe(old?.devAddr);
    expect(row?.pendingSession).toBeNull();
  });

  test("a recorded join-request is refused and told", async () => {
    const world = await createWorld();
    const recorded: Uint8Array[] = [];
    world.air.onTransmission((t) => t.polarity === "up" && recorded.push(t.bytes));
    await world.join();
    await world.clock.advance(10_000);
    const [bytes = new Uint8Array()] = recorded;
    replay(world, bytes);
    await world.clock.advance(10_000);
    expect(world.notices).toContainEqual(
      expect.objectContaining({ type: "joinRefused", reason: "devNonce" }),
    );
    expect(world.server.counters.joinAccepts).toBe(1);
  });

  test("30 devices that join within one second through one gateway are in after about 30 s", async () => {
    const storms = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => joinStorm(seed)));
    const inTime = storms.map((times) => times.filter((ms) => ms <= 30_000).length);
    const last = storms.map((times) => Math.max(...times));
    // of 240 devices, and of 8 storms; what is left is collisions among the requests themselves
    expect(inTime.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(230);
    expect(inTime.filter((n) => n === 30).length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...last)).toBeLessThan(45_000);
  });

  test("a device that got no channel list in a crowd gets its channels afterwards", async () => {
    const world = await createWorld({ devices: 4 });
    world.rules.hold = false;
    for (const { modem } of world.devices) {
      modem.join();
      await world.clock.advance(150);
    }
    await world.clock.advance(20_000);
    for (let i = 0; i < 6; i++) await world.send(3, { confirmed: false });
    const channels = world.device(3).modem.memory.session?.channels ?? [];
    const { defaultChannelsHz, extraChannelsHz } = world.region;
    expect(channels.map((channel) => channel?.frequencyHz)).toEqual([
      ...defaultChannelsHz,
      ...extraChannelsHz,
    ]);
  });
});

/** When each of 30 devices was in, in milliseconds from the beginning of the second in which all ask. */
async function joinStorm(seed: number): Promise<number[]> {
  const spread = createRandom(seed);
  const loss = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [devEuiOf(i), { [GATEWAY_A]: 85 + spread() * 40 }]),
  );
  const world = await createWorld({ devices: 30, seed, loss });
  const begin = world.clock.monotonicMs();
  const times: number[] = [];
  for (const [i, { modem }] of world.devices.entries()) {
    const attempt = () => {
      const started = modem.join();
      if (started.type === "wait") world.clock.setTimer(attempt, started.waitMs + 1);
    };
    modem.onEvent((event) => {
      if (event.type === "joined") times.push(world.clock.monotonicMs() - begin);
      // a device that was not answered tries again after a moment of its own
      if (event.type === "joinFailed") world.clock.setTimer(attempt, 100 + spread() * 2_000);
    });
    world.clock.setTimer(attempt, (i * 1000) / 30);
  }
  if (!(await world.clock.runUntil(() => times.length === 30, 120_000))) throw new Error("some never joined");
  return times;
}

/** A transmitter that says again what it has recorded. */
function replay(world: World, bytes: Uint8Array): void {
  world.air.transmit({
    from: "attacker",
    bytes,
    frequencyHz: 868_100_000,
    sf: 7,
    bandwidthHz: 125_000,
    powerDbm: 14,
    polarity: "up",
    startMs: world.clock.monotonicMs(),
  });
}

describe("uplinks", () => {
  test("two gateways hear one frame: one uplink, two receptions, no waiting", async () => {
    const world = await createWorld({ gateways: [GATEWAY_A, GATEWAY_B] });
    await world.join();
    await world.send(0, { confirmed: true });
    expect(world.accepted).toHaveLength(1);
    expect(world.extra).toHaveLength(1);
    const gateways = [...(world.accepted[0]?.receptions ?? []), ...world.extra].map(({ gateway }) => gateway);
    expect(new Set(gateways)).toEqual(new Set([GATEWAY_A, GATEWAY_B]));
  });

  test("copies after a lost acknowledgement are acknowledged again and raise nothing", async () => {
    const world = await createWorld();
    await world.join();
    const deaf = world.air.addFault({ type: "loss", probability: 1, station: devEuiOf(0) });
    world.clock.setTimer(deaf, 6_000);
    const sent = await world.send(0, { confirmed: true, trials: 8 });
    expect(sent.acknowledged).toBe(true);
    expect(sent.copies).toBeGreaterThan(1);
    expect(world.accepted).toHaveLength(1);
    expect(world.server.counters.retransmissions).toBe(sent.copies - 1);
    expect(world.notices.filter(({ type }) => type === "replay")).toEqual([]);
  });

  test("answers to copies are bounded", async () => {
    const world = await createWorld();
    await world.join();
    world.air.addFault({ type: "loss", probability: 1, station: devEuiOf(0) });
    const sent = await world.send(0, { confirmed: true, trials: 15 });
    expect(sent).toMatchObject({ acknowledged: false, copies: 15 });
    expect(world.downlinks.length).toBeLessThanOrEqual(8);
    expect(world.accepted).toHaveLength(1);
  });

  test("a recorded frame is refused, counted and told", async () => {
    const world = await createWorld();
    await world.join();
    const recorded: Uint8Array[] = [];
    world.air.onTransmission((t) => t.polarity === "up" && recorded.push(t.bytes));
    await world.send(0, { confirmed: true });
    await world.send(0, { confirmed: true });
    const answers = world.downlinks.length;
    for (const bytes of [...recorded]) {
      await world.clock.advance(16_000);
      replay(world, bytes);
    }
    await world.clock.advance(5_000);
    expect(world.accepted).toHaveLength(2);
    expect(world.server.counters.replays).toBe(2);
    expect(world.notices.filter(({ type }) => type === "replay")).not.toEqual([]);
    expect(world.downlinks).toHaveLength(answers);
  });

  test("nothing is acknowledged while the disk refuses; the next copy is accepted when it is back", async () => {
    const world = await createWorld();
    await world.join();
    world.rules.refuse = true;
    expect(await world.send(0, { confirmed: true, trials: 1 })).toMatchObject({ acknowledged: false });
    expect(world.downlinks).toEqual([]);
    world.clock.setTimer(() => (world.rules.refuse = false), 4_000);
    expect(await world.send(0, { confirmed: true, trials: 8 })).toMatchObject({ acknowledged: true });
    expect(world.accepted).toHaveLength(1);
  });

  test("unconfirmed heartbeats get a downlink only when there is something to say", async () => {
    const world = await createWorld();
    await world.join();
    await world.send(0, { confirmed: false });
    const after = world.downlinks.length;
    await world.send(0, { confirmed: false });
    await world.send(0, { confirmed: false });
    expect(world.downlinks).toHaveLength(after);
    world.answers.set(devEuiOf(0), stage(2));
    await world.send(0, { confirmed: false });
    expect(downlinkOf(world)).toMatchObject({ fPort: 2, payload: stage(2).payload, slot: 1 });
  });

  test("the device's battery is asked for, and told", async () => {
    const world = await createWorld();
    world.rules.hold = false;
    await world.join();
    for (let i = 0; i < 3; i++) await world.send(0, { confirmed: true });
    expect(world.notices).toContainEqual(
      expect.objectContaining({ type: "deviceStatus", devEui: devEuiOf(0) }),
    );
  });

  test("LinkCheckReq and DeviceTimeReq are answered truly", async () => {
    const world = await createWorld({ gateways: [GATEWAY_A, GATEWAY_B] });
    await world.join();
    world.device().modem.request("LinkCheckReq");
    world.device().modem.request("DeviceTimeReq");
    const startWallMs = world.clock.wallMs();
    await world.send(0, { confirmed: false });
    const answers = world.device().events.filter((event) => event.type === "answer");
    expect(answers[0]?.command).toMatchObject({ cid: "LinkCheckAns", gwCnt: 2 });
    const time = answers[1]?.command;
    if (time?.cid !== "DeviceTimeAns") throw new Error("no DeviceTimeAns");
    const unixMs = (time.gpsSeconds + 315_964_800 - 18) * 1000 + (time.fraction * 1000) / 256;
    expect(Math.abs(unixMs - startWallMs - 61)).toBeLessThan(30);
  });
});

describe("the answer to an alarm", () => {
  test("is held to the last safe moment and carries what is known then", async () => {
    const world = await createWorld();
    await world.join();
    await world.send(0, { confirmed: false });
    const { eui } = world.device();
    world.answers.set(eui, stage(1));
    const begin = world.clock.monotonicMs();
    world.clock.setTimer(() => world.answers.set(eui, stage(2)), 950);
    await world.send(0, { confirmed: true });
    expect(downlinkOf(world)).toMatchObject({ payload: stage(2).payload, slot: 1 });
    const handed = world.gatewayEvents.filter((event) => event.type === "downlink").at(-1);
    expect((handed?.atMs ?? 0) - begin).toBeGreaterThan(950);
  });

  test("leaves at once when the receipt is back", async () => {
    const world = await createWorld();
    await world.join();
    await world.send(0, { confirmed: false });
    const { eui } = world.device();
    world.answers.set(eui, stage(1));
    const begin = world.clock.monotonicMs();
    world.clock.setTimer(() => {
      world.answers.set(eui, stage(2));
      world.server.answerChanged(eui);
    }, 200);
    await world.send(0, { confirmed: true });
    expect(downlinkOf(world)).toMatchObject({ payload: stage(2).payload, slot: 1 });
    const handed = world.gatewayEvents.filter((event) => event.type === "downlink").at(-1);
    expect((handed?.atMs ?? 0) - begin).toBeLessThan(210);
  });

  test("that missed RX1 goes out in RX2, and nothing else stays queued for a class A device", async () => {
    const world = await createWorld({ diskMs: 1_200 });
    await world.join();
    const { eui } = world.device();
    world.answers.set(eui, stage(1));
    const sent = await world.send(0, { confirmed: true });
    expect(sent.acknowledged).toBe(true);
    expect(downlinkOf(world)).toMatchObject({ slot: 2, payload: stage(1).payload });
    const before = world.downlinks.length;
    world.answers.set(eui, stage(2));
    world.server.answerChanged(eui);
    await world.clock.advance(10_000);
    expect(world.downlinks).toHaveLength(before);
  });

  test("a TOO_LATE in RX1 is answered with RX2", async () => {
    const world = await createWorld();
    await world.join();
    await world.send(0, { confirmed: false });
    // from the moment the frame was heard, the forwarder gets everything later than the hub thinks
    world.clock.setTimer(() => (world.rules.latencyMs = 30), 300);
    const sent = await world.send(0, { confirmed: true });
    const answers = world.gatewayEvents.flatMap((event) => (event.type === "downlink" ? [event.answer] : []));
    expect(answers.slice(-2)).toEqual(["TOO_LATE", "queued"]);
    expect(sent.acknowledged).toBe(true);
    expect(downlinkOf(world)).toMatchObject({ slot: 2 });
  });

  test("a gateway that does not answer is left for another", async () => {
    const world = await createWorld({
      gateways: [GATEWAY_A, GATEWAY_B],
      loss: { [devEuiOf(0)]: { [GATEWAY_A]: 95, [GATEWAY_B]: 128 } },
    });
    await world.join();
    const { eui } = world.device();
    world.clock.setTimer(() => void world.gateways.get(GATEWAY_A)?.powerOff(), 300);
    world.answers.set(eui, stage(1));
    const sent = await world.send(0, { confirmed: true });
    expect(sent).toMatchObject({ acknowledged: true, copies: 1 });
    expect(sentBy(world, GATEWAY_B)).toHaveLength(1);
  });
});
