/** A wall clock that is wrong for a whole process: Node, OpenSSL and SQLite in it see nothing else. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("false-clock.c", import.meta.url));

export interface FalseClock {
  /** The environment of the process that is to have this clock. */
  readonly env: Readonly<Record<string, string>>;
  /** Steps it, also while the process runs: to so many milliseconds since 1970. */
  set(wallMs: number): void;
  /** Steps it by so many milliseconds. */
  step(byMs: number): void;
  close(): void;
}

/** Builds the library with gcc into `dir`. The clock is right until it is set. */
export function buildFalseClock(dir: string): FalseClock {
  const library = path.join(dir, "false-clock.so");
  const built = spawnSync("gcc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`gcc: ${built.error?.message ?? built.stderr}`);
  const name = path.join(dir, "false-clock");
  const file = openSync(name, "w+");
  let offsetS = 0n;
  const write = () => void writeSync(file, new BigInt64Array([offsetS]), 0, 8, 0);
  write();
  return {
    env: { LD_PRELOAD: library, FALSE_CLOCK: name },
    set(wallMs) {
      offsetS = BigInt(Math.round((wallMs - Date.now()) / 1000));
      write();
    },
    step(byMs) {
      offsetS += BigInt(Math.round(byMs / 1000));
      write();
    },
    close: () => closeSync(file),
  };
}
