/** The firmware runs on the profile that is derived from its wiring. */
import { describe, expect, test } from "vitest";
import { buildFirmware, ROLES, type Role } from "../../firmware/build.ts";
import { createBoard } from "../../hardware/virtual/board.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import type { Build } from "../../hardware/wiring/build.ts";
import { BUILDS } from "../../hardware/wiring/builds.ts";
import { loopLevels, profileOf } from "../../hardware/wiring/profile.ts";
import { decodeReport } from "../../protocols/device/report.ts";
import { createScriptedModem } from "./scripted-modem.ts";

const RADIO = BUILDS.filter(
  ({ firmware }) => firmware?.uplink === "rak3172" && Object.hasOwn(ROLES, firmware.role),
);

/** Raises the alarm of a role, at the pins of its build. */
function alarmAt(build: Build, setPin: (name: string, level: number) => void): void {
  const role = build.firmware?.role;
  if (build.sensor?.sort === "call-point") setPin("loop", loopLevels(build, build.sensor).low);
  else if (build.sensor?.sort === "door") setPin("loop", loopLevels(build, build.sensor).high);
  else if (role === "smoke-sensor") setPin("chamber", 0.6);
  // 80 °C
  else if (role === "heat-sensor") setPin("thermistor", 0.1);
  else setPin("button", 0);
}

function restAt(build: Build, setPin: (name: string, level: number) => void): void {
  if (build.sensor?.sort === "call-point") setPin("loop", loopLevels(build, build.sensor).high);
  if (build.sensor?.sort === "door") setPin("loop", loopLevels(build, build.sensor).low);
  if (build.sensor?.sort === "chamber") setPin("chamber", 0.12);
  if (build.sensor?.sort === "thermistor") setPin("thermistor", 0.5);
}

describe.each(RADIO)("$name", (build) => {
  test("its bundle runs on the profile of its wiring: at rest it says nothing, an alarm it reports", async () => {
    const clock = createVirtualClock();
    const modem = createScriptedModem(clock);
    const role = build.firmware?.role as Role;
    const profile = profileOf(build);
    const battery = profile?.["battery"] as { readonly full: number };
    const board = createBoard({
      bundle: (await buildFirmware(role)).code,
      clock,
      random: createRandom(1),
      serial: modem.serial,
      identity: {
        ...{ devEui: "ac1f09fffe000001", joinEui: "0102030405060708", appKey: "ab".repeat(16), role },
        region: "EU868",
        profile,
      },
      pins: { battery: battery.full },
    });
    const reports = () => modem.frames.map(({ hex }) => decodeReport(Buffer.from(hex, "hex")));
    restAt(build, board.setPin);
    board.powerOn();
    await clock.advance(600_000);
    expect(board.errors).toEqual([]);
    expect([...new Set(reports().map(({ kind }) => kind))]).toEqual(["heartbeat"]);
    expect(reports().at(-1)?.batteryPercent).toBe(100);
    alarmAt(build, board.setPin);
    await clock.advance(1000);
    // a button is let go; a sensor's alarm stands
    board.release();
    await clock.advance(60_000);
    const kinds = new Set(reports().map(({ kind }) => kind));
    expect(
      ["panic", "silentPanic", "smoke", "heat", "callPoint", "intrusion"].some((kind) =>
        kinds.has(kind as never),
      ),
    ).toBe(true);
    expect(kinds.has("tamper")).toBe(false);
    expect(kinds.has("fault")).toBe(false);
  });
});
