/** A part of the demo as a process of its own, started by the same command that an installer would type. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("../../tugma.mjs", import.meta.url));
/** Both parts promise to be gone well before this after SIGTERM. */
const STOP_MS = 2500;

export interface Part {
  readonly pid: number;
  /** Settles with the first JSON line on its output that has `field`; rejects when it ends before. */
  said<T extends Record<string, unknown>>(field: string): Promise<T>;
  /** Settles with the exit status, or the signal's name. */
  readonly ended: Promise<number | string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Runs `tugma <args>` with its log in `logFile`. Its standard input is closed. */
export function startPart(
  args: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv = process.env,
): Part {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile, { flags: "a", mode: 0o600 });
  const child = spawn(process.execPath, [ENTRY, ...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env,
    detached: true,
  });
  let lastWords = "";
  child.stderr?.pipe(log, { end: false });
  child.stderr?.on("data", (chunk: Buffer) => {
    lastWords = chunk.toString("utf8").trim().split("\n").at(-1) ?? lastWords;
  });
  child.stdout?.pipe(log, { end: false });
  const heard: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    const value = parseObject(line);
    if (value !== undefined) heard.push(value);
    for (const check of waiting) check();
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? code ?? 0));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    said: (field) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = heard.find((value) => field in value);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found as never);
        };
        waiting.add(check);
        check();
        ended.then((how) =>
          reject(new Error(`${lastWords || `tugma ${args[0]} ended (${how})`}\n  its log: ${logFile}`)),
        );
      }),
    stop: () => end(child, ended, "SIGTERM"),
    kill: () => end(child, ended, "SIGKILL"),
  };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function end(
  child: ChildProcess,
  ended: Promise<unknown>,
  signal: "SIGTERM" | "SIGKILL",
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(timer);
}
