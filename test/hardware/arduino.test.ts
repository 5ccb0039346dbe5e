/** The virtual Arduino with the real StandardFirmata, as johnny-five, firmata-io and serialport see it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import firmataIo from "firmata-io";
import johnnyFive, { type Board } from "johnny-five";
import { SerialPort } from "serialport";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Arduino, createArduino } from "../../hardware/virtual/arduino.ts";
import { plugIn, type UsbPort } from "../../hardware/virtual/arduino-pty.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { NO_PROGRAM, standardFirmata } from "./standard-firmata.ts";

const hex = standardFirmata();
/** A simulated processor shares the machine with other tests. */
const SLOW_MS = 60_000;

describe.skipIf(hex === null)("StandardFirmata on the virtual Uno", { timeout: SLOW_MS }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-arduino-"));
  const arduino: Arduino = createArduino({ clock: createRealClock(), hex: hex ?? NO_PROGRAM });
  let usb: UsbPort;
  let port: SerialPort;
  let board: Board;

  beforeAll(async () => {
    arduino.powerOn();
    usb = await plugIn(arduino, path.join(dir, "usb"));
    port = new SerialPort({ path: usb.path, baudRate: 57_600 });
    const io = new firmataIo.Firmata(port, { reportVersionTimeout: 800 });
    board = new johnnyFive.Board({ io, repl: false, debug: false, sigint: false, timeout: 15_000 });
    await new Promise((ready, refused) => {
      board.once("ready", ready);
      board.once("error", refused);
    });
  }, SLOW_MS);
  afterAll(async () => {
    await new Promise<void>((done) => port.close(() => done()));
    await usb.unplug();
    arduino.powerOff();
    rmSync(dir, { recursive: true });
  });

  test("drives what a relay is told, and says the pin's state when it is asked", async () => {
    const relay = new johnnyFive.Relay({ pin: 7, type: "NO", board });
    for (const level of [true, false]) {
      const changed = new Promise((seen) => arduino.onPin((pin, now) => pin === 7 && seen(now)));
      if (level) relay.close();
      else relay.open();
      expect(await changed).toBe(level);
      await new Promise<void>((answered) => board.io.queryPinState(7, answered));
      expect(board.io.pins[7]).toMatchObject({ mode: board.io.MODES.OUTPUT, state: level ? 1 : 0 });
    }
  });

  test("hears a key to ground and measures a voltage", async () => {
    arduino.setPin(4, true);
    const key = new johnnyFive.Button({ pin: 4, isPullup: true, board });
    const sensor = new johnnyFive.Sensor({ pin: "A0", freq: 20, board });
    const pressed = new Promise((seen) => key.once("press", seen));
    const measured = new Promise((seen) =>
      sensor.on("change", () => sensor.value > 500 && seen(sensor.value)),
    );
    arduino.setAnalog(0, 2.5);
    expect(await measured).toBeCloseTo(512, -1);
    arduino.setPin(4, false);
    await pressed;
  });

  test("without power its outputs fall", async () => {
    const changed = new Promise((seen) => arduino.onPin((pin, now) => pin === 9 && seen(now)));
    new johnnyFive.Relay({ pin: 9, type: "NO", board }).close();
    expect(await changed).toBe(true);
    arduino.powerOff();
    expect(arduino.level(9)).toBe(false);
  });
});

test("a damaged program is refused, with its line", () => {
  const clock = createRealClock();
  expect(() => createArduino({ clock, hex: ":00000001FF\n:0100000001FF" })).toThrow(/line 2/);
  expect(() => createArduino({ clock, hex: "hello" })).toThrow(/line 1/);
});
