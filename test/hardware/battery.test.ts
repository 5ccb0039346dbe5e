/** How long a cell lasts: the arithmetic against sums made by hand, and days of the real bundle against what is promised. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bundleFor } from "../../firmware/build.ts";
import { type Activity, chargesOf, meanMa, standingMa, yearsOn } from "../../hardware/battery.ts";
import { runDay } from "../../hardware/battery-day.ts";
import { isOnBattery, lifeOf, tableSf } from "../../hardware/battery-table.ts";
import type { Build } from "../../hardware/wiring/build.ts";
import { BUILDS, buildOf } from "../../hardware/wiring/builds.ts";

function named(name: string): Build {
  const build = buildOf(name);
  if (build === undefined) throw new Error(`no build ${name}`);
  return build;
}

const BUTTON = named("entrance-button-rak3172");
const STILL: Activity = {
  spanMs: 1_000_000,
  wakes: 0,
  uartOpenMs: 0,
  lines: 0,
  frames: 0,
  slowestSf: 0,
  sendingMs: 0,
  receivingMs: 0,
  litMs: {},
  isDeepSleep: true,
};

describe("the model", () => {
  test("gives the years that a sum by hand gives", () => {
    // 2,400 mAh × 80 % at 10 µA and 24 mAh of loss a year: 1,920 ÷ (87.66 + 24)
    expect(yearsOn("er14505", 0.01)).toBeCloseTo(17.195, 2);
    expect(yearsOn("cr123a", 0.01)).toBeLessThan(yearsOn("er14505", 0.01));
  });

  test("counts the divider that measures the cell: 3.6 V over 9.4 MΩ", () => {
    expect(standingMa(BUTTON)).toBeCloseTo(3.6 / 9400, 6);
  });

  test("charges each activity with its part's current", () => {
    const charges = chargesOf(BUTTON, {
      ...STILL,
      wakes: 100,
      uartOpenMs: 2500,
      lines: 3,
      sendingMs: 56.6,
      receivingMs: 100,
      litMs: { green: 10_000, buzzer: 1000 },
    });
    // 5 µA + 2 µA + 1.69 µA
    expect(charges.asleep).toBeCloseTo(8.69, 6);
    expect(charges.processor).toBeCloseTo(5, 6);
    expect(charges.uart).toBeCloseTo(2.5, 6);
    expect(charges.sending).toBeCloseTo(5.094, 6);
    expect(charges.receiving).toBeCloseTo(0.84, 6);
    expect(charges.lights).toBeCloseTo(24, 6);
  });

  test("whatever a device does more, its cell lasts no longer", () => {
    const more = fc.record({
      wakes: fc.nat(100_000),
      uartOpenMs: fc.nat(100_000),
      lines: fc.nat(1000),
      sendingMs: fc.nat(100_000),
      receivingMs: fc.nat(100_000),
    });
    fc.assert(
      fc.property(fc.constantFrom(...BUILDS.filter(isOnBattery)), more, (build, done) => {
        const still = meanMa(build, STILL, null);
        const busy = meanMa(build, { ...STILL, ...done }, null);
        expect(busy).toBeGreaterThanOrEqual(still);
        expect(yearsOn("er14505", busy)).toBeLessThanOrEqual(yearsOn("er14505", still));
      }),
    );
  });
});

test("a day is what the bundle does: heartbeats in number, airtime by the data rate, and a press that shows its lamp", async () => {
  const bundle = (await bundleFor("entrance-button", "rak3172")) ?? "";
  const [fast, slow] = await Promise.all(
    [7, 12].map((sf) => runDay({ build: BUTTON, bundle, region: "EU868", sf, heartbeatS: 3600 })),
  );
  expect(fast?.day.frames).toBeGreaterThanOrEqual(22);
  expect(fast?.day.frames).toBeLessThanOrEqual(27);
  // 21 bytes: 56.6 ms at SF7, 1,482.8 ms at SF12
  expect((fast?.day.sendingMs ?? 0) / (fast?.day.frames ?? 1)).toBeCloseTo(56.6, 0);
  expect((slow?.day.sendingMs ?? 0) / (slow?.day.frames ?? 1)).toBeCloseTo(1482.8, 0);
  expect(fast?.press?.litMs["green"]).toBeGreaterThan(5000);
  expect([fast?.day.slowestSf, slow?.day.slowestSf]).toEqual([7, 12]);
  expect(fast?.day.litMs).toEqual({});
});

/** Mean current and years of a row of the README's table; undefined where it has no such row. */
function printedLife(
  build: string,
  sf: number,
): { readonly meanMicroamps: number; readonly years: number } | undefined {
  const page = readFileSync(new URL("../../hardware/README.md", import.meta.url), "utf8");
  const row = page.split("\n").find((line) => line.startsWith(`| ${build} | SF${sf} | 3600 s |`));
  const cells = row?.split("|").map((cell) => Number(cell)) ?? [];
  return row === undefined ? undefined : { meanMicroamps: cells[5] ?? 0, years: cells[6] ?? 0 };
}

test("each region's table has rates that its devices really send at", async () => {
  const bundle = (await bundleFor("entrance-button", "rak3172")) ?? "";
  for (const region of ["RU864", "AS923", "UZ923"] as const) {
    const slowest = tableSf(region).at(-1) ?? 0;
    const row = await lifeOf(BUTTON, bundle, { region, sf: slowest, heartbeatS: 3600 });
    expect(row).toMatchObject({ sf: region === "RU864" ? 12 : 10 });
    expect(row.framesADay).toBeGreaterThan(20);
  }
});

describe.each([
  ["entrance-button", 10],
  ["personal-button", 5],
])("%s", (role, years) => {
  test(`lives at least ${years} years on an ER14505 with hourly heartbeats, beside its hub`, async (context) => {
    const bundle = await bundleFor(role, "rak3172");
    if (bundle === undefined) return context.skip(`the firmware has no ${role}`);
    for (const sf of [7, 9]) {
      const build = `${role}-rak3172`;
      const row = await lifeOf(named(build), bundle, { region: "EU868", sf, heartbeatS: 3600 });
      if (sf === 7) expect(row.yearsEr14505).toBeGreaterThanOrEqual(years);
      const printed = printedLife(build, sf);
      if (printed === undefined) continue;
      // a firmware that wakes a little more or less is not another table
      expect(row.meanMicroamps / printed.meanMicroamps).toBeCloseTo(1, 1);
      expect(row.yearsEr14505 / printed.years).toBeCloseTo(1, 1);
    }
  });
});

test("the README's table has the entrance button", () => {
  expect([7, 9, 12].map((sf) => printedLife("entrance-button-rak3172", sf) !== undefined)).toEqual([
    true,
    true,
    true,
  ]);
});
