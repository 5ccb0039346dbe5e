/** A fire panel and a button in one world: the panel's fire at the centre, and the button as fast as without it. */
import { describe, expect, test } from "vitest";
import {
  createModbusLine,
  createModbusUnit,
  type ModbusUnit,
  type VirtualModbusLine,
} from "../../hardware/virtual/modbus-slave.ts";
import type { OpenLine } from "../../hub/modbus/line.ts";
import { boardEui } from "./radio.ts";
import { type World, type WorldOptions, worldOf } from "./world.ts";

const BUTTON = boardEui(0);
const ZONE_1 = 40_000;
const ARMED = 24 << 8;
const FIRE = (37 << 8) | 24;

const yaml = `
region: EU433
modbus:
  buses:
    - name: fire
      path: /dev/ttyS9
      units:
        - name: panel
          unit: 1
          profile: bolid-c2000-pp
          site: Chilonzor 9
          points: [{ at: 1, zone: Stairs }, { at: 2, zone: Cellar }]
`;

/** The world's clock is known when its hub opens the line, and not before. */
async function worldWithPanel(options: WorldOptions = {}) {
  const panel = createModbusUnit();
  panel.holdingRegisters.set(ZONE_1, ARMED).set(ZONE_1 + 1, ARMED);
  let line: VirtualModbusLine | null = null;
  const late = Promise.withResolvers<World>();
  const open: OpenLine = (events) => {
    let isUp = false;
    void late.promise.then(({ clock }) => {
      line ??= createModbusLine({ clock, baudRate: 9600 });
      line.units.set(1, panel);
      line.connect((bytes) => isUp && events.data(bytes));
      isUp = true;
      events.up();
    });
    return {
      get isUp() {
        return isUp;
      },
      write: (bytes) => line?.write(bytes),
      reset: () => undefined,
      async close() {
        isUp = false;
      },
    };
  };
  const world = await worldOf({ boards: 1, yaml, ...options, hub: { modbusLines: () => open } });
  late.resolve(world);
  return { world, panel };
}

describe("a panel's fire", () => {
  test("is one incident at the centre, with its place and the mark that nobody vouches for it, over restarts of the hub", async () => {
    const { world, panel } = await worldWithPanel();
    await world.clock.advance(5_000);
    panel.holdingRegisters.set(ZONE_1, FIRE);
    await world.clock.advance(10_000);
    const expected = {
      kind: "smoke",
      priority: "life",
      mode: "real",
      place: { site: "Chilonzor 9", zone: "Stairs" },
      marks: ["unauthenticated"],
      eventNumbers: [[1, 1]],
      proof: { signature: "verified", chain: "complete" },
      receptions: [{ carrier: "modbus", gateway: "fire/1" }],
    };
    expect(world.incidents("smoke")).toMatchObject([expected]);
    expect(world.hub.status().paths).toMatchObject([{ up: true, backlog: 0 }]);
    await world.stopHub();
    await world.startHub();
    await world.clock.advance(10_000);
    expect(world.incidents("smoke")).toMatchObject([{ ...expected, repeats: 0 }]);
    panel.holdingRegisters.set(ZONE_1, ARMED);
    await world.clock.advance(10_000);
    expect(world.incidents("smoke")).toMatchObject([
      { marks: expect.arrayContaining(["restored"]), stage: "new" },
    ]);
    expect(
      (await world.records()).filter(({ kind }) => kind !== "hubStarted").map(({ kind }) => kind),
    ).toEqual(["smoke", "restore"]);
  });

  test("in two zones is two incidents; what ends in one leaves the other", async () => {
    const { world, panel } = await worldWithPanel();
    panel.holdingRegisters.set(ZONE_1, FIRE).set(ZONE_1 + 1, FIRE);
    await world.clock.advance(10_000);
    panel.holdingRegisters.set(ZONE_1 + 1, ARMED);
    await world.clock.advance(10_000);
    expect(world.incidents("smoke").map(({ place, marks }) => [place.zone, marks])).toEqual([
      ["Stairs", ["unauthenticated"]],
      ["Cellar", ["unauthenticated", "restored"]],
    ]);
  });

  test("while the line to the centre is cut waits in the journal and arrives once", async () => {
    const { world, panel } = await worldWithPanel();
    await world.clock.advance(5_000);
    await world.cut();
    panel.holdingRegisters.set(ZONE_1, FIRE);
    await world.clock.advance(10_000);
    expect(world.incidents("smoke")).toEqual([]);
    await world.restore();
    expect(world.incidents("smoke")).toMatchObject([{ repeats: 0, eventNumbers: [[1, 1]] }]);
  });

  test("goes on the hub's status", async () => {
    const { world, panel } = await worldWithPanel();
    panel.holdingRegisters.set(ZONE_1, FIRE);
    await world.clock.advance(10_000);
    const { modbus, counters } = world.hub.status();
    expect(modbus).toMatchObject([
      { name: "fire", isUp: true, units: [{ name: "panel", points: 2, open: 1, isLost: false }] },
    ]);
    expect(counters["modbus.replies" as keyof typeof counters]).toBeGreaterThan(10);
  });
});

test("a press is stored at the same moment, whatever the panel does meanwhile", async () => {
  const storedMs = async (disturb: ((panel: ModbusUnit) => void) | null) => {
    const { world, panel } =
      disturb === null ? { world: await worldOf({ boards: 1 }), panel: null } : await worldWithPanel();
    await world.join();
    if (panel !== null) disturb?.(panel);
    await world.press(BUTTON);
    const record = (await world.records()).find(({ kind }) => kind === "panic");
    return record === undefined ? null : world.trueMs(record);
  };
  const alone = await storedMs(null);
  expect(alone).not.toBeNull();
  const disturbances: Partial<ModbusUnit>[] = [
    {},
    { isMute: true },
    { refuse: () => 6 },
    { latencyMs: 2_000 },
  ];
  for (const disturbance of disturbances)
    expect(await storedMs((panel) => void Object.assign(panel, disturbance))).toBe(alone);
  expect(await storedMs((panel) => void panel.holdingRegisters.set(ZONE_1, FIRE))).toBe(alone);
});
