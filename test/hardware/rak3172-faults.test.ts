import { describe, expect, test } from "vitest";
import { JOIN_EUI } from "./radio-world.ts";
import { createTerminal, joinedTerminal } from "./terminal.ts";

describe("the line", () => {
  test("pieces of any size make the same text, at the pace of 115 200 baud", async () => {
    const whole = await joinedTerminal();
    const pieces = await joinedTerminal({
      fragment: (length) => Array.from({ length }, (_, i) => 1 + (i % 3)),
    });
    const bytes = await joinedTerminal({ fragment: (length) => Array.from({ length }, () => 1) });
    expect(pieces.raw()).toBe(whole.raw());
    expect(bytes.raw()).toBe(whole.raw());
    const { world, ask } = bytes;
    const startMs = world.clock.monotonicMs();
    await ask("AT+VER=?");
    // 8 bytes there, 38 back
    expect(world.clock.monotonicMs() - startMs).toBeGreaterThan((46 * 10_000) / 115_200);
  });

  test("commands may arrive byte by byte, with blank lines between", async () => {
    const { modem, world, lines } = await joinedTerminal();
    const from = lines.length;
    for (const byte of Buffer.from("\r\n\nAT+NJS=?\r\n\r\n")) {
      modem.write(Uint8Array.of(byte));
      await world.clock.advance(1);
    }
    await world.clock.advance(20);
    expect(lines.slice(from).map(({ text }) => text)).toEqual(["AT+NJS=1", "OK"]);
  });
});

describe("faults", () => {
  test("mute: it neither hears nor answers; mended, it goes on", async () => {
    const { modem, ask } = await joinedTerminal();
    modem.faults = { mute: true };
    expect(await ask("AT")).toEqual([]);
    modem.faults = {};
    expect(await ask("AT")).toEqual(["OK"]);
  });

  test("slow: the answer comes, later", async () => {
    const { modem, world, ask } = await joinedTerminal();
    modem.faults = { slowMs: 700 };
    const startMs = world.clock.monotonicMs();
    expect(await ask("AT")).toEqual(["OK"]);
    expect(world.clock.monotonicMs() - startMs).toBeGreaterThan(700);
  });

  test("garbage stands before each line, and the line is still there", async () => {
    const { modem, world, raw, type } = await joinedTerminal();
    modem.faults = { garbageBytes: 5 };
    const before = raw().length;
    type("AT");
    await world.clock.advance(50);
    expect(raw().length - before).toBe(5 + "\r\nOK\r\n".length);
    expect(raw()).toMatch(/\r\nOK\r\n$/);
  });

  test("reset in mid-command: no answer, a banner, the join lost, settings and DevNonce kept", async () => {
    const { modem, world, ask, lines, until } = await joinedTerminal();
    const { devNonce } = modem.flash.memory;
    modem.faults = { resetOn: "AT+SEND" };
    lines.length = 0;
    expect(await ask("AT+SEND=2:01")).not.toContain("OK");
    await until("Current Work Mode: LoRaWAN.");
    expect(await ask("AT+NJS=?")).toEqual(["AT+NJS=0", "OK"]);
    expect(await ask("AT+APPEUI=?")).toEqual([`AT+APPEUI=${JOIN_EUI.toUpperCase()}`, "OK"]);
    expect(await ask("AT+JOIN=1:0:10:8")).toEqual(["OK"]);
    await until("+EVT:JOINED");
    expect(modem.flash.memory.devNonce).toBe(devNonce + 1);
    await world.clock.advance(1000);
    expect(await ask("AT+SEND=2:01")).toEqual(["OK"]);
  });

  test("power cut: silence at once; from its flash a new module joins with the next DevNonce", async () => {
    const { modem, world, ask, lines } = await joinedTerminal();
    await ask("AT+SEND=2:01");
    modem.powerOff();
    const before = lines.length;
    await world.clock.advance(10_000);
    expect(lines).toHaveLength(before);
    expect(world.hub.uplinks).toHaveLength(0);
    const again = createTerminal(world, { flash: modem.flash });
    again.modem.powerOn();
    await again.until("Current Work Mode");
    await again.ask("AT+JOIN=1:0:10:8");
    await again.until("+EVT:JOINED");
    expect(again.modem.joined).toBe(true);
  });
});
