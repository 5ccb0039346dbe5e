import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePoint, type PointFacts } from "../../../hub/modbus/decode.ts";
import { meaningOf } from "../../../hub/modbus/meaning.ts";
import type { Profile } from "../../../hub/modbus/profile.ts";
import { PROFILE_NAMES, PROFILES } from "../../../hub/modbus/profiles.ts";
import { EVENT_KINDS } from "../../../protocols/hub-kinds.ts";

const shut = () => false;
const kindsIn = (profile: Profile, values: readonly number[], facts: PointFacts = {}) =>
  decodePoint(profile, facts, values, shut).conditions.map(({ kind }) => kind);

describe("Bolid C2000-PP", () => {
  const profile = PROFILES["bolid-c2000-pp"];
  const { means } = profile.codes;
  const said = (code: number) => (means as Record<string, string>)[String(code)];

  test.each([
    [37, "smoke"],
    [40, "smoke"],
    [44, "preAlarm"],
    [9, "callPoint"],
    [58, "silentPanic"],
    [3, "intrusion"],
    [118, "intrusion"],
    [18, "duress"],
    [27, "intrusion"],
    [146, "smoke"],
    [149, "tamper"],
    [214, "fault"],
    [187, "fault"],
  ])("code %i is %s", (code, kind) => {
    expect(kindsIn(profile, [(code << 8) | 24])).toEqual([kind]);
    expect(kindsIn(profile, [(24 << 8) | code])).toEqual([kind]);
  });

  test("a fire is of the kind that the zone was given, and other codes keep theirs", () => {
    expect(kindsIn(profile, [37 << 8], { kind: "heat" })).toEqual(["heat"]);
    expect(kindsIn(profile, [118 << 8], { kind: "panic" })).toEqual(["panic"]);
    // a zone of another kind that burns does burn
    expect(kindsIn(profile, [37 << 8], { kind: "intrusion" })).toEqual(["smoke"]);
    expect(kindsIn(profile, [9 << 8], { kind: "heat" })).toEqual(["callPoint"]);
  });

  test("all 65,536 registers: nothing but codes that say so is normal, and unknown ones are trouble", () => {
    for (let word = 0; word < 0x1_0000; word++) {
      const bytes = word & 0xff ? [word >> 8, word & 0xff] : [word >> 8];
      const wrong = bytes.filter((code) => !said(code)?.startsWith("normal"));
      const { conditions, isComplete } = decodePoint(profile, {}, [word], shut);
      expect(conditions).toHaveLength(wrong.length);
      expect(isComplete).toBe(wrong.length < 2);
      for (const [at, code] of wrong.entries())
        if (said(code) === undefined)
          expect(conditions[at]).toMatchObject({ kind: "fault", key: "unknown code", text: `code ${code}` });
    }
  });
});

describe("Notifier MODBUS-GW", () => {
  const profile = PROFILES["notifier-modbus-gw"];
  const [INACTIVE, ACTIVE, ENABLED] = [1 << 12, 1 << 11, 1 << 10];

  test.each([
    ["at rest", INACTIVE | ENABLED, []],
    ["fire", ACTIVE | ENABLED | 0x10, ["smoke"]],
    ["carbon monoxide", ACTIVE | ENABLED | 0x14, ["smoke"]],
    ["medical", ACTIVE | ENABLED | 0x13, ["medical"]],
    ["supervisory", ACTIVE | ENABLED | 0x40, ["technical"]],
    ["active without a type", ACTIVE | ENABLED, ["fault"]],
    ["active with a type that nobody knows", ACTIVE | ENABLED | 0x55, ["fault"]],
    ["trouble", INACTIVE | ENABLED | (1 << 13), ["fault"]],
    ["pre-alarm", INACTIVE | ENABLED | (1 << 14), ["preAlarm"]],
    ["disabled", INACTIVE | (1 << 9), ["fault"]],
    ["a register that says nothing at all", 0, ["fault", "fault"]],
    ["absent, whatever else it says", ACTIVE | ENABLED | 0xff, ["fault"]],
    ["fire in trouble", ACTIVE | ENABLED | (1 << 13) | 0x10, ["smoke", "fault"]],
  ])("%s", (_, word, kinds) => {
    expect(kindsIn(profile, [word])).toEqual(kinds);
  });

  test("no register is normal but one that says that the point is there, enabled and at rest", () => {
    for (let word = 0; word < 0x1_0000; word++) {
      if (kindsIn(profile, [word]).length > 0) continue;
      expect(word & (ACTIVE | (1 << 9) | (1 << 13) | (1 << 14))).toBe(0);
      expect(word & (INACTIVE | ENABLED)).toBe(INACTIVE | ENABLED);
      expect(word & 0xff).not.toBe(0xff);
    }
  });
});

test("Calectro UG-3: smoke, service, and a detector that is not in its place", () => {
  const profile = PROFILES["calectro-ug3"];
  expect(kindsIn(profile, [1, 0, 0, 0])).toEqual([]);
  expect(kindsIn(profile, [1, 0, 1, 1])).toEqual(["smoke"]);
  expect(kindsIn(profile, [1, 1, 0, 0])).toEqual(["fault"]);
  expect(kindsIn(profile, [0, 0, 0, 0])).toEqual(["fault"]);
});

test("System Sensor FAAST: levels, and a level that it does not have", () => {
  const profile = PROFILES["system-sensor-faast"];
  expect(kindsIn(profile, [0, 9, 9, 9, 9, 0])).toEqual([]);
  expect(kindsIn(profile, [0, 0, 0, 0, 0, 0b111])).toEqual(["preAlarm", "preAlarm", "preAlarm"]);
  expect(kindsIn(profile, [0b1_1111, 0, 0, 0, 0, 0b1_1111]).filter((kind) => kind === "smoke")).toHaveLength(
    2,
  );
  expect(kindsIn(profile, [1 << 6, 0, 0, 0, 0, 0])).toEqual(["fault"]);
  expect(kindsIn(profile, [0, 0, 0, 0, 0, 1 << 7])).toEqual(["fault"]);
});

describe("a measured value", () => {
  const profile = PROFILES["bolid-c2000-pp-value"];
  const q88 = (value: number) => Math.round(value * 256) & 0xffff;

  test("is signed, with its fraction, and is told with its limit", () => {
    const read = (value: number, facts: PointFacts) =>
      decodePoint(profile, facts, [q88(value)], shut).conditions;
    expect(read(54.5, { above: 54 })).toMatchObject([
      { key: "above", kind: "technical", text: "54.5, above 54" },
    ]);
    expect(read(-3.25, { below: -3, kind: "heat" })).toMatchObject([{ key: "below", kind: "heat" }]);
    expect(read(20, { above: 54, below: -3 })).toEqual([]);
  });

  test("that has passed its limit must come back further than its hysteresis", () => {
    const read = (value: number, open: boolean) =>
      decodePoint(profile, { above: 50, hysteresis: 2 }, [q88(value)], () => open).conditions.length;
    expect([read(49, false), read(51, false), read(49, true), read(48, true), read(47.9, true)]).toEqual([
      0, 1, 1, 0, 0,
    ]);
  });
});

test.each(PROFILE_NAMES)(
  "%s: any values have a reading, and each condition a text and a name that stands for one kind",
  (name) => {
    const profile = PROFILES[name as keyof typeof PROFILES] as Profile;
    const isBits = profile.table === "discreteInputs" || profile.table === "coils";
    const value = fc.integer({ min: 0, max: isBits ? 1 : 0xffff });
    const values = fc.array(value, { minLength: profile.width, maxLength: profile.width });
    fc.assert(
      fc.property(values, (read) => {
        const { conditions } = decodePoint(profile, { above: 50, below: 10 }, read, shut);
        for (const { kind, text } of conditions) {
          expect(EVENT_KINDS[kind]).toBeDefined();
          expect(text).not.toBe("");
        }
        const words = new Set(conditions.map(({ key, kind }) => `${key}: ${kind}`));
        expect(new Set(conditions.map(({ key }) => key)).size).toBe(words.size);
      }),
    );
  },
);

test("a meaning that no table allows is a bug", () => {
  expect(() => meaningOf("toString", undefined)).toThrow("no meaning");
});
