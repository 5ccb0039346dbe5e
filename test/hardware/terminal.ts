import { expect } from "vitest";
import { createRak3172 } from "../../hardware/virtual/rak3172.ts";
import type { Rak3172Options } from "../../hardware/virtual/rak3172-types.ts";
import { forkRandom } from "../../hardware/virtual/random.ts";
import { APP_KEY, createRadioWorld, JOIN_EUI } from "./radio-world.ts";

export const DEV_EUI = "ac1f09fffe000001";
export const SETUP = [
  "AT+NWM=1",
  "AT+NJM=1",
  "AT+CLASS=A",
  "AT+BAND=4",
  `AT+DEVEUI=${DEV_EUI}`,
  `AT+APPEUI=${JOIN_EUI}`,
  `AT+APPKEY=${APP_KEY}`,
  "AT+DR=5",
];

/** A modem at a terminal that notes every line with its time, the blank ones left out. */
export function createTerminal(
  world: ReturnType<typeof createRadioWorld>,
  more: Partial<Rak3172Options> = {},
) {
  // the echo hub learns the key with the device; this one never speaks
  world.device(DEV_EUI).off();
  const modem = createRak3172({
    clock: world.clock,
    air: world.air,
    random: forkRandom(world.random),
    ...more,
  });
  const lines: { text: string; atMs: number }[] = [];
  let raw = "";
  let open = "";
  modem.onData((bytes) => {
    const text = Buffer.from(bytes).toString("latin1");
    raw += text;
    const parts = (open + text).split("\r\n");
    open = parts.pop() ?? "";
    for (const part of parts) if (part !== "") lines.push({ text: part, atMs: world.clock.monotonicMs() });
  });
  const type = (line: string) => modem.write(Buffer.from(`${line}\r\n`));
  return {
    modem,
    lines,
    type,
    raw: () => raw,
    /** Types a line; the lines said until the next status line. */
    async ask(line: string): Promise<string[]> {
      const from = lines.length;
      type(line);
      await world.clock.runUntil(
        () => lines.slice(from).some(({ text }) => /^(OK|AT_\w+)$/.test(text)),
        1000,
      );
      return lines.slice(from).map(({ text }) => text);
    },
    async until(wanted: string, limitMs = 60_000): Promise<number | null> {
      const find = () => lines.find(({ text }) => text.startsWith(wanted));
      await world.clock.runUntil(() => find() !== undefined, limitMs);
      return find()?.atMs ?? null;
    },
  };
}

/** A terminal whose modem has joined. */
export async function joinedTerminal(
  options: Parameters<typeof createRadioWorld>[0] & Partial<Rak3172Options> = {},
) {
  const world = createRadioWorld(options);
  await world.gateway();
  const { fragment } = options;
  const terminal = createTerminal(world, fragment === undefined ? {} : { fragment });
  terminal.modem.powerOn();
  await terminal.until("Current Work Mode: LoRaWAN.");
  for (const line of SETUP) expect(await terminal.ask(line)).toEqual(["OK"]);
  expect(await terminal.ask("AT+JOIN=1:0:10:8")).toEqual(["OK"]);
  await terminal.until("+EVT:JOINED");
  expect(terminal.modem.joined).toBe(true);
  return { world, ...terminal };
}
