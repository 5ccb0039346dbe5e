/** Smoke at a detector, a siren on the wall, and no centre: the hub whole, its child, johnny-five, firmata-io and serialport
 *  against StandardFirmata on the virtual Arduino. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Arduino, createArduino } from "../../../hardware/virtual/arduino.ts";
import { plugIn, type UsbPort } from "../../../hardware/virtual/arduino-pty.ts";
import { createRealClock } from "../../../hardware/virtual/clock.ts";
import { run } from "../../../hub/cli.ts";
import { createSystemClock } from "../../../hub/clock.ts";
import { parseConfig } from "../../../hub/config.ts";
import { withDeviceTables } from "../../../hub/journal/offline.ts";
import { type Hub, startHub } from "../../../hub/main.ts";
import { NO_PROGRAM, standardFirmata } from "../../hardware/standard-firmata.ts";
import { createCutOffIdentity, DEVICE, transmit } from "./world.ts";

const hex = standardFirmata();
const SIREN = 7;
const STROBE = 8;
const KEY = 4;
/** A simulated processor shares the machine with the hub and other tests. */
const SLOW_MS = 60_000;
const WAIT = { timeout: 15_000, interval: 20 };

describe.skipIf(hex === null)("a hub whose centre is out of reach", { timeout: SLOW_MS }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-annunciator-"));
  const usbPath = path.join(dir, "usb");
  const config = parseConfig(
    `region: EU433
semtechUdp: { port: 0 }
broker: { port: 0 }
annunciators:
  - name: stairwell
    arduino: ${usbPath}
    outputs:
      - { name: siren, type: siren, pin: ${SIREN} }
      - { name: strobe, type: strobe, pin: ${STROBE} }
    silencePin: ${KEY}
    rules:
      - { kinds: [smoke], outputs: [siren, strobe], pattern: steady, forS: 600 }
`,
    "hub.yaml",
  );
  const arduino: Arduino = createArduino({ clock: createRealClock(), hex: hex ?? NO_PROGRAM });
  let usb: UsbPort;
  let gateway: Socket;
  let hub: Hub;
  let presses = 0;

  const start = () => {
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    };
    const identity = createCutOffIdentity();
    return startHub({ dir, config, clock: createSystemClock(), log, identity });
  };
  const alarm = (kind: "smoke" | "silentPanic") => transmit(gateway, hub.udpPort, kind, presses++);
  const kinds = async () => (await hub.journal.read(0, 100)).map(({ event }) => event.kind);
  const isUp = () => hub.status().annunciators[0]?.isUp;
  const levels = () => [arduino.level(SIREN), arduino.level(STROBE)];

  beforeAll(async () => {
    arduino.setPin(KEY, true);
    arduino.powerOn();
    usb = await plugIn(arduino, usbPath);
    gateway = createSocket("udp4").bind(0, "127.0.0.1");
    await once(gateway, "listening");
    withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.saveDevice(DEVICE));
    hub = await start();
    await vi.waitFor(() => expect(isUp()).toBe(true), WAIT);
  }, SLOW_MS);
  afterAll(async () => {
    await hub?.stop();
    gateway?.close();
    await usb?.unplug();
    arduino.powerOff();
    rmSync(dir, { recursive: true });
  });

  test("stays quiet on a silent panic, and sounds on smoke", async () => {
    alarm("silentPanic");
    await expect.poll(kinds, WAIT).toContain("silentPanic");
    const risen: number[] = [];
    arduino.onPin((pin, level) => level && risen.push(pin));
    expect(levels()).toEqual([false, false]);
    alarm("smoke");
    await expect.poll(levels, WAIT).toEqual([true, true]);
    // for the smoke alone
    expect(await kinds()).toContain("smoke");
    expect(risen).toEqual([SIREN, STROBE]);
  });

  test("is silenced by the key, and sounds again for the next alarm", async () => {
    arduino.setPin(KEY, false);
    await expect.poll(levels, WAIT).toEqual([false, true]);
    arduino.setPin(KEY, true);
    alarm("smoke");
    await expect.poll(levels, WAIT).toEqual([true, true]);
  });

  test("is silenced by a command, and sounds again for the next alarm", async () => {
    const said: string[] = [];
    const print = (line: string) => void said.push(line);
    const io = { print, printError: print, signal: new AbortController().signal };
    expect(await run(["silence", "--dir", dir, "--json"], io)).toBe(0);
    expect(said).toEqual(['{"silenced":1}']);
    await expect.poll(levels, WAIT).toEqual([false, true]);
    alarm("smoke");
    await expect.poll(levels, WAIT).toEqual([true, true]);
  });

  test("goes on when its child was killed, and when the board has forgotten everything", async () => {
    process.kill(annunciatorChild(), "SIGKILL");
    await expect.poll(isUp, WAIT).toBe(false);
    expect(levels()).toEqual([true, true]);
    await expect.poll(isUp, WAIT).toBe(true);
    expect(levels()).toEqual([true, true]);
    arduino.powerOff();
    expect(levels()).toEqual([false, false]);
    arduino.powerOn();
    await expect.poll(levels, WAIT).toEqual([true, true]);
  });

  test("says when the board is gone and when it is back, and goes on where it was", async () => {
    await usb.unplug();
    arduino.powerOff();
    await expect.poll(kinds, WAIT).toContain("annunciatorLost");
    arduino.powerOn();
    usb = await plugIn(arduino, usbPath);
    await expect.poll(levels, WAIT).toEqual([true, true]);
    await expect.poll(kinds, WAIT).toContain("annunciatorBack");
  });

  test("switches off when it is stopped, and on again when it starts while the alarm's time lasts", async () => {
    await hub.stop();
    expect(levels()).toEqual([false, false]);
    hub = await start();
    await expect.poll(levels, WAIT).toEqual([true, true]);
  });
});

/** Process id of this process's child that drives annunciators. */
function annunciatorChild(): number {
  const children = globSync("/proc/self/task/*/children").flatMap((file) =>
    readFileSync(file, "utf8").split(" "),
  );
  const found = children.find(
    (pid) => pid !== "" && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("annunciator/child.ts"),
  );
  return Number(found);
}
