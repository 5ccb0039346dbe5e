/** Runs a measurement in a process of its own and bounds its time. */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Measured, Row } from "./measure.ts";

/** To the child, once. */
export interface Task {
  readonly module: string;
  readonly dir: string;
  readonly quick: boolean;
  readonly slowSyncMs: number;
}

/** From the child. */
export type Said =
  | { readonly progress: string }
  | { readonly measured: Measured }
  | { readonly failed: string };

export interface IsolateOptions {
  readonly dir: string;
  readonly quick: boolean;
  /** On top of this process's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  progress(words: string): void;
}

/** What `tugma hub run` tells V8. */
export const HUB_FLAGS: readonly string[] = JSON.parse(
  readFileSync(new URL("../../hub/v8-flags.json", import.meta.url), "utf8"),
);

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** After the wish to end: then the child is killed. */
const END_MS = 5_000;

/** Settles with what was measured; rejects when it failed, took too long, or the signal asked for the end. */
export async function measureApart(row: Row, options: IsolateOptions): Promise<Measured> {
  const child = fork(CHILD, {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
    // the firmware's build strips types, which Node 24 calls experimental
    execArgv: ["--disable-warning=ExperimentalWarning", ...(row.asHub ? HUB_FLAGS : [])],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    return await watch(child, row, options);
  } finally {
    child.kill();
    const killer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await ended;
    clearTimeout(killer);
  }
}

function watch(child: ChildProcess, row: Row, options: IsolateOptions): Promise<Measured> {
  const { dir, quick, signal } = options;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not done after ${row.limitS} s, given up`)),
      row.limitS * 1000,
    );
    const stop = () => reject(new Error("interrupted"));
    signal.addEventListener("abort", stop);
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    child.on("message", (said: Said) => {
      if ("progress" in said) return options.progress(said.progress);
      end();
      if ("measured" in said) resolve(said.measured);
      else reject(new Error(said.failed));
    });
    child.once("exit", (code, killedBy) => {
      end();
      reject(new Error(`its process ended with ${killedBy ?? code}`));
    });
    const task: Task = { module: row.module, dir, quick, slowSyncMs: row.slowSyncMs ?? 0 };
    child.send(task);
  });
}
