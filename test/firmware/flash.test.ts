/** The uploader: whatever happens on the cable, a board that is said to be flashed has exactly these bytes, and each other
 *  one is named with its reason. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connect } from "../../firmware/flash/flasher.ts";
import { connectBoard, type FlashFile, isAtLeast } from "../../firmware/flash/upload.ts";
import { BENCH_TIMING, type BenchOptions, createBenchBoard } from "./flash-bench.ts";

const FILES: readonly FlashFile[] = [
  { name: "identity", content: '{"devEui":"0200000000000001"}' },
  { name: ".bootcde", content: 'pinMode("D1","input");'.repeat(150) },
];

async function flash(options: BenchOptions, files = FILES) {
  const board = createBenchBoard(options);
  const session = await connectBoard(board.stream, BENCH_TIMING);
  const written = await session.write(files, () => {});
  await session.start(files);
  return { board, written, session };
}

const failsWith = (code: string) => expect.objectContaining({ name: "FlashError", code });

describe.each([
  ["by packets", {}],
  ["line by line, where packets are lost", { faults: { packets: "none" } }],
  ["line by line, where packets are refused", { faults: { packets: "refused" } }],
  ["line by line, on a firmware before 2v25", { version: "2v24" }],
] as const)("%s", (_, options: BenchOptions) => {
  test("a blank board gets its files", async () => {
    const { board, written, session } = await flash(options);
    expect(board.storage.snapshot()).toEqual(Object.fromEntries(FILES.map((f) => [f.name, f.content])));
    expect(written).toEqual(["identity", ".bootcde"]);
    expect(session).toMatchObject({ board: "MDBT42Q", serial: "0a1b2c3d-4e5f6071", identity: null });
  }, 20_000);
});

test("every byte arrives as it is, whatever the file holds, on both ways", async () => {
  const any = fc.uint8Array({ minLength: 1, maxLength: 3000 });
  await fc.assert(
    fc.asyncProperty(any, fc.boolean(), async (bytes, isOld) => {
      const content = Buffer.from(bytes).toString("latin1");
      const board = createBenchBoard({ version: isOld ? "2v20" : "2v29" });
      const session = await connectBoard(board.stream, BENCH_TIMING);
      await session.write([{ name: "any", content }], () => {});
      expect(board.storage.read("any")).toBe(content);
    }),
    { numRuns: 20 },
  );
}, 20_000);

test("identical files are left alone", async () => {
  const files = Object.fromEntries(FILES.map((f) => [f.name, f.content]));
  const { written, session } = await flash({ files });
  expect(written).toEqual([]);
  expect(session.identity).toBe(files["identity"]);
});

test("one wrong bit anywhere costs a repeat at most", async () => {
  const { board } = await flash({});
  const good = board.storage.snapshot();
  for (let flipByte = 1; flipByte < 4200; flipByte += 211) {
    const outcome = await flash({ faults: { flipByte } }).then(
      (flashed) => flashed.board.storage.snapshot(),
      (error: unknown) => error,
    );
    expect(outcome, `byte ${flipByte}`).toEqual(good);
  }
}, 60_000);

test("a cable that is pulled at any moment is named, and nothing is started", async () => {
  for (let bytes = 1; bytes < 4200; bytes += 173) {
    const board = createBenchBoard({ faults: { unplugAfterBytes: bytes } });
    const outcome = connectBoard(board.stream, BENCH_TIMING).then(async (session) => {
      await session.write(FILES, () => {});
      await session.start(FILES);
    });
    await expect(outcome, `after ${bytes} bytes`).rejects.toEqual(failsWith("unplugged"));
    expect(board.board()).toBeNull();
  }
}, 60_000);

test("two boards that are swapped on a port are noticed before anything starts", async () => {
  for (const swapAfterBytes of [1_000, 2_500, 4_000]) {
    await expect(flash({ faults: { swapAfterBytes } })).rejects.toEqual(failsWith("swapped"));
  }
});

test.each(["2v29", "2v24"])("a Storage without room is named (%s)", async (version) => {
  await expect(flash({ storageFaults: { full: true }, version })).rejects.toEqual(failsWith("storageFull"));
});

test("a board whose console is closed is named with what to do", async () => {
  const timing = { ...BENCH_TIMING, greetMs: 50 };
  const mute = { write: () => {}, onData: () => {}, onEnd: () => {}, close: async () => {} };
  await expect(connectBoard(mute, timing)).rejects.toEqual(
    expect.objectContaining({ code: "noConsole", message: expect.stringContaining("Hold the button") }),
  );
});

test("a program that throws when it starts is named", async () => {
  const files = [{ name: ".bootcde", content: 'throw new Error("no pins");' }];
  await expect(flash({}, files)).rejects.toEqual(
    expect.objectContaining({ code: "notStarting", message: expect.stringContaining("no pins") }),
  );
});

test("a slow board is waited for", async () => {
  const { board } = await flash({ faults: { slowMs: 20 } });
  expect(board.storage.list()).toEqual(["identity", ".bootcde"]);
});

test.each([
  ["a kind of board that cannot carry the uplink", { board: "RP2040_PICO" }, "wrongBoard"],
  ["an Espruino that nobody measured the programs on", { version: "2v28.9" }, "tooOld"],
])("%s is refused, and goes on with what it has", async (_, options, code) => {
  const board = createBenchBoard({ ...options, files: { ".bootcde": 'print("I run");' } });
  const before = board.board();
  await expect(connect(board.stream, "wire", BENCH_TIMING)).rejects.toEqual(failsWith(code));
  expect(board.storage.list()).toEqual([".bootcde"]);
  expect(board.board()).not.toBe(before);
  expect(board.board()?.powered).toBe(true);
});

test("versions are compared by number", () => {
  expect(isAtLeast("2v29.277", [2, 25])).toBe(true);
  expect(isAtLeast("2v9", [2, 25])).toBe(false);
  expect(isAtLeast("3v1", [2, 25])).toBe(true);
  expect(isAtLeast("?", [0, 0])).toBe(false);
});
