import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DO, PHASE, type UplinkEffect } from "../../firmware/uplink.ts";
import { createUplink, isUsable, type RnUplink, stepUplink } from "../../firmware/uplink-rn2483.ts";
import { IDENTITY } from "./uplink-identity.ts";

const FRAME = { port: 2, hex: "2200000100006401", isConfirmed: true, dataRate: -1 };
const WAKE = "\0U";
const SLEEP = "sys sleep 4294967295";
const JOINING = ["mac set dr 5", "mac join otaa"];
const START = [
  WAKE,
  "sys get ver",
  "mac reset 868",
  `mac set deveui ${IDENTITY.devEui}`,
  `mac set appeui ${IDENTITY.joinEui}`,
  `mac set appkey ${IDENTITY.appKey}`,
  "mac set retx 0",
  "mac set adr on",
];

/** A modem that answers each line at once; "" is silence. */
type Answers = (line: string) => string;
const obliging: Answers = (line) =>
  line === "sys get ver" ? "RN2483 1.0.5 Oct 31 2018" : line === SLEEP ? "" : "ok";

function bench(answers: Answers = obliging, luck = 0) {
  let uplink: RnUplink = createUplink(IDENTITY, 0);
  let nowMs = 0;
  const told: string[] = [];
  const effects: UplinkEffect[] = [];
  const feed = (input: Omit<Parameters<typeof stepUplink>[1], "nowMs">) => {
    const [next, asked] = stepUplink(uplink, { ...input, nowMs }, luck);
    uplink = next;
    for (const effect of asked) {
      effects.push(effect);
      if (effect.do !== DO.write) continue;
      const line = effect.text.slice(0, -2);
      told.push(line);
      const answer = answers(line);
      if (answer !== "") feed({ text: answer + "\r\n" });
    }
  };
  const runTo = (untilMs: number) => {
    for (let due = uplink.dueMs; due <= untilMs; due = uplink.dueMs) {
      nowMs = Math.max(nowMs, due);
      feed({});
    }
    nowMs = untilMs;
  };
  return {
    told,
    effects,
    feed,
    runTo,
    say: (line: string) => feed({ text: line + "\r\n" }),
    /** Joined and asleep. */
    ready() {
      runTo(400);
      feed({ text: "accepted\r\n" });
      runTo(1000);
      told.length = effects.length = 0;
    },
    get uplink() {
      return uplink;
    },
  };
}

describe("the driver of the RN2483", () => {
  test("tells a modem everything, joins, and sends it to sleep", () => {
    const b = bench();
    b.runTo(400);
    expect(b.told).toEqual([...START, ...JOINING]);
    b.say("accepted");
    expect(b.told.at(-1)).toBe(SLEEP);
    b.runTo(1000);
    expect(b.uplink.phase).toBe(PHASE.idle);
  });

  test("wakes it for each frame, changes only what changes, and lets it sleep again", () => {
    const b = bench();
    b.ready();
    b.feed({ frame: FRAME });
    b.say("mac_tx_ok");
    expect(b.told).toEqual([WAKE, `mac tx cnf 2 ${FRAME.hex}`, SLEEP]);
    b.runTo(2000);
    b.told.length = 0;
    b.feed({ frame: { ...FRAME, isConfirmed: false, dataRate: 2 } });
    b.say("mac_tx_ok");
    b.runTo(3000);
    b.feed({ frame: { ...FRAME, dataRate: 2 } });
    b.say("mac_err");
    b.runTo(4000);
    b.feed({ frame: FRAME });
    expect(b.told).toEqual([
      ...[WAKE, "mac set adr off", "mac set dr 2", `mac tx uncnf 2 ${FRAME.hex}`, SLEEP],
      ...[WAKE, `mac tx cnf 2 ${FRAME.hex}`, SLEEP],
      ...[WAKE, "mac set adr on", `mac tx cnf 2 ${FRAME.hex}`],
    ]);
  });

  test("goes on when a modem that was awake passes the call over in silence", () => {
    const b = bench((line) => (line === WAKE ? "" : obliging(line)));
    b.runTo(1000);
    expect(b.told).toEqual([...START, ...JOINING]);
  });

  test.each([
    ["not_joined", JOINING[0]],
    ["frame_counter_err_rejoin_needed", JOINING[0]],
    ["keys_not_init", WAKE],
    ["silent", WAKE],
    ["mac_paused", WAKE],
  ])("a frame refused with %s is followed by %j, and is not kept", (word, line) => {
    let isRefusing = true;
    const b = bench((asked) => (isRefusing && asked.startsWith("mac tx") ? word : obliging(asked)));
    b.ready();
    b.feed({ frame: FRAME });
    isRefusing = false;
    expect(b.told.slice(2)).toContain(line);
    expect(b.effects.some((effect) => effect.do === DO.onAir)).toBe(false);
  });

  test.each([
    ["busy", 1000],
    ["no_free_ch", 10_000],
    ["invalid_param", 1000],
  ])("a frame refused with %s can be sent again after %i ms", (word, waitMs) => {
    const b = bench((line) => (line.startsWith("mac tx") ? word : obliging(line)));
    b.ready();
    b.feed({ frame: FRAME });
    expect(b.uplink).toMatchObject({ phase: PHASE.wait, dueMs: 1000 + waitMs });
    b.runTo(1000 + waitMs);
    expect(b.uplink.phase).toBe(PHASE.idle);
  });

  test("a modem that refuses everything for long is reset", () => {
    const b = bench((line) => (line.startsWith("mac tx") ? "busy" : obliging(line)));
    b.ready();
    for (let i = 0; i < 60; i++) {
      b.feed({ frame: FRAME });
      b.runTo(1000 + 1000 * (i + 1));
    }
    expect(b.effects.some((effect) => effect.do === DO.reset)).toBe(true);
  });

  test("a modem that restarts by itself ends the frame on air, and is told everything again", () => {
    const b = bench();
    b.ready();
    b.feed({ frame: FRAME });
    b.told.length = 0;
    b.say("RN2483 1.0.5 Oct 31 2018 15:06:52");
    expect(b.effects.filter((effect) => effect.do === DO.answered)).toEqual([
      { do: DO.answered, isAcked: false },
    ]);
    expect(b.told.slice(0, 3)).toEqual(START.slice(0, 3));
  });

  test("a mute modem is asked again, reset by its pin, and every fourth time by its power, for ever", () => {
    const b = bench(() => "");
    b.runTo(3_600_000);
    const resets = b.effects.filter((effect) => effect.do === DO.reset || effect.do === DO.power);
    expect(resets.length).toBeGreaterThan(300);
    resets.forEach((effect, i) => {
      expect(effect.do).toBe((i + 1) % 4 === 0 ? DO.power : DO.reset);
    });
  });

  test("whatever is said to it, it never waits for ever but asleep", () => {
    const word = fc.constantFrom(
      ..."ok accepted denied mac_tx_ok mac_err busy no_free_ch not_joined silent invalid_param RN2483 mac_rx".split(
        " ",
      ),
      "mac_rx 2 1305",
      "mac_rx\t",
      "\xff\0",
    );
    const event = fc.oneof(
      word.map((line) => ({ text: line + "\r\n" })),
      word.map((line) => ({ text: line })),
      fc.constant({ isAlarm: true }),
      fc.constant({}),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const b = bench(() => "");
        for (const input of events) {
          b.runTo(Math.min(b.uplink.dueMs, 1e9));
          b.feed(input);
          if (b.uplink.phase !== PHASE.idle) expect(b.uplink.dueMs).toBeLessThan(1e12);
        }
      }),
    );
  });
});

test("it has the regions of the modem and no others", () => {
  const regions = ["EU433", "EU868", "RU864", "AS923", "UZ923"] as const;
  expect(regions.filter((region) => isUsable({ ...IDENTITY, region }))).toEqual(["EU433", "EU868"]);
});
