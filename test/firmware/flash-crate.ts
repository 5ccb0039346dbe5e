/** A crate of virtual boards, each behind a serial server of its own, and the command that flashes them. */

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import * as firmware from "../../firmware/flash/flasher.ts";
import { flashProfile } from "../../hardware/flash-profile.ts";
import { VIRTUAL_PROFILE } from "../../hardware/virtual/board.ts";
import { runFlash } from "../../hub/flash/cli.ts";
import type { BoardResult } from "../../hub/flash/crate.ts";
import { BENCH_TIMING, type BenchBoard, type BenchOptions, createBenchBoard } from "./flash-bench.ts";

const built = new Map<string, Promise<string>>();

/** The firmware's own, with the bench's patience; a program is built once. */
export const FLASHER = {
  programs: firmware.programs,
  program(role: string, uplink: string): Promise<string> {
    const program = built.get(`${role} ${uplink}`) ?? firmware.program(role, uplink);
    built.set(`${role} ${uplink}`, program);
    return program;
  },
  profile: flashProfile,
  connect: (stream: Parameters<typeof firmware.connect>[0], uplink: string) =>
    firmware.connect(stream, uplink, BENCH_TIMING),
};

/** A folder that goes with the test, with a profile file in it. */
export function crateFolder(): { dir: string; profile: string } {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-flash-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const profile = path.join(dir, "pins.json");
  writeFileSync(profile, JSON.stringify(VIRTUAL_PROFILE));
  return { dir, profile };
}

export interface CrateBoard {
  readonly port: string;
  readonly board: BenchBoard;
}

/** A board with power behind tcp://…; the serial server goes with the test. */
export async function boardOnPort(options: BenchOptions): Promise<CrateBoard> {
  const sockets = new Set<Socket>();
  const board = createBenchBoard(options);
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => board.receive(bytes));
    board.stream.onData((bytes) => void (socket.writable && socket.write(bytes)));
    board.stream.onEnd(() => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, board };
}

/** Runs the command; what it printed, and its exit status. */
export async function tugmaFlash(
  args: readonly string[],
  /** Ctrl-C comes when a line has this in it. */
  stopAt?: string,
): Promise<{ status: number; lines: string[]; errors: string[]; results: BoardResult[] }> {
  const lines: string[] = [];
  const errors: string[] = [];
  const stop = new AbortController();
  const status = await runFlash(
    args,
    {
      print: (line) => {
        lines.push(line);
        if (stopAt !== undefined && line.includes(stopAt)) stop.abort();
      },
      printError: (line) => void errors.push(line),
      signal: stop.signal,
    },
    FLASHER,
  );
  const isJson = args.includes("--json") && lines.length > 0;
  return { status, lines, errors, results: isJson ? JSON.parse(lines.at(-1) ?? "[]") : [] };
}
