import { describe, expect, test } from "vitest";
import { DETAIL, type Detail, detailOf, isOver } from "../../../protocols/device/details.ts";
import { KINDS, type Kind } from "../../../protocols/device/kinds.ts";

const details = Object.keys(DETAIL) as Detail[];
const kinds = Object.keys(KINDS) as Kind[];

describe.each(details)("detail %s", (name) => {
  test("has a code of its own that fits a device's bits", () => {
    expect(details.filter((other) => DETAIL[other] === DETAIL[name])).toEqual([name]);
    expect(DETAIL[name]).toBeGreaterThanOrEqual(1);
    expect(DETAIL[name]).toBeLessThan(31);
  });

  test("is named where the detail is a code, and nowhere else", () => {
    const named = kinds.filter((kind) => detailOf(kind, DETAIL[name]) === name);
    expect(named).toEqual(["heartbeat", "tamper", "fault", "restore", "preAlarm"]);
  });
});

test("a code that means nothing has no name", () => {
  const used = new Set<number>(details.map((name) => DETAIL[name]));
  for (let code = 0; code < 256; code++)
    if (!used.has(code)) for (const kind of kinds) expect(detailOf(kind, code)).toBeUndefined();
});

describe("a restore", () => {
  test("of a fault ends that fault, and neither another nor an alarm", () => {
    expect(isOver("fault", DETAIL.dirty, DETAIL.dirty)).toBe(true);
    expect(isOver("tamper", DETAIL.case, DETAIL.case)).toBe(true);
    expect(isOver("fault", DETAIL.battery, DETAIL.dirty)).toBe(false);
    // 9 is "dirty" as a code, and 0.9 %/m as a measure
    expect(isOver("smoke", DETAIL.dirty, DETAIL.dirty)).toBe(false);
    expect(isOver("panic", 4, DETAIL.mains)).toBe(false);
  });

  test.each([
    ["smoke", "smoke"],
    ["heat", "heat"],
    ["callPoint", "callPoint"],
    ["intrusion", "door"],
    ["preAlarm", "preAlarm"],
  ] as const)("of an alarm ends %s, whatever was measured, and no fault", (kind, name) => {
    for (let detail = 0; detail < 256; detail++) {
      expect(
        kinds.filter(
          (other) => other !== "fault" && other !== "tamper" && isOver(other, detail, DETAIL[name]),
        ),
      ).toEqual([kind]);
      expect(isOver("fault", detail, DETAIL[name])).toBe(detail === DETAIL[name]);
    }
  });

  test("that names nothing known is about everything", () => {
    for (const kind of kinds) expect(isOver(kind, 7, 200)).toBe(true);
  });
});
