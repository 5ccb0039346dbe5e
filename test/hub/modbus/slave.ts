/** The independent slave: libmodbus of Debian in a small C program, on a pseudo-terminal or on TCP. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { needs } from "../../debian.ts";

export interface Slave {
  /** Says a command of slave.c; settles when it is done. */
  tell(command: string): Promise<void>;
  /** Every request so far: function, address, count or value. */
  readonly requests: readonly (readonly number[])[];
}

const HEADER = "/usr/include/modbus/modbus.h";

/** Whether the slave can be made and reached here; where not, a line says what to install, and in CI it is an error. */
export function hasSlave(): boolean {
  if (!needs("gcc") || !needs("socat")) return false;
  if (existsSync(HEADER)) return true;
  const advice = "libmodbus is not installed. Run: sudo apt-get install libmodbus-dev";
  if (process.env["CI"]) throw new Error(advice);
  console.warn(`Skipped: ${advice}`);
  return false;
}

/** Compiles slave.c into `dir`. */
export function buildSlave(dir: string): string {
  const binary = path.join(dir, "modbus-slave");
  const source = path.join(import.meta.dirname, "slave.c");
  execFileSync("gcc", ["-O1", "-Wall", "-Wextra", "-o", binary, source, "-lmodbus"]);
  return binary;
}

export interface PtyPair {
  readonly ours: string;
  readonly theirs: string;
  /** Pulls the plug. */
  end(): Promise<void>;
  /** Plugs it in again, under the same names. */
  again(): Promise<void>;
}

/** Two ends of one serial line. */
export async function openPtyPair(dir: string, stack: AsyncDisposableStack): Promise<PtyPair> {
  const own = mkdtempSync(path.join(dir, "pty-"));
  const [ours, theirs] = [path.join(own, "ours"), path.join(own, "theirs")];
  const ends = [ours, theirs].map((link) => `pty,raw,echo=0,link=${link}`);
  let end = async () => {};
  const again = async () => {
    // a killed one leaves its links
    for (const link of [ours, theirs]) rmSync(link, { force: true });
    const socat = spawn("socat", ["-d", "-d", ...ends], { stdio: ["ignore", "ignore", "pipe"] });
    end = () => stop(socat);
    await lineOf(socat, socat.stderr, /starting data transfer/);
  };
  stack.defer(() => end());
  await again();
  return { ours, theirs, again, end: () => end() };
}

/** A slave process; it ends with `stack`. */
export async function startSlave(
  binary: string,
  args: readonly string[],
  stack: AsyncDisposableStack,
): Promise<Slave> {
  const child = spawn(binary, args, { stdio: ["pipe", "pipe", "inherit"] });
  stack.defer(() => stop(child));
  const requests: number[][] = [];
  const waiting: (() => void)[] = [];
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "ready") ready.resolve();
    else if (line === "done") waiting.shift()?.();
    else requests.push(line.split(" ").map(Number));
  });
  child.once("exit", (code) => ready.reject(new Error(`slave ${args.join(" ")} ended: ${code}`)));
  await ready.promise;
  return {
    requests,
    tell(command) {
      child.stdin.write(`${command}\n`);
      return new Promise((done) => waiting.push(done));
    },
  };
}

/** A folder with the compiled slave; both go with `stack`. */
export function slaveFolder(stack: AsyncDisposableStack): { dir: string; binary: string } {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-modbus-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  return { dir, binary: buildSlave(dir) };
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

function lineOf(child: ChildProcess, stream: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    createInterface({ input: stream }).on("line", (line) => pattern.test(line) && resolve());
    child.once("exit", (code) => reject(new Error(`${child.spawnfile} ended: ${code}`)));
  });
}
