import { describe, expect, test } from "vitest";
import { configHash, parseConfig } from "../../../hub/config.ts";
import { polledEui } from "../../../hub/modbus/identity.ts";
import { blocksOf } from "../../../hub/modbus/plan.ts";
import { PROFILES } from "../../../hub/modbus/profiles.ts";
import { PANEL_YAML } from "./panel.ts";

const OWN = `
region: EU433
modbus:
  buses:
    - name: cellar
      host: 192.168.1.30
      units:
        - name: pump
          unit: 3
          profile: my-pump
          site: Chilonzor 9
          zone: Cellar
          points: [{ at: 1 }, { at: 2, kind: technical }]
  profiles:
    my-pump:
      title: Pump
      source: Pump manual 1.2
      table: holdingRegisters
      address: 100
      to: 2
      codes: { means: { 0: normal, 1: technical water, 7: fault } }
`;

function mistakes(text: string): string {
  try {
    parseConfig(text, "hub.yaml");
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the file was taken");
}

/** Line of the first line that has this text. */
function lineWith(text: string, part: string): number {
  return text.split("\n").findIndex((line) => line.includes(part)) + 1;
}

describe("modbus in hub.yaml", () => {
  test("takes built-in profiles and one's own, with their defaults", () => {
    expect(parseConfig(PANEL_YAML, "hub.yaml").modbus.buses[0]).toMatchObject({
      baudRate: 9600,
      parity: "none",
      units: [{ shift: 0, allowSelect: false }],
    });
    expect(parseConfig(OWN, "hub.yaml").modbus.profiles["my-pump"]).toMatchObject({
      from: 1,
      step: 1,
      width: 1,
      pollMs: 1000,
    });
  });

  test("is part of what records name as the hub's configuration", () => {
    const hashes = [
      PANEL_YAML,
      PANEL_YAML.replace("Cellar", "Roof 2"),
      OWN,
      OWN.replace("7: fault", "7: normal"),
    ];
    expect(new Set(hashes.map((text) => configHash(parseConfig(text, "hub.yaml")))).size).toBe(4);
  });

  test.each([
    ["a misspelt key", PANEL_YAML, "profile:", "profil:", "there is no such setting"],
    [
      "an unknown profile",
      PANEL_YAML,
      "profile: bolid-c2000-pp",
      "profile: bolid",
      'there is no profile "bolid"; write one of bolid-c2000-pp, ',
    ],
    [
      "a point that the profile does not have",
      PANEL_YAML,
      "at: 7",
      "at: 513",
      "point 513 is outside of 1 to 512",
    ],
    ["a point twice", PANEL_YAML, "at: 7", "at: 2", "2 is there twice"],
    [
      "a kind that is none",
      PANEL_YAML,
      "kind: heat",
      "kind: fire",
      '"fire" is not known; write one of smoke, heat',
    ],
    [
      "a unit that no bus has",
      PANEL_YAML,
      "unit: 1",
      "unit: 248",
      "expected integer to be less or equal to 247",
    ],
    [
      "no way to the bus",
      PANEL_YAML,
      "path: /dev/ttyS9",
      "# path",
      "give it a path (serial) or a host (TCP)",
    ],
    ["two ways", PANEL_YAML, "path: /dev/ttyS9", "path: /dev/ttyS9\n      host: panel", "one of both"],
    [
      "a limit where nothing is measured",
      PANEL_YAML,
      "at: 7",
      "at: 7, above: 5",
      "above and below are for measured values",
    ],
    [
      "a measured value without a limit",
      PANEL_YAML,
      "bolid-c2000-pp",
      "bolid-c2000-pp-value\n          allowSelect: true",
      "needs a limit",
    ],
    [
      "a profile that writes, not allowed",
      PANEL_YAML,
      "profile: bolid-c2000-pp",
      "profile: bolid-c2000-pp-value",
      "allowSelect: true",
    ],
    [
      "a shift out of the registers",
      PANEL_YAML,
      "unit: 1",
      "unit: 1\n          shift: -40001",
      "its address -1 is outside",
    ],
    [
      "a place that no record takes",
      PANEL_YAML,
      "zone: Stairs",
      'zone: "a\\tb"',
      "modbus.buses.0.units.0.points.0.zone",
    ],
    ["a meaning that is none", OWN, "7: fault", "7: broken", "modbus.profiles.my-pump.codes.means.7"],
    ["a word beyond the point", OWN, "codes: {", "codes: { word: 1,", "word 1 is asked for, and there are 1"],
    ["a profile that means nothing", OWN, /codes:.*/, "width: 1", "add codes, bits or value"],
    [
      "two units of one name",
      PANEL_YAML,
      "      units:",
      "      units:\n        - { name: panel, unit: 2, profile: calectro-ug3, site: S, points: [{ at: 1 }] }",
      '"panel" is there twice',
    ],
  ])("%s is refused", (_, yaml, from, to, said) => {
    expect(mistakes(yaml.replace(from, to))).toContain(said);
  });

  test("a mistake names its line and the way to it", () => {
    const text = PANEL_YAML.replace("at: 7", "at: 513");
    expect(mistakes(text)).toMatch(
      new RegExp(`^hub.yaml:${lineWith(text, "513")}: modbus.buses.0.units.0.points.3: `),
    );
    const other = PANEL_YAML.replace("baudRate", "x").replace("timeoutMs: 200", "timeoutMs: 2");
    expect(mistakes(other)).toMatch(
      new RegExp(`^hub.yaml:${lineWith(other, "timeoutMs")}: modbus.buses.0.timeoutMs: `),
    );
  });
});

describe("what is read", () => {
  const unit = (points: readonly number[], shift = 0) => ({
    name: "panel",
    unit: 1,
    profile: "",
    site: "",
    shift,
    allowSelect: false,
    points: points.map((at) => ({ at })),
  });
  const reads = (name: keyof typeof PROFILES, points: readonly number[], shift = 0) =>
    blocksOf(PROFILES[name], unit(points, shift)).map(({ request: { address, count } }) => [address, count]);

  test("neighbours are read together, and nothing that nobody named", () => {
    expect(reads("bolid-c2000-pp", [3, 1, 2, 7, 512])).toEqual([
      [40_000, 3],
      [40_006, 1],
      [40_511, 1],
    ]);
    expect(reads("bolid-c2000-pp", [1, 2], -1)).toEqual([[39_999, 2]]);
  });

  test("a read has at most as many registers as the profile says", () => {
    const all = Array.from({ length: 512 }, (_, n) => n + 1);
    expect(reads("bolid-c2000-pp", all).map(([, count]) => count)).toEqual([100, 100, 100, 100, 100, 12]);
  });

  test("what makes up one point is read at once", () => {
    expect(reads("system-sensor-faast", [1])).toEqual([[8, 6]]);
    expect(reads("calectro-ug3", [1])).toEqual([[0, 4]]);
  });
});

test("a point is known by its names alone: the same over restarts, another for another bus, unit, point or hub", () => {
  const names = [
    ["hub1", "a", "b", 1],
    ["hub2", "a", "b", 1],
    ["hub1", "a", "b", 2],
    ["hub1", "a", "b"],
    ["hub1", "ab", 1],
    ["hub1", "a b", 1],
  ] as const;
  const euis = names.map(([hub, ...rest]) => polledEui(hub, ...rest));
  expect(new Set(euis).size).toBe(names.length);
  expect(euis).toEqual(names.map(([hub, ...rest]) => polledEui(hub, ...rest)));
  for (const eui of euis) expect(eui).toMatch(/^[0-9a-f][26ae][0-9a-f]{14}$/);
});
