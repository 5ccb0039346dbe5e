import { describe, expect, test } from "vitest";
import { createAir } from "../../hardware/virtual/air.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../hardware/virtual/datagram.ts";
import { createGateway, type GatewayEvent, type GatewayOptions } from "../../hardware/virtual/gateway.ts";
import { lossByTable } from "../../hardware/virtual/path-loss.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";
import { decodeSemtech, encodeSemtech, type SemtechPacket, type Txpk } from "../../protocols/semtech-udp.ts";

const EUI = "0016c001ff000001";
const UP = {
  bytes: new Uint8Array(20),
  frequencyHz: 868_100_000,
  sf: 7,
  bandwidthHz: 125_000,
  powerDbm: 14,
  polarity: "up" as const,
};
const TXPK: Txpk = {
  tmst: 0,
  frequencyHz: 868_100_000,
  rfChain: 0,
  eirpDbm: 14,
  dataRate: "SF7BW125",
  codingRate: "4/5",
  invertPolarity: true,
  crc: false,
  phyPayload: new Uint8Array(12),
};

/** A gateway and the bare socket of a hub that only notes what comes. */
async function createWorld(more: Partial<GatewayOptions> = {}) {
  const clock = createVirtualClock();
  const random = createRandom(3);
  const air = createAir({ clock, random, pathLoss: lossByTable({}, 100) });
  const datagrams = createDatagramNetwork(clock);
  const socket = datagrams.bind(1700);
  const packets: { packet: SemtechPacket; port: number; atMs: number }[] = [];
  let pullPort = 0;
  socket.onMessage((bytes, from) => {
    const packet = decodeSemtech(bytes);
    packets.push({ packet, port: from.port, atMs: clock.monotonicMs() });
    if (packet.type === "pullData") pullPort = from.port;
  });
  const gateway = createGateway({
    clock,
    air,
    random,
    datagrams,
    hub: socket.address,
    eui: EUI,
    region: REGIONS.EU868,
    ...more,
  });
  const events: GatewayEvent[] = [];
  gateway.onEvent((event) => events.push(event));
  await gateway.powerOn();
  await clock.advance(1);
  let token = 0;
  const answerTo = async (bytes: Uint8Array) => {
    const before = packets.length;
    socket.send(bytes, pullPort, "127.0.0.1");
    await clock.advance(1);
    return packets
      .slice(before)
      .map(({ packet }) => packet)
      .find((packet) => packet.type === "txAck");
  };
  const downlink = (change: Partial<Txpk>) =>
    answerTo(encodeSemtech({ type: "pullResp", token: ++token, txpk: { ...TXPK, ...change } }));
  const inUs = (us: number) => (gateway.tmst + us) % 2 ** 32;
  const of = <T extends SemtechPacket["type"]>(type: T) =>
    packets.filter(({ packet }) => packet.type === type);
  return {
    clock,
    air,
    gateway,
    events,
    packets,
    downlink,
    answerTo,
    inUs,
    of,
    socket,
    send: (change = {}) => air.transmit({ from: "device", startMs: clock.monotonicMs(), ...UP, ...change }),
  };
}

describe("upwards", () => {
  test("keeps its path open every 5 s from another port than it pushes from", async () => {
    const world = await createWorld();
    world.send();
    await world.clock.advance(16_000);
    expect(world.of("pullData").map(({ atMs }) => Math.floor(atMs / 1000))).toEqual([0, 5, 10, 15]);
    expect(world.of("pushData")[0]?.port).not.toBe(world.of("pullData")[0]?.port);
  });

  test("a frame leaves 1 to 10 ms after its last symbol, with the counter at that symbol", async () => {
    const world = await createWorld({ tmstStart: 1_000_000 });
    const { endMs } = world.send();
    await world.clock.advance(200);
    const pushed = world.of("pushData")[0];
    const delayMs = (pushed?.atMs ?? 0) - endMs;
    expect(delayMs).toBeGreaterThan(1);
    expect(delayMs).toBeLessThan(11);
    expect(pushed?.packet).toMatchObject({
      gateway: EUI,
      rxpk: [
        {
          tmst: 1_000_000 + Math.round(endMs * 1000),
          frequencyHz: 868_100_000,
          dataRate: "SF7BW125",
          codingRate: "4/5",
          crc: "ok",
          rssiDbm: -86,
          snrDb: 14,
          channel: 0,
        },
      ],
    });
  });

  test("frames that end together leave in one datagram", async () => {
    const world = await createWorld();
    world.send();
    world.send({ frequencyHz: 868_300_000 });
    await world.clock.advance(200);
    const pushes = world.of("pushData");
    expect(pushes).toHaveLength(1);
    expect(pushes[0]?.packet).toMatchObject({ rxpk: [{ channel: 0 }, { channel: 1 }] });
  });

  test("hears only its own channels, 125 kHz, upwards", async () => {
    const world = await createWorld();
    world.send({ frequencyHz: 868_200_000 });
    world.send({ bandwidthHz: 250_000 });
    world.send({ polarity: "down" });
    await world.clock.advance(200);
    expect(world.of("pushData")).toEqual([]);
  });

  test("every 30 s it says how much it heard, and how much was damaged", async () => {
    const world = await createWorld();
    world.send();
    world.clock.setTimer(() => {
      world.send();
      world.send({ from: "other" });
    }, 1000);
    await world.clock.advance(30_100);
    const stat = world.of("pushData").at(-1)?.packet;
    expect(stat).toMatchObject({
      rxpk: [],
      stat: { received: 3, receivedOk: 1, forwarded: 1, acknowledgedPercent: 0, transmitted: 0 },
    });
  });

  test("the counter wraps after 71.6 minutes", async () => {
    const world = await createWorld({ tmstStart: 2 ** 32 - 50_000 });
    const { endMs } = world.send();
    await world.clock.advance(200);
    expect(world.of("pushData")[0]?.packet).toMatchObject({
      rxpk: [{ tmst: Math.round(endMs * 1000) - 50_000 }],
    });
  });
});

describe("downwards", () => {
  test("a downlink is acknowledged as queued and begins at its microsecond, also across the wrap", async () => {
    const world = await createWorld({ tmstStart: 2 ** 32 - 500_000 });
    const tmst = world.inUs(1_000_000);
    const dueMs = world.clock.monotonicMs() + 1000;
    expect(await world.downlink({ tmst })).toMatchObject({ gateway: EUI, error: null, warn: null });
    await world.clock.advance(1200);
    const sent = world.events.find((event) => event.type === "sent");
    expect(sent?.transmission.startMs).toBeCloseTo(dueMs, 2);
    expect(sent?.transmission).toMatchObject({ polarity: "down", sf: 7, powerDbm: 14, from: EUI });
  });

  test("a packet that comes late is refused, and one for next week too", async () => {
    const world = await createWorld();
    expect(await world.downlink({ tmst: world.inUs(40_000) })).toMatchObject({ error: "TOO_LATE" });
    expect(await world.downlink({ tmst: world.inUs(600_000_000) })).toMatchObject({ error: "TOO_EARLY" });
  });

  test("two at one time collide", async () => {
    const world = await createWorld();
    const tmst = world.inUs(1_000_000);
    expect(await world.downlink({ tmst })).toMatchObject({ error: null });
    expect(await world.downlink({ tmst: tmst + 20_000 })).toMatchObject({ error: "COLLISION_PACKET" });
  });

  test("a frequency outside the plan is refused, too much power is cut with a warning", async () => {
    const world = await createWorld();
    expect(await world.downlink({ tmst: world.inUs(1e6), frequencyHz: 433_175_000 })).toMatchObject({
      error: "TX_FREQ",
    });
    expect(await world.downlink({ tmst: world.inUs(1e6), eirpDbm: 33 })).toMatchObject({
      error: null,
      warn: { code: "TX_POWER", eirpDbm: 27 },
    });
    await world.clock.advance(1200);
    expect(world.events.find((event) => event.type === "sent")?.transmission.powerDbm).toBe(27);
  });

  test("what it does not understand gets no answer at all", async () => {
    const world = await createWorld();
    const bytes = encodeSemtech({ type: "pullResp", token: 9, txpk: TXPK });
    expect(await world.answerTo(bytes.subarray(0, bytes.length - 3))).toBeUndefined();
    const withoutChain = Buffer.from(bytes).toString("latin1").replace('"rfch":0,', "");
    expect(await world.answerTo(Buffer.from(withoutChain, "latin1"))).toBeUndefined();
    expect(await world.answerTo(Uint8Array.of(2, 0, 1, 99))).toBeUndefined();
  });

  test("a stranger's downlink is not even looked at", async () => {
    const world = await createWorld();
    const pull = world.of("pullData")[0]?.port ?? 0;
    const stranger = createDatagramNetwork(world.clock).bind(0);
    stranger.send(
      encodeSemtech({ type: "pullResp", token: 1, txpk: { ...TXPK, tmst: world.inUs(1e6) } }),
      pull,
      "127.0.0.1",
    );
    await world.clock.advance(2000);
    expect(world.events.some((event) => event.type === "downlink")).toBe(false);
  });

  test("at once means in 80 ms", async () => {
    const world = await createWorld();
    const nowMs = world.clock.monotonicMs();
    await world.downlink({ tmst: null });
    await world.clock.advance(200);
    const startMs = world.events.find((event) => event.type === "sent")?.transmission.startMs ?? 0;
    expect(startMs - nowMs).toBeGreaterThan(80);
    expect(startMs - nowMs).toBeLessThan(81);
  });

  test("a packet that comes due while a long one is being sent is thrown away, though it was acknowledged", async () => {
    const world = await createWorld();
    await world.downlink({ tmst: world.inUs(100_000), dataRate: "SF12BW125" });
    await world.clock.advance(300);
    expect(await world.downlink({ tmst: world.inUs(200_000) })).toMatchObject({ error: null });
    await world.clock.advance(3000);
    expect(world.events.filter((event) => event.type === "sent")).toHaveLength(1);
    expect(world.events.filter((event) => event.type === "dropped")).toHaveLength(1);
  });
});

test("power off: silence, an empty queue, and the counter from its start again", async () => {
  const world = await createWorld({ tmstStart: 7_000_000 });
  await world.downlink({ tmst: world.inUs(1_000_000) });
  await world.gateway.powerOff();
  const before = world.packets.length;
  world.send();
  await world.clock.advance(20_000);
  expect(world.packets).toHaveLength(before);
  expect(world.events.some((event) => event.type === "sent")).toBe(false);
  await world.gateway.powerOn();
  await world.clock.advance(1);
  expect(world.gateway.tmst).toBe(7_001_000);
  expect(world.of("pullData").at(-1)?.atMs).toBeGreaterThan(20_000);
});
