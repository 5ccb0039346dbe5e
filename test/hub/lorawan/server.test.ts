import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import { createRandom } from "../../../hardware/virtual/random.ts";
import type {
  Carrier,
  CarrierName,
  Reception,
  SendResult,
  Transmission,
} from "../../../hub/carriers/carrier.ts";
import {
  createNetworkServer,
  type Notice,
  type ReceiveOutcome,
  type Uplink,
} from "../../../hub/lorawan/server.ts";
import type { DeviceRow } from "../../../hub/lorawan/store.ts";
import {
  createAesKey,
  cryptFrmPayload,
  joinRequestMic,
  openJoinAccept,
  sealDataFrame,
  verifyDataMic,
} from "../../../protocols/lorawan/crypto.ts";
import { type DataFrame, decodePhyPayload, encodePhyPayload } from "../../../protocols/lorawan/phy.ts";
import { REGIONS } from "../../../protocols/lorawan/regions.ts";
import { createMemoryStore } from "./memory-store.ts";
import { aDevice, aSession } from "./store-contract.ts";

const region = REGIONS.EU868;
const CHANNELS = [...region.defaultChannelsHz, ...region.extraChannelsHz];
const session = aSession({ channelsHz: CHANNELS, dataRate: 5 });

async function setUp(rows: readonly DeviceRow[], options: { hold?: boolean } = {}) {
  const clock = createVirtualClock();
  const store = createMemoryStore(rows);
  const accepted: Uplink[] = [];
  const extra: Reception[] = [];
  const notices: Notice[] = [];
  const sent: (Transmission & { atMs: number; carrier: CarrierName })[] = [];
  const answers = new Map<string, { fPort: number; payload: Uint8Array }>();
  const results: SendResult[] = [];
  const random = createRandom(1);
  const server = createNetworkServer({
    region,
    clock,
    store,
    devices: await store.loadDevices(),
    random: (n) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256)),
    sink: {
      async accept(uplink) {
        accepted.push(uplink);
        return { hold: options.hold ?? false, durable: true };
      },
      addReception: (_devEui, _hash, reception) => void extra.push(reception),
      answer: (devEui) => answers.get(devEui) ?? null,
      notice: (notice) => void notices.push(notice),
    },
  });
  const carrier = (name: CarrierName, leadMs: number): Carrier => ({
    name,
    leadMs,
    async send(transmission) {
      sent.push({ ...transmission, atMs: clock.monotonicMs(), carrier: name });
      return results.shift() ?? "queued";
    },
    close: async () => undefined,
  });
  server.attach(carrier("semtech-udp", 60));
  server.attach(carrier("mqtt", 0));
  return {
    clock,
    store,
    accepted,
    extra,
    notices,
    sent,
    answers,
    results,
    server,
    async receive(
      phyPayload: Uint8Array,
      change: Partial<Reception> = {},
    ): Promise<ReceiveOutcome | undefined> {
      let outcome: ReceiveOutcome | undefined;
      const atMs = clock.monotonicMs();
      const radio = {
        rssiDbm: -80,
        snrDb: 5,
        frequencyHz: 868_100_000,
        dataRate: 5,
        tmst: (atMs * 1000) % 2 ** 32,
        atMs,
      };
      server.receive(
        { phyPayload, carrier: "semtech-udp", gateway: "a", ...radio, ...change },
        (o) => (outcome = o),
      );
      await clock.advance(0);
      return outcome;
    },
  };
}

const BROKER = {
  carrier: "mqtt",
  gateway: "broker",
  tmst: null,
  rssiDbm: null,
  snrDb: null,
  frequencyHz: null,
  dataRate: null,
} as const;

function uplink(
  fCnt32: number,
  change: Partial<Parameters<typeof sealDataFrame>[1]> = {},
  s = session,
): Uint8Array {
  const keys = { nwkSKey: createAesKey(s.nwkSKey), appSKey: createAesKey(s.appSKey) };
  return sealDataFrame(keys, {
    mType: "confirmedDataUp",
    devAddr: s.devAddr,
    fCnt32,
    fOpts: "",
    fPort: 2,
    payload: Uint8Array.of(1, 2),
    fCtrl: { adr: false, adrAckReq: false, ack: false, fPending: false },
    ...change,
  });
}

/** What the device would make of a downlink. */
function opened(transmission: Transmission | undefined, s = session): DataFrame & { plain: number[] } {
  const bytes = transmission?.phyPayload ?? new Uint8Array();
  const frame = decodePhyPayload(bytes);
  if (frame.mType !== "unconfirmedDataDown") throw new Error(`a ${frame.mType}`);
  expect(verifyDataMic(createAesKey(s.nwkSKey), "down", s.devAddr, frame.fCnt16, bytes)).toBe(true);
  const payload = Buffer.from(frame.frmPayload, "hex");
  return {
    ...frame,
    plain: [...cryptFrmPayload(createAesKey(s.appSKey), "down", s.devAddr, frame.fCnt16, payload)],
  };
}

function joinRequest(row: DeviceRow, devNonce: number): Uint8Array {
  const { joinEui, devEui, appKey } = row;
  const bytes = encodePhyPayload({ mType: "joinRequest", joinEui, devEui, devNonce, mic: "00000000" });
  bytes.set(joinRequestMic(createAesKey(appKey), bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

describe("whose frame it is", () => {
  test("devices under one DevAddr are told apart by their keys", async () => {
    const other = { ...session, nwkSKey: "0f".repeat(16), appSKey: "f0".repeat(16) };
    const world = await setUp([
      aDevice({ session }),
      aDevice({ devEui: "70b3d57ed0000002", session: other }),
    ]);
    await world.receive(uplink(3, {}, other));
    await world.receive(uplink(4));
    expect(world.accepted.map(({ devEui, fCntUp }) => [devEui, fCntUp])).toEqual([
      ["70b3d57ed0000002", 3],
      ["70b3d57ed0000001", 4],
    ]);
  });

  test("a strange DevAddr, a bad MIC, noise and a downlink are refused, counted and answered by nothing", async () => {
    const world = await setUp([aDevice({ session })]);
    const bad = uplink(1);
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    const outcomes = [
      await world.receive(uplink(1, {}, { ...session, devAddr: "00000009" })),
      await world.receive(bad),
      await world.receive(Uint8Array.of(0xff, 1, 2)),
      await world.receive(uplink(1, { mType: "unconfirmedDataDown" })),
    ];
    await world.clock.advance(10_000);
    expect(outcomes).toEqual(Array(4).fill("refused"));
    expect(world.server.counters).toMatchObject({ unknownDevAddr: 1, badMic: 1, malformed: 1, notUplink: 1 });
    expect([world.accepted, world.sent, world.notices]).toEqual([[], [], []]);
  });

  test("a carrier that knows its sender passes no other device's frame", async () => {
    const world = await setUp([aDevice({ session })]);
    expect(await world.receive(uplink(1), { ...BROKER, devEui: "70b3d57ed00000ff" })).toBe("refused");
    expect(await world.receive(uplink(1), { ...BROKER, devEui: aDevice().devEui })).toBe("kept");
    expect(world.server.counters.wrongSender).toBe(1);
  });

  test("a jump over MAX_FCNT_GAP is refused up to 1.0.3 and taken from 1.0.4 on", async () => {
    for (const [macVersion, outcome] of [
      ["1.0.3", "refused"],
      ["1.0.4", "kept"],
    ] as const) {
      const world = await setUp([aDevice({ macVersion, session: { ...session, fCntUp: 10 } })]);
      expect(await world.receive(uplink(10 + 16_385))).toBe(outcome);
    }
  });

  test("a slow gateway's copy of the frame before is no replay", async () => {
    const world = await setUp([aDevice({ session })]);
    const first = uplink(1);
    await world.receive(first);
    await world.clock.advance(3_000);
    await world.receive(uplink(2));
    expect(await world.receive(first, { gateway: "b" })).toBe("kept");
    expect(await world.receive(first)).toBe("refused");
    expect(world.server.counters).toMatchObject({ lateCopies: 1, replays: 1 });
    expect(world.accepted).toHaveLength(2);
  });
});

describe("a carrier without receive windows", () => {
  test("is answered at once, and told of every later stage", async () => {
    const world = await setUp([aDevice({ session })], { hold: true });
    const { devEui } = aDevice();
    world.answers.set(devEui, { fPort: 2, payload: Uint8Array.of(0x21, 1, 0, 5) });
    await world.receive(uplink(1), { ...BROKER, devEui });
    expect(world.sent).toMatchObject([{ carrier: "mqtt", tmst: null, devEui }]);
    expect(opened(world.sent[0])).toMatchObject({ fCtrl: { ack: true }, plain: [0x21, 1, 0, 5] });
    world.answers.set(devEui, { fPort: 2, payload: Uint8Array.of(0x21, 2, 0, 5) });
    world.server.answerChanged(devEui);
    await world.clock.advance(0);
    expect(opened(world.sent[1])).toMatchObject({ fCtrl: { ack: false }, plain: [0x21, 2, 0, 5] });
  });

  test("has nothing set that only a radio has", async () => {
    const world = await setUp([aDevice({ session })]);
    const heartbeat = uplink(1, { mType: "unconfirmedDataUp" });
    expect(await world.receive(heartbeat, { ...BROKER, devEui: aDevice().devEui })).toBe("kept");
    expect(world.sent).toEqual([]);
    await world.receive(uplink(2), { ...BROKER, devEui: aDevice().devEui });
    expect(opened(world.sent[0])).toMatchObject({ fCtrl: { ack: true }, fOpts: "" });
  });

  test("joins there too", async () => {
    const row = aDevice();
    const world = await setUp([row]);
    expect(await world.receive(joinRequest(row, 0), { ...BROKER, devEui: row.devEui })).toBe("kept");
    const accept = openJoinAccept(createAesKey(row.appKey), world.sent[0]?.phyPayload ?? new Uint8Array());
    expect(accept).toMatchObject({
      joinNonce: 1,
      netId: "000000",
      rxDelay: 1,
      cfList: region.extraChannelsHz,
    });
    expect(Number.parseInt(accept.devAddr, 16)).toBeLessThan(2 ** 25);
  });

  test("hears whether its frame is stored", async () => {
    const row = aDevice();
    const world = await setUp([row]);
    world.store.refuses = true;
    expect(await world.receive(joinRequest(row, 0), { ...BROKER, devEui: row.devEui })).toBe("notStored");
    expect(world.sent).toEqual([]);
  });
});

describe("joining", () => {
  test("refusals have their reasons, and no answer", async () => {
    const row = aDevice({ lastDevNonce: 5 });
    const world = await setUp([row]);
    await world.receive(joinRequest({ ...row, devEui: "70b3d57ed00000ff" }, 6));
    await world.receive(joinRequest({ ...row, joinEui: "70b3d57ed00000ff" }, 6));
    await world.receive(joinRequest({ ...row, appKey: "00".repeat(16) }, 6));
    await world.receive(joinRequest(row, 5));
    await world.clock.advance(10_000);
    const reasons = world.notices.map((notice) => notice.type === "joinRefused" && notice.reason);
    expect(reasons).toEqual(["unknownDevice", "joinEui", "mic", "devNonce"]);
    expect(world.sent).toEqual([]);
  });

  test("two gateways that hear one request are one join", async () => {
    const row = aDevice();
    const world = await setUp([row]);
    await world.receive(joinRequest(row, 0), { snrDb: 1 });
    await world.receive(joinRequest(row, 0), { snrDb: 9, gateway: "b" });
    await world.clock.advance(6_500);
    expect(world.sent).toMatchObject([
      { gateway: "b", tmst: 5_000_000, frequencyHz: 868_100_000, dataRate: 5 },
    ]);
  });

  test("an alarm's answer takes the place of a join-accept", async () => {
    const rows = [aDevice({ session }), aDevice({ devEui: "70b3d57ed0000002" })] as const;
    const world = await setUp(rows);
    await world.receive(joinRequest(rows[1], 0));
    await world.clock.advance(4_000);
    await world.receive(uplink(1));
    await world.clock.advance(3_000);
    // and no long RX2 behind an alarm: the gateway would be deaf to the next one; the device asks again
    expect(world.sent.map(({ devEui, tmst }) => [devEui, tmst])).toEqual([[rows[0].devEui, 5_000_000]]);
    expect(world.server.counters).toMatchObject({ downlinksDisplaced: 1, joinsUnanswered: 1, answers: 1 });
  });
});

describe("answers", () => {
  test("RX1 follows the uplink, RX2 the region; each has an FCntDown of its own", async () => {
    const world = await setUp([aDevice({ session })]);
    world.results.push("COLLISION_PACKET");
    await world.receive(uplink(1), { frequencyHz: 867_300_000, dataRate: 3 });
    await world.clock.advance(3_000);
    expect(world.sent).toMatchObject([
      { frequencyHz: 867_300_000, dataRate: 3, tmst: 1_000_000 },
      { frequencyHz: 869_525_000, dataRate: 0, tmst: 2_000_000, eirpDbm: 29.15 },
    ]);
    const counters = world.sent.map((one) => opened(one).fCnt16);
    expect(new Set(counters).size).toBe(2);
  });

  test("tmst wraps with the concentrator", async () => {
    const world = await setUp([aDevice({ session })]);
    await world.receive(uplink(1), { tmst: 2 ** 32 - 500_000 });
    await world.clock.advance(2_000);
    expect(world.sent).toMatchObject([{ tmst: 500_000 }]);
  });

  test("nobody is left to answer: the sink is told", async () => {
    const world = await setUp([aDevice({ session })]);
    world.results.push("TX_FREQ", "noAnswer");
    await world.receive(uplink(1));
    await world.clock.advance(3_000);
    expect(world.notices).toContainEqual({
      type: "unanswered",
      devEui: aDevice().devEui,
      fCntUp: 1,
      reason: "noAnswer",
    });
  });

  test("an uplink without application data is acknowledged, and shows that the device lives", async () => {
    const world = await setUp([aDevice({ session })]);
    await world.receive(uplink(1, { fPort: null, payload: null, mType: "confirmedDataUp" }));
    await world.clock.advance(3_000);
    expect(world.accepted).toEqual([]);
    expect(world.notices).toMatchObject([{ type: "alive" }]);
    expect(opened(world.sent[0])).toMatchObject({ fCtrl: { ack: true }, fPort: null });
  });

  test("a session whose FCntDown cannot be reserved stays silent rather than use one twice", async () => {
    const world = await setUp([aDevice({ session: { ...session, fCntDownReserved: 0 } })]);
    world.store.refuses = true;
    await world.receive(uplink(1));
    await world.clock.advance(3_000);
    expect(world.sent).toEqual([]);
    expect(world.server.counters.fCntDownMissing).toBeGreaterThan(0);
    expect(world.notices).toContainEqual(
      expect.objectContaining({ type: "storeFault", what: "reserveFCntDown" }),
    );
    world.store.refuses = false;
    await world.receive(uplink(2));
    await world.clock.advance(3_000);
    expect(world.sent).toHaveLength(1);
  });

  test("the duty cycle that was used before a restart still counts", async () => {
    const world = await setUp([aDevice({ session })]);
    for (let i = 1; i <= 5; i++) {
      await world.receive(uplink(i), { dataRate: 0, frequencyHz: 868_100_000 });
      await world.clock.advance(10_000);
    }
    world.server.stop();
    expect(Object.values(world.server.dutyCycleUsage())[0]).toBeGreaterThan(0.1);
    const ledger = await world.store.loadDutyCycle();
    expect(JSON.parse(ledger ?? "{}").airtimes).toHaveLength(1);
  });

  test("a device that is added again from an old row goes on with its counters", async () => {
    const row = aDevice({ session });
    const world = await setUp([row]);
    await world.receive(uplink(7));
    await world.clock.advance(3_000);
    world.server.addDevice(row);
    expect(await world.receive(uplink(6))).toBe("refused");
    await world.receive(uplink(8));
    await world.clock.advance(3_000);
    expect(new Set(world.sent.map((one) => opened(one).fCnt16)).size).toBe(world.sent.length);
    world.server.removeDevice(row.devEui);
    expect(await world.receive(uplink(9))).toBe("refused");
  });
});
