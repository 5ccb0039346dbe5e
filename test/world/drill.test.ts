/** A drill cannot look real, and a real press cannot be muted by a drill. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareIncidents, type Incident } from "../../centre/incidents/incident.ts";
import { announceRecord, givesWay, type StateSubject } from "../../hub/announce.ts";
import { decodeReport, MODES, type Mode } from "../../protocols/device/report.ts";
import { STAGES } from "../../protocols/device/stage.ts";
import { verifyEvidence } from "../../protocols/evidence.ts";
import { EVENT_KINDS, type EventKind } from "../../protocols/hub-kinds.ts";
import { createAesKey, cryptFrmPayload } from "../../protocols/lorawan/crypto.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { boardEui } from "./radio.ts";
import { type World, worldOf } from "./world.ts";

const BUTTON = boardEui(0);
const OTHER = boardEui(1);

async function worldIn(mode: Mode, more: Record<string, unknown> = {}) {
  const world = await worldOf({ boards: 2, identity: { mode, ...more } });
  await world.join();
  return world;
}

/** The reports that a button has put on the air since a moment, opened with its session's keys. */
async function reportsOnAir(world: World, devEui: string, sinceMs: number) {
  const session = (await world.hub.journal.loadDevices()).find((row) => row.devEui === devEui)?.session;
  if (session === undefined || session === null) throw new Error("no session");
  const key = createAesKey(session.appSKey);
  return world.siteEvents.flatMap((event) => {
    if (event.type !== "frame" || event.atMs < sinceMs || event.transmission.polarity !== "up") return [];
    const frame = decodePhyPayload(event.transmission.bytes);
    if (!("devAddr" in frame) || frame.devAddr !== session.devAddr || frame.fPort !== 2) return [];
    const sealed = new Uint8Array(Buffer.from(frame.frmPayload, "hex"));
    return [decodeReport(cryptFrmPayload(key, "up", frame.devAddr, frame.fCnt16, sealed))];
  });
}

/** What its records say; an untaken real one escalates meanwhile. */
const said = ({ records, eventNumbers, receptions, repeats, unseen, stage }: Incident) => ({
  ...{ records, eventNumbers, receptions, repeats, unseen, stage },
});

const act = (incident: Incident | undefined, type: "take" | "dispatch" | "close") =>
  ({
    type,
    incident: incident?.id ?? "",
    operator: "Nodira",
    atMs: 0,
    key: `${type} ${incident?.id}`,
    cause: "drill",
  }) as const;

describe.each(["drill", "test", "commissioning"] as const)("a press in mode %s", (mode) => {
  test("is one on the air, in the record, in the announcement, in the incident and in the evidence", async () => {
    const world = await worldIn(mode);
    const beganMs = world.clock.monotonicMs();
    await world.press(BUTTON);
    expect(world.lamp(BUTTON)).toBe("received");
    const reports = (await reportsOnAir(world, BUTTON, beganMs)).filter(({ kind }) => kind === "panic");
    expect(reports.length).toBeGreaterThan(0);
    expect(new Set(reports.map((report) => report.mode))).toEqual(new Set([mode]));

    const record = (await world.records()).find(({ kind }) => kind === "panic");
    if (record === undefined) throw new Error("no record");
    expect(record).toMatchObject({ mode, device: BUTTON });
    for (const { topic, body } of announceRecord(record))
      expect([topic, body["mode"]]).toEqual([topic, mode]);

    const [incident, ...others] = world.incidents();
    expect(others).toEqual([]);
    expect(incident).toMatchObject({ kind: "panic", mode, device: BUTTON, priority: "life" });
    const file = await world.centre.exportEvidence(incident?.id ?? "");
    const { ok, records } = verifyEvidence(file ?? new Uint8Array());
    expect(ok).toBe(true);
    expect(records.map(({ kind, mode }) => [kind, mode])).toEqual([["panic", mode]]);
  });

  test("stands below a real one that comes later, and a real press of the same button is an incident of its own", async () => {
    const world = await worldIn(mode);
    await world.press(BUTTON);
    const [drill] = world.incidents();
    await world.flash(BUTTON, { mode: "real" });
    await world.join();
    await world.press(BUTTON);
    expect(world.lamp(BUTTON)).toBe("received");

    const queue = world.incidents().sort(compareIncidents);
    expect(queue.map((one) => [one.mode, one.device, one.kind, one.repeats])).toEqual([
      ["real", BUTTON, "panic", 0],
      [mode, BUTTON, "panic", 0],
    ]);
    // the drill is as it was: no record, number or reception of the real press went into it
    expect(queue[1]).toEqual(drill);
    expect(queue[0]?.eventNumber).not.toBe(drill?.eventNumber);

    for (const type of ["take", "dispatch", "close"] as const)
      expect(await world.centre.act(act(drill, type))).toMatchObject({ ok: true });
    const [real] = world.incidents().sort(compareIncidents);
    expect(real).toEqual(queue[0]);
    // the button stays at what became of the real press
    await world.clock.advance(60_000);
    expect(["received", "off"]).toContain(world.lamp(BUTTON));
    expect(await world.centre.act(act(real, "take"))).toMatchObject({ ok: true, incident: { mode: "real" } });
    await world.clock.runUntil(() => world.lamp(BUTTON) === "taken", 120_000);
    expect(world.lamp(BUTTON)).toBe("taken");
  });

  test("that comes during a real one opens no real one, and takes nothing from it", async () => {
    const world = await worldIn("real");
    await world.press(BUTTON);
    const [real] = world.incidents();
    await world.flash(BUTTON, { mode });
    await world.join();
    for (let i = 0; i < 3; i++) await world.press(BUTTON);
    await world.press(OTHER);
    const queue = world.incidents().sort(compareIncidents);
    expect(queue.map((one) => [one.mode, one.device])).toEqual([
      ["real", BUTTON],
      ["real", OTHER],
      [mode, BUTTON],
    ]);
    expect(queue[0] && said(queue[0])).toEqual(real && said(real));
    expect(queue[2]).toMatchObject({ repeats: 2 });
  });
});

test("a drill that ends by its time: the next press is real, without anybody touching the button", async () => {
  const world = await worldIn("drill", { modeForS: 600 });
  await world.press(BUTTON);
  await world.clock.advance(600_000);
  await world.press(BUTTON);
  const queue = world.incidents("panic").sort(compareIncidents);
  expect(queue.map(({ mode, repeats }) => [mode, repeats])).toEqual([
    ["real", 0],
    ["drill", 0],
  ]);
});

describe("the queue", () => {
  const kinds = Object.keys(EVENT_KINDS) as EventKind[];
  const anyIncident = fc
    .record({
      id: fc.integer({ min: 1, max: 9_999 }).map(String),
      kind: fc.constantFrom<Incident["kind"]>(...kinds, "equivocation"),
      priority: fc.constantFrom<Incident["priority"]>("life", "intrusion", "fault", "info"),
      mode: fc.constantFrom(...MODES),
      stage: fc.constantFrom<Incident["stage"]>("new", "taken", "dispatched", "closed"),
      openedMs: fc.nat(10_000),
      escalation: fc.nat(3),
      unseen: fc.boolean(),
    })
    .map((some): Incident => ({ ...BLANK, ...some }));

  test("no incident that is not real ever stands above one that is", () => {
    fc.assert(
      fc.property(fc.array(anyIncident, { maxLength: 40 }), (incidents) => {
        const modes = incidents.sort(compareIncidents).map(({ mode }) => mode === "real");
        expect(modes).toEqual([...modes].sort((a, b) => Number(b) - Number(a)));
      }),
      { numRuns: 1_000, seed: 10 },
    );
  });
});

describe("a device's retained state", () => {
  const anyState = fc.record<StateSubject>({
    kind: fc.constantFrom(...(Object.keys(EVENT_KINDS) as EventKind[])),
    mode: fc.constantFrom(...MODES),
    stage: fc.constantFrom(...STAGES),
    sequence: fc.integer({ min: 1, max: 1_000 }),
  });

  test("an open real one gives way to no exercise, and of any two events one gives way to the other", () => {
    fc.assert(
      fc.property(anyState, anyState, (a, b) => {
        if (a.sequence === b.sequence) return;
        expect(givesWay(a, b)).toBe(!givesWay(b, a));
        if (a.mode === "real" && a.stage !== "closed" && b.mode !== "real")
          expect(givesWay(a, b)).toBe(false);
      }),
      { numRuns: 5_000, seed: 10 },
    );
  });
});

const BLANK: Incident = {
  id: "1",
  kind: "panic",
  priority: "life",
  mode: "real",
  drill: null,
  hub: "00".repeat(8),
  device: BUTTON,
  deviceName: null,
  place: { site: "", zone: "" },
  eventNumber: 1,
  eventNumbers: [[1, 1]],
  openedMs: 0,
  stage: "new",
  owner: null,
  stageTimes: {},
  proof: { signature: "verified", chain: "complete", time: "good", equivocation: false },
  receptions: [],
  records: [],
  marks: [],
  history: [],
  repeats: 0,
  unseen: false,
  escalation: 0,
  cause: null,
  state: null,
  note: null,
};
