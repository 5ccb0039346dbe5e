/** The bench rig presses a virtual button: johnny-five, StandardFirmata on the virtual Arduino, a relay pin across the
 *  button, the lamp at an analog input; then the final firmware, the air, a gateway, and hub and centre as processes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../hardware/bench/soak.ts";
import { buildButton } from "../../hardware/demo/build.ts";
import { until } from "../../hardware/demo/press.ts";
import { DEMO_ENTRANCES, DEMO_REGION } from "../../hardware/demo/site-data.ts";
import { startVirtualSite } from "../../hardware/demo/virtual-site.ts";
import { startWorld, type World } from "../../hardware/demo/world.ts";
import { createArduino } from "../../hardware/virtual/arduino.ts";
import { plugIn } from "../../hardware/virtual/arduino-pty.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { standardFirmata } from "../hardware/standard-firmata.ts";

const hex = standardFirmata();
const PRESSES = Number(process.env["TUGMA_PRESSES"] ?? 50);
const BUTTON_PIN = 7;
const JOIN_MS = 120_000;
const SHINE_V = 3;
/** What daylight lets through. */
const DARK_V = 0.4;

describe.skipIf(hex === null)(`${PRESSES} presses by the rig`, () => {
  const stack = new AsyncDisposableStack();
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-soak-"));
  const usb = path.join(dir, "usb");
  const csv = path.join(dir, "soak.csv");
  const svg = path.join(dir, "soak.svg");
  const secretFile = path.join(dir, "secret");
  const [entrance] = DEMO_ENTRANCES;
  const device = entrance?.id ?? "";
  let world: World;

  beforeAll(async () => {
    stack.defer(() => rmSync(dir, { recursive: true }));
    const clock = createRealClock();
    const bundle = await buildButton();
    world = await startWorld({ dir, region: DEMO_REGION, realm: "soak" });
    stack.defer(() => world.stop());
    const entrances = entrance === undefined ? [] : [entrance];
    const virtual = await startVirtualSite({ dir, clock, bundle, world, entrances });
    stack.defer(() => virtual.stop());
    const arduino = createArduino({ clock, hex: hex ?? "" });
    arduino.powerOn();
    stack.defer(() => arduino.powerOff());
    arduino.setAnalog(0, DARK_V);
    arduino.onPin((pin, level) => {
      if (pin !== BUTTON_PIN) return;
      if (level) virtual.site.hold(device);
      else virtual.site.release(device);
    });
    virtual.site.onEvent((event) => {
      if (event.type === "lamp") arduino.setAnalog(0, event.lamp.green ? SHINE_V : DARK_V);
    });
    const plug = await plugIn(arduino, usb);
    stack.defer(() => plug.unplug());
    const { modems } = virtual.site;
    await until(() => modems.get(device)?.joined ?? false, JOIN_MS, "the button has not joined");
    writeFileSync(secretFile, world.observer.secret, { mode: 0o600 });
  });
  afterAll(() => stack.disposeAsync());

  const soak = async (count: number, signal = new AbortController().signal) => {
    const said: string[] = [];
    const args = ["--port", usb, "--device", device, "--user", world.observer.name];
    const where = [
      "--until",
      "lamp",
      "--secret-file",
      secretFile,
      "--hub",
      `127.0.0.1:${world.observer.port}`,
    ];
    const files = ["--csv", csv, "--svg", svg, "--json"];
    const io = { print: (line: string) => void said.push(line), printError: console.log, signal };
    const status = await run(["--count", String(count), ...args, ...where, ...files], io);
    return { status, summary: JSON.parse(said[0] ?? "null") };
  };

  test("are all reported, and a soak that was stopped goes on where it was", async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await soak(1, stop.signal)).toMatchObject({ status: 75, summary: { presses: 0 } });
    expect(await soak(2)).toMatchObject({ status: 0, summary: { presses: 2, lost: 0 } });
    const { status, summary } = await soak(PRESSES);
    console.log(JSON.stringify(summary));
    expect({ status, ...summary }).toMatchObject({ status: 0, presses: PRESSES, lost: 0 });
    const numbers = readFileSync(csv, "utf8")
      .split("\n")
      .slice(1, -1)
      .map((row) => row.split(",")[2]);
    expect(new Set(numbers).size).toBe(PRESSES);
    expect(readFileSync(svg, "utf8")).toContain(`${PRESSES} presses, lost 0`);
  });
});
