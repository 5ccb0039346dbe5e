import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../hardware/virtual/clock.ts";
import {
  createDatagramNetwork,
  type DatagramNetwork,
  type DatagramSocket,
} from "../../../hardware/virtual/datagram.ts";
import type { Reception, Transmission } from "../../../hub/carriers/carrier.ts";
import { createUdpDatagrams } from "../../../hub/carriers/datagram.ts";
import {
  openSemtechUdp,
  type SemtechUdpCarrier,
  type SemtechUdpOptions,
} from "../../../hub/carriers/semtech-udp.ts";
import { createSystemClock } from "../../../hub/clock.ts";
import { REGIONS } from "../../../protocols/lorawan/regions.ts";
import {
  decodeSemtech,
  encodeSemtech,
  type Rxpk,
  type SemtechPacket,
} from "../../../protocols/semtech-udp.ts";

const EUI = "a84041ffff000001";
const OTHER = "a84041ffff000002";
const region = REGIONS.EU868;

const rxpk = (change: Partial<Rxpk> = {}): Rxpk => ({
  tmst: 1_000_000,
  frequencyHz: 868_100_000,
  channel: 0,
  rfChain: 0,
  crc: "ok",
  dataRate: "SF7BW125",
  codingRate: "4/5",
  rssiDbm: -80,
  snrDb: 9,
  phyPayload: Uint8Array.of(0x40, 1, 2, 3),
  ...change,
});
const push = (...list: Rxpk[]): SemtechPacket => ({
  type: "pushData",
  token: 7,
  gateway: EUI,
  rxpk: list,
  stat: null,
});
const pull: SemtechPacket = { type: "pullData", token: 9, gateway: EUI };
const downlink: Transmission = {
  phyPayload: Uint8Array.of(0x60, 1),
  gateway: EUI,
  tmst: 5,
  frequencyHz: 868_100_000,
  dataRate: 5,
  eirpDbm: 16,
  devEui: "",
};

interface Peer {
  readonly socket: DatagramSocket;
  readonly got: SemtechPacket[];
  send(packet: SemtechPacket | Uint8Array): Promise<void>;
}

let clock: VirtualClock;
let network: DatagramNetwork;
let receptions: Reception[];
let lives: string[];

async function open(change: Partial<SemtechUdpOptions> = {}): Promise<SemtechUdpCarrier> {
  let token = 0;
  return openSemtechUdp({
    region,
    clock,
    datagrams: network,
    random: () => Uint8Array.of(++token >> 8, token),
    onReception: (reception) => void receptions.push(reception),
    onGateway: (gateway, what) => void lives.push(`${gateway} ${what}`),
    ...change,
  });
}

function peer(address = "127.0.0.1", port = 0): Peer {
  const socket = network.bind(port, address);
  const got: SemtechPacket[] = [];
  socket.onMessage((bytes) => void got.push(decodeSemtech(bytes)));
  return {
    socket,
    got,
    async send(packet) {
      socket.send(packet instanceof Uint8Array ? packet : encodeSemtech(packet), 1700, hubAddress);
      await clock.advance(1);
    },
  };
}
let hubAddress = "127.0.0.1";

beforeEach(() => {
  clock = createVirtualClock();
  network = createDatagramNetwork(clock);
  receptions = [];
  lives = [];
  hubAddress = "127.0.0.1";
});

describe("binding", () => {
  const listed = (sources: string[]) => [{ eui: EUI, sources }];

  test("only this machine unless told otherwise", async () => {
    expect((await open()).address).toEqual({ address: "127.0.0.1", port: 1700 });
  });

  test.each<[string, Partial<SemtechUdpOptions>, RegExp]>([
    ["without a list", {}, /list each gateway's EUI/],
    ["with an empty list", { gateways: [] }, /list each gateway's EUI/],
    ["without a source", { gateways: listed([]) }, /no source address/],
    ["with every address as source", { gateways: listed(["0.0.0.0/0"]) }, /every address/],
    ["with a wrong source", { gateways: listed(["10.1.2"]) }, /no address or CIDR range/],
    ["with a wrong EUI", { gateways: [{ eui: "12", sources: ["10.0.0.1"] }] }, /16 hexadecimal digits/],
  ])("an address that others can reach is refused %s", async (_name, options, message) => {
    await expect(open({ address: "0.0.0.0", ...options })).rejects.toThrow(message);
  });

  test("a listed gateway is heard from its own addresses only", async () => {
    hubAddress = "0.0.0.0";
    const carrier = await open({ address: hubAddress, gateways: listed(["10.1.2.0/24", "10.9.9.9"]) });
    const inside = peer("10.1.2.77");
    await inside.send(push(rxpk()));
    expect(receptions).toHaveLength(1);
    const outside = peer("10.1.3.77");
    await outside.send(push(rxpk({ tmst: 5 })));
    await outside.send(pull);
    expect(receptions).toHaveLength(1);
    expect(outside.got).toEqual([]);
    expect(carrier.counters.unknownGateway).toBe(2);
  });

  test("real UDP works the same", async () => {
    const datagrams = createUdpDatagrams((error) => {
      throw error;
    });
    const heard = Promise.withResolvers<Reception>();
    const carrier = await open({
      datagrams,
      port: 0,
      clock: createSystemClock(),
      onReception: heard.resolve,
    });
    const socket = await datagrams.bind(0, "127.0.0.1");
    const acknowledged = new Promise<string>((resolve) =>
      socket.onMessage((bytes) => resolve(decodeSemtech(bytes).type)),
    );
    socket.send(encodeSemtech(push(rxpk())), carrier.address.port, carrier.address.address);
    expect((await heard.promise).gateway).toBe(EUI);
    expect(await acknowledged).toBe("pushAck");
    await Promise.all([carrier.close(), socket.close()]);
  });
});

describe("uplinks", () => {
  test("a frame comes out as a reception, also before the first PULL_DATA", async () => {
    await open();
    const gateway = peer();
    await gateway.send(push(rxpk()));
    expect(receptions).toMatchObject([
      {
        carrier: "semtech-udp",
        gateway: EUI,
        rssiDbm: -80,
        snrDb: 9,
        frequencyHz: 868_100_000,
        dataRate: 5,
        tmst: 1e6,
      },
    ]);
    expect(gateway.got).toEqual([{ type: "pushAck", token: 7, version: 2 }]);
    expect(lives).toEqual([`${EUI} seen`]);
  });

  test("the same frame at the same counter is one, a repetition at another counter is not", async () => {
    const carrier = await open();
    const gateway = peer();
    await gateway.send(push(rxpk(), rxpk()));
    await clock.advance(9_000);
    await gateway.send(push(rxpk()));
    await gateway.send(push(rxpk({ tmst: 4_000_000 })));
    expect(receptions).toHaveLength(2);
    expect(carrier.counters.duplicates).toBe(2);
  });

  test("frames with a bad or no CRC, or a strange data rate, are counted and dropped", async () => {
    const carrier = await open();
    await peer().send(push(rxpk({ crc: "bad" }), rxpk({ crc: "none" }), rxpk({ dataRate: "SF6BW500" })));
    expect(receptions).toEqual([]);
    expect(carrier.counters).toMatchObject({ badCrc: 2, unknownDataRate: 1 });
  });

  test("a gateway that floods is cut to its rate, another is not", async () => {
    const carrier = await open({ rateLimit: { perSecond: 10, burst: 20 } });
    const gateway = peer();
    for (let i = 0; i < 50; i++)
      gateway.socket.send(encodeSemtech(push(rxpk({ tmst: i }))), 1700, hubAddress);
    await clock.advance(1);
    expect(receptions).toHaveLength(20);
    expect(carrier.counters.rateLimited).toBe(30);
    await peer().send({ type: "pushData", token: 1, gateway: OTHER, rxpk: [rxpk()], stat: null });
    expect(receptions).toHaveLength(21);
  });

  test("a gateway is pinned to its address for three minutes", async () => {
    hubAddress = "0.0.0.0";
    const carrier = await open({ address: hubAddress, gateways: [{ eui: EUI, sources: ["10.1.0.0/16"] }] });
    const [first, second] = [peer("10.1.0.1"), peer("10.1.0.2")];
    await first.send(pull);
    await second.send(pull);
    expect(second.got).toEqual([]);
    expect(carrier.counters.wrongAddress).toBe(1);
    void carrier.send(downlink);
    await clock.advance(1);
    expect(first.got.map(({ type }) => type)).toEqual(["pullAck", "pullResp"]);
    await clock.advance(180_000);
    await second.send(pull);
    expect(second.got.map(({ type }) => type)).toEqual(["pullAck"]);
  });

  test("no bytes at all bring it down, and none but a gateway's own get an answer", async () => {
    const carrier = await open();
    const stranger = peer();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.nat(6), async (bytes, type) => {
        const datagram = Uint8Array.from([2, 0, 0, type, ...bytes]);
        await stranger.send(bytes);
        await stranger.send(datagram);
      }),
    );
    await stranger.send(new Uint8Array(65_507).fill(0x7b));
    const { datagrams, malformed, notFromGateway, pullData, tooManyGateways, unknownTxAck } =
      carrier.counters;
    expect(malformed + notFromGateway + pullData + tooManyGateways + unknownTxAck).toBe(datagrams);
    expect(stranger.got.length).toBe(pullData);
    expect(receptions).toEqual([]);
  });
});

describe("downlinks", () => {
  const answer = (gateway: Peer, error: "TOO_LATE" | null, from = EUI) => {
    const request = gateway.got.findLast((packet) => packet.type === "pullResp");
    return gateway.send({ type: "txAck", token: request?.token ?? 0, gateway: from, error, warn: null });
  };

  test("go to where the last PULL_DATA came from, and settle with the gateway's answer", async () => {
    const carrier = await open();
    const [up, before, after] = [peer(), peer(), peer()];
    await before.send(pull);
    await after.send(pull);
    await up.send(push(rxpk()));
    const sent = carrier.send(downlink);
    await clock.advance(1);
    expect(after.got.at(-1)).toMatchObject({
      type: "pullResp",
      txpk: {
        tmst: 5,
        frequencyHz: 868_100_000,
        dataRate: "SF7BW125",
        invertPolarity: true,
        crc: false,
        eirpDbm: 16,
      },
    });
    expect([...up.got, ...before.got].filter(({ type }) => type === "pullResp")).toEqual([]);
    await answer(after, null);
    expect(await sent).toBe("queued");
    const late = carrier.send(downlink);
    await clock.advance(1);
    await answer(after, "TOO_LATE");
    expect(await late).toBe("TOO_LATE");
  });

  test("a gateway that never asked, or not for a minute, gets none", async () => {
    const carrier = await open();
    expect(await carrier.send(downlink)).toBe("noGateway");
    const gateway = peer();
    await gateway.send(pull);
    await clock.advance(61_000);
    expect(await carrier.send(downlink)).toBe("noGateway");
  });

  test("no answer within 300 ms is no answer, and a late or foreign one changes nothing", async () => {
    const carrier = await open();
    const gateway = peer();
    await gateway.send(pull);
    const sent = carrier.send(downlink);
    await clock.advance(1);
    await answer(gateway, null, OTHER);
    await clock.advance(300);
    expect(await sent).toBe("noAnswer");
    await answer(gateway, null);
    expect(carrier.counters).toMatchObject({ txAckTimeouts: 1, unknownTxAck: 2, txAcks: 0 });
  });

  test("closing settles what is open", async () => {
    const carrier = await open();
    await peer().send(pull);
    const sent = carrier.send(downlink);
    await carrier.close();
    expect(await sent).toBe("noGateway");
    expect(await carrier.send(downlink)).toBe("noGateway");
  });
});
