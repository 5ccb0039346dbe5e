/** What the bench promises of itself; its figures are measured by `npm run bench`, not here. */
import { describe, expect, test } from "vitest";
import { run } from "./bench.ts";
import { distribution, type Figure, meets, percentile, ratioOf, show } from "./stats.ts";
import { drawPlot } from "./svg.ts";
import { drawTable } from "./table.ts";
import { createTally } from "./tally.ts";

const LATENCY: Figure = {
  name: "one alarm <p50>",
  value: 3,
  unit: "ms",
  reference: { what: "floor", value: 2 },
  bound: { is: "<=", limit: 2 },
};
const RATE: Figure = {
  name: "rate",
  value: 10,
  unit: "per second",
  reference: null,
  bound: { is: ">=", limit: 20 },
};

describe("figures", () => {
  test("a percentile is a sample, by nearest rank", () => {
    const sorted = Array.from({ length: 100 }, (_, n) => n + 1);
    expect([0, 0.5, 0.99, 1].map((part) => percentile(sorted, part))).toEqual([1, 50, 99, 100]);
    expect(distribution([3, 1, 2])).toEqual({ count: 3, min: 1, p50: 2, p90: 3, p99: 3, max: 3 });
  });

  test("a bound is about the ratio, or about the value where there is no other side", () => {
    expect([ratioOf(LATENCY), ratioOf(RATE)]).toEqual([1.5, 10]);
    expect([meets(LATENCY), meets(RATE)]).toEqual([true, false]);
  });

  test("what was not measured is never met", () => {
    expect(meets({ ...LATENCY, value: Number.NaN })).toBe(false);
    expect(meets({ ...RATE, reference: { what: "nothing", value: Number.NaN } })).toBe(false);
  });

  test("numbers are short", () => {
    expect([0, 0.12345, 12.345, 1234.5, Number.NaN].map(show)).toEqual(["0", "0.123", "12.3", "1,235", "–"]);
  });
});

test("a tally finds what is lost, doubled or out of order", async () => {
  const tally = createTally(2, 3);
  for (const [sender, number] of [
    [0, 0],
    [1, 0],
    [0, 2],
    [0, 1],
    [1, 1],
  ] as const)
    tally.hear(sender, number);
  expect(tally.count()).toEqual({ expected: 6, heard: 5, lost: 1, reordered: 2 });
  tally.hear(1, 2);
  await tally.done(1000);
  expect(tally.count().lost).toBe(0);
});

describe("what is shown", () => {
  test("a missed bound stands out in the table, and so does what was not measured", () => {
    const lines = drawTable([LATENCY, RATE], [{ name: "memory", why: "no time" }]);
    expect(lines).toHaveLength(5);
    expect(lines[2]).toMatch(/3 ms\s+2 {2}floor\s+1\.5\s+≤ 2 {2}met$/);
    expect(lines[3]).toMatch(/≥ 20 {2}NOT MET$/);
    expect(lines[4]).toBe("not measured: memory: no time");
  });

  test("the plot is well-formed whatever was measured", () => {
    for (const curves of [[], [{ name: "one", samples: [1, 2, 30] }]]) {
      const svg = drawPlot({ subtitle: "a & b", curves, bars: [], figures: [LATENCY, RATE] });
      expect(svg).toContain("one alarm &lt;p50&gt;");
      expect(svg).toContain("a &amp; b");
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

test.each([["--only", "nonsense"], ["--bogus"], ["extra"]])(
  "a wrong command line is refused: %s %s",
  async (...args) => {
    const said: string[] = [];
    const io = {
      print: () => {},
      printError: (line: string) => said.push(line),
      signal: new AbortController().signal,
    };
    expect(await run(args.filter(Boolean), io)).toBe(64);
    expect(said.join("\n")).toContain("usage: tugma bench");
  },
);
