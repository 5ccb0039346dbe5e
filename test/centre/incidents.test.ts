import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flawOfAct } from "../../centre/incidents/acts.ts";
import { type Board, createBoard, type Effect, type Input } from "../../centre/incidents/board.ts";
import { type Act, type Arrival, compareIncidents, type Incident } from "../../centre/incidents/incident.ts";
import { DETAIL } from "../../protocols/device/details.ts";
import { MODES } from "../../protocols/device/report.ts";
import type { EventRecord } from "../../protocols/event.ts";
import { EVENT_KINDS, type EventKind } from "../../protocols/hub-kinds.ts";
import { EVENT } from "./hub-double.ts";

const HUB = "00000000000000a1";
const STATE = EVENT.state ?? expect.fail("the sample has no state");
const LINKED = { afterGap: false, chain: "linked", boot: "same", successor: null } as const;

function arrival(index: number, fields: Partial<EventRecord> = {}, more: Partial<Arrival> = {}): Arrival {
  const event = { ...EVENT, hub: HUB, sequence: index, ...fields };
  return {
    index,
    event,
    hash: String(index),
    receivedMs: 1000 * index,
    placement: LINKED,
    badTime: false,
    equivocation: false,
    ...more,
  };
}

function act(type: Act["type"], incident: string, operator = "Nodira", extra: Partial<Act> = {}): Act {
  return { type, incident, operator, atMs: 7, key: `${type}-${incident}-${operator}`, ...extra };
}

function on(board: Board) {
  let index = 0;
  const step = (make: (index: number) => Input): Effect[] => {
    index += 1;
    return board.step(make(index));
  };
  return {
    record: (fields: Partial<EventRecord> = {}, more: Partial<Arrival> = {}) =>
      step((i) => ({ type: "record", arrival: arrival(i, fields, more) })),
    act: (given: Act) => step((i) => ({ type: "act", index: i, act: given })),
    fact: (fact: Extract<Input, { type: "fact" }>["fact"]) => step((i) => ({ type: "fact", index: i, fact })),
    only: (): Incident => {
      const [incident, ...rest] = board.all();
      if (incident === undefined || rest.length > 0) throw new Error(`${rest.length + 1} incidents, not one`);
      return incident;
    },
  };
}

const answers = (effects: readonly Effect[]) =>
  effects.flatMap((e) => (e.do === "answer" ? [e.ok ? "ok" : e.reason] : []));
const stages = (effects: readonly Effect[]) =>
  effects.flatMap((e) => (e.do === "stage" ? [`${e.stage} ${e.records.map((r) => r.sequence)}`] : []));

describe("one incident", () => {
  test("a press opens it, and its place, mode, receptions and proof are there", () => {
    const board = createBoard();
    on(board).record(
      {},
      { badTime: true, placement: { ...LINKED, afterGap: true, chain: "pending", boot: "restart" } },
    );
    expect(board.get("1")).toMatchObject({
      kind: "panic",
      place: EVENT.place,
      receptions: EVENT.receptions,
      marks: ["gap", "badTime", "restart"],
      proof: { chain: "pending", time: "uncertain" },
      stageTimes: { stored: 0, received: 1000 },
    });
  });

  test("repeats fold, and each event number stays to be read", () => {
    const b = on(createBoard());
    for (const eventNumber of [17, 18, 18, 21]) b.record({ eventNumber });
    expect(b.only()).toMatchObject({
      repeats: 3,
      eventNumber: 21,
      eventNumbers: [
        [17, 18],
        [21, 21],
      ],
      unseen: false,
    });
    expect(b.only().history).toMatchObject([
      { type: "opened", eventNumbers: [[17, 17]] },
      {
        type: "repeat",
        count: 3,
        eventNumbers: [
          [18, 18],
          [21, 21],
        ],
      },
    ]);
  });

  test("a new press after somebody took it is unseen until the owner acts; a repeat of the old one is not", () => {
    const b = on(createBoard());
    b.record({ eventNumber: 1 });
    b.act(act("take", "1"));
    b.record({ eventNumber: 1 });
    expect(b.only().unseen).toBe(false);
    b.record({ eventNumber: 2 });
    b.act(act("note", "1", "Aziz", { text: "I see two" }));
    expect(b.only().unseen).toBe(true);
    b.act(act("dispatch", "1"));
    expect(b.only().unseen).toBe(false);
  });

  test("a runaway device fills neither memory nor the history", () => {
    const b = on(createBoard());
    for (let n = 0; n < 2_000; n++) b.record({ eventNumber: (n * 7) % 1000 });
    const { records, history, eventNumbers, repeats } = b.only();
    expect([records.length, history.length, repeats]).toEqual([64, 2, 1_999]);
    expect(records[0]?.sequence).toBe(1);
    expect(records.at(-1)?.sequence).toBe(2_000);
    expect(eventNumbers).toEqual([[0, 999]]);
    expect(JSON.stringify(b.only()).length).toBeLessThan(20_000);
  });

  test("another device, kind, mode or drill is another incident", () => {
    const board = createBoard();
    const b = on(board);
    const variants: Partial<EventRecord>[] = [
      {},
      { device: "70b3d57ed0060002" },
      { kind: "smoke" },
      { mode: "test" },
      { mode: "drill", drill: "a" },
      { mode: "drill", drill: "b" },
    ];
    for (const fields of [...variants, ...variants]) b.record(fields);
    expect(board.all().map(({ repeats }) => repeats)).toEqual(variants.map(() => 1));
  });

  test("after it is closed the next press is a new one", () => {
    const board = createBoard();
    const b = on(board);
    b.record();
    b.act(act("take", "1"));
    b.act(act("close", "1", "Nodira", { cause: "helped" }));
    b.record({ eventNumber: 18 });
    expect(board.all().map(({ stage }) => stage)).toEqual(["closed", "new"]);
  });

  test("later copies add their gateways and are no repeat", () => {
    const b = on(createBoard());
    b.record();
    const reception = {
      carrier: "semtech-udp",
      gateway: "aa555a0000000002",
      rssiDbm: -99,
      snrDb: 1,
      dataRate: 5,
    };
    b.record({ kind: "moreReceptions", refersTo: 1, receptions: [reception, ...EVENT.receptions] });
    expect(b.only()).toMatchObject({ repeats: 0, receptions: [EVENT.receptions[0], reception] });
  });

  test("the chain behind it is settled when the missing record comes, or is contradicted", () => {
    for (const [successor, chain] of [
      ["linked", "complete"],
      ["broken", "gap"],
    ] as const) {
      const board = createBoard();
      board.step({
        type: "record",
        arrival: arrival(1, { sequence: 5 }, { placement: { ...LINKED, chain: "pending", afterGap: true } }),
      });
      board.step({
        type: "record",
        arrival: arrival(2, { sequence: 4, kind: "heartbeat" }, { placement: { ...LINKED, successor } }),
      });
      expect(board.get("1")?.proof.chain).toBe(chain);
    }
  });

  test("information opens nothing", () => {
    const board = createBoard();
    const b = on(board);
    const kinds = (Object.keys(EVENT_KINDS) as EventKind[]).filter(
      (kind) => EVENT_KINDS[kind].priority === "info",
    );
    for (const kind of kinds) b.record({ kind });
    expect(board.all()).toEqual([]);
  });
});

describe("the end of a trouble", () => {
  const troubles = [
    ["deviceSilent", "deviceBack", EVENT.device, null],
    ["gatewayLost", "gatewayBack", null, "aa555a0000000001"],
    ["pathDown", "pathUp", null, "centre-2"],
    ["busLost", "busBack", null, "fire panels"],
    ["annunciatorLost", "annunciatorBack", null, "stairwell"],
    ["diskFault", "diskRestored", null, "no space"],
  ] as const;
  test.each(troubles)("%s is closed by %s, and its hub is told", (kind, end, device, note) => {
    const b = on(createBoard());
    b.record({ kind, device, note });
    expect(stages(b.record({ kind: end, device, note }))).toEqual(["closed 1"]);
    expect(b.only()).toMatchObject({ stage: "closed", owner: null, marks: ["ended"] });
  });

  test("what a person has in hand is marked, not closed", () => {
    const b = on(createBoard());
    b.record({ kind: "deviceSilent" });
    b.act(act("take", "1"));
    b.record({ kind: "deviceBack" });
    expect(b.only()).toMatchObject({ stage: "taken", marks: ["ended"] });
  });

  test("another gateway's or device's return ends nothing", () => {
    const board = createBoard();
    const b = on(board);
    b.record({ kind: "gatewayLost", device: null, note: "a" });
    b.record({ kind: "deviceSilent" });
    b.record({ kind: "gatewayBack", device: null, note: "b" });
    b.record({ kind: "deviceBack", device: "70b3d57ed0060002" });
    expect(board.all().map(({ stage }) => stage)).toEqual(["new", "new"]);
  });

  test("a restore or a cancel marks an alarm and never closes it", () => {
    const b = on(createBoard());
    b.record();
    b.record({ kind: "restore", state: { ...STATE, detail: 0 } });
    b.record({ kind: "cancel" });
    expect(b.only()).toMatchObject({ stage: "new", marks: ["restored", "cancelled"] });
  });

  test("a restore that names a record marks the incident of that record, and no other of the device", () => {
    const board = createBoard();
    const b = on(board);
    b.record({ kind: "smoke" });
    b.record({ kind: "fault" });
    b.record({ kind: "restore", refersTo: 2 });
    b.record({ kind: "restore", refersTo: 77 });
    expect(board.all().map(({ kind, marks }) => [kind, marks])).toEqual([
      ["smoke", []],
      ["fault", ["restored"]],
    ]);
  });

  test("another fault of a device is another incident, and a restore marks the one that it names", () => {
    const board = createBoard();
    const b = on(board);
    const said = (detail: number) => ({ ...STATE, detail });
    b.record({ kind: "fault", state: said(DETAIL.dirty) });
    b.record({ kind: "fault", eventNumber: 18, state: said(DETAIL.battery) });
    b.record({ kind: "smoke", eventNumber: 19, state: said(DETAIL.battery) });
    b.record({ kind: "fault", eventNumber: 20, state: said(DETAIL.dirty) });
    b.record({ kind: "restore", eventNumber: 21, state: said(DETAIL.battery) });
    const marksOf = () => board.all().map(({ kind, state, marks }) => [kind, state?.detail, marks.join()]);
    expect(marksOf()).toEqual([
      ["fault", DETAIL.dirty, ""],
      ["fault", DETAIL.battery, "restored"],
      ["smoke", DETAIL.battery, ""],
    ]);
    b.record({ kind: "restore", eventNumber: 22, state: said(DETAIL.smoke) });
    expect(marksOf()[0]).toEqual(["fault", DETAIL.dirty, ""]);
    expect(marksOf()[2]).toEqual(["smoke", DETAIL.battery, "restored"]);
  });

  test("a hub that is silent is a fault that its return closes", () => {
    const board = createBoard();
    const b = on(board);
    b.fact({ type: "hubLost", hub: HUB, hubName: "Olmazor 3", atMs: 50, lastSeenMs: 20 });
    b.fact({ type: "hubLost", hub: HUB, hubName: "Olmazor 3", atMs: 60, lastSeenMs: 20 });
    expect(board.isHubLost(HUB)).toBe(true);
    expect(b.only()).toMatchObject({
      priority: "fault",
      repeats: 1,
      records: [],
      place: { site: "Olmazor 3" },
    });
    expect(stages(b.fact({ type: "hubBack", hub: HUB, atMs: 70 }))).toEqual(["closed "]);
    expect([board.isHubLost(HUB), b.only().stage]).toEqual([false, "closed"]);
  });
});

describe("acts", () => {
  test("new → taken → dispatched → closed, each step to every record", () => {
    const b = on(createBoard());
    b.record();
    b.record({ eventNumber: 18 });
    expect(stages(b.act(act("take", "1")))).toEqual(["taken 1,2"]);
    expect(stages(b.act(act("dispatch", "1")))).toEqual(["dispatched 1,2"]);
    expect(stages(b.act(act("close", "1", "Nodira", { cause: "helped", text: "team left 14:20" })))).toEqual([
      "closed 1,2",
    ]);
    expect(b.only()).toMatchObject({
      stage: "closed",
      owner: "Nodira",
      cause: "helped",
      stageTimes: { taken: 7, dispatched: 7, closed: 7 },
    });
    expect(b.only().history.at(-1)).toMatchObject({
      type: "closed",
      by: "Nodira",
      text: "helped: team left 14:20",
    });
  });

  test("refusals say why", () => {
    const b = on(createBoard());
    b.record();
    const refused = (given: Act) => answers(b.act(given))[0];
    expect(refused(act("dispatch", "1"))).toBe("Take it first.");
    expect(refused(act("take", "9"))).toBe("There is no such incident.");
    expect(refused(act("take", "1"))).toBe("ok");
    expect(refused(act("take", "1", "Aziz"))).toBe("Nodira has it already.");
    expect(refused(act("close", "1", "Aziz", { cause: "x" }))).toBe("Nodira has it.");
    expect(refused(act("dispatch", "1"))).toBe("ok");
    expect(refused(act("dispatch", "1"))).toBe("A team is on its way already.");
    expect(refused(act("close", "1", "Nodira", { cause: "x" }))).toBe("ok");
    expect(refused(act("take", "1"))).toBe("It is closed.");
    expect(refused(act("note", "1", "Aziz", { text: "seen" }))).toBe("ok");
  });

  test("what can be no act is said before it is stored", () => {
    expect(flawOfAct(act("take", "1"))).toBeNull();
    expect(flawOfAct(act("close", "1"))).toBe("closing needs a cause");
    expect(flawOfAct(act("note", "1", "Nodira", { text: " " }))).toBe("a note needs a text");
    expect(flawOfAct(act("take", "1", ""))).toBe("an act names its operator");
    expect(flawOfAct({ ...act("take", "1"), key: "" })).toBe("an act carries a key, so that it happens once");
    expect(flawOfAct({ ...act("take", "1"), text: "x".repeat(2001) })).toMatch(/at most/);
  });

  test("an untaken alarm escalates at its times, once each; a drill, a taken one and a fault do not", () => {
    const board = createBoard();
    const b = on(board);
    b.record();
    b.record({ mode: "drill", drill: "d" });
    b.record({ kind: "fault" });
    b.record({ kind: "smoke" });
    b.act(act("take", "4"));
    const due = (nowMs: number) =>
      board.step({ type: "tick", nowMs }).flatMap((e) => (e.do === "fact" ? [e.fact] : []));
    expect(due(30_999)).toEqual([]);
    const first = due(31_000);
    expect(first).toEqual([{ type: "escalated", incident: "1", level: 1, atMs: 31_000 }]);
    for (const fact of first) b.fact(fact);
    expect(due(60_000)).toEqual([]);
    expect(due(61_000)).toMatchObject([{ level: 2 }]);
    expect(board.get("1")).toMatchObject({ escalation: 1, marks: ["escalated"] });
  });
});

describe("properties over random worlds", () => {
  const kinds = [
    "panic",
    "smoke",
    "fault",
    "deviceSilent",
    "deviceBack",
    "heartbeat",
    "moreReceptions",
    "restore",
  ] as const;
  const input = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("record" as const),
        device: fc.integer({ min: 1, max: 3 }),
        kind: fc.constantFrom(...kinds),
        mode: fc.constantFrom(...MODES),
        eventNumber: fc.integer({ min: 0, max: 5 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("act" as const),
        type: fc.constantFrom("take", "dispatch", "close", "note"),
        incident: fc.integer({ min: 1, max: 30 }),
        operator: fc.constantFrom("Nodira", "Aziz"),
      }),
    },
  );
  const inputs = fc.array(input, { maxLength: 60 });

  function play(
    list: readonly (typeof inputs extends fc.Arbitrary<infer T> ? T : never)[number][],
    board = createBoard(),
    from = 0,
  ): Effect[] {
    return list.slice(from).flatMap((one, at) => {
      const index = from + at + 1;
      if (one.do === "act") {
        const given = act(one.type, String(one.incident), one.operator, {
          cause: "c",
          text: "t",
          key: String(index),
          atMs: index,
        });
        return board.step({ type: "act", index, act: given });
      }
      const { device, kind, mode, eventNumber } = one;
      const refersTo = kind === "moreReceptions" ? 1 : null;
      return board.step({
        type: "record",
        arrival: arrival(index, {
          device: String(device).padStart(16, "0"),
          kind,
          mode,
          eventNumber,
          refersTo,
        }),
      });
    });
  }

  test("no alarm is lost and none is doubled: every record of one is in exactly one incident", () => {
    fc.assert(
      fc.property(inputs, (list) => {
        const board = createBoard();
        play(list, board);
        const held = board.all().flatMap(({ records }) => records.map(({ sequence }) => sequence));
        const raised = list.flatMap((one, i) =>
          one.do === "record" && EVENT_KINDS[one.kind].priority !== "info" ? [i + 1] : [],
        );
        expect(held.sort((a, b) => a - b)).toEqual(raised);
        expect(board.all().reduce((sum, { repeats }) => sum + repeats + 1, 0)).toBe(raised.length);
      }),
    );
  });

  test("an incident has one owner for ever, and its stage never goes back", () => {
    const order = ["new", "taken", "dispatched", "closed"];
    fc.assert(
      fc.property(inputs, (list) => {
        const owner = new Map<string, string>();
        const stage = new Map<string, number>();
        for (const effect of play(list)) {
          if (effect.do !== "show") continue;
          const { id, owner: now, stage: at } = effect.incident;
          if (owner.has(id)) expect(now).toBe(owner.get(id));
          if (now !== null) owner.set(id, now);
          expect(order.indexOf(at)).toBeGreaterThanOrEqual(stage.get(id) ?? 0);
          stage.set(id, order.indexOf(at));
        }
      }),
    );
  });

  test("history only grows, but for the repeats' own line", () => {
    fc.assert(
      fc.property(inputs, (list) => {
        const seen = new Map<string, Incident["history"]>();
        for (const effect of play(list)) {
          if (effect.do !== "show") continue;
          const before = (seen.get(effect.incident.id) ?? []).filter(({ type }) => type !== "repeat");
          const now = effect.incident.history.filter(({ type }) => type !== "repeat");
          expect(now.slice(0, before.length)).toEqual(before);
          seen.set(effect.incident.id, effect.incident.history);
        }
      }),
    );
  });

  test("a board rebuilt from a shortcut taken anywhere and the entries behind it is the same board", () => {
    fc.assert(
      fc.property(inputs, fc.nat(60), (list, cut) => {
        const whole = createBoard();
        play(list, whole);
        const at = Math.min(cut, list.length);
        const early = createBoard();
        play(list.slice(0, at), early);
        const saved = JSON.parse(JSON.stringify(early.all())) as Incident[];
        const rebuilt = createBoard(saved, early.upTo);
        play(list, rebuilt, at);
        const byId = (board: Board) => [...board.all()].sort(compareIncidents);
        expect(byId(rebuilt)).toEqual(byId(whole));
      }),
    );
  });

  test("the queue's order is total, puts every real one before every drill and test, and open before closed", () => {
    fc.assert(
      fc.property(inputs, (list) => {
        const board = createBoard();
        play(list, board);
        const queue = board.all().sort(compareIncidents);
        for (const [i, a] of queue.entries()) {
          for (const [j, b] of queue.entries()) {
            expect(Math.sign(compareIncidents(a, b))).toBe(Math.sign(i - j));
            if (a.mode !== "real" && b.mode === "real") expect(i).toBeGreaterThan(j);
            if (a.mode === b.mode && a.stage === "closed" && b.stage !== "closed")
              expect(i).toBeGreaterThan(j);
          }
        }
      }),
    );
  });
});
