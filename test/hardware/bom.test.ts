/** A bill of materials has every part of its build once, and is CSV that anybody's program reads. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BomLine, bomCsv, bomOf } from "../../hardware/bom.ts";
import { run } from "../../hardware/cli.ts";
import { BUILDS } from "../../hardware/wiring/builds.ts";

/** RFC 4180, read one character after the other. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const next = text[at];
    if (isQuoted) {
      if (next !== '"') cell += next;
      else if (text[at + 1] === '"') cell += text[++at];
      else isQuoted = false;
    } else if (next === '"') isQuoted = true;
    else if (next === ",") {
      row.push(cell);
      cell = "";
    } else if (next === "\r" && text[at + 1] === "\n") {
      at++;
      rows.push([...row, cell]);
      row = [];
      cell = "";
    } else cell += next;
  }
  expect([cell, row, isQuoted]).toEqual(["", [], false]);
  return rows;
}

describe.each(BUILDS)("$name", (build) => {
  test("names each part once, and orders as many as it names", () => {
    const lines = bomOf(build);
    const references = lines.flatMap(({ reference }) => reference.split(" "));
    expect([...references].sort()).toEqual(Object.keys(build.parts).sort());
    for (const { reference, quantity, part } of lines) {
      expect(quantity).toBe(reference.split(" ").length);
      expect(part).not.toBe("");
    }
  });

  test("orders a crate of them", () => {
    const one = bomOf(build);
    expect(bomOf(build, 40).map(({ quantity }) => quantity)).toEqual(
      one.map(({ quantity }) => quantity * 40),
    );
  });
});

test("any text comes back from the CSV as it was", () => {
  const line: fc.Arbitrary<BomLine> = fc.record({
    reference: fc.string(),
    part: fc.string(),
    value: fc.string(),
    quantity: fc.nat(),
    note: fc.constantFrom('a "quoted" word', "one, two", "two\r\nlines", "", "plain"),
  });
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const [header, ...rows] = parseCsv(bomCsv(lines));
      expect(header).toEqual(["reference", "part", "value", "quantity", "note"]);
      expect(rows).toEqual(lines.map((l) => [l.reference, l.part, l.value, String(l.quantity), l.note]));
    }),
  );
});

describe("tugma hardware", () => {
  const call = async (...args: string[]) => {
    const said: string[] = [];
    const complained: string[] = [];
    const io = {
      print: (line: string) => void said.push(line),
      printError: (line: string) => void complained.push(line),
    };
    return {
      status: await run(args, io, async () => undefined),
      said: said.join("\n"),
      complained: complained.join("\n"),
    };
  };

  test("bom prints a crate's bill", async () => {
    const { status, said } = await call("bom", "heat-sensor-wire", "--count", "8");
    expect(status).toBe(0);
    expect(said).toContain(
      'S3,"NTC thermistor 100 kΩ, B 4190 K, 1 %",,8,"S3: Free in the air, 25 mm below the ceiling"',
    );
  });

  test("check finds nothing wrong in what is built", async () => {
    expect(await call("check")).toMatchObject({ status: 0, said: `${BUILDS.length} builds, nothing wrong` });
    expect(JSON.parse((await call("check", "--json")).said)).toEqual([]);
  });

  test.each([
    [["bom", "toaster"], 'no build "toaster"'],
    [["bom", "--count", "0"], "--count 0: a whole number"],
    [["bom", "--frames"], "--frames"],
    [["profile"], "name one build"],
    [["profile", "hub-pi5"], "hub-pi5 runs no firmware"],
    [["solder"], 'no command "solder"'],
  ])("%j is refused with a reason", async (args, reason) => {
    const { status, complained } = await call(...args);
    expect(status).toBe(64);
    expect(complained).toContain(reason);
  });
});
