/** Resistors at the end of a wire, and sheets that an installer can read. */
import { describe, expect, test } from "vitest";
import { BUILDS } from "../../hardware/wiring/builds.ts";
import { colourOf } from "../../hardware/wiring/colours.ts";
import { drawSheet } from "../../hardware/wiring/draw.ts";
import { LABEL_SIZE, layOut, PAGE, type Segment, type Words } from "../../hardware/wiring/layout.ts";
import { loopLevels, profileOf } from "../../hardware/wiring/profile.ts";

describe.each(BUILDS.filter(({ sensor }) => sensor?.sort === "call-point" || sensor?.sort === "door"))(
  "$name",
  (build) => {
    const sensor = build.sensor;
    const loop = profileOf(build)?.["loop"];
    const bounds =
      typeof loop === "object" && Array.isArray(loop["bounds"]) ? (loop["bounds"] as number[]) : [];
    const stateOf = (level: number) => bounds.filter((bound) => level >= bound).length;
    const isCallPoint = sensor?.sort === "call-point";

    test("resistors that are 2 % off stay within their states, on different sides of the pin's logic levels", () => {
      if (sensor === undefined) return expect.unreachable();
      for (const a of [-0.02, 0.02])
        for (const b of [-0.02, 0.02])
          for (const c of [-0.02, 0.02]) {
            const { low, high } = loopLevels(build, sensor, [a, b, c]);
            expect([stateOf(low), stateOf(high)]).toEqual([1, 3]);
            // 30 % and 70 % of the supply
            expect(low).toBeLessThan(0.3);
            expect(high).toBeGreaterThan(0.7);
          }
    });

    test("a short and a cut are states of their own", () => {
      expect(stateOf(0)).toBe(0);
      expect(stateOf(1)).toBe(isCallPoint ? 5 : 4);
      expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
    });
  },
);

interface Area {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Where words stand, by the widest that a character is on average in the fonts of the sheet. */
function areaOf({ x, y, text, sizeMm, anchor, isBold }: Words): Area {
  const width = text.length * sizeMm * (isBold === true ? 0.68 : 0.57);
  const x1 = anchor === "start" ? x : x - width;
  return { x1, y1: y - 0.75 * sizeMm, x2: x1 + width, y2: y };
}

function isApart(a: Area, b: Area): boolean {
  return a.x2 <= b.x1 || b.x2 <= a.x1 || a.y2 <= b.y1 || b.y2 <= a.y1;
}

/** A wire with its width. */
function wireArea({ x1, y1, x2, y2 }: Segment): Area {
  const half = 0.5;
  return {
    x1: Math.min(x1, x2) - half,
    y1: Math.min(y1, y2) - half,
    x2: Math.max(x1, x2) + half,
    y2: Math.max(y1, y2) + half,
  };
}

/** Both lie on one line, and on each other. */
function isOnTop(a: Segment, b: Segment): boolean {
  const isLevel = a.y1 === a.y2 && b.y1 === b.y2 && a.y1 === b.y1;
  const isUpright = a.x1 === a.x2 && b.x1 === b.x2 && a.x1 === b.x1;
  if (!isLevel && !isUpright) return false;
  const range = ({ x1, x2, y1, y2 }: Segment) => (isLevel ? [x1, x2] : [y1, y2]).sort((p, q) => p - q);
  const [[a1 = 0, a2 = 0], [b1 = 0, b2 = 0]] = [range(a), range(b)];
  return a1 < b2 && b1 < a2;
}

describe.each(BUILDS)("the sheet of $name", (build) => {
  const sheet = layOut(build);

  test("joins every end of every net, and nothing else", () => {
    for (const { name, ends } of build.nets) {
      const own = sheet.segments.filter(({ net }) => net === name);
      const [trunk] = own.filter(({ x1, x2 }) => x1 === x2);
      const branches = own.filter(({ x1, x2 }) => x1 !== x2);
      expect(branches).toHaveLength(ends.length);
      for (const { x2, y2 } of branches) {
        expect(x2).toBe(trunk?.x1);
        expect(y2).toBeGreaterThanOrEqual(trunk?.y1 ?? Number.NaN);
        expect(y2).toBeLessThanOrEqual(trunk?.y2 ?? Number.NaN);
      }
    }
  });

  test("lets no wire lie on a wire of another net", () => {
    const bad = sheet.segments.flatMap((a, i) =>
      sheet.segments.slice(i + 1).filter((b) => b.net !== a.net && isOnTop(a, b)),
    );
    expect(bad).toEqual([]);
  });

  test("lets no wire cross words, no words cross words, and both stay on the page", () => {
    const words = sheet.words.map((word) => ({ word, area: areaOf(word) }));
    for (const { word, area } of words) {
      expect(
        sheet.segments.filter((segment) => !isApart(wireArea(segment), area)),
        word.text,
      ).toEqual([]);
      expect(
        words.filter((other) => other.word !== word && !isApart(other.area, area)),
        word.text,
      ).toEqual([]);
      expect(area.x1).toBeGreaterThanOrEqual(PAGE.margin);
      expect(area.x2).toBeLessThanOrEqual(PAGE.width - PAGE.margin);
      expect(word.sizeMm).toBeGreaterThanOrEqual(LABEL_SIZE);
    }
  });

  test("has no two wires of one colour", () => {
    const colours = build.nets.map(({ name }) => colourOf(name).name).filter((name) => name !== "USB cable");
    expect(new Set(colours).size).toBe(colours.length);
  });

  test("has every part, every note and its name", () => {
    const svg = drawSheet(build);
    for (const ref of Object.keys(build.parts)) expect(svg).toMatch(new RegExp(`>${ref}[ <]`));
    for (const { note } of Object.values(build.parts))
      if (note !== undefined) expect(svg).toContain(note.split(" ").slice(0, 3).join(" "));
    expect(svg).toContain(build.name);
  });
});
