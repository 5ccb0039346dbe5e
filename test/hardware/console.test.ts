/** The virtual console answers as Espruino 2v29 does: what is expected here was seen on the interpreter, but for Ctrl-C. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../../firmware/flash/flasher.ts";
import { createVirtualClock, type VirtualClock } from "../../hardware/virtual/clock.ts";
import type { ConsoleFaults } from "../../hardware/virtual/console.ts";
import { type ConsoleBoard, createConsoleBoard } from "../../hardware/virtual/console-board.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { openPort } from "../../hub/flash/port.ts";
import { needs } from "../debian.ts";
import { BENCH_TIMING } from "../firmware/flash-bench.ts";
import { boardOnPort, crateFolder } from "../firmware/flash-crate.ts";

interface Terminal {
  readonly board: ConsoleBoard;
  readonly clock: VirtualClock;
  /** Types, and returns what comes back within `forMs`. */
  type(text: string, forMs?: number): Promise<string>;
}

async function terminal(faults: ConsoleFaults = {}): Promise<Terminal> {
  const clock = createVirtualClock();
  let said = "";
  const board = createConsoleBoard({
    ...{ board: "MDBT42Q", version: "2v29", serial: "0001", clock, random: createRandom(4), faults },
    send: (bytes) => {
      said += Buffer.from(bytes).toString("latin1");
    },
    unplug: () => {},
  });
  board.powerOn();
  await clock.advance(10);
  expect(said).toMatch(/2v29/);
  const type = async (text: string, forMs = 10) => {
    said = "";
    board.receive(Buffer.from(text, "latin1"));
    await clock.advance(forMs);
    return said;
  };
  return { board, clock, type };
}

const packet = (kind: number, data: string) =>
  `\x10\x01${String.fromCharCode((kind | data.length) >> 8, data.length & 0xff)}${data}`;

describe("a line", () => {
  test("is echoed, and its value printed", async () => {
    const { type } = await terminal();
    expect(await type("1+1\n")).toBe("1+1\r\n=2\r\n>");
  });

  test("that begins with a DLE is not echoed", async () => {
    const { type } = await terminal();
    expect(await type('\x10print("a"+1)\n')).toBe("a1\r\n>");
  });

  test("that throws says so, and the next one is run", async () => {
    const { type } = await terminal();
    expect(await type('\x10throw new Error("x")\n')).toMatch(/^Uncaught Error: x\r\n/);
    expect(await type("\x10print(2)\n")).toBe("2\r\n>");
  });

  test("half of one is forgotten by Ctrl-C", async () => {
    const { type } = await terminal();
    await type("print(");
    await type("\x03");
    expect(await type("\x10print(3)\n")).toBe("3\r\n>");
  });

  test("knows the board's language only", async () => {
    const { type } = await terminal();
    expect(await type("\x10new Map()\n")).toMatch(/Map is not defined/);
    expect(await type("\x10print(E.CRC32('a'),btoa('\\xff'),process.env.BOARD)\n")).toBe(
      "3904355907 /w== MDBT42Q\r\n>",
    );
  });
});

describe("a packet", () => {
  test("carries a file into Storage", async () => {
    const { board, type } = await terminal();
    expect(await type(packet(0x6000, '{"fn":"test","s":11}'))).toBe("\x06");
    expect(await type(packet(0x8000, "hello"))).toBe("\x06");
    expect(await type(packet(0x8000, " world"))).toBe("\x06");
    expect(board.storage.read("test")).toBe("hello world");
  });

  test("without a file before it is refused", async () => {
    const { type } = await terminal();
    expect(await type(packet(0x8000, "hello"))).toBe("\x15");
  });

  test("that Storage has no room for is acknowledged all the same: only its checksum tells", async () => {
    const { board, type } = await terminal();
    board.storage.faults = { full: true };
    await type(packet(0x6000, '{"fn":"test","s":5}'));
    expect(await type(packet(0x8000, "hello"))).toBe(
      "\x06Uncaught Error: Unable to find or create file\r\n>",
    );
    expect(board.storage.read("test")).toBeUndefined();
  });

  test("that never ends is given up after five seconds, and lines are heard again", async () => {
    const { type } = await terminal();
    expect(await type(packet(0x8000, "hello").slice(0, -1), 4_900)).toBe("");
    expect(await type("", 200)).toBe("\x15");
    expect(await type("\x10print(4)\n")).toBe("4\r\n>");
  });
});

test("reset() forgets what was in RAM, load() starts what is in Storage", async () => {
  const { board, type } = await terminal();
  await type("\x10global = 5;\n");
  expect(await type("\x10reset()\n")).toMatch(/2v29/);
  expect(await type("\x10print(typeof global)\n")).toBe("undefined\r\n>");
  board.storage.write(".bootcde", 'print("I run");');
  expect(await type("\x10load()\n")).toMatch(/I run/);
  board.storage.erase(".bootcde");
  board.storage.write(".bootcde", "E.setConsole(null, { force: true });");
  await type("\x10load()\n");
  expect(await type("1+1\n")).toBe("");
});

test.skipIf(!needs("socat"))(
  "over a PTY and a real serial port it is flashed like a board",
  async () => {
    const { dir } = crateFolder();
    const { port, board } = await boardOnPort({});
    const link = path.join(dir, "tty");
    const ends = [`pty,raw,echo=0,link=${link}`, port.replace("tcp://", "tcp:")];
    const socat = spawn("socat", ["-d", "-d", ...ends], { stdio: ["ignore", "ignore", "pipe"] });
    onTestFinished(async () => {
      socat.kill("SIGKILL");
      if (socat.exitCode === null) await once(socat, "exit");
    });
    await new Promise<void>((ready) =>
      createInterface({ input: socat.stderr }).on("line", (line) => {
        if (/starting data transfer/.test(line)) ready();
      }),
    );
    const stream = await openPort(link);
    const session = await connect(stream, "rak3172", BENCH_TIMING);
    const files = [
      {
        name: "any",
        content: Buffer.from(Array.from({ length: 2_000 }, (_, at) => at & 255)).toString("latin1"),
      },
      { name: ".bootcde", content: 'print("I run");' },
    ];
    await session.write(files, () => {});
    await session.start(files);
    await stream.close();
    expect(board.storage.snapshot()).toEqual(
      Object.fromEntries(files.map((file) => [file.name, file.content])),
    );
    expect(board.board()?.powered).toBe(true);
  },
  20_000,
);
