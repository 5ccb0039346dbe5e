import { beforeAll, describe, expect, test } from "vitest";
import { buildFirmware } from "../../firmware/build.ts";
import { createBoard, VIRTUAL_PROFILE } from "../../hardware/virtual/board.ts";
import { type LampChange, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { encodeStage, type Stage } from "../../protocols/device/stage.ts";
import { createScriptedModem } from "./scripted-modem.ts";

const IDENTITY = {
  devEui: "ac1f09fffe000001",
  joinEui: "0102030405060708",
  appKey: "ab".repeat(16),
  role: "entrance-button",
  region: "EU868",
};
/** Joined, and its restart announced twice: once for the crowd's sake unconfirmed, then until a hub has it. */
const READY_MS = 90_000;

let bundle = "";
beforeAll(async () => {
  bundle = (await buildFirmware("entrance-button")).code;
});

interface BenchOptions {
  identity?: Record<string, unknown>;
  storage?: BoardStorage;
  seed?: number;
  pins?: Record<string, number>;
}

/** A board with the final firmware, its modem on paper. */
function createBench({ identity = {}, seed = 1, ...options }: BenchOptions = {}) {
  const clock = createVirtualClock();
  const modem = createScriptedModem(clock);
  const board = createBoard({
    bundle,
    clock,
    random: createRandom(seed),
    serial: modem.serial,
    identity: { ...IDENTITY, ...identity },
    ...options,
  });
  const history: LampChange[] = [];
  board.onLamp((lamp, atMs) => history.push({ lamp, atMs }));
  const reports = () =>
    modem.frames.map((frame) => ({ ...frame, ...decodeReport(Buffer.from(frame.hex, "hex")) }));
  return {
    clock,
    modem,
    board,
    history,
    reports,
    alarms: () => reports().filter(({ kind }) => kind === "panic"),
    meaning: () => lampMeaning(history, clock.monotonicMs()),
    async press(ms = 300) {
      board.press();
      await clock.advance(ms);
      board.release();
    },
    async ready() {
      board.powerOn();
      await clock.advance(READY_MS);
    },
  };
}

const numberOf = (hex: string) => parseInt(hex.slice(4, 8), 16);
const stageOf = (stage: Stage, hex: string) =>
  Buffer.from(encodeStage({ stage, eventNumber: numberOf(hex) })).toString("hex");

describe("a press", () => {
  test("on a joined board is one line to the modem 60 ms after the touch, confirmed, and its lamp flashes at once", async () => {
    const bench = createBench();
    await bench.ready();
    const pressedMs = bench.clock.monotonicMs();
    const before = bench.modem.lines.length;
    bench.board.press();
    await bench.clock.advance(70);
    const lines = bench.modem.lines.slice(before);
    expect(lines).toEqual([{ line: expect.stringMatching(/^AT\+SEND=2:22/), atMs: pressedMs + 60 }]);
    expect(bench.alarms()).toMatchObject([
      { confirmed: true, mode: "real", ageS: 0, detail: 1, batteryPercent: 100 },
    ]);
    expect(bench.history.at(-1)).toMatchObject({ atMs: pressedMs + 60, lamp: { amber: true } });
  });

  test("shorter than 60 ms does nothing", async () => {
    const bench = createBench();
    await bench.ready();
    await bench.press(59);
    await bench.clock.advance(5000);
    expect(bench.alarms()).toEqual([]);
    expect(bench.history).toEqual([]);
  });

  test("that lasts more than 30 s is an alarm and a fault, and a restore when it ends; no second alarm", async () => {
    const bench = createBench();
    await bench.ready();
    bench.modem.manners = { downlink: (hex) => stageOf("received", hex) };
    await bench.press(40_000);
    await bench.clock.advance(10_000);
    const kinds = new Set(bench.reports().map(({ kind, eventNumber }) => kind + " " + (eventNumber & 0xf)));
    expect([...kinds].map((kind) => kind.split(" ")[0])).toEqual(["heartbeat", "panic", "fault", "restore"]);
    const fault = bench.reports().find(({ kind }) => kind === "fault");
    expect(fault).toMatchObject({ detail: 2, deviceFault: true });
    expect(bench.reports().at(-1)).toMatchObject({ deviceFault: false });
  });

  test.each([
    ["while the board boots", 0],
    ["while the modem is told its settings", 330],
    ["while it joins", 3000],
    ["while the first heartbeat is sent", 6200],
  ])("%s is not lost", async (_, atMs) => {
    const bench = createBench();
    if (atMs === 0) bench.board.press();
    bench.board.powerOn();
    await bench.clock.advance(atMs);
    await bench.press(200);
    expect(bench.meaning()).toBe("sending");
    await bench.clock.advance(15_000);
    expect(new Set(bench.alarms().map(({ eventNumber }) => eventNumber)).size).toBe(1);
    expect(bench.meaning()).toBe("stored");
  });

  test("while another is being sent goes next, and the first is not forgotten", async () => {
    const bench = createBench();
    await bench.ready();
    await bench.press(100);
    await bench.clock.advance(300);
    await bench.press(100);
    await bench.clock.advance(300);
    await bench.press(100);
    await bench.clock.advance(8000);
    const [first, second, third] = [0, 1, 2].map((i) => ((bench.alarms()[0]?.eventNumber ?? 0) + i) & 0xffff);
    expect(
      bench
        .alarms()
        .map(({ eventNumber }) => eventNumber)
        .slice(0, 3),
    ).toEqual([first, third, second]);
  });

  test("while the modem is dead is shown undelivered, and reported when it lives again", async () => {
    const bench = createBench();
    bench.modem.manners = { mute: true };
    await bench.ready();
    await bench.press(200);
    await bench.clock.advance(16_000);
    expect(bench.meaning()).toBe("notDelivered");
    bench.modem.manners = {};
    await bench.clock.advance(20_000);
    expect(bench.alarms().length).toBeGreaterThan(0);
    expect(bench.alarms()[0]?.ageS).toBeGreaterThan(15);
    expect(bench.meaning()).toBe("stored");
  });

  test("while no gateway answers a join is sent when one does, whatever pause the board was in", async () => {
    const bench = createBench();
    bench.modem.manners = { joinMs: null };
    await bench.ready();
    for (let i = 0; i < 4; i++) {
      bench.modem.say("+EVT:JOIN_FAILED_RX_TIMEOUT");
      await bench.clock.advance(1200);
    }
    bench.modem.manners = {};
    await bench.press(200);
    await bench.clock.advance(8000);
    expect(bench.meaning()).toBe("stored");
  });
});

describe("the ladder", () => {
  test("repeats an unanswered press with the same number, on time within 20 %, at falling data rates", async () => {
    const bench = createBench();
    bench.modem.manners = { acks: (hex) => hex.startsWith("21") };
    await bench.ready();
    await bench.press(200);
    const before = bench.modem.lines.length;
    await bench.clock.advance(220_000);
    const alarms = bench.alarms();
    expect(new Set(alarms.map(({ eventNumber }) => eventNumber)).size).toBe(1);
    [3, 3, 9, 15, 60, 60].forEach((gapS, i) => {
      const gap = ((alarms[i + 1]?.atMs ?? 0) - (alarms[i]?.atMs ?? 0)) / 1000;
      // two settings and their answers go before a frame at another data rate
      expect(gap).toBeGreaterThanOrEqual(gapS * 0.8 - 0.1);
      expect(gap).toBeLessThanOrEqual(gapS * 1.2 + 0.1);
    });
    const settings = bench.modem.lines.slice(before).map(({ line }) => line);
    expect(settings.filter((line) => /ADR|DR=/.test(line))).toEqual([
      "AT+ADR=0",
      "AT+DR=2",
      "AT+DR=1",
      "AT+DR=0",
    ]);
    // a frame says its age before the settings of its data rate go out
    for (const { ageS, atMs } of alarms)
      expect([0, 100].map((ms) => Math.floor((atMs - READY_MS - ms) / 1000))).toContain(Math.max(ageS, 0));
  });

  test("a refused frame is made anew: its age is that of the moment it goes out", async () => {
    const bench = createBench();
    await bench.ready();
    bench.modem.manners = {
      refuse: (line) => (line.startsWith("AT+SEND") ? "Restricted_Wait_5000_ms" : null),
    };
    await bench.press(200);
    await bench.clock.advance(1000);
    bench.modem.manners = {};
    await bench.clock.advance(6000);
    expect(bench.alarms()).toMatchObject([{ ageS: 5, detail: 4 }]);
  });
});

describe("the lamp", () => {
  test("says every stage, and believes none for another event", async () => {
    const bench = createBench();
    await bench.ready();
    let stage: Stage = "received";
    bench.modem.manners = { downlink: (hex) => stageOf(stage, hex) };
    await bench.press(200);
    await bench.clock.advance(600);
    expect(bench.meaning()).toBe("sending");
    await bench.clock.advance(3000);
    expect(bench.meaning()).toBe("received");
    await bench.clock.advance(10_000);
    expect(bench.meaning()).toBe("off");
    for (const next of ["taken", "dispatched"] as const) {
      stage = next;
      await bench.clock.advance(30_000);
      expect(bench.meaning()).toBe(next);
    }
    stage = "closed";
    await bench.clock.advance(80_000);
    expect(bench.meaning()).toBe("off");
    const asked = bench.alarms().length;
    await bench.clock.advance(300_000);
    expect(bench.alarms().length).toBe(asked);
  });

  test("stays amber while only the hub has it, and for a stage of another event or a downlink it cannot read", async () => {
    const bench = createBench();
    await bench.ready();
    const other = (hex: string) =>
      Buffer.from(encodeStage({ stage: "received", eventNumber: (numberOf(hex) + 1) & 0xffff }));
    bench.modem.manners = { downlink: (hex) => other(hex).toString("hex") };
    await bench.press(200);
    await bench.clock.advance(20_000);
    expect(bench.meaning()).toBe("stored");
    bench.modem.manners = { downlink: () => "ff00" };
    await bench.clock.advance(30_000);
    expect(bench.meaning()).toBe("stored");
    expect(bench.board.errors).toEqual([]);
  });

  test("turns red with the buzzer when nobody has it after 15 s; the buzzer stops after three minutes, the light does not", async () => {
    const bench = createBench();
    bench.modem.manners = { acks: () => false };
    await bench.ready();
    await bench.press(200);
    await bench.clock.advance(18_000);
    expect(bench.meaning()).toBe("notDelivered");
    expect(bench.history.some(({ lamp }) => lamp.buzzer)).toBe(true);
    await bench.clock.advance(200_000);
    const late = bench.history.filter(({ atMs }) => atMs > bench.clock.monotonicMs() - 10_000);
    expect(late.some(({ lamp }) => lamp.red)).toBe(true);
    expect(late.some(({ lamp }) => lamp.buzzer)).toBe(false);
  });

  test("blinks once with each heartbeat in commissioning, and says nothing else", async () => {
    const bench = createBench({ identity: { mode: "commissioning", heartbeatS: 30 } });
    await bench.ready();
    await bench.clock.advance(100_000);
    const blinks = bench.history.filter(({ lamp }) => lamp.green).length;
    expect(blinks).toBe(bench.modem.frames.length);
    expect(blinks).toBeGreaterThan(2);
    expect(bench.reports().every(({ mode }) => mode === "commissioning")).toBe(true);
    expect(bench.meaning()).toBe("off");
  });
});

describe("numbers and restarts", () => {
  test("the first frame after a restart is a heartbeat with detail 1, confirmed the second time, and the number before the next event's", async () => {
    const storage = createBoardStorage();
    const first = createBench({ storage });
    await first.ready();
    await first.press(100);
    await first.clock.advance(3000);
    const last = first.alarms()[0]?.eventNumber ?? 0;
    const second = createBench({ storage, seed: 9 });
    await second.ready();
    await second.press(100);
    await second.clock.advance(3000);
    const [hello, again, alarm] = second.reports();
    expect(hello).toMatchObject({ kind: "heartbeat", detail: 1, confirmed: false });
    expect(again).toMatchObject({ kind: "heartbeat", detail: 1, confirmed: true });
    expect(alarm).toMatchObject({ kind: "panic", eventNumber: ((hello?.eventNumber ?? 0) + 1) & 0xffff });
    expect(
      (((alarm?.eventNumber ?? 0) - last) & 0xffff) > 0 &&
        (((alarm?.eventNumber ?? 0) - last) & 0xffff) <= 16,
    ).toBe(true);
  });

  test("it is repeated until a hub has stored it", async () => {
    const bench = createBench();
    bench.modem.manners = { acks: () => false };
    await bench.ready();
    await bench.clock.advance(300_000);
    bench.modem.manners = {};
    await bench.clock.advance(200_000);
    const hellos = bench.reports().filter(({ kind }) => kind === "heartbeat");
    expect(hellos.length).toBeGreaterThan(4);
    expect(hellos.every(({ detail }) => detail === 1)).toBe(true);
    expect(hellos.map(({ confirmed }) => confirmed)).toEqual(hellos.map((_, i) => i > 0));
    const until = hellos.length;
    await bench.clock.advance(300_000);
    expect(bench.modem.frames.length).toBe(until);
  });

  test("no number is used twice, wherever power is cut in a write to Storage", async () => {
    for (let cutAfter = 0; cutAfter < 24; cutAfter += 1) {
      const storage = createBoardStorage({
        identity: JSON.stringify({ profile: VIRTUAL_PROFILE, ...IDENTITY }),
      });
      const used: string[] = [];
      for (let boot = 0; boot < 3; boot++) {
        const bench = createBench({ storage, seed: 7 });
        storage.faults = boot === 1 ? { cutAfter } : {};
        await bench.ready();
        for (let i = 0; i < 3 && bench.board.powered; i++) {
          await bench.press(100);
          await bench.clock.advance(2500);
        }
        const mine = new Set(bench.alarms().map(({ hex }) => hex.slice(4, 8)));
        used.push(...mine);
        bench.board.powerOff();
      }
      expect(new Set(used).size, `cut after ${cutAfter} operations`).toBe(used.length);
      expect(used.length).toBeGreaterThanOrEqual(6);
    }
  }, 30_000);

  test("a full Storage is a fault and stops no alarm", async () => {
    const storage = createBoardStorage({
      identity: JSON.stringify({ profile: VIRTUAL_PROFILE, ...IDENTITY }),
    });
    storage.faults = { full: true };
    const bench = createBench({ storage });
    await bench.ready();
    await bench.press(100);
    await bench.clock.advance(5000);
    expect(bench.alarms()[0]).toMatchObject({ deviceFault: true });
    expect(bench.reports().some(({ kind, detail }) => kind === "fault" && detail === 5)).toBe(true);
  });
});

describe("the rest of the device", () => {
  test("an opened case is a tamper event, its closing a restore, and every frame between says it", async () => {
    const bench = createBench({ identity: { heartbeatS: 60 } });
    await bench.ready();
    bench.modem.manners = { downlink: (hex) => stageOf("received", hex) };
    bench.board.setPin("tamper", 0);
    await bench.clock.advance(60_000);
    bench.board.setPin("tamper", null);
    await bench.clock.advance(10_000);
    const told = bench
      .reports()
      .filter(({ atMs }) => atMs > READY_MS)
      .map(({ kind, tamperOpen, detail }) => ({ kind, tamperOpen, detail }));
    expect(told[0]).toEqual({ kind: "tamper", tamperOpen: true, detail: 6 });
    expect(told).toContainEqual({ kind: "heartbeat", tamperOpen: true, detail: 0 });
    expect(told).toContainEqual({ kind: "restore", tamperOpen: false, detail: 6 });
    expect(bench.history).toEqual([]);
  });

  test("a battery below 20 % is a fault until it is above 30 % again; mains lost is one until it is back", async () => {
    const bench = createBench({ identity: { heartbeatS: 60 } });
    await bench.ready();
    bench.modem.manners = { downlink: (hex) => stageOf("received", hex) };
    for (const [name, level] of [
      ["battery", 0.65],
      ["battery", 0.68],
      ["battery", 0.8],
      ["mains", 0],
      ["mains", null],
    ] as const) {
      bench.board.setPin(name, level);
      await bench.clock.advance(150_000);
    }
    const told = bench.reports().filter(({ kind }) => kind === "fault" || kind === "restore");
    expect(told.map(({ kind, detail }) => kind + " " + detail)).toEqual([
      "fault 3",
      "restore 3",
      "fault 4",
      "restore 4",
    ]);
    expect(told[0]).toMatchObject({ batteryLow: true, batteryPercent: 17 });
    expect(told[2]).toMatchObject({ mainsLost: true, batteryLow: false });
  });

  test("heartbeats are unconfirmed, at the interval within 10 %", async () => {
    const bench = createBench({ identity: { heartbeatS: 600 } });
    await bench.ready();
    await bench.clock.advance(6_000_000);
    const beats = bench.reports().slice(2);
    expect(beats.length).toBeGreaterThanOrEqual(9);
    expect(
      beats.every(({ kind, confirmed, detail }) => kind === "heartbeat" && !confirmed && detail === 0),
    ).toBe(true);
    beats.slice(1).forEach(({ atMs }, i) => {
      expect(Math.abs((atMs - (beats[i]?.atMs ?? 0)) / 600_000 - 1)).toBeLessThan(0.11);
    });
  });

  test("a mode with an end is over when it is over", async () => {
    const bench = createBench({ identity: { mode: "drill", modeForS: 120 } });
    await bench.ready();
    await bench.press(100);
    await bench.clock.advance(60_000);
    await bench.press(100);
    await bench.clock.advance(3000);
    const modes = new Map(bench.alarms().map(({ eventNumber, mode }) => [eventNumber, mode]));
    expect([...modes.values()]).toEqual(["drill", "real"]);
  });

  test("the UART is open only while there is something to say or to hear, and 150 ms longer than a frame", async () => {
    const bench = createBench();
    await bench.ready();
    await bench.press(100);
    await bench.clock.advance(2500);
    const uart = bench.board.log.filter(
      ({ what, text }) => what === "uart" && (text === "open" || text === "closed"),
    );
    const end = bench.board.log.find(({ text, atMs }) => text.includes("CONFIRMED_OK") && atMs > READY_MS);
    expect(uart.at(-1)?.text).toBe("closed");
    expect((uart.at(-1)?.atMs ?? 0) - (end?.atMs ?? 0)).toBeGreaterThanOrEqual(150);
  });

  test("without an identity it says so and does nothing", async () => {
    const bench = createBench({ identity: { region: "MARS" } });
    await bench.ready();
    expect(bench.board.errors).toMatchObject([{ message: expect.stringContaining("no identity") }]);
    expect(bench.modem.lines).toEqual([]);
  });
});

describe("the board", () => {
  const tiny = (code: string) => {
    const clock = createVirtualClock();
    const modem = createScriptedModem(clock);
    const board = createBoard({
      bundle: code,
      clock,
      random: createRandom(1),
      serial: modem.serial,
      identity: IDENTITY,
    });
    return { clock, board, modem };
  };

  test("goes on after a throw in a timer, and keeps what was thrown", async () => {
    const { clock, board } = tiny(
      "setTimeout(() => { throw new Error('bad'); }, 5); setTimeout(() => print('on'), 9);",
    );
    board.powerOn();
    await clock.advance(20);
    expect(board.errors).toMatchObject([{ atMs: 5, message: "Error: bad" }]);
    expect(board.log).toContainEqual({ atMs: 9, what: "console", text: "on" });
  });

  test.each([
    "new Map()",
    "Array.from([])",
    "[].at(0)",
    "'a'.codePointAt(0)",
    "Object.freeze({})",
    "Number.isInteger(1)",
    "Math.trunc(1)",
  ])("has no %s", (code) => {
    const { board } = tiny(code);
    board.powerOn();
    expect(board.errors.length).toBe(1);
  });

  test("without power does nothing, shows nothing, hears nothing", async () => {
    const { clock, board, modem } = tiny(
      "digitalWrite('D2', 1); Serial1.setup(115200, {}); Serial1.on('data', print); setTimeout(() => Serial1.write('late\\r\\n'), 50);",
    );
    board.powerOn();
    expect(board.lamp().red).toBe(true);
    board.powerOff();
    modem.say("hello");
    await clock.advance(100);
    expect(board.lamp().red).toBe(false);
    expect(modem.lines).toEqual([]);
    expect(board.log.some(({ text }) => text.includes("hello"))).toBe(false);
  });

  test("keeps keys out of its log", async () => {
    const bench = createBench();
    await bench.ready();
    expect(JSON.stringify(bench.board.log)).not.toContain(IDENTITY.appKey);
  });
});
