import { describe, expect, test } from "vitest";
import { createRadioWorld } from "./radio-world.ts";
import { createTerminal, DEV_EUI, joinedTerminal, SETUP } from "./terminal.ts";

describe("the dialect", () => {
  test("a confirmed report: OK at once, then the confirmation, and the stage behind it in one downlink", async () => {
    const stage = Uint8Array.from([0x21, 2, 0, 7]);
    const { world, ask, lines, raw, until } = await joinedTerminal({
      echo: { answer: () => ({ ack: true, fPort: 2, payload: stage }) },
    });
    expect(await ask("AT+CFM=1")).toEqual(["OK"]);
    const from = lines.length;
    const startMs = world.clock.monotonicMs();
    expect(await ask("AT+SEND=2:2200000700006403")).toEqual(["OK"]);
    await until("+EVT:RX_");
    expect(lines.slice(from).map(({ text }) => text)).toEqual([
      "OK",
      "+EVT:SEND_CONFIRMED_OK",
      "+EVT:RX_1:-76:13:UNICAST:2:21020007",
    ]);
    const confirmedMs = lines.at(-2)?.atMs ?? 0;
    expect(confirmedMs - startMs).toBeGreaterThan(1098);
    expect(confirmedMs - startMs).toBeLessThan(1120);
    expect((lines.at(-1)?.atMs ?? 0) - confirmedMs).toBeLessThan(150);
    expect(raw()).toContain("\r\nOK\r\n");
    expect(world.hub.uplinks[0]?.frame.mType).toBe("confirmedDataUp");
  });

  test("an unconfirmed report is done when its windows are over; a bare ACK shows no data line", async () => {
    const { ask, until, lines } = await joinedTerminal();
    await ask("AT+SEND=2:0102");
    expect(await until("+EVT:TX_DONE")).not.toBeNull();
    await ask("AT+CFM=1");
    await ask("AT+SEND=2:0102");
    await until("+EVT:SEND_CONFIRMED_OK");
    expect(lines.some(({ text }) => text.startsWith("+EVT:RX"))).toBe(false);
  });

  test("unacknowledged: AT+RETY repetitions, then +EVT:SEND_CONFIRMED_FAILED", async () => {
    const { world, ask, until } = await joinedTerminal({ echo: { answer: () => null } });
    await ask("AT+CFM=1");
    await ask("AT+RETY=2");
    await ask("AT+SEND=2:0102");
    expect(await until("+EVT:SEND_CONFIRMED_FAILED(4)")).not.toBeNull();
    expect(world.hub.uplinks[0]?.copies).toHaveLength(3);
  });

  test("a confirmed downlink is answered by an empty uplink of the module's own", async () => {
    const { world, ask, until } = await joinedTerminal({
      echo: {
        answer: ({ fCntUp }) =>
          fCntUp === 0 ? { confirmed: true, fPort: 3, payload: Uint8Array.of(1) } : null,
      },
    });
    await ask("AT+SEND=2:0102");
    await until("+EVT:RX_1");
    await world.clock.runUntil(() => world.hub.uplinks.length === 2, 10_000);
    expect(world.hub.uplinks[1]?.frame).toMatchObject({
      mType: "unconfirmedDataUp",
      fPort: null,
      fCtrl: { ack: true },
    });
  });

  test("settings are kept, read back, and refused when they cannot be", async () => {
    const { ask } = await joinedTerminal();
    expect(await ask("AT")).toEqual(["OK"]);
    expect(await ask("AT+DEVEUI=?")).toEqual([`AT+DEVEUI=${DEV_EUI.toUpperCase()}`, "OK"]);
    expect(await ask("AT+NJS=?")).toEqual(["AT+NJS=1", "OK"]);
    expect(await ask("AT+VER=?")).toEqual(["AT+VER=RUI_4.2.1_RAK3172-E", "OK"]);
    expect(await ask("at+adr=0")).toEqual(["OK"]);
    expect(await ask("AT+ADR=?")).toEqual(["AT+ADR=0", "OK"]);
    expect(await ask("AT+LPM=1")).toEqual(["OK"]);
    expect(await ask("AT+LPMLVL=2")).toEqual(["OK"]);
    const wrong = [
      "AT+DEVEUI=12",
      "AT+BAND=99",
      "AT+CLASS=X",
      "AT+ADR=2",
      "AT+DR=8",
      "AT+RETY=8",
      "AT+CFM",
      "AT+NJM=0",
      "AT+SEND=2",
      "AT+SEND=0:01",
      "AT+SEND=224:01",
      "AT+SEND=2:012",
      "AT+SEND=2:zz",
      "AT+JOIN=2",
      "AT+JOIN=1:0:3:8",
      "AT+JOIN=1:0:10:8:1",
    ];
    for (const line of wrong) expect([line, await ask(line)]).toEqual([line, ["AT_PARAM_ERROR"]]);
    expect(await ask("AT+NOSUCH=1")).toEqual(["AT_COMMAND_NOT_FOUND"]);
    expect(await ask("AT+NOSUCH=?")).toEqual(["AT_COMMAND_NOT_FOUND"]);
    expect(await ask(`AT+SEND=2:${"00".repeat(300)}`)).toEqual(["AT_ERROR"]);
    expect(await ask(`AT+SEND=2:${"00".repeat(243)}`)).toEqual(["AT_PARAM_ERROR"]);
  });

  test("busy while a frame is under way, and not joined before the join", async () => {
    const { ask, type, until } = await joinedTerminal();
    await ask("AT+SEND=2:01");
    expect(await ask("AT+SEND=2:02")).toEqual(["AT_BUSY_ERROR"]);
    expect(await ask("AT+JOIN=1:0:10:8")).toEqual(["AT_BUSY_ERROR"]);
    expect(await ask("AT+BAND=2")).toEqual(["AT_BUSY_ERROR"]);
    await until("+EVT:TX_DONE");
    expect(await ask("AT+BAND=2")).toEqual(["OK"]);
    expect(await ask("AT+SEND=2:02")).toEqual(["AT_NO_NETWORK_JOINED"]);
    type("");
  });

  test("a join that nobody answers is repeated at its interval, and given up", async () => {
    const world = createRadioWorld();
    const { modem, ask, lines, until } = createTerminal(world);
    modem.powerOn();
    await until("Current Work Mode");
    for (const line of SETUP) await ask(line);
    await ask("AT+JOIN=1:0:10:2");
    await world.clock.advance(120_000);
    const failed = lines.filter(({ text }) => text === "+EVT:JOIN_FAILED_RX_TIMEOUT").map(({ atMs }) => atMs);
    expect(failed).toHaveLength(3);
    expect((failed[1] ?? 0) - (failed[0] ?? 0)).toBeGreaterThan(16_000);
  });

  test("a join asked for while one is under way is refused and changes nothing about it", async () => {
    const world = createRadioWorld();
    const { modem, ask, lines, until } = createTerminal(world);
    modem.powerOn();
    await until("Current Work Mode");
    for (const line of SETUP) await ask(line);
    await ask("AT+JOIN=1:0:10:1");
    expect(await ask("AT+JOIN=1:0:10:200")).toEqual(["AT_BUSY_ERROR"]);
    await world.clock.advance(300_000);
    expect(lines.filter(({ text }) => text.startsWith("+EVT:JOIN_FAILED"))).toHaveLength(2);
  });

  test("the module's own join attempts wait for the duty cycle and go on, until AT+JOIN=0", async () => {
    const world = createRadioWorld();
    const { modem, ask, lines, until } = createTerminal(world);
    modem.powerOn();
    await until("Current Work Mode");
    for (const line of [...SETUP, "AT+DR=0"]) await ask(line);
    await ask("AT+JOIN=1:0:7:255");
    await world.clock.advance(3_600_000);
    const failures = () => lines.filter(({ text }) => text.startsWith("+EVT:JOIN_FAILED")).length;
    expect(lines.some(({ text }) => text.startsWith("Restricted_Wait_"))).toBe(true);
    // an hour's 36 s, and the 36 s earned meanwhile, at 1.48 s each
    expect(failures()).toBeGreaterThan(40);
    expect(failures()).toBeLessThanOrEqual(48);
    await world.clock.runUntil(() => lines.at(-1)?.text.startsWith("Restricted") === true, 200_000);
    await ask("AT+JOIN=0");
    const before = failures();
    await world.clock.advance(3_600_000);
    expect(failures()).toBe(before);
  });

  test("the duty cycle: how long to wait, and busy", async () => {
    const { world, ask, until, lines } = await joinedTerminal({
      region: "EU868",
      echo: { answer: () => null },
    });
    await ask("AT+ADR=0");
    await ask("AT+DR=0");
    let said: string[] = [];
    for (let i = 0; i < 100 && !said.includes("AT_BUSY_ERROR"); i++) {
      said = await ask("AT+SEND=2:0102030405060708");
      lines.length = 0;
      if (said.includes("OK")) await until("+EVT:TX_DONE");
    }
    expect(said).toEqual([expect.stringMatching(/^Restricted_Wait_\d+_ms$/), "AT_BUSY_ERROR"]);
    const waitMs = Number(/\d+/.exec(said[0] ?? "")?.[0]);
    await world.clock.advance(waitMs);
    expect(await ask("AT+SEND=2:0102030405060708")).toEqual(["OK"]);
  });
});
