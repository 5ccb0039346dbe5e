import { describe, expect, test } from "vitest";
import { detailText } from "../../../centre/web/console/detail.ts";
import { en } from "../../../centre/web/console/words/en.ts";
import { ru } from "../../../centre/web/console/words/ru.ts";
import { uz } from "../../../centre/web/console/words/uz.ts";
import { DETAIL, type Detail } from "../../../protocols/device/details.ts";
import type { EventState } from "../../../protocols/event.ts";

const said = (detail: number): EventState => ({
  detail,
  batteryPercent: 80,
  tamperOpen: false,
  batteryLow: false,
  mainsLost: false,
  deviceFault: true,
});

describe.each([
  ["en", en],
  ["ru", ru],
  ["uz", uz],
] as const)("%s", (_, w) => {
  test("names every fault, each by other words", () => {
    const names = (Object.keys(DETAIL) as Detail[]).filter((name) => name !== "restarted");
    const texts = names.map((name) => detailText({ kind: "fault", state: said(DETAIL[name]) }, w));
    expect(texts).toEqual(names.map((name) => w.details[name]));
    expect(new Set(texts).size).toBe(names.length);
  });
});

test("what was measured has its unit, and nothing is made up where nothing was", () => {
  expect(detailText({ kind: "heat", state: said(61 + 40) }, en)).toBe("61 °C");
  expect(detailText({ kind: "heat", state: said(30) }, en)).toBe("-10 °C");
  expect(detailText({ kind: "smoke", state: said(42) }, en)).toBe("4.2 %/m");
  expect(detailText({ kind: "preAlarm", state: said(DETAIL.heat) }, en)).toBe("heat");
  for (const kind of ["heat", "smoke", "fault", "panic", "deviceSilent", "equivocation"] as const) {
    expect(detailText({ kind, state: said(0) }, en)).toBeNull();
    expect(detailText({ kind, state: null }, en)).toBeNull();
  }
});
