import { describe, expect, test } from "vitest";
import { forkRandom } from "../../hardware/virtual/random.ts";
import { createRn2483, RN2483_VERSION } from "../../hardware/virtual/rn2483.ts";
import { APP_KEY, createRadioWorld, type EchoOptions, JOIN_EUI } from "./radio-world.ts";

const DEV_EUI = "0004a30b001a0001";
const SETUP = [
  "mac reset 868",
  `mac set deveui ${DEV_EUI}`,
  `mac set appeui ${JOIN_EUI}`,
  `mac set appkey ${APP_KEY}`,
  "mac set retx 0",
  "mac set dr 5",
];

/** A modem at a terminal, booted. */
async function terminal(echo: EchoOptions = {}) {
  const world = createRadioWorld({ echo });
  await world.gateway();
  // the echo hub learns the key with the device; this one never speaks
  world.device(DEV_EUI).off();
  const { clock, air } = world;
  const modem = createRn2483({ clock, air, random: forkRandom(world.random) });
  const lines: string[] = [];
  let open = "";
  modem.onData((bytes) => {
    const parts = (open + Buffer.from(bytes).toString("latin1")).split("\r\n");
    open = parts.pop() ?? "";
    lines.push(...parts);
  });
  const type = (text: string) => modem.write(Buffer.from(text, "latin1"));
  const next = async (limitMs = 30_000) => {
    const from = lines.length;
    await clock.runUntil(() => lines.length > from, limitMs);
    return lines[from] ?? null;
  };
  const ask = (line: string) => {
    type(`${line}\r\n`);
    return next(1000);
  };
  modem.powerOn();
  expect(await next()).toBe(RN2483_VERSION);
  return { world, modem, lines, type, next, ask };
}

async function joined(echo: EchoOptions = {}) {
  const t = await terminal(echo);
  for (const line of SETUP) expect(await t.ask(line)).toBe("ok");
  expect(await t.ask("mac join otaa")).toBe("ok");
  expect(await t.next()).toBe("accepted");
  return t;
}

describe("the dialect of the RN2483", () => {
  test("a confirmed frame: ok, and mac_tx_ok when it is acknowledged", async () => {
    const t = await joined();
    expect(await t.ask("mac tx cnf 2 2200000700006403")).toBe("ok");
    expect(await t.next()).toBe("mac_tx_ok");
    expect(t.world.hub.uplinks[0]?.frame.mType).toBe("confirmedDataUp");
  });

  test("a downlink with a payload takes the place of mac_tx_ok, in capitals", async () => {
    const t = await joined({
      answer: () => ({ ack: true, fPort: 2, payload: Uint8Array.of(0x21, 2, 0, 0x0a) }),
    });
    await t.ask("mac tx cnf 2 01");
    expect(await t.next()).toBe("mac_rx 2 2102000A");
    await t.world.clock.advance(10_000);
    expect(t.lines.at(-1)).toBe("mac_rx 2 2102000A");
  });

  test("not acknowledged: mac_err after as many repetitions as retx says", async () => {
    const t = await joined({ answer: () => null });
    await t.ask("mac set retx 2");
    await t.ask("mac tx cnf 2 01");
    expect(await t.next(60_000)).toBe("mac_err");
    expect(t.world.hub.uplinks[0]?.copies).toHaveLength(3);
  });

  test("a join that nobody answers is denied; without keys it is not tried", async () => {
    const t = await terminal({ acceptJoin: () => false });
    expect(await t.ask("mac join otaa")).toBe("keys_not_init");
    for (const line of SETUP) await t.ask(line);
    expect(await t.ask("mac join otaa")).toBe("ok");
    expect(await t.next()).toBe("denied");
    expect(await t.ask("mac tx cnf 2 01")).toBe("not_joined");
  });

  test("busy while a frame is under way, no_free_ch when the duty cycle is used up", async () => {
    const t = await joined();
    await t.ask("mac set dr 0");
    await t.ask("mac tx uncnf 2 01");
    expect(await t.ask("mac tx uncnf 2 01")).toBe("busy");
    expect(await t.next()).toBe("mac_tx_ok");
    let answer: string | null = "ok";
    for (let i = 0; i < 100 && answer === "ok"; i++) {
      answer = await t.ask("mac tx uncnf 2 01");
      if (answer === "ok") await t.next();
    }
    expect(answer).toBe("no_free_ch");
  });

  test("asleep it hears nothing but a break and the byte behind it", async () => {
    const t = await joined();
    t.type("sys sleep 4294967295\r\n");
    await t.world.clock.advance(100);
    expect(t.modem.asleep).toBe(true);
    expect(await t.ask("sys get ver")).toBeNull();
    t.type("U");
    expect(t.modem.asleep).toBe(true);
    expect(await t.ask("\0U")).toBe("ok");
    expect(await t.ask("mac tx cnf 2 01")).toBe("ok");
    expect(await t.next()).toBe("mac_tx_ok");
    t.type("sys sleep 5000\r\n");
    expect(await t.next(6000)).toBe("ok");
  });

  test("settings are read back, a key never; what is wrong is invalid_param", async () => {
    const t = await joined();
    expect(await t.ask("mac get deveui")).toBe(DEV_EUI.toUpperCase());
    expect(await t.ask("mac get dr")).toBe("5");
    const wrong = [
      "mac get appkey",
      "mac set deveui 12",
      "mac set dr 9",
      "mac set adr maybe",
      "mac reset 864",
      "mac tx cnf 0 01",
      "mac tx cnf 2 012",
      "mac tx cnf 2",
      "mac join me",
      "sys sleep 1",
      "radio tx 01",
      "x".repeat(600),
    ];
    for (const line of wrong) expect([line, await t.ask(line)]).toEqual([line, "invalid_param"]);
  });

  test("power gone, or reset, the join is lost and the version is said", async () => {
    const t = await joined();
    t.modem.powerOff();
    expect(t.modem.joined).toBe(false);
    t.modem.powerOn();
    expect(await t.next()).toBe(RN2483_VERSION);
    expect(await t.ask("sys reset")).toBe(RN2483_VERSION);
    expect(await t.ask("mac tx cnf 2 01")).toBe("not_joined");
  });
});
