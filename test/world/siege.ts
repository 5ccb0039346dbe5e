/** A hub under fire: a world with a stranger beside it, and what a stranger can send. */
import fc from "fast-check";
import { expect } from "vitest";
import { createRandom } from "../../hardware/virtual/random.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { encodeSemtech, type Rxpk } from "../../protocols/semtech-udp.ts";
import { boardEui, HUB_UDP } from "./radio.ts";
import { type World, worldOf } from "./world.ts";

export const BUTTON = boardEui(0);
export const STRANGER_EUI = "02000000000000ff";

/** A world with a joined button and a stranger's socket. */
export async function besieged(yaml?: string) {
  const world = await worldOf({ boards: 1, ...(yaml !== undefined && { yaml }) });
  await world.join();
  await world.press(BUTTON);
  const socket = world.lines.network.bind(0, "10.9.8.7");
  const near = world.lines.network.bind(0);
  const heard: Uint8Array[] = [];
  for (const one of [socket, near]) one.onMessage((bytes) => void heard.push(bytes));
  const last = world.hub.journal.head.sequence;
  const before = world.hub.status().counters;
  return {
    world,
    /** What the hub has said to the stranger: the fourth byte of each datagram names its type. */
    heard,
    /** From another machine. */
    fromFar: (bytes: Uint8Array) => socket.send(bytes, HUB_UDP.port, HUB_UDP.address),
    /** From a program on the hub's own machine. */
    fromNear: (bytes: Uint8Array) => near.send(bytes, HUB_UDP.port, HUB_UDP.address),
    /** How much each counter has grown, without those that have not. */
    counted(): Record<string, number> {
      const now: Readonly<Record<string, number>> = world.hub.status().counters;
      const earlier: Readonly<Record<string, number>> = before;
      return Object.fromEntries(
        Object.entries(now).flatMap(([name, value]) =>
          value === earlier[name] ? [] : [[name, value - (earlier[name] ?? 0)]],
        ),
      );
    },
    raised: async () => (await world.records()).filter(({ sequence }) => sequence > last),
  };
}

/** A real press is stored once, received, and answered. */
export async function expectPressWorks(world: World): Promise<void> {
  const numbers = () =>
    world.incidents("panic").flatMap(({ eventNumbers }) => eventNumbers.map(([a, b]) => b - a + 1));
  const count = numbers().reduce((a, b) => a + b, 0);
  await world.clock.advance(60_000);
  await world.press(BUTTON);
  expect(world.lamp(BUTTON)).toBe("received");
  expect(numbers().reduce((a, b) => a + b, 0)).toBe(count + 1);
}

export const received = (phyPayload: Uint8Array, change: Partial<Rxpk> = {}): Rxpk => ({
  phyPayload,
  tmst: 1_000_000,
  frequencyHz: 433_175_000,
  channel: 0,
  rfChain: 0,
  crc: "ok",
  dataRate: "SF7BW125",
  codingRate: "4/5",
  rssiDbm: -80,
  snrDb: 7,
  ...change,
});
let token = 0;
export const push = (rxpk: readonly Rxpk[], gateway = STRANGER_EUI) => {
  token = (token + 1) % 0x1_0000;
  return encodeSemtech({ type: "pushData", token, version: 2, gateway, rxpk: [...rxpk], stat: null });
};
export const pushJson = (json: string, gateway = STRANGER_EUI) =>
  Buffer.concat([Buffer.from([2, 0, 1, 0]), Buffer.from(gateway, "hex"), Buffer.from(json)]);

/** The frames that the button has sent, oldest first. */
export const framesOf = (world: World) =>
  world.siteEvents.flatMap((event) =>
    event.type === "frame" && event.transmission.polarity === "up" ? [event.transmission.bytes] : [],
  );
export const dataFrameOf = (world: World) => {
  const frame = framesOf(world).findLast((bytes) => decodePhyPayload(bytes).mType === "confirmedDataUp");
  if (frame === undefined) throw new Error("the button has sent no confirmed frame");
  return frame;
};
export const changed = (bytes: Uint8Array, at: number, by = 1) => {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ by;
  return copy;
};

/** Lengths up to what UDP can carry. */
const long = fc.integer({ min: 0, max: 65_507 }).chain((length) =>
  fc.integer().map((seed) => {
    const random = createRandom(seed);
    return Uint8Array.from({ length }, () => Math.floor(random() * 256));
  }),
);
const head = Buffer.concat([Buffer.from([2, 0, 1, 0]), Buffer.from(STRANGER_EUI, "hex")]);
export const noise = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  long,
  // the protocol's own header, and then anything
  fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 5, 6), long).map(([type, bytes]) => {
    const start = Uint8Array.from(head);
    start[3] = type;
    return new Uint8Array(Buffer.concat([start, bytes]).subarray(0, 65_507));
  }),
  fc.json({ maxDepth: 5 }).map((json) => new Uint8Array(pushJson(json))),
  fc
    .constantFrom("[", '{"rxpk":[', '"', "9", '{"a":')
    .map((text) => new Uint8Array(pushJson(text.repeat(65_000 / text.length)))),
);
