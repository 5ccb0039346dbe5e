import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { run } from "../../../hub/cli.ts";
import { parseConfig } from "../../../hub/config.ts";
import { decodePoint } from "../../../hub/modbus/decode.ts";
import { createNotebook, createScan, profileDraft } from "../../../hub/modbus/learn.ts";
import { waitFor } from "../../centre/hub-double.ts";
import { freePort, hasSlave, openPtyPair, slaveFolder, startSlave } from "./slave.ts";
import { UNIT, virtualBus } from "./virtual-bus.ts";

const RANGE = { unit: UNIT, table: "holdingRegisters", from: 0, count: 100 } as const;

describe("a scan", () => {
  test("finds what is there between what is not, and then asks for that alone", async () => {
    const { bus, unit, line, during } = await virtualBus();
    for (const at of [5, 6, 40]) unit.holdingRegisters.delete(at);
    const notebook = createNotebook();
    const scan = createScan(bus, RANGE);
    await during(scan.round((address, values) => void notebook.see(address, values)));
    const there = Array.from({ length: 64 }, (_, n) => n).filter((n) => ![5, 6, 40].includes(n));
    expect(notebook.registers().map(({ address }) => address)).toEqual(there);
    const asked = line.requests.length;
    const refused = bus.counters.exceptions;
    await during(scan.round(() => undefined));
    expect(bus.counters.exceptions).toBe(refused);
    expect(line.requests.length - asked).toBeLessThan(15);
  });

  test("of nothing says so", async () => {
    const { bus, during } = await virtualBus();
    const scan = createScan(bus, { ...RANGE, from: 1000 });
    await during(scan.round(() => undefined));
    expect(scan.hasAny).toBe(false);
  });
});

describe("a draft", () => {
  test("fits hub.yaml as it is, is about what changed, and hides nothing until somebody says what it means", () => {
    const notebook = createNotebook();
    notebook.see(10, [1, 7, 7, 3]);
    notebook.see(11, [9]);
    notebook.see(13, [4]);
    const draft = profileDraft(RANGE, notebook.registers());
    const indented = draft.replaceAll(/^/gm, "    ");
    const { modbus } = parseConfig(`region: EU433\nmodbus:\n  profiles:\n${indented}`, "hub.yaml");
    const profile = modbus.profiles["my-device"];
    expect(profile).toMatchObject({ address: 11, from: 1, to: 3 });
    expect(Object.keys(profile?.codes?.means ?? {})).toEqual(["3", "4", "7", "9"]);
    for (const value of [3, 7, 500]) {
      const { conditions } = profile ? decodePoint(profile, {}, [value], () => false) : { conditions: [] };
      expect(conditions).toMatchObject([{ kind: "fault" }]);
    }
  });

  test.each(["coils", "inputRegisters"] as const)("of %s fits, too", (table) => {
    const notebook = createNotebook();
    notebook.see(0, [0, 1]);
    const draft = profileDraft({ ...RANGE, table }, notebook.registers()).replaceAll(/^/gm, "    ");
    expect(() => parseConfig(`region: EU433\nmodbus:\n  profiles:\n${draft}`, "hub.yaml")).not.toThrow();
  });

  test("of a value without end stays short", () => {
    const notebook = createNotebook();
    for (let value = 0; value < 1_000; value++) notebook.see(3, [value]);
    expect(notebook.registers()).toMatchObject([{ changes: 999, values: { length: 16 } }]);
  });
});

describe("tugma modbus", () => {
  const folder = new AsyncDisposableStack();
  const present = hasSlave();
  let place: { dir: string; binary: string };
  beforeAll(() => {
    if (present) place = slaveFolder(folder);
  });
  afterAll(() => folder.disposeAsync());

  function terminal() {
    const stop = new AbortController();
    const said: string[] = [];
    const wrong: string[] = [];
    const print = (line: string) => void said.push(line);
    const io = { print, printError: (line: string) => void wrong.push(line), signal: stop.signal };
    return {
      said,
      wrong,
      stop: () => stop.abort(),
      run: (...args: string[]) => run(["modbus", ...args], io),
    };
  }

  test.skipIf(!present)("learn shows what is there, marks what changes, and writes a draft", async () => {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const pty = await openPtyPair(place.dir, stack);
    const slave = await startSlave(place.binary, ["rtu", pty.theirs, "9600", "7"], stack);
    await slave.tell("holding 40001 6144");
    const { said, run: tugma, stop } = terminal();
    const out = path.join(place.dir, "draft.yaml");
    const range = ["--unit", "7", "--from", "40000", "--count", "4", "--out", out];
    const ended = tugma("learn", "--bus", pty.ours, ...range);
    await waitFor(() => said.includes("  40001   6144 0x1800"));
    await slave.tell("holding 40001 9472");
    await waitFor(() => said.includes("* 40001   9472 0x2500  was  6144 0x1800"));
    stop();
    expect(await ended).toBe(0);
    expect(said.at(-1)).toBe(`A draft of its profile is in ${out}.`);
    expect(readFileSync(out, "utf8")).toContain("address: 40001");
    expect(await terminal().run("learn", "--bus", pty.ours, ...range)).toBe(64);
  });

  test.skipIf(!present)("learn over TCP, as JSON, for a given time", async () => {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const port = await freePort();
    const slave = await startSlave(place.binary, ["tcp", String(port), "7"], stack);
    await slave.tell("discrete 2 1");
    const { said, run: tugma } = terminal();
    const range = ["--unit", "7", "--table", "discreteInputs", "--count", "3", "--watch-s", "1", "--json"];
    expect(await tugma("learn", "--bus", `127.0.0.1:${port}`, ...range)).toBe(0);
    const lines = said.map((line) => JSON.parse(line));
    expect(lines.slice(0, 3)).toEqual(
      [0, 1, 2].map((address) => ({ address, value: Number(address === 2), was: null })),
    );
    expect(lines.at(-1)).toMatchObject({ unit: 7, table: "discreteInputs", registers: { length: 3 } });
    expect(slave.requests.every(([functionCode]) => functionCode === 2)).toBe(true);
  });

  test.each([
    [["learn"], 64, "which unit?"],
    [["learn", "--unit", "1"], 64, "which bus?"],
    [["learn", "--unit", "1", "--bus", "/dev/x", "--table", "registers"], 64, "none of coils"],
    [["learn", "--unit", "248", "--bus", "/dev/x"], 64, "from 1 to 247"],
    [["learn", "--unit", "1", "--bus", "/dev/tugma-none"], 69, "No such file"],
    [["learn", "--unit", "1", "--bus", "nowhere", "--dir", "/nonexistent"], 78, "hub.yaml"],
    [["bogus"], 64, "usage: tugma modbus"],
  ])("%j ends with %i and says why", async (args, status, said) => {
    const { wrong, run: tugma } = terminal();
    expect(await tugma(...args)).toBe(status);
    expect(wrong.join("\n")).toContain(said);
  });

  test("profiles lists every one with the document that it is from", async () => {
    const { said, run: tugma } = terminal();
    expect(await tugma("profiles", "--json")).toBe(0);
    const sources = Object.values<{ source: string }>(JSON.parse(said[0] ?? "{}")).map(
      ({ source }) => source,
    );
    expect(sources.filter((source) => source.length > 10)).toHaveLength(5);
  });
});
