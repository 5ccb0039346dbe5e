import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DO, PHASE, type UplinkEffect, type UplinkInput } from "../../firmware/uplink.ts";
import {
  createUplink,
  isUsable,
  lowestRateOf,
  type RakUplink,
  stepUplink,
} from "../../firmware/uplink-rak3172.ts";

const IDENTITY = {
  devEui: "1122334455667788",
  joinEui: "0102030405060708",
  appKey: "ab".repeat(16),
  region: "EU868",
} as const;
const FRAME = { port: 2, hex: "2200000100006401", isConfirmed: true, dataRate: -1 };
const START = [
  "AT",
  ...[
    "AT+NWM=1",
    "AT+NJM=1",
    "AT+CLASS=A",
    "AT+BAND=4",
    "AT+DEVEUI=1122334455667788",
    "AT+APPEUI=0102030405060708",
  ],
  ...["AT+APPKEY=" + "ab".repeat(16), "AT+RETY=0", "AT+LPM=1", "AT+ADR=1", "AT+CFM=1", "AT+NJS=?"],
];
const JOIN = "AT+JOIN=1:0:10:0";
/** The first try to join. */
const JOINING = ["AT+DR=5", JOIN];
const SEND = "AT+SEND=2:2200000100006401";

/** Answers a line with what a modem says, in one piece; an empty answer is silence. */
type Answers = (line: string, count: number) => string;
const OK = "\r\nOK\r\n";
const obliging: Answers = (line) => (line === "AT+NJS=?" ? "\r\nAT+NJS=0\r\n" + OK : OK);

/** A driver on a line whose other end answers at once. */
function bench(answers: Answers = obliging, { startMs = 0, luck = 0 } = {}) {
  let modem: RakUplink = createUplink(IDENTITY, startMs);
  let nowMs = startMs;
  const lines: { line: string; atMs: number }[] = [];
  const effects: (UplinkEffect & { atMs: number })[] = [];
  const counts = new Map<string, number>();
  const feed = (input: Omit<UplinkInput, "nowMs">) => {
    const [next, asked] = stepUplink(modem, { ...input, nowMs }, luck);
    modem = next;
    for (const effect of asked) {
      effects.push({ ...effect, atMs: nowMs });
      if (effect.do !== DO.write) continue;
      const line = effect.text.slice(0, -2);
      lines.push({ line, atMs: nowMs });
      const count = counts.get(line) ?? 0;
      counts.set(line, count + 1);
      const reply = answers(line, count);
      if (reply !== "") feed({ text: reply });
    }
  };
  const runTo = (untilMs: number) => {
    for (let due = modem.dueMs; due <= untilMs; due = modem.dueMs) {
      nowMs = Math.max(nowMs, due);
      feed({});
    }
    nowMs = untilMs;
  };
  return {
    lines,
    effects,
    feed,
    runTo,
    say: (line: string) => feed({ text: "\r\n" + line + "\r\n" }),
    told: () => lines.map(({ line }) => line),
    /** Joins that fail one after the other; the pause after the last of them has begun. */
    failJoins(count: number) {
      for (let i = 0; i < count; i++) {
        runTo(modem.dueMs);
        feed({ text: "\r\n+EVT:JOIN_FAILED_RX_TIMEOUT\r\n" });
      }
    },
    done: (what: number) => effects.filter((effect) => effect.do === what),
    /** Through start and join, to idle. */
    ready() {
      runTo(startMs + 400);
      feed({ text: "+EVT:JOINED\r\n" });
      lines.length = effects.length = 0;
    },
    get modem() {
      return modem;
    },
    get nowMs() {
      return nowMs;
    },
  };
}

describe("the start", () => {
  test("tells a fresh modem everything and joins", () => {
    const b = bench();
    b.runTo(400);
    expect(b.told()).toEqual([...START, ...JOINING]);
    b.say("+EVT:JOINED");
    expect(b.modem.phase).toBe(PHASE.idle);
  });

  test("does not join a modem that kept its session", () => {
    const b = bench((line) => (line === "AT+NJS=?" ? "\r\nAT+NJS=1\r\n" + OK : OK));
    b.runTo(400);
    expect(b.told()).toEqual(START);
    expect(b.modem.phase).toBe(PHASE.idle);
  });

  test("goes on after the reboot that a change of work mode causes", () => {
    const banner = "RAKwireless RAK3172-E\r\n------\r\nCurrent Work Mode: LoRaWAN.\r\n";
    const b = bench((line) => (line === "AT+NWM=1" ? banner : obliging(line, 0)));
    b.runTo(400);
    expect(b.told()).toEqual([...START, ...JOINING]);
  });

  test("a setting the modem does not know costs nothing but itself", () => {
    for (const unknown of START.slice(1)) {
      const b = bench((line) => (line === unknown ? "\r\nAT_PARAM_ERROR\r\n" : obliging(line, 0)));
      b.runTo(400);
      expect(b.told().at(-1)).toBe(JOIN);
    }
  });

  test("a modem that answers nothing is asked again, reset by its pin, and every fourth time by its power, for ever", () => {
    const b = bench(() => "");
    b.runTo(3_600_000);
    expect(b.lines.length).toBeGreaterThan(1000);
    const gaps = b.lines.map(({ atMs }, i) => atMs - (b.lines[i - 1]?.atMs ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(5000);
    const resets = b.effects.filter((effect) => effect.do === DO.reset || effect.do === DO.power);
    expect(resets.length).toBeGreaterThan(300);
    resets.forEach((effect, i) => {
      expect(effect.do).toBe((i + 1) % 4 === 0 ? DO.power : DO.reset);
    });
  });
});

describe("a join", () => {
  test("that fails is tried four times, then after a pause that doubles up to an hour", () => {
    const b = bench();
    b.runTo(400);
    const pausesS: number[] = [];
    for (let round = 0; round < 12; round++) {
      b.say("+EVT:JOIN_FAILED_RX_TIMEOUT");
      b.failJoins(3);
      expect(b.modem.phase).toBe(PHASE.pause);
      pausesS.push((b.modem.dueMs - b.nowMs) / 1000);
      b.runTo(b.modem.dueMs);
      expect(b.told().at(-1)).toBe(JOIN);
    }
    const doubling = [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600];
    expect(pausesS).toEqual(doubling.map((s) => s * 0.8));
  });

  test("begins a random part of five seconds after power-up, and again a random part of one after it failed", () => {
    for (const luck of [0.1, 0.3, 0.999]) {
      const b = bench(obliging, { luck });
      b.runTo(300);
      expect(b.modem).toMatchObject({ phase: PHASE.pause, dueMs: 300 + 5000 * luck });
      b.runTo(6000);
      b.say("+EVT:JOIN_FAILED_RX_TIMEOUT");
      expect(b.modem).toMatchObject({ phase: PHASE.pause, dueMs: 6000 + 1000 * luck });
    }
  });

  test("begins at once when an alarm waits for it", () => {
    const b = bench(obliging, { luck: 0.9 });
    b.feed({ isAlarm: true });
    b.runTo(400);
    expect(b.told()).toEqual([...START, ...JOINING]);
  });

  test("each round that fails is followed by one at a lower data rate, then the highest again", () => {
    const b = bench();
    b.runTo(400);
    b.say("+EVT:JOIN_FAILED_RX_TIMEOUT");
    b.failJoins(19);
    const rates = b.told().filter((line) => line.startsWith("AT+DR="));
    expect(rates).toEqual([5, 3, 1, 0, 5].flatMap((rate) => new Array(4).fill(`AT+DR=${rate}`)));
  });

  test("a data rate that the modem refuses does not keep it from joining", () => {
    const b = bench((line) => (line === "AT+DR=5" ? "\r\nAT_PARAM_ERROR\r\n" : obliging(line, 0)));
    b.runTo(400);
    expect(b.told().at(-1)).toBe(JOIN);
  });

  test("an alarm ends the pause at once and allows only short ones until the join", () => {
    const b = bench();
    b.runTo(400);
    b.say("+EVT:JOIN_FAILED_RX_TIMEOUT");
    b.failJoins(23);
    expect(b.modem.dueMs - b.nowMs).toBeGreaterThan(300_000);
    const before = b.lines.length;
    b.feed({ isAlarm: true });
    expect(b.told().slice(before)).toEqual(["AT+DR=1", JOIN]);
    b.say("+EVT:JOIN_FAILED_TX_TIMEOUT");
    expect(b.modem.dueMs).toBe(b.nowMs);
    b.failJoins(3);
    expect(b.modem.dueMs - b.nowMs).toBe(12_000);
  });

  test("that nobody speaks of any more is begun anew", () => {
    const b = bench();
    b.runTo(600_000);
    expect(b.told().filter((line) => line === JOIN).length).toBeGreaterThan(1);
  });

  test("accepted while the driver pauses counts", () => {
    const b = bench();
    b.runTo(400);
    b.say("+EVT:JOIN_FAILED_RX_TIMEOUT");
    b.say("+EVT:JOINED");
    expect(b.modem.phase).toBe(PHASE.idle);
  });

  test("refused for the duty cycle, with the line before its status, waits and goes on", () => {
    const b = bench((line, count) =>
      line === JOIN && count === 0
        ? "Restricted_Wait_4000_ms\r\n\r\nAT_BUSY_ERROR\r\n"
        : obliging(line, count),
    );
    b.runTo(20_000);
    expect(b.told().filter((line) => line === JOIN).length).toBe(2);
  });
});

describe("a frame", () => {
  test("goes out with one line when nothing else changed; its answer comes, then the downlink", () => {
    const b = bench();
    b.ready();
    b.feed({ frame: FRAME });
    expect(b.told()).toEqual([SEND]);
    expect(b.done(DO.onAir).length).toBe(1);
    b.say("+EVT:SEND_CONFIRMED_OK");
    expect(b.done(DO.answered)).toMatchObject([{ isAcked: true }]);
    expect(b.modem.phase).toBe(PHASE.listen);
    b.say("+EVT:RX_1:-28:8:UNICAST:2:21020001");
    expect(b.done(DO.received)).toMatchObject([{ port: 2, hex: "21020001" }]);
    expect(b.modem.dueMs - b.nowMs).toBeGreaterThanOrEqual(150);
    b.runTo(b.modem.dueMs);
    expect(b.modem.phase).toBe(PHASE.idle);
  });

  test.each(["+EVT:SEND_CONFIRMED_FAILED", "+EVT:SEND_CONFIRMED_FAILED(4)"])(
    "%s: not acknowledged",
    (line) => {
      const b = bench();
      b.ready();
      b.feed({ frame: FRAME });
      b.say(line);
      expect(b.done(DO.answered)).toMatchObject([{ isAcked: false }]);
    },
  );

  test("a confirmed frame is not over with TX_DONE", () => {
    const b = bench();
    b.ready();
    b.feed({ frame: FRAME });
    b.say("+EVT:TX_DONE");
    expect(b.done(DO.answered)).toEqual([]);
  });

  test("settings are told only where they change, data rates without ADR", () => {
    const b = bench();
    b.ready();
    const send = (isConfirmed: boolean, dataRate: number) => {
      b.lines.length = 0;
      b.feed({ frame: { ...FRAME, isConfirmed, dataRate } });
      b.say(isConfirmed ? "+EVT:SEND_CONFIRMED_FAILED" : "+EVT:TX_DONE");
      b.runTo(b.modem.dueMs);
      return b.told();
    };
    expect(send(true, 2)).toEqual(["AT+ADR=0", "AT+DR=2", SEND]);
    expect(send(true, 2)).toEqual([SEND]);
    expect(send(true, 1)).toEqual(["AT+DR=1", SEND]);
    expect(send(false, -1)).toEqual(["AT+ADR=1", "AT+CFM=0", SEND]);
    expect(send(false, -1)).toEqual([SEND]);
  });

  test("a data rate that the modem refuses does not stop it", () => {
    const b = bench((line) => (line.startsWith("AT+DR") ? "\r\nAT_PARAM_ERROR\r\n" : obliging(line, 0)));
    b.ready();
    b.feed({ frame: { ...FRAME, dataRate: 0 } });
    expect(b.done(DO.onAir).length).toBe(1);
  });

  test.each([
    ["AT_BUSY_ERROR", 1000],
    ["Restricted_Wait_7400_ms", 7400],
    ["Restricted_Wait_9999999_ms", 60_000],
    ["Restricted_Wait_x_ms", 1000],
    ["AT_PARAM_ERROR", 1000],
    ["AT_SOMETHING_NEW", 1000],
  ])("%s: it was not sent, and the modem is free again after %i ms", (line, waitMs) => {
    const b = bench((said) => (said === SEND ? `\r\n${line}\r\n` : obliging(said, 0)));
    b.ready();
    b.feed({ frame: FRAME });
    expect([b.done(DO.onAir).length, b.done(DO.answered).length]).toEqual([0, 0]);
    expect(b.modem.phase).toBe(PHASE.wait);
    expect(b.modem.dueMs - b.nowMs).toBe(waitMs);
    b.runTo(b.modem.dueMs);
    expect(b.modem.phase).toBe(PHASE.idle);
  });

  test("a modem busy without end is reset", () => {
    const b = bench((said) => (said === SEND ? "\r\nAT_BUSY_ERROR\r\n" : obliging(said, 0)));
    b.ready();
    for (let i = 0; i < 10; i++) {
      b.feed({ frame: FRAME });
      b.runTo(b.nowMs + 1000);
    }
    expect(b.done(DO.reset).length).toBe(1);
  });

  test("without a session it joins first", () => {
    const b = bench((said) => (said === SEND ? "\r\nAT_NO_NETWORK_JOINED\r\n" : obliging(said, 0)));
    b.ready();
    b.feed({ frame: FRAME });
    expect(b.told()).toEqual([SEND, ...JOINING]);
  });

  test("a modem that slept through the first line gets it again after half a second", () => {
    const b = bench((said, count) => (said === SEND && count === 0 ? "" : obliging(said, count)));
    b.ready();
    b.feed({ frame: FRAME });
    b.runTo(b.nowMs + 500);
    expect(b.told()).toEqual([SEND, SEND]);
    expect(b.done(DO.onAir).length).toBe(1);
  });

  test("whose end never comes is over after 20 s, unanswered, and the modem is started anew", () => {
    const b = bench();
    b.ready();
    b.feed({ frame: FRAME });
    b.runTo(b.nowMs + 20_000);
    expect(b.done(DO.answered)).toMatchObject([{ isAcked: false }]);
    expect(b.told().slice(1, 3)).toEqual(["AT", "AT+NWM=1"]);
  });

  test("a confirmation that comes after its frame was given up is nobody's", () => {
    const b = bench((said) => (said === SEND ? "" : obliging(said, 0)));
    b.ready();
    b.feed({ frame: FRAME });
    b.say("+EVT:SEND_CONFIRMED_OK");
    expect(b.done(DO.answered)).toEqual([]);
  });
});

describe("a modem that resets by itself", () => {
  const BANNER = "RAKwireless RAK3172-E\r\nCurrent Work Mode: LoRaWAN.\r\n";

  test("is told everything again, whatever it was doing", () => {
    for (const doing of [...START.filter((line) => line !== "AT+NWM=1"), ...JOINING, SEND]) {
      const b = bench((line, count) => (line === doing && count === 0 ? BANNER : obliging(line, count)));
      b.runTo(400);
      b.say("+EVT:JOINED");
      if (doing === SEND) b.feed({ frame: FRAME });
      b.runTo(b.nowMs);
      b.runTo(b.nowMs);
      expect(b.told().slice(-START.length - 2), doing).toEqual([...START, ...JOINING]);
      if (doing !== SEND) expect(b.modem.phase, doing).toBe(PHASE.idle);
    }
  });

  test("loses the frame it had on air, and says so", () => {
    const b = bench();
    b.ready();
    b.feed({ frame: FRAME });
    b.feed({ text: BANNER });
    expect(b.done(DO.answered)).toMatchObject([{ isAcked: false }]);
  });

  test("mutely, in the middle of any line, ends where it would have ended", () => {
    for (const doing of [...START, ...JOINING]) {
      const b = bench((line, count) => (line === doing && count === 0 ? "" : obliging(line, count)));
      b.runTo(10_000);
      b.say("+EVT:JOINED");
      expect(b.modem.phase, doing).toBe(PHASE.idle);
    }
  });
});

describe("bytes", () => {
  const TALK = [
    "\r\nOK\r\n",
    "\r\n+EVT:SEND_CONFIRMED_OK\r\n",
    "+EVT:RX_1:-28:8:UNICAST:2:21020001\r\n",
    "Restricted_Wait_900_ms\r\n\r\nAT_BUSY_ERROR\r\n",
  ];
  const outcome = (pieces: readonly string[]) => {
    const b = bench((line) => (line === SEND ? "" : obliging(line, 0)));
    b.ready();
    b.feed({ frame: FRAME });
    for (const text of pieces) b.feed({ text });
    return { modem: { ...b.modem, effects: null }, effects: b.effects };
  };

  test("may come in pieces cut anywhere", () => {
    const whole = TALK.join("");
    const expected = outcome([whole]);
    for (let cut = 0; cut <= whole.length; cut++)
      expect(outcome([whole.slice(0, cut), whole.slice(cut)]), `cut at ${cut}`).toEqual(expected);
    expect(outcome([...whole])).toEqual(expected);
  });

  test("of any kind never stop it: it always has a time at which it goes on, or is ready", () => {
    const word = fc.constantFrom(
      ...TALK,
      "\r\n+EVT:JOINED\r\n",
      "AT_ERROR\r\n",
      "+EVT:",
      "+EVT:RX_1:::UNICAST\r\n",
      "Current Work Mode\r\n",
      "\xff\0",
    );
    const step = fc.oneof(word, fc.string(), fc.constant("tick"), fc.constant("send"), fc.constant("alarm"));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const b = bench();
        b.runTo(400);
        for (const what of steps) {
          if (what === "tick")
            b.runTo(b.modem.phase === PHASE.idle ? b.nowMs + 1000 : Math.max(b.nowMs, b.modem.dueMs));
          else if (what === "send" && b.modem.phase === PHASE.idle) b.feed({ frame: FRAME });
          else if (what === "alarm") b.feed({ isAlarm: true });
          else b.feed({ text: what });
          expect(b.modem.phase === PHASE.idle || b.modem.dueMs - b.nowMs <= 3_600_000).toBe(true);
          expect(b.modem.line.length).toBeLessThanOrEqual(300);
        }
      }),
    );
  });
});

test("regions: the modem's band number, and the lowest data rate that carries a report", () => {
  const identity = (region: string) => ({ ...IDENTITY, region: region as "EU868" });
  const bandOf = (region: string) => {
    let modem = createUplink(identity(region), 0);
    const said: string[] = [];
    for (let input: UplinkInput = { nowMs: 300 }; said.length < 5; input = { nowMs: 300, text: "OK\r\n" }) {
      const [next, effects] = stepUplink(modem, input, 0);
      modem = next;
      for (const effect of effects) if (effect.do === DO.write) said.push(effect.text.slice(0, -2));
    }
    return said[4];
  };
  expect(["EU433", "RU864", "EU868", "AS923", "UZ923"].map(bandOf)).toEqual(
    [0, 2, 4, 8, 8].map((band) => "AT+BAND=" + band),
  );
  expect(["EU433", "AS923", "UZ923"].map((region) => lowestRateOf(identity(region)))).toEqual([0, 2, 2]);
  expect(isUsable(identity("US915"))).toBe(false);
});
