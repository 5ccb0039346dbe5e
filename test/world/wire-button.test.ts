/** A button on the wire is the same button: same frames, same records, same lamp. */
import { describe, expect, test } from "vitest";
import { bundle, UPLINKS } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { type LampChange, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import { createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import { createVirtualBus, type VirtualBus } from "../../hardware/virtual/bus.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createRs485Serial } from "../../hardware/virtual/rs485-board.ts";
import type { LineEvents, OpenLine } from "../../hub/carriers/rs485-line.ts";
import type { EventRecord } from "../../protocols/event.ts";
import { boardEui } from "./radio.ts";
import { type World, worldOf } from "./world.ts";

const RADIO = boardEui(0);
const WIRED = "0200000000000201";
const JOIN_EUI = "0200000000000001";
const APP_KEY = "00112233445566778899aabbccddeeff";
const ADDRESS = 7;
const YAML = `region: EU433\nbuses:\n  - { name: stairs, path: /dev/bus, addresses: [${ADDRESS}] }`;

/** The hub's end of a bus that is laid when the hub is there already. */
function createLateLine() {
  let hub: LineEvents | null = null;
  let say: ((bytes: Uint8Array) => void) | null = null;
  const lines: OpenLine = (_path, _baud, events) => {
    hub = events;
    if (say !== null) setImmediate(events.opened);
    return { write: (bytes) => say?.(bytes), close: async () => undefined };
  };
  return {
    lines,
    lay(bus: VirtualBus) {
      const port = bus.attach();
      port.onData((bytes) => hub?.data(bytes));
      say = (bytes) => port.send(bytes);
      hub?.opened();
    },
  };
}

/** A world with a button on the radio, and one on the wire. */
async function twoButtons() {
  const line = createLateLine();
  const world = await worldOf({ boards: 1, yaml: YAML, hub: { lines: line.lines } });
  const { clock } = world;
  const bus = createVirtualBus({ clock });
  line.lay(bus);
  await world.hub.addDevices([
    {
      devEui: WIRED,
      joinEui: JOIN_EUI,
      appKey: APP_KEY,
      name: "Bog‘iston 14-2",
      place: { site: "Bog‘iston mahallasi, 14-uy (Chilonzor)", zone: "2-kirish" },
    },
  ]);
  const entry = new URL("../../firmware/entrance-button.ts", import.meta.url).pathname;
  const board = createBoard({
    bundle: await bundle(entry, UPLINKS.wire),
    identity: { devEui: WIRED, joinEui: JOIN_EUI, appKey: APP_KEY, region: "EU433", wireAddress: ADDRESS },
    clock,
    random: createRandom(5),
    serial: createRs485Serial({ clock, port: bus.attach() }),
    storage: createBoardStorage({}),
  });
  const lamps: LampChange[] = [];
  board.onLamp((lamp, atMs) => lamps.push({ lamp, atMs }));
  board.powerOn();
  return { world, bus, board, lampOf: () => lampMeaning(lamps, clock.monotonicMs()) };
}

/** What a record says of a press, whatever brought it. */
function meaningOf({ kind, mode, ageMs, state, provenance, place, refersTo }: EventRecord) {
  return { kind, mode, ageMs, state, provenance, site: place.site, refersTo };
}

async function recordsOf(world: World, devEui: string): Promise<EventRecord[]> {
  return (await world.records()).filter(({ device, kind }) => device === devEui && kind !== "moreReceptions");
}

describe("a button on the wire", () => {
  test("and one on the radio, pressed alike, give equal records but for the reception, and lamps alike", async () => {
    const { world, board, lampOf } = await twoButtons();
    await world.join();
    for (const holdMs of [200, 500, 1500]) {
      const pressed = world.site.press(RADIO, holdMs);
      board.press();
      world.clock.setTimer(() => board.release(), holdMs);
      await world.clock.advance(8000);
      await pressed;
      expect([world.lamp(RADIO), lampOf()]).toEqual(["received", "received"]);
    }
    const [radio, wired] = [await recordsOf(world, RADIO), await recordsOf(world, WIRED)];
    expect(radio.length).toBeGreaterThanOrEqual(3);
    expect(wired.map(meaningOf)).toEqual(radio.map(meaningOf));
    const numbers = (records: EventRecord[]) =>
      records.map(({ eventNumber }) => (eventNumber ?? 0) - (records[0]?.eventNumber ?? 0));
    expect(numbers(wired)).toEqual(numbers(radio));
    for (const { receptions } of wired)
      expect(receptions).toEqual([
        { carrier: "rs485", gateway: `stairs/${ADDRESS}`, rssiDbm: null, snrDb: null, dataRate: null },
      ]);
    expect(board.errors).toEqual([]);
  });

  test("goes on after a power cut without a join: a press in the first second is through in the next", async () => {
    const { world, board } = await twoButtons();
    await world.join();
    // the session is kept once the heartbeat that told of the start is stored
    await world.clock.advance(65_000);
    const joins = world.counter("lorawan.joinRequests");
    board.powerOff();
    await world.clock.advance(30_000);
    board.powerOn();
    board.press();
    await world.clock.advance(1000);
    board.release();
    await world.clock.advance(1000);
    const [first] = (await recordsOf(world, WIRED)).filter(({ kind }) => kind === "panic");
    expect(first).toMatchObject({ mode: "real", ageMs: 0 });
    expect(world.counter("lorawan.joinRequests")).toBe(joins);
    expect(board.errors).toEqual([]);
  });

  test("pressed while the hub is away is heard when it is back, without a join", async () => {
    const { world, board, lampOf } = await twoButtons();
    await world.join();
    await world.stopHub();
    board.press();
    await world.clock.advance(500);
    board.release();
    await world.clock.advance(20_000);
    expect(lampOf()).toBe("notDelivered");
    await world.startHub();
    expect(await world.clock.runUntil(() => lampOf() === "received", 30_000)).toBe(true);
    const panics = (await recordsOf(world, WIRED)).filter(({ kind }) => kind === "panic");
    expect(panics).toHaveLength(1);
    expect(panics[0]?.ageMs).toBeGreaterThanOrEqual(20_000);
    expect(world.counter("lorawan.joinRequests")).toBe(0);
    expect(board.errors).toEqual([]);
  });

  test("is heard through noise on the line", async () => {
    const { world, bus, board, lampOf } = await twoButtons();
    await world.join();
    board.press();
    for (let i = 0; i < 40; i++) {
      bus.noise(Uint8Array.from({ length: 1 + (i % 9) }, (_, n) => (37 * n + i) & 255));
      await world.clock.advance(23);
    }
    board.release();
    await world.clock.advance(9000);
    expect(lampOf()).toBe("received");
    const panics = (await recordsOf(world, WIRED)).filter(({ kind }) => kind === "panic");
    expect(panics).toHaveLength(1);
    expect(board.errors).toEqual([]);
  });
});
