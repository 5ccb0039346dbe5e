/** Every build is in order, and every class of mistake in any of them is found, and nothing else. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkBuild } from "../../hardware/check.ts";
import { type Build, endOf, type Mounted } from "../../hardware/wiring/build.ts";
import { BUILDS } from "../../hardware/wiring/builds.ts";
import type { FindingCode } from "../../hardware/wiring/finding.ts";

/** A build with some of its nets and parts in other words. */
function withNets(build: Build, change: (name: string, ends: readonly string[]) => readonly string[]): Build {
  return { ...build, nets: build.nets.map(({ name, ends }) => ({ name, ends: change(name, ends) })) };
}

function withEnd(build: Build, net: string, from: string, to: string): Build {
  return withNets(build, (name, ends) =>
    name === net ? ends.map((end) => (end === from ? to : end)) : ends,
  );
}

function withPart(build: Build, ref: string, mounted: Mounted): Build {
  return { ...build, parts: { ...build.parts, [ref]: mounted } };
}

interface Mistake {
  readonly build: Build;
  /** What has to be found, and where. */
  readonly code: FindingCode;
  readonly pin: string;
}

const ends = (build: Build) =>
  build.nets.flatMap((net) => net.ends.map((text) => ({ ...endOf(build, text), net: net.name })));
const own = (build: Build) =>
  ends(build).filter(
    ({ ref, pin }) => ref === build.controller && (pin?.role === "io" || pin?.role === "input-only"),
  );
const isNrf = (build: Build) => build.parts["U1"]?.use === "mdbt42q";

/** Each class of mistake: every way to make it in a build. */
const MISTAKES: Readonly<Record<string, (build: Build) => Mistake[]>> = {
  "a pin in two nets": (build) =>
    own(build)
      .filter(({ net }) => !["rx", "tx"].includes(net))
      .map(({ text, net }) => ({
        build: { ...build, nets: [...build.nets, { name: `${net}2`, ends: [text] }] },
        code: "pin-twice",
        pin: text,
      })),
  "a pin that the board keeps": (build) =>
    own(build)
      .filter(
        ({ net, part }) =>
          part !== undefined && !["rx", "tx", "battery", "loop", "chamber", "thermistor"].includes(net),
      )
      .flatMap(({ ref, text, net, part }) =>
        Object.entries(part?.pins ?? {})
          .filter(
            ([, pin]) =>
              pin.keptFor !== undefined && !build.nets.some((n) => n.ends.includes(text) && n.name !== net),
          )
          .map(([name]) => ({
            build: withEnd(build, net, text, `${ref}.${name}`),
            code: "pin-kept" as const,
            pin: `${ref}.${name}`,
          })),
      ),
  "a pin that is not there": (build) =>
    own(build)
      .filter(({ net }) => ["button", "red", "silence", "tamper"].includes(net))
      .map(({ text, net }) => ({
        build: withEnd(build, net, text, "U1.D99"),
        code: "pin-unknown",
        pin: "U1.D99",
      })),
  "an analog net on a pin that cannot measure": (build) =>
    own(build)
      .filter(({ net }) => ["battery", "loop", "chamber", "thermistor"].includes(net))
      .map(({ text, net }) => ({ build: withEnd(build, net, text, "U1.D20"), code: "adc", pin: "U1.D20" })),
  "a serial line that is not crossed": (build) =>
    ["rx", "tx"].flatMap((net) => {
      const line = ends(build).find((end) => end.net === net && end.pin?.role.startsWith("uart"));
      const other = ends(build).find(
        (end) => end.net === (net === "rx" ? "tx" : "rx") && end.ref === line?.ref,
      );
      if (line === undefined || other === undefined) return [];
      // one of two lines to the wrong end; the right end of it is left hanging
      const one = withNets(build, (name, list) =>
        list.flatMap((end) =>
          name !== net && end === other.text ? [] : end === line.text ? [other.text] : [end],
        ),
      );
      const cut = { ...one, nets: one.nets.filter(({ name }) => name !== other.net) };
      return { build: cut, code: "uart-crossed" as const, pin: other.text };
    }),
  "a part without supply": (build) =>
    ends(build)
      .filter(({ pin }) => pin?.role === "supply-in")
      .map(({ text }) => ({
        build: withNets(build, (_, list) => list.filter((end) => end !== text)),
        code: "supply-missing",
        pin: text,
      })),
  "a part without ground": (build) =>
    ends(build)
      .filter(({ pin, ref }) => pin?.role === "ground" && ref !== build.controller)
      .filter(({ net }) => net === "ground")
      .map(({ text }) => ({
        build: withNets(build, (_, list) => list.filter((end) => end !== text)),
        code: "ground-missing",
        pin: text,
      })),
  "a part that nobody orders": (build) =>
    Object.keys(build.parts)
      .filter((ref) =>
        ["tamper", "keySwitch", "pushButton", "capacitor"].includes(build.parts[ref]?.use ?? ""),
      )
      .map((ref) => {
        const { [ref]: _, ...parts } = build.parts;
        return { build: { ...build, parts }, code: "bom", pin: ref };
      }),
  "a capacitor without a value": (build) =>
    Object.entries(build.parts)
      .filter(([, { use }]) => use === "capacitor")
      .map(([ref]) => ({ build: withPart(build, ref, { use: "capacitor" }), code: "bom", pin: ref })),
  "a supply of the wrong voltage": (build) =>
    build.parts["X1"]?.use === "feed5v"
      ? [
          {
            build: withPart(withEnd(build, "feed", "X1.+5V", "X1.+12V"), "X1", { use: "feed12v" }),
            code: "supply-range",
            pin: "U1.5V",
          },
        ]
      : [],
  "a level above what a pin takes": (build) =>
    isNrf(build)
      ? own(build)
          .filter(({ net }) => net === "tamper")
          .map(({ text, net }) => ({
            build: {
              ...build,
              parts: { ...build.parts, R8: { use: "resistor", ohms: 10_000 } },
              nets: [
                ...withNets(build, (name, list) => (name === net ? [...list, "R8.1"] : list)).nets.filter(
                  ({ name }) => !["cell", "feed"].includes(name),
                ),
                ...build.nets
                  .filter(({ name }) => ["cell", "feed"].includes(name))
                  .map(({ name, ends: list }) => ({ name, ends: [...list, "R8.2"] })),
              ],
            },
            code: "level",
            pin: text,
          }))
      : [],
  "a load that is too strong for its pin": (build) =>
    own(build)
      .filter(({ net }) => net === "buzzer" && isNrf(build))
      .map(({ text }) => ({
        build: {
          ...withNets(build, (name, list) =>
            name === "buzzer" ? [...list, "H9.+"] : name === "ground" ? [...list, "H9.-"] : list,
          ),
          parts: { ...build.parts, H9: { use: "buzzer" } },
        },
        code: "pin-current",
        pin: text,
      })),
  "a contact without a pull-up": (build) =>
    build.parts["U1"]?.use === "esp32"
      ? own(build)
          .filter(({ net }) => ["button", "tamper"].includes(net))
          .map(({ text, net }) => ({
            build: withEnd(build, net, text, "U1.D34"),
            code: "pull-missing",
            pin: "U1.D34",
          }))
      : [],
  "a loop without its resistor to the supply": (build) =>
    ends(build)
      .filter(({ net, text }) => (net === "loop" || net === "thermistor") && text === "R3.2")
      .map(({ net }) => ({
        build: withNets(build, (_, list) => list.filter((end) => end !== "R3.1")),
        code: "pull-missing",
        pin: own(build).find((end) => end.net === net)?.text ?? "",
      })),
  "a loop without the resistor at its end": (build) =>
    ends(build)
      .filter(({ net, text }) => net === "loop" && text === "R4.1")
      .map(() => ({
        build: withNets(build, (_, list) => list.filter((end) => end !== "R4.1")),
        code: "eol-missing",
        pin: own(build).find((end) => end.net === "loop")?.text ?? "",
      })),
  "a bus without the resistor at its end": (build) =>
    ends(build)
      .filter(({ mounted, pin }) => mounted?.use === "busTerminal" && pin?.role === "bus-a")
      .map(({ net, text }) => ({
        build: withNets(build, (name, list) =>
          name === net ? list.filter((end) => !end.startsWith("R")) : list,
        ),
        code: "eol-missing",
        pin: text,
      })),
  "a bus pair that is crossed": (build) =>
    ends(build)
      .filter(
        ({ mounted, pin }) =>
          (mounted?.use === "rs485" || mounted?.use === "usbRs485") && pin?.role === "bus-a",
      )
      .map(({ ref, text }) => ({
        build: withNets(build, (_, list) =>
          list.flatMap((end) => (end === text ? [`${ref}.B`] : end === `${ref}.B` ? [] : [end])),
        ),
        code: "bus-crossed",
        pin: `${ref}.B`,
      })),
  "two USB devices on one cable": (build) =>
    ends(build)
      .filter(({ pin }) => pin?.role === "usb-device")
      .map(({ net, text }) => ({
        build: withPart(
          withNets(build, (name, list) => (name === net ? [...list, "U9.USB"] : list)),
          "U9",
          { use: "usbRs485" },
        ),
        code: "usb",
        pin: text,
      })),
  "two supplies that are joined": (build) =>
    isNrf(build)
      ? [
          {
            build: withPart(
              withNets(build, (name, list) =>
                name === "ground" ? [...list, "B9.-"] : name === "supply" ? [...list, "B9.+"] : list,
              ),
              "B9",
              { use: "er14505" },
            ),
            code: "supply-clash",
            pin: "B9.+",
          },
        ]
      : [],
  "a supply that is too weak": (build) =>
    build.parts["X1"]?.use === "piSupply"
      ? [
          {
            build: withPart(
              {
                ...build,
                nets: build.nets.map((net) => ({ ...net, ends: net.ends.filter((e) => e !== "X1.LOST") })),
              },
              "X1",
              { use: "feed5v" },
            ),
            code: "supply-current",
            pin: "X1.+5V",
          },
        ]
      : [],
};

describe.each(BUILDS)("$name", (build) => {
  test("may be soldered", () => expect(checkBuild(build)).toEqual([]));
});

describe.each(Object.entries(MISTAKES))("%s", (_, mistakesIn) => {
  const all = BUILDS.flatMap(mistakesIn);
  test("can be made", () => expect(all.length).toBeGreaterThan(0));
  test("is found wherever it is made, and nothing else", () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), ({ build, code, pin }) => {
        const found = checkBuild(build);
        expect([...new Set(found.map((finding) => finding.code))], JSON.stringify(found)).toEqual([code]);
        expect(found.flatMap(({ pins }) => pins)).toContain(pin);
        expect(found.every((finding) => finding.build === build.name && finding.says.length > 20)).toBe(true);
      }),
      { numRuns: Math.min(400, all.length * 4) },
    );
  });
});
