/** The virtual Arduino's USB port: a pseudo-terminal that any program can open as a serial port. Made by socat. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Arduino } from "./arduino.ts";

export interface UsbPort {
  readonly path: string;
  /** Pulls the plug: the terminal is gone. */
  unplug(): Promise<void>;
}

const START_MS = 5_000;

/** `path`: where the terminal appears. Rejects when socat is missing or does not make it. */
export async function plugIn(arduino: Pick<Arduino, "write" | "onData">, path: string): Promise<UsbPort> {
  const socat = spawn("socat", [`pty,raw,echo=0,link=${path}`, "stdio"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(socat, "exit");
  // what is written while the plug is pulled goes nowhere, as on a wire
  socat.stdin.on("error", () => undefined);
  const started = performance.now();
  while (!existsSync(path)) {
    if (socat.exitCode !== null || performance.now() - started > START_MS)
      throw new Error(`socat made no terminal at ${path}; is it installed? sudo apt-get install socat`);
    await sleep(10);
  }
  // a terminal that nobody has open would be hung up when its first user leaves
  const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  let isIn = true;
  arduino.onData((bytes) => {
    if (isIn) socat.stdin.write(bytes);
  });
  socat.stdout.on("data", (bytes: Buffer) => arduino.write(bytes));
  return {
    path,
    async unplug() {
      if (isIn) closeSync(held);
      isIn = false;
      if (socat.exitCode === null) socat.kill("SIGKILL");
      await ended;
    },
  };
}
