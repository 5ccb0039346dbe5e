/** From a panel's registers to records, and what restarts, refusals and lost lines make of them. */
import { describe, expect, test } from "vitest";
import { ARMED, PANEL_YAML, panelWorld, setZone } from "./panel.ts";

const FIRE = (37 << 8) | 24;
const FIRE_AND_FAULT = (37 << 8) | 214;
const SETTLE_MS = 12_000;

describe("a zone", () => {
  test("at rest says nothing, however long", async () => {
    const world = await panelWorld();
    await world.clock.advance(60_000);
    expect(await world.records()).toEqual([]);
    expect(world.modbus.view()).toMatchObject([
      { isUp: true, units: [{ isLost: false, open: 0, points: 4 }] },
    ]);
  });

  test("that burns is one record: which zone, what the panel said, by which bus, and that nobody vouches for it", async () => {
    const world = await panelWorld();
    await world.clock.advance(3_000);
    setZone(world.panel, 2, FIRE);
    await world.clock.advance(SETTLE_MS);
    const records = await world.records();
    expect(records).toMatchObject([
      {
        kind: "heat",
        mode: "real",
        place: { site: "Chilonzor 9", zone: "Cellar" },
        provenance: "poller",
        eventNumber: 1,
        device: expect.stringMatching(/^[0-9a-f][26ae][0-9a-f]{14}$/),
        receptions: [{ carrier: "modbus", gateway: "fire/1" }],
        raw: "2518",
        note: "panel, point 2: fire (code 37)",
        frameHash: null,
      },
    ]);
  });

  test("is heard within its interval and the length of a round", async () => {
    const world = await panelWorld();
    await world.clock.advance(10_000);
    setZone(world.panel, 1, FIRE);
    const beganMs = world.clock.monotonicMs();
    await world.clock.runUntil(() => world.journal.head.sequence > 0, 5_000);
    // 500 ms, and two reads of four zones
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(500 + 2 * 35);
  });

  test("whose fire is over is restored once, by a record that names the fire's", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    setZone(world.panel, 1, ARMED);
    await world.clock.advance(SETTLE_MS);
    const [fire, restore, ...more] = await world.records();
    expect(more).toEqual([]);
    expect(restore).toMatchObject({
      kind: "restore",
      device: fire?.device,
      refersTo: fire?.sequence,
      eventNumber: 2,
    });
  });

  test("that burns again is another event; one that flutters is not", async () => {
    const world = await panelWorld();
    for (let n = 0; n < 20; n++) {
      setZone(world.panel, 1, n % 2 ? ARMED : FIRE);
      await world.clock.advance(1_000);
    }
    expect(await world.story()).toEqual(["smoke Stairs"]);
    setZone(world.panel, 1, ARMED);
    await world.clock.advance(SETTLE_MS);
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).toEqual(["smoke Stairs", "restore Stairs", "smoke Stairs"]);
    expect((await world.records()).map(({ eventNumber }) => eventNumber)).toEqual([1, 2, 3]);
  });

  test("whose fault ends while it burns is restored of the fault alone", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, (214 << 8) | 24);
    await world.clock.advance(SETTLE_MS);
    setZone(world.panel, 1, FIRE_AND_FAULT);
    await world.clock.advance(SETTLE_MS);
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    const [fault, fire, restore, ...more] = await world.records();
    expect([fault?.kind, fire?.kind, restore?.kind, more]).toEqual(["fault", "smoke", "restore", []]);
    expect(restore?.refersTo).toBe(fault?.sequence);
  });

  test("that goes from one fire code to another is told each, and restored when the last is over", async () => {
    const world = await panelWorld();
    for (const code of [37, 40, 146]) {
      setZone(world.panel, 1, (code << 8) | 24);
      await world.clock.advance(SETTLE_MS);
    }
    expect(await world.story()).toEqual(["smoke Stairs", "smoke Stairs", "smoke Stairs"]);
    setZone(world.panel, 1, ARMED);
    await world.clock.advance(SETTLE_MS);
    expect((await world.records()).at(-1)).toMatchObject({ kind: "restore", refersTo: 3 });
  });

  test("with more to say than its register holds has nothing taken for over", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, (37 << 8) | 149);
    await world.clock.advance(SETTLE_MS);
    setZone(world.panel, 1, (146 << 8) | 9);
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).not.toContain("restore Stairs");
  });

  test("with a code that nobody knows is trouble", async () => {
    const world = await panelWorld();
    setZone(world.panel, 3, 99 << 8);
    await world.clock.advance(SETTLE_MS);
    expect(await world.records()).toMatchObject([
      { kind: "fault", note: "panel, point 3: code 99 (unknown code)" },
    ]);
  });
});

describe("a restart", () => {
  test("in the middle of an alarm raises it once, and its end is known afterwards", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    for (let n = 0; n < 3; n++) {
      await world.restart();
      await world.clock.advance(SETTLE_MS);
    }
    expect(await world.story()).toEqual(["smoke Stairs"]);
    setZone(world.panel, 1, ARMED);
    await world.clock.advance(SETTLE_MS);
    expect(await world.records()).toMatchObject([
      { kind: "smoke" },
      { kind: "restore", refersTo: 1, eventNumber: 2 },
    ]);
  });

  test("loses neither what began nor what ended while nobody looked", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    await world.restart({
      whileDown() {
        setZone(world.panel, 1, ARMED);
        setZone(world.panel, 7, (3 << 8) | 24);
      },
    });
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).toEqual(["smoke Stairs", "intrusion Gate", "restore Stairs"]);
  });

  test("without any bus, and then with it again: its fire is a new one", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    await world.restart({ yaml: "region: EU433" });
    await world.restart();
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).toEqual(["smoke Stairs", "smoke Stairs"]);
  });

  test("without a point forgets what stood there: named again, its fire is a new one", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    await world.restart({ yaml: PANEL_YAML.replace("- { at: 1, zone: Stairs }", "") });
    await world.clock.advance(SETTLE_MS);
    await world.restart();
    await world.clock.advance(SETTLE_MS);
    expect((await world.records()).map(({ kind, eventNumber }) => [kind, eventNumber])).toEqual([
      ["smoke", 1],
      ["smoke", 2],
    ]);
  });
});

test("a disk that refuses delays an alarm and loses nothing of it, nor doubles it", async () => {
  const world = await panelWorld();
  await world.clock.advance(2_000);
  world.fill(true);
  setZone(world.panel, 1, FIRE);
  await world.clock.advance(SETTLE_MS);
  expect(await world.records()).toEqual([]);
  world.fill(false);
  await world.clock.advance(SETTLE_MS);
  expect(await world.story()).toEqual(["smoke Stairs"]);
});

describe("a unit", () => {
  test("that does not answer is told once, is asked on, and is told when it is back; its fire then counts", async () => {
    const world = await panelWorld();
    await world.clock.advance(2_000);
    world.panel.isMute = true;
    await world.clock.advance(60_000);
    expect(await world.records()).toMatchObject([
      { kind: "deviceSilent", provenance: "hub", note: "fire, panel: unit 1 does not answer" },
    ]);
    await world.restart();
    await world.clock.advance(30_000);
    setZone(world.panel, 1, FIRE);
    world.panel.isMute = false;
    await world.clock.advance(SETTLE_MS);
    const [silent, fire, back, ...more] = await world.records();
    expect([fire?.kind, back?.kind, more]).toEqual(["smoke", "deviceBack", []]);
    expect(silent?.device).toBe(back?.device);
  });

  test("that is lost leaves the bus to the others", async () => {
    const second = `
        - name: other
          unit: 2
          profile: bolid-c2000-pp
          site: Chilonzor 9
          points: [{ at: 1, zone: Attic }]
`;
    const world = await panelWorld(PANEL_YAML.trimEnd() + second);
    const other = { ...world.panel, holdingRegisters: new Map([[40_000, ARMED]]) };
    world.line.units.set(2, other);
    world.panel.isMute = true;
    await world.clock.advance(60_000);
    const before = world.line.requests.filter(([unit]) => unit === 2).length;
    await world.clock.advance(60_000);
    expect(world.line.requests.filter(([unit]) => unit === 2).length - before).toBeGreaterThan(100);
    expect(await world.story()).toEqual(["deviceSilent panel"]);
  });

  test("on a bus of ten that are lost is still heard in time", async () => {
    const others = Array.from(
      { length: 10 },
      (_, n) =>
        `        - { name: other ${n}, unit: ${n + 2}, profile: bolid-c2000-pp, site: S, points: [{ at: 1 }] }`,
    );
    const world = await panelWorld(`${PANEL_YAML.trimEnd()}\n${others.join("\n")}\n`);
    await world.clock.advance(120_000);
    expect((await world.records()).map(({ kind }) => kind)).toEqual(new Array(10).fill("deviceSilent"));
    for (let n = 0; n < 10; n++) {
      const before = world.journal.head.sequence;
      setZone(world.panel, 1, n % 2 ? ARMED : FIRE);
      const beganMs = world.clock.monotonicMs();
      await world.clock.runUntil(() => world.journal.head.sequence > before, 30_000);
      if (n % 2 === 0) expect(world.clock.monotonicMs() - beganMs).toBeLessThan(1_500);
      await world.clock.advance(1_700);
    }
  });

  test.each([5, 6, 15])("that asks to wait (exception %i) is waited for, and is no trouble", async (code) => {
    const world = await panelWorld();
    await world.clock.advance(2_000);
    let refusals = 3;
    world.panel.refuse = () => (refusals-- > 0 ? code : null);
    setZone(world.panel, 1, FIRE);
    const beganMs = world.clock.monotonicMs();
    await world.clock.runUntil(() => world.journal.head.sequence > 0, 10_000);
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(1_500);
    expect(await world.story()).toEqual(["smoke Stairs"]);
  });

  test("that asks to wait for ever is trouble at each of its points", async () => {
    const world = await panelWorld();
    world.panel.refuse = () => 6;
    await world.clock.advance(60_000);
    const told = await world.records();
    expect(told.map(({ kind, place }) => `${kind} ${place.zone}`)).toEqual([
      "fault Stairs",
      "fault Cellar",
      "fault Roof",
      "fault Gate",
    ]);
    expect(told[0]?.note).toBe("panel, point 1: cannot be read: exception 6 (unread)");
    world.panel.refuse = () => null;
    await world.clock.advance(SETTLE_MS);
    expect((await world.story()).slice(4)).toEqual([
      "restore Stairs",
      "restore Cellar",
      "restore Roof",
      "restore Gate",
    ]);
  });

  test("without a register that was named: that point is trouble, and its neighbours are as before", async () => {
    const world = await panelWorld();
    world.panel.holdingRegisters.delete(40_001);
    await world.clock.advance(SETTLE_MS);
    expect(await world.records()).toMatchObject([
      {
        kind: "fault",
        place: { zone: "Cellar" },
        note: "panel, point 2: cannot be read: exception 2 (unread)",
      },
    ]);
    setZone(world.panel, 3, FIRE);
    await world.clock.advance(SETTLE_MS);
    expect((await world.story()).slice(1)).toEqual(["smoke Roof"]);
  });

  test("that loses one read in four to noise raises nothing and misses nothing", async () => {
    const world = await panelWorld();
    let n = 0;
    world.line.faults.change = (frame) =>
      n++ % 4 === 0 ? frame.map((byte, at) => (at === 3 ? byte ^ 5 : byte)) : frame;
    await world.clock.advance(120_000);
    expect(await world.records()).toEqual([]);
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).toEqual(["smoke Stairs"]);
  });

  test("is never written to", async () => {
    const world = await panelWorld();
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(SETTLE_MS);
    world.panel.isMute = true;
    await world.clock.advance(SETTLE_MS);
    const functions = new Set(world.line.requests.map(([, functionCode]) => functionCode));
    expect([...functions].filter((code) => code !== undefined && code > 4)).toEqual([]);
  });
});

describe("a bus", () => {
  test("that is lost is one fault, none of its units another; its return ends it, over a restart, too", async () => {
    const world = await panelWorld();
    await world.clock.advance(2_000);
    world.plug(false);
    await world.clock.advance(60_000);
    expect(await world.records()).toMatchObject([
      { kind: "busLost", device: null, note: "fire", provenance: "hub" },
    ]);
    world.plug(true);
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).toEqual(["busLost fire", "busBack fire"]);
    world.plug(false);
    await world.clock.advance(10_000);
    await world.restart();
    await world.clock.advance(SETTLE_MS);
    expect((await world.story()).slice(2)).toEqual(["busLost fire", "busBack fire"]);
  });

  test("whose adapter is plugged in again at once is no event, and a fire that began meanwhile is heard", async () => {
    const world = await panelWorld();
    await world.clock.advance(2_000);
    world.plug(false);
    setZone(world.panel, 1, FIRE);
    await world.clock.advance(1_000);
    world.plug(true);
    await world.clock.advance(SETTLE_MS);
    expect(await world.story()).toEqual(["smoke Stairs"]);
  });
});

describe("a value that must be selected", () => {
  const yaml = PANEL_YAML.replace("bolid-c2000-pp", "bolid-c2000-pp-value\n          allowSelect: true")
    .replace("{ at: 1, zone: Stairs }", "{ at: 1, zone: Stairs, above: 54 }")
    .replace("{ at: 2, zone: Cellar, kind: heat }", "{ at: 2, zone: Cellar, kind: heat, above: 54 }")
    .replace("{ at: 3, zone: Roof }", "{ at: 3, zone: Roof, below: -10 }")
    .replace("{ at: 7, zone: Gate }", "{ at: 7, zone: Gate, above: 54 }");

  test("belongs to the point that was selected, though it takes the panel its time", async () => {
    const world = await panelWorld(yaml);
    const celsius = new Map([
      [1, 20],
      [2, 60.5],
      [3, -12.25],
      [7, 21],
    ]);
    let pending = 0;
    world.panel.onWrite = (address, zone) => {
      expect(address).toBe(46_179);
      pending = 2;
      world.panel.holdingRegisters.set(46_328, ((celsius.get(zone) ?? 0) * 256) & 0xffff);
    };
    world.panel.refuse = (functionCode) => (functionCode === 3 && pending-- > 0 ? 15 : null);
    await world.clock.advance(30_000);
    const told = await world.records();
    expect(told.map(({ kind, place, note }) => [kind, place.zone, note])).toEqual([
      ["heat", "Cellar", "panel, point 2: 60.5, above 54 (above)"],
      ["technical", "Roof", "panel, point 3: -12.25, below -10 (below)"],
    ]);
    expect(
      new Set(
        world.line.requests
          .filter(([, code]) => code === 6)
          .map((frame) => (frame[2] ?? 0) * 256 + (frame[3] ?? 0)),
      ),
    ).toEqual(new Set([46_179]));
  });
});
