/** The bench rig on the virtual Arduino, and the soak's bookkeeping in virtual time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRig, type Rig } from "../../hardware/bench/rig.ts";
import { CSV_HEAD, csvLine, drawSoak, readCsv, summarise } from "../../hardware/bench/soak-report.ts";
import { type HubWord, isLost, type SoakPress, soak } from "../../hardware/bench/soak-run.ts";
import { createArduino } from "../../hardware/virtual/arduino.ts";
import { plugIn, type UsbPort } from "../../hardware/virtual/arduino-pty.ts";
import { createRealClock, createVirtualClock } from "../../hardware/virtual/clock.ts";
import { NO_PROGRAM, standardFirmata } from "./standard-firmata.ts";

const hex = standardFirmata();
/** A simulated processor shares the machine with other tests. */
const SLOW_MS = 60_000;
const BUTTON = 7;
const POWER = 8;

describe.skipIf(hex === null)("the rig", { timeout: SLOW_MS }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-rig-"));
  const clock = createRealClock();
  const arduino = createArduino({ clock, hex: hex ?? NO_PROGRAM });
  const changes: { pin: number; level: boolean; atMs: number }[] = [];
  let usb: UsbPort;
  let rig: Rig;

  beforeAll(async () => {
    arduino.powerOn();
    arduino.onPin((pin, level) => changes.push({ pin, level, atMs: clock.monotonicMs() }));
    usb = await plugIn(arduino, path.join(dir, "usb"));
    rig = await openRig({ path: usb.path, clock, button: BUTTON, power: POWER, lamps: { green: "A0" } });
  }, SLOW_MS);
  afterAll(async () => {
    await rig.close();
    await usb.unplug();
    arduino.powerOff();
    rmSync(dir, { recursive: true });
  });
  const onPin = (pin: number) => changes.filter((change) => change.pin === pin);

  test("presses for as long as it is told, and cuts the power", async () => {
    const { pressedMs, releasedMs } = await rig.press(120);
    await rig.cutPower(50);
    await expect.poll(() => onPin(POWER).map(({ level }) => level)).toEqual([true, false]);
    const [down, up] = onPin(BUTTON);
    expect([down?.level, up?.level]).toEqual([true, false]);
    expect(releasedMs - pressedMs).toBeGreaterThanOrEqual(120);
    expect(down?.atMs).toBeGreaterThanOrEqual(pressedMs);
  });

  test("sees a lamp come and go, and no half light", async () => {
    const seen: boolean[] = [];
    const stop = rig.onLamp(({ isLit }) => seen.push(isLit));
    arduino.setAnalog(0, 3);
    await expect.poll(() => rig.readLed("green")).toBe(true);
    arduino.setAnalog(0, 1.5);
    await rig.press(100);
    arduino.setAnalog(0, 0.2);
    await expect.poll(() => rig.readLed("green")).toBe(false);
    stop();
    expect(seen).toEqual([true, false]);
    expect(() => rig.readLed("red")).toThrow(/only at green/);
  });

  test("says when it is unplugged; and where none is, so", async () => {
    const lost = new Promise<string>((told) => rig.onLost(told));
    await usb.unplug();
    expect(await lost).toMatch(/unplugged|no answer|disconnected|I\/O/i);
    const nowhere = { path: path.join(dir, "nowhere"), clock, button: 7, power: null, lamps: {} };
    await expect(openRig(nowhere)).rejects.toThrow(/rig at .*nowhere/);
    usb = await plugIn(arduino, path.join(dir, "usb"));
  });
});

/** What becomes of one press: heard after so long, received after so much longer; or never. */
interface Fate {
  readonly heardMs: number | null;
  readonly receivedMs: number;
}

const LIMIT_MS = 10_000;

async function soakWith(fates: readonly Fate[], breaksMs: number | null = null): Promise<SoakPress[]> {
  const clock = createVirtualClock();
  const listeners: ((word: HubWord) => void)[] = [];
  const say = (word: HubWord) => {
    for (const listener of listeners) listener(word);
  };
  const broken = new AbortController();
  if (breaksMs !== null) clock.setTimer(() => broken.abort(new Error("unplugged")), breaksMs);
  let pressed = 0;
  const presses: SoakPress[] = [];
  const rig = {
    onLamp: () => () => undefined,
    async press(ms: number) {
      const pressedMs = clock.monotonicMs();
      const eventNumber = pressed++;
      const fate = fates[eventNumber];
      if (fate !== undefined && fate.heardMs !== null) {
        const { heardMs, receivedMs } = fate;
        const ageMs = Math.floor(heardMs / 1000) * 1000;
        clock.setTimer(() => say({ type: "event", eventNumber, ageMs, sequence: eventNumber }), heardMs);
        clock.setTimer(() => say({ type: "stage", eventNumber, stage: "received" }), heardMs + receivedMs);
      }
      await new Promise<void>((done) => clock.setTimer(done, ms));
      return { pressedMs, releasedMs: clock.monotonicMs() };
    },
  };
  let isOver = false;
  const running = soak({
    clock,
    rig,
    onHub: (listener) => {
      listeners.push(listener);
      return () => undefined;
    },
    from: 1,
    to: fates.length,
    holdMs: 100,
    gapMs: 500,
    until: "received",
    limitMs: LIMIT_MS,
    onPress: (press) => presses.push(press),
    signal: new AbortController().signal,
    broken: broken.signal,
  }).then(
    () => {
      isOver = true;
    },
    (error: Error) => {
      isOver = true;
      expect(error.message).toBe("unplugged");
    },
  );
  await clock.runUntil(() => isOver, fates.length * (LIMIT_MS + 1000) + 1000);
  await running;
  return presses;
}

const fate: fc.Arbitrary<Fate> = fc.record({
  heardMs: fc.option(fc.integer({ min: 1, max: 2 * LIMIT_MS })),
  receivedMs: fc.integer({ min: 1, max: 2_000 }),
});

describe("a soak", () => {
  test("names each press that was not received in time, and takes no other's event for it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 12 }), async (fates) => {
        const presses = await soakWith(fates);
        expect(presses.map(({ press }) => press)).toEqual(fates.map((_, index) => index + 1));
        for (const [index, { heardMs, receivedMs }] of fates.entries()) {
          const press = presses[index];
          const isInTime = heardMs !== null && heardMs + receivedMs < LIMIT_MS;
          if (press === undefined || (heardMs !== null && Math.abs(heardMs + receivedMs - LIMIT_MS) < 600))
            continue;
          expect(isLost(press, "received")).toBe(!isInTime);
          if (press.eventNumber !== null) expect(press.eventNumber).toBe(index);
          if (isInTime) expect(press).toMatchObject({ storedMs: heardMs, receivedMs: heardMs + receivedMs });
        }
      }),
      { numRuns: 60 },
    );
  });

  test("goes on behind the rows that are there, whatever byte they end at", async () => {
    const presses = await soakWith(Array.from({ length: 3 }, () => ({ heardMs: 80, receivedMs: 20 })));
    const text = [CSV_HEAD, ...presses.map(csvLine), ""].join("\n");
    expect(readCsv(text)).toEqual(presses.map((press) => ({ ...press, wallMs: Math.round(press.wallMs) })));
    for (let cut = CSV_HEAD.length + 1; cut <= text.length; cut++) {
      const whole = readCsv(text.slice(0, cut));
      expect(text.startsWith([CSV_HEAD, ...whole.map(csvLine), ""].join("\n"))).toBe(true);
    }
    expect(() => readCsv("a,b\n1,2\n")).toThrow(/line 1/);
    expect(() => readCsv(`${CSV_HEAD}\n2,0,,,,,\n`)).toThrow(/line 2/);
  });

  test("whose rig is gone ends at once, and says nothing of the press that was on its way", async () => {
    const fates = [
      { heardMs: 80, receivedMs: 20 },
      { heardMs: null, receivedMs: 1 },
      { heardMs: 80, receivedMs: 20 },
    ];
    expect(await soakWith(fates, 2_000)).toHaveLength(1);
  });

  test("sums up by nearest rank, and draws what it sums up", async () => {
    const fates = Array.from({ length: 10 }, (_, n) => ({
      heardMs: n === 9 ? null : 100,
      receivedMs: 10 * n,
    }));
    const presses = await soakWith(fates);
    const summary = summarise(presses, "received");
    expect(summary).toMatchObject({
      presses: 10,
      lost: 1,
      stages: { received: { count: 9, p50: 140, max: 180 } },
    });
    expect(drawSoak(presses, "received")).toContain("10 presses, lost 1");
  });
});
