import { describe, expect, test } from "vitest";
import { createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import { DETAIL } from "../../protocols/device/details.ts";
import type { Kind } from "../../protocols/device/kinds.ts";
import { createSensorBench, READY_MS, type SensorBench, type SensorRole } from "./sensor-bench.ts";

interface Scenario {
  readonly role: SensorRole;
  readonly kind: Kind;
  readonly code: number;
  /** Brings the alarm about, and takes its cause away. */
  readonly begin: (bench: SensorBench) => void;
  readonly end: (bench: SensorBench) => void;
  /** From the cause to the first frame, at most. */
  readonly withinMs: number;
  readonly overMs: number;
}

const SCENARIOS: readonly Scenario[] = [
  {
    role: "smoke-sensor",
    kind: "smoke",
    code: DETAIL.smoke,
    begin: (bench) => bench.burn({ kelvinPerMinute: 0, smokePerMinute: 600, untilSmoke: 12 }),
    end: (bench) => bench.burn({ kelvinPerMinute: 0, smokePerMinute: -600 }),
    withinMs: 20_000,
    overMs: 150_000,
  },
  {
    role: "heat-sensor",
    kind: "heat",
    code: DETAIL.heat,
    begin: (bench) => bench.burn({ kelvinPerMinute: 600, untilCelsius: 90 }),
    end: (bench) => bench.burn({ kelvinPerMinute: -600 }),
    withinMs: 40_000,
    overMs: 300_000,
  },
  {
    role: "call-point",
    kind: "callPoint",
    code: DETAIL.callPoint,
    begin: (bench) => bench.setLoop("alarm"),
    end: (bench) => bench.setLoop("rest"),
    withinMs: 60,
    overMs: 2000,
  },
  {
    role: "door-contact",
    kind: "intrusion",
    code: DETAIL.door,
    begin: (bench) => bench.setLoop("alarm"),
    end: (bench) => bench.setLoop("rest"),
    withinMs: 60,
    overMs: 2000,
  },
];

describe.each(SCENARIOS)("$role", ({ role, kind, code, begin, end, withinMs, overMs }) => {
  const ready = async (options: Parameters<typeof createSensorBench>[1] = {}) => {
    const bench = await createSensorBench(role, options);
    await bench.ready();
    return bench;
  };
  const alarmsOf = (bench: SensorBench) => bench.reports().filter((report) => report.kind === kind);

  test("says nothing but heartbeats while nothing happens", async () => {
    const bench = await ready();
    await bench.clock.advance(2 * 3_600_000);
    expect(bench.told()).toEqual([]);
    expect(bench.board.errors).toEqual([]);
  });

  test("alarms in time, confirmed, and says when it is over", async () => {
    const bench = await ready();
    bench.answer("received");
    begin(bench);
    await bench.clock.advance(withinMs);
    expect(alarmsOf(bench)[0]).toMatchObject({ mode: "real", confirmed: true, ageS: 0, deviceFault: false });
    await bench.clock.advance(600_000);
    end(bench);
    await bench.clock.advance(overMs);
    const told = bench.told();
    expect(told.map((report) => report.kind)).toEqual([kind, ...told.slice(1).map(() => "restore")]);
    expect(told.slice(1).map(({ detail }) => detail)).toContain(code);
    expect(bench.board.errors).toEqual([]);
  });

  test("repeats an alarm that nobody answers with one number, by the ladder, at falling data rates", async () => {
    const bench = await createSensorBench(role);
    bench.modem.manners = { acks: (hex) => hex.startsWith("21") };
    await bench.ready();
    begin(bench);
    await bench.clock.advance(withinMs + 120_000);
    const alarms = alarmsOf(bench);
    expect(new Set(alarms.map(({ eventNumber }) => eventNumber)).size).toBe(1);
    [3, 3, 9, 15, 60].forEach((gapS, i) => {
      const gap = ((alarms[i + 1]?.atMs ?? 0) - (alarms[i]?.atMs ?? 0)) / 1000;
      expect(gap).toBeGreaterThanOrEqual(gapS * 0.8 - 2.5);
      expect(gap).toBeLessThanOrEqual(gapS * 1.2 + 2.5);
    });
    const rates = bench.modem.lines.map(({ line }) => line).filter((line) => line.includes("+DR="));
    expect(rates.slice(-3)).toEqual(["AT+DR=2", "AT+DR=1", "AT+DR=0"]);
  });

  test("alarms again after a restart, in whatever state its power was cut", async () => {
    for (const cutMs of [withinMs, withinMs + 1200, withinMs + 30_000]) {
      const storage = createBoardStorage();
      const first = await ready({ storage });
      begin(first);
      await first.clock.advance(cutMs);
      first.board.powerOff();
      const numbers = alarmsOf(first).map(({ eventNumber }) => eventNumber);
      const second = await createSensorBench(role, { storage, seed: 5 });
      begin(second);
      await second.clock.advance(60_000);
      second.board.powerOn();
      await second.clock.advance(60_000);
      const again = alarmsOf(second);
      if (role === "heat-sensor") expect(again[0]?.detail).toBeGreaterThan(58 + 40);
      expect(again.length).toBeGreaterThan(0);
      expect(numbers).not.toContain(again[0]?.eventNumber);
    }
  });

  test("that begins in a test is a test's, and a real one from the test's end on", async () => {
    const bench = await ready({ identity: { mode: "test", modeForS: 300 } });
    bench.answer("received");
    begin(bench);
    await bench.clock.advance(180_000);
    expect(new Set(alarmsOf(bench).map(({ mode }) => mode))).toEqual(new Set(["test"]));
    await bench.clock.advance(330_000 - READY_MS - 180_000);
    expect(alarmsOf(bench).at(-1)).toMatchObject({ mode: "real" });
    const real = bench.told().filter((report) => report.kind === kind && report.mode === "real");
    expect(real.length).toBe(1);
  });

  test("tells an opened case, a low battery and lost mains besides its alarm", async () => {
    const bench = await ready({ identity: { heartbeatS: 60 } });
    bench.answer("received");
    begin(bench);
    await bench.clock.advance(withinMs + 5000);
    bench.board.setPin("tamper", 0);
    bench.board.setPin("mains", 0);
    bench.board.setPin("battery", 0.65);
    await bench.clock.advance(120_000);
    const said = bench.told().map((report) => [report.kind, report.detail]);
    expect(said).toContainEqual(["tamper", DETAIL.case]);
    expect(said).toContainEqual(["fault", DETAIL.mains]);
    expect(said).toContainEqual(["fault", DETAIL.battery]);
    expect(bench.reports().at(-1)).toMatchObject({ tamperOpen: true, mainsLost: true, batteryLow: true });
    expect(alarmsOf(bench).every(({ eventNumber }) => eventNumber === alarmsOf(bench)[0]?.eventNumber)).toBe(
      true,
    );
  });
});

describe("smoke-sensor", () => {
  const smoky = async (options: Parameters<typeof createSensorBench>[1] = {}) => {
    const bench = await createSensorBench("smoke-sensor", options);
    await bench.ready();
    bench.answer("received");
    return bench;
  };

  test("smoke that grows is a pre-alarm, then an alarm with its density", async () => {
    const bench = await smoky();
    bench.burn({ kelvinPerMinute: 1, smokePerMinute: 1, untilSmoke: 5 });
    await bench.clock.advance(600_000);
    expect(bench.told()).toMatchObject([{ kind: "preAlarm", detail: DETAIL.smoke }, { kind: "smoke" }]);
    expect(bench.told()[1]?.detail).toBeGreaterThanOrEqual(35);
    expect(bench.told()[1]?.detail).toBeLessThan(45);
  });

  test("the button silences the sounder and no report", async () => {
    const bench = await smoky();
    bench.burn({ kelvinPerMinute: 0, smokePerMinute: 600, untilSmoke: 5 });
    await bench.clock.advance(30_000);
    expect([bench.board.lamp().buzzer, bench.board.lamp().red]).toEqual([true, true]);
    const said = () => bench.told().map(({ kind, eventNumber }) => `${kind} ${eventNumber}`);
    const before = said();
    bench.board.press();
    await bench.clock.advance(200);
    bench.board.release();
    await bench.clock.advance(10_000);
    expect([bench.board.lamp().buzzer, bench.board.lamp().red]).toEqual([false, true]);
    expect(said()).toEqual(before);
    await bench.clock.advance(600_000);
    expect(bench.board.lamp().buzzer).toBe(true);
  });

  test.each([
    ["its head is taken out", 0, DETAIL.headRemoved],
    ["its chamber goes blind", 0.03, DETAIL.chamber],
  ])("says that %s, and when it is back", async (_, level, code) => {
    const bench = await smoky();
    bench.board.setPin("chamber", level);
    await bench.clock.advance(60_000);
    expect(bench.told()).toMatchObject([{ kind: "fault", detail: code, deviceFault: true }]);
    bench.board.setPin("chamber", 0.12);
    await bench.clock.advance(60_000);
    expect(bench.told()[1]).toMatchObject({ kind: "restore", detail: code, deviceFault: false });
  });

  test("in a walk test gas is told within 3 s, as a test, with a chirp", async () => {
    const bench = await smoky({ identity: { mode: "test" } });
    bench.board.setPin("chamber", 0.6);
    await bench.clock.advance(3100);
    expect(bench.told()).toMatchObject([{ kind: "smoke", mode: "test" }]);
    expect(bench.board.lamp().buzzer).toBe(true);
    bench.board.setPin("chamber", 0.12);
    await bench.clock.advance(2000);
    expect(bench.board.lamp().buzzer).toBe(false);
    await bench.clock.advance(12_000);
    expect(bench.told().at(-1)).toMatchObject({ kind: "restore", detail: DETAIL.smoke, mode: "test" });
  });
});

test("a heat sensor in a fire of 10 K/min: pre-alarm, then alarm within four minutes and twenty seconds", async () => {
  const bench = await createSensorBench("heat-sensor");
  await bench.ready();
  bench.answer("received");
  bench.burn({ kelvinPerMinute: 10 });
  await bench.clock.advance(260_000);
  expect(bench.told()).toMatchObject([{ kind: "preAlarm", detail: DETAIL.heat }, { kind: "heat" }]);
  expect((bench.told()[1]?.atMs ?? 0) - READY_MS).toBeGreaterThan(60_000);
  expect(bench.board.lamp().red).toBe(true);
});

test.each([
  ["broken", 1, DETAIL.sensorOpen],
  ["shorted", 0, DETAIL.sensorShort],
])("a heat sensor says that its thermistor is %s", async (_, level, code) => {
  const bench = await createSensorBench("heat-sensor");
  await bench.ready();
  bench.answer("received");
  bench.board.setPin("thermistor", level);
  await bench.clock.advance(60_000);
  expect(bench.told()).toMatchObject([{ kind: "fault", detail: code, deviceFault: true }]);
});

test.each([
  ["call-point", "cut", "fault", DETAIL.lineOpen],
  ["call-point", "short", "fault", DETAIL.lineShort],
  ["door-contact", "cut", "tamper", DETAIL.lineOpen],
  ["door-contact", "short", "tamper", DETAIL.lineShort],
] as const)(
  "a %s whose line is %s tells it as %s, and when it is whole again",
  async (role, condition, kind, code) => {
    const bench = await createSensorBench(role);
    await bench.ready();
    bench.answer("received");
    bench.setLoop(condition);
    await bench.clock.advance(10_000);
    bench.setLoop("rest");
    await bench.clock.advance(10_000);
    expect(bench.told()).toMatchObject([
      { kind, detail: code },
      { kind: "restore", detail: code },
    ]);
  },
);

test("a call point's lamp says how far the call has come; a door shows nothing", async () => {
  for (const role of ["call-point", "door-contact"] as const) {
    const bench = await createSensorBench(role);
    await bench.ready();
    let isLit = false;
    bench.board.onLamp((lamp) => {
      isLit ||= lamp.red || lamp.amber || lamp.green || lamp.buzzer;
    });
    bench.answer("received");
    bench.setLoop("alarm");
    await bench.clock.advance(5000);
    expect(isLit).toBe(role === "call-point");
    expect(bench.board.lamp().green).toBe(role === "call-point");
  }
});
