import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LAMP } from "../../firmware/lamp.ts";
import {
  CAPACITY,
  type DeviceState,
  dueEvent,
  frameAnswered,
  frameOf,
  frameOnAir,
  lampMeaningOf,
  NO_NUMBER,
  type Outbox,
  outboxDueMs,
  PRESS_LENGTH,
  RESTARTED,
  raiseEvent,
  reachStage,
  releasePress,
  SELF_TEST,
} from "../../firmware/outbox.ts";
import { DETAIL } from "../../protocols/device/details.ts";
import { KINDS, type Kind } from "../../protocols/device/kinds.ts";
import { decodeReport, MODES, type Mode } from "../../protocols/device/report.ts";
import { STAGES, type Stage } from "../../protocols/device/stage.ts";

const WELL: DeviceState = {
  standing: 0,
  batteryPercent: 90,
  lastNumber: 99,
};
const stageAt = (stage: Stage) => STAGES.indexOf(stage);

function raise(
  outbox: Outbox,
  number: number,
  atMs: number,
  kind: Kind = "panic",
  mode: Mode = "real",
): Outbox {
  const detail = kind === "panic" ? PRESS_LENGTH : 0;
  const raised = { kind: KINDS[kind], mode: MODES.indexOf(mode), number, atMs, detail };
  return raiseEvent(outbox, raised, atMs);
}
const beat = (outbox: Outbox, atMs: number, detail = 0) =>
  raiseEvent(outbox, { kind: KINDS.heartbeat, mode: 0, number: NO_NUMBER, atMs, detail }, atMs);

/** Sends whatever is due, one frame at a time, each `frameMs` long, and tells what went out when. */
function run(
  start: Outbox,
  fromMs: number,
  untilMs: number,
  by: {
    frameMs?: number;
    luck?: () => number;
    acks?: (n: number, frame: { isConfirmed: boolean }) => boolean;
  },
) {
  const { frameMs = 2200, luck = () => 0.5, acks = () => false } = by;
  const sent: { number: number; atMs: number; dataRate: number; isConfirmed: boolean }[] = [];
  let outbox = start;
  let nowMs = fromMs;
  while (nowMs < untilMs) {
    const event = dueEvent(outbox, nowMs);
    if (event === undefined) {
      nowMs = Math.min(untilMs, Math.max(nowMs + 1, outboxDueMs(outbox)));
      continue;
    }
    const { dataRate, isConfirmed } = frameOf(event, WELL, nowMs, 0);
    sent.push({ number: event.number, atMs: nowMs, dataRate, isConfirmed });
    outbox = frameOnAir(outbox, event.number, nowMs, luck());
    nowMs += frameMs;
    outbox = frameAnswered(outbox, event.number, acks(event.number, { isConfirmed }), nowMs);
  }
  return { outbox, sent };
}

describe("the ladder", () => {
  test("at once, then 3, 6, 15, 30 s after, then every 60 s, each gap within 20 %", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (luck) => {
        const { sent } = run(raise([], 1, 0), 0, 400_000, { luck: () => luck.next().value ?? 0 });
        const gaps = sent.map(({ atMs }, i) => (atMs - (sent[i - 1]?.atMs ?? 0)) / 1000);
        expect(gaps[0]).toBe(0);
        [3, 3, 9, 15, 60, 60, 60].forEach((gap, i) => {
          expect(gaps[i + 1]).toBeGreaterThanOrEqual(gap * 0.8 - 0.001);
          expect(gaps[i + 1]).toBeLessThanOrEqual(gap * 1.2 + 0.001);
        });
      }),
      { numRuns: 50 },
    );
  });

  test("two frames at the network's data rate, then SF10, SF11, SF12, and never below what the region allows", () => {
    const { sent } = run(raise([], 1, 0), 0, 200_000, {});
    expect(sent.map(({ dataRate }) => dataRate).slice(0, 7)).toEqual([-1, -1, 2, 1, 0, 0, 0]);
    const weary = { ...(raise([], 1, 0)[0] as Outbox[number]), misses: 9 };
    expect(frameOf(weary, WELL, 0, 2).dataRate).toBe(2);
  });

  test("goes on at the data rate that got through, confirmed, until received", () => {
    const { sent } = run(raise([], 1, 0), 0, 3_600_000, { acks: () => true });
    expect(sent.length).toBeGreaterThan(55);
    expect(sent.every(({ dataRate, isConfirmed }) => dataRate === -1 && isConfirmed)).toBe(true);
  });

  test("once received it asks unconfirmed: every 10 s for a minute, every 60 s to the tenth, then no more", () => {
    const received = reachStage(raise([], 1, 0), 1, stageAt("received"), 1000);
    const { sent, outbox } = run(received, 1000, 3_600_000, {});
    expect(sent.every(({ isConfirmed }) => !isConfirmed)).toBe(true);
    expect(sent.filter(({ atMs }) => atMs <= 62_000).length).toBe(6);
    expect(sent.length).toBe(15);
    expect(outbox).toEqual([]);
  });

  test("closed ends it at once", () => {
    expect(reachStage(raise([], 1, 0), 1, stageAt("closed"), 5)).toEqual([]);
  });

  test("is not begun anew for earlier presses by a new one", () => {
    const first = run(raise([], 1, 0), 0, 20_000, {}).outbox;
    const dueMs = first[0]?.dueMs;
    expect(raise(first, 2, 20_000)[0]?.dueMs).toBe(dueMs);
  });
});

describe("several events", () => {
  test("the newest press goes first, and none that a hub has not stored is forgotten", () => {
    let outbox: Outbox = [];
    for (let number = 1; number <= 5; number++) outbox = raise(outbox, number, number * 100);
    const { sent } = run(outbox, 600, 16_000, { acks: () => true });
    expect(sent.map(({ number }) => number).slice(0, 5)).toEqual([5, 4, 3, 2, 1]);
  });

  test("a hand that keeps pressing does not silence the press before", () => {
    let outbox = raise([], 1, 0);
    const sent: number[] = [];
    for (let i = 2; i < 30; i++) {
      outbox = raise(outbox, i, i * 3000);
      const step = run(outbox, i * 3000, i * 3000 + 3000, { frameMs: 700, acks: () => true });
      outbox = step.outbox;
      sent.push(...step.sent.map(({ number }) => number));
    }
    expect(new Set(sent).size).toBe(29);
  });

  test("alarms before tamper before faults before heartbeats, and the real before any exercise", () => {
    const all = [
      beat([], 0, RESTARTED),
      (o: Outbox) => raise(o, 1, 0, "fault"),
      (o: Outbox) => raise(o, 2, 0, "panic", "drill"),
      (o: Outbox) => raise(o, 3, 0, "tamper"),
      (o: Outbox) => raise(o, 4, 0, "panic"),
    ].reduce<Outbox>((outbox, step) => (typeof step === "function" ? step(outbox) : step), []);
    const { sent } = run(all, 0, 60_000, { frameMs: 1000, acks: () => true });
    const firsts = new Set(sent.map(({ number }) => number));
    expect([...firsts]).toEqual([4, 3, 1, 2, NO_NUMBER]);
  });

  test("are bounded: what is stored goes before what is not, the first press stays, the number missing tells", () => {
    let outbox: Outbox = [];
    for (let number = 1; number <= 20; number++) outbox = raise(outbox, number, number);
    expect(outbox.map(({ number }) => number)).toEqual([1, 14, 15, 16, 17, 18, 19, 20]);
    outbox = reachStage(outbox, 16, stageAt("stored"), 30);
    expect(raise(outbox, 21, 31).map(({ number }) => number)).toEqual([1, 14, 15, 17, 18, 19, 20, 21]);
    expect(outbox.length).toBe(CAPACITY);
  });

  test("faults never push an alarm out", () => {
    let outbox: Outbox = [];
    for (let number = 1; number <= 7; number++) outbox = raise(outbox, number, number);
    for (let number = 8; number <= 30; number++)
      outbox = raise(outbox, number, number, number % 2 ? "fault" : "tamper");
    expect(outbox.filter(({ kind }) => kind === KINDS.panic).map(({ number }) => number)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
  });
});

describe("heartbeats", () => {
  test("go out once, unconfirmed, and are forgotten", () => {
    const { sent, outbox } = run(beat([], 0), 0, 100_000, {});
    expect(sent).toEqual([{ number: NO_NUMBER, atMs: 0, dataRate: -1, isConfirmed: false }]);
    expect(outbox).toEqual([]);
  });

  test("that announce a restart go out unconfirmed once, then confirmed every minute until a hub has stored them", () => {
    expect(run(beat([], 0, RESTARTED), 0, 600_000, {}).sent.length).toBeGreaterThan(8);
    const { sent, outbox } = run(beat([], 0, RESTARTED), 0, 600_000, {
      acks: (_, { isConfirmed }) => isConfirmed,
    });
    expect(sent.map(({ isConfirmed }) => isConfirmed)).toEqual([false, true]);
    expect(sent[1]?.atMs).toBeGreaterThanOrEqual(48_000);
    expect(outbox).toEqual([]);
  });

  test("wait while the hub may not know of an event they would count", () => {
    const unknown = beat(raise([], 1, 0), 0, RESTARTED);
    expect(run(unknown, 0, 60_000, {}).sent.every(({ number }) => number === 1)).toBe(true);
    expect(run(unknown, 0, 60_000, { acks: () => true }).sent[1]?.number).toBe(NO_NUMBER);
  });

  test("carry the number of the last event", () => {
    const event = beat([], 0)[0] as Outbox[number];
    const report = decodeReport(Buffer.from(frameOf(event, WELL, 0, 0).hex, "hex"));
    expect(report).toMatchObject({ kind: "heartbeat", eventNumber: 99, detail: 0 });
  });
});

describe("belief", () => {
  test("a stage is believed only for its own event, and only upwards", () => {
    const number = fc.integer({ min: 1, max: 4 });
    const stage = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, stage), { maxLength: 20 }), (heard) => {
        let outbox = raise(raise([], 1, 0), 2, 0);
        const highest = new Map([
          [1, -1],
          [2, -1],
        ]);
        for (const [of, to] of heard) {
          outbox = reachStage(outbox, of, to, 10);
          if (highest.has(of)) highest.set(of, Math.max(highest.get(of) ?? 0, to));
          expect(new Map(outbox.map((event) => [event.number, event.stage]))).toEqual(highest);
        }
      }),
    );
  });

  test("an acknowledgement never means more than stored", () => {
    expect(frameAnswered(raise([], 1, 0), 1, true, 5)[0]?.stage).toBe(stageAt("stored"));
    const received = reachStage(raise([], 1, 0), 1, stageAt("received"), 5);
    expect(frameAnswered(received, 1, true, 6)[0]?.stage).toBe(stageAt("received"));
  });
});

describe("a self-test", () => {
  const tried = (acks: (n: number) => boolean) =>
    run(
      raiseEvent([], { kind: KINDS.heartbeat, mode: 0, number: SELF_TEST, atMs: 0, detail: 0 }, 0),
      0,
      600_000,
      {
        acks,
      },
    );

  test("is a confirmed heartbeat, over as soon as it is acknowledged", () => {
    const { sent, outbox } = tried(() => true);
    expect(sent.map(({ isConfirmed }) => isConfirmed)).toEqual([true]);
    expect(outbox).toEqual([]);
  });

  test("is tried three times about a minute apart, and no more", () => {
    const { sent, outbox } = tried(() => false);
    expect(sent.map(({ atMs }) => Math.round(atMs / 60_000))).toEqual([0, 1, 2]);
    expect(outbox).toEqual([]);
  });
});

describe("a frame", () => {
  test("says the length of the press as known when it is made, in 50 ms, and the age in seconds", () => {
    const outbox = raise([], 7, 1000);
    const detailAt = (box: Outbox, nowMs: number) => {
      const report = decodeReport(Buffer.from(frameOf(box[0] as Outbox[number], WELL, nowMs, 0).hex, "hex"));
      return [report.detail, report.ageS];
    };
    expect(detailAt(outbox, 1060)).toEqual([1, 0]);
    expect(detailAt(outbox, 4000)).toEqual([60, 3]);
    expect(detailAt(releasePress(outbox, 7, 1700), 9_000)).toEqual([14, 8]);
    expect(detailAt(outbox, 100_000)).toEqual([255, 99]);
    expect(detailAt(outbox, 90_000_000)[1]).toBe(0xffff);
  });

  test("carries the mode of the moment of the press, and the device's state of this moment", () => {
    const frame = frameOf(
      raise([], 7, 0, "panic", "drill")[0] as Outbox[number],
      { ...WELL, standing: 1 << DETAIL.case },
      0,
      0,
    );
    const report = decodeReport(Buffer.from(frame.hex, "hex"));
    expect(report).toMatchObject({
      kind: "panic",
      mode: "drill",
      tamperOpen: true,
      batteryPercent: 90,
      eventNumber: 7,
    });
  });
});

describe("the lamp", () => {
  const meaning = (outbox: Outbox, nowMs: number) => {
    const said = lampMeaningOf(outbox, nowMs);
    return (Object.keys(LAMP) as (keyof typeof LAMP)[]).find((name) => LAMP[name] === said);
  };

  test("follows the ladder of stages", () => {
    let outbox = raise([], 1, 0);
    expect(meaning(outbox, 100)).toBe("sending");
    outbox = reachStage(outbox, 1, stageAt("stored"), 200);
    expect(meaning(outbox, 60_000)).toBe("stored");
    outbox = reachStage(outbox, 1, stageAt("received"), 60_000);
    expect([meaning(outbox, 69_999), meaning(outbox, 70_000)]).toEqual(["received", "off"]);
    outbox = reachStage(outbox, 1, stageAt("taken"), 80_000);
    expect(meaning(outbox, 200_000)).toBe("taken");
    outbox = reachStage(outbox, 1, stageAt("dispatched"), 80_000);
    expect(meaning(outbox, 200_000)).toBe("dispatched");
    expect(meaning(reachStage(outbox, 1, stageAt("closed"), 300_000), 300_000)).toBe("off");
  });

  test("says after 15 s that nobody has stored it, and goes dark after half an hour", () => {
    const outbox = raise([], 1, 0);
    expect([meaning(outbox, 14_999), meaning(outbox, 15_000)]).toEqual(["sending", "notDelivered"]);
    expect([meaning(outbox, 1_799_999), meaning(outbox, 1_800_000)]).toEqual(["notDelivered", "off"]);
  });

  test("never shows a received alarm while a newer one is on its way, nor a drill over a real one", () => {
    const received = reachStage(raise([], 1, 0), 1, stageAt("received"), 100);
    expect(meaning(raise(received, 2, 200), 300)).toBe("sending");
    expect(meaning(raise(raise([], 1, 0), 2, 20_000, "panic", "drill"), 20_100)).toBe("notDelivered");
  });

  test("is dark for tamper, faults and heartbeats", () => {
    expect(meaning(beat(raise(raise([], 1, 0, "tamper"), 2, 0, "fault"), 0, RESTARTED), 100)).toBe("off");
  });
});
