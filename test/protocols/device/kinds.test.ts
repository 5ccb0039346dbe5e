import { describe, expect, test } from "vitest";
import { KINDS, type Kind, kindOf } from "../../../protocols/device/kinds.ts";
import { decodeReport, encodeReport } from "../../../protocols/device/report.ts";

const kinds = Object.keys(KINDS) as Kind[];
const PRIORITIES = ["life", "intrusion", "fault", "info"];

/** A new kind is one line in kinds.ts: these tests take it up by themselves. */
describe.each(kinds)("kind %s", (kind) => {
  const row = KINDS[kind];

  test("has a wire id of 1 to 31, alone", () => {
    expect(row.id).toBeGreaterThanOrEqual(1);
    expect(row.id).toBeLessThanOrEqual(31);
    expect(kinds.filter((other) => KINDS[other].id === row.id)).toEqual([kind]);
    expect(kindOf(row.id)).toBe(kind);
  });

  test("has a priority, a SIA DC-03 code of two letters and a Contact ID number of three digits", () => {
    expect(PRIORITIES).toContain(row.priority);
    expect(row.sia).toMatch(/^[A-Z]{2}$/);
    expect(row.contactId).toBeGreaterThanOrEqual(100);
    expect(row.contactId).toBeLessThanOrEqual(999);
  });

  test("travels in a report", () => {
    const report = {
      kind,
      mode: "real",
      tamperOpen: false,
      batteryLow: false,
      mainsLost: false,
      deviceFault: false,
      eventNumber: 513,
      ageS: 3,
      batteryPercent: 80,
      detail: 9,
    } as const;
    expect(decodeReport(encodeReport(report))).toEqual(report);
  });
});

test("an id without a kind is no kind", () => {
  const used = new Set<number>(kinds.map((kind) => KINDS[kind].id));
  for (let id = 0; id < 64; id++) if (!used.has(id)) expect(kindOf(id)).toBeUndefined();
});
