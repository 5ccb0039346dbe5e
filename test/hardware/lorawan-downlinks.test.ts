import { describe, expect, test } from "vitest";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { createRadioWorld, GATEWAY, HEARTBEAT, joinedWorld, sendAndWait } from "./radio-world.ts";

describe("the network's commands", () => {
  test("LinkADRReq changes rate, power, channels and NbTrans, and is answered in the next uplink", async () => {
    let first = true;
    const { world, device } = await joinedWorld({
      echo: {
        answer: () => {
          const commands = [
            { cid: "LinkADRReq", dataRate: 4, txPower: 2, chMask: 0b111, chMaskCntl: 0, nbTrans: 2 } as const,
          ];
          const answer = first ? { ack: true, commands } : null;
          first = false;
          return answer;
        },
      },
    });
    await sendAndWait(world, device);
    expect(device.memory.session).toMatchObject({ dataRate: 4, txPower: 2, nbTrans: 2 });
    const { sent } = await sendAndWait(world, device, HEARTBEAT);
    expect(sent).toMatchObject({ copies: 2, acknowledged: false });
    expect(world.hub.uplinks[1]?.commands).toEqual([
      { cid: "LinkADRAns", chMaskAck: true, dataRateAck: true, powerAck: true },
    ]);
    expect(world.hub.uplinks[1]?.copies[0]?.rxpk.dataRate).toBe("SF8BW125");
  });

  test("an answer that must be sure is repeated until a downlink shows that it was heard", async () => {
    let n = 0;
    const { world, device } = await joinedWorld({
      echo: {
        answer: () =>
          n++ === 0 ? { commands: [{ cid: "RXTimingSetupReq", delay: 1 }] } : n === 4 ? { ack: true } : null,
      },
    });
    for (let i = 0; i < 5; i++) await sendAndWait(world, device, HEARTBEAT);
    const answers = world.hub.uplinks.map(({ commands }) => commands.map(({ cid }) => cid));
    expect(answers).toEqual([[], ["RXTimingSetupAns"], ["RXTimingSetupAns"], ["RXTimingSetupAns"], []]);
  });

  test("LinkCheckReq and DeviceTimeReq go up when asked for, and their answers come as events", async () => {
    const { world, device } = await joinedWorld({
      echo: { answer: () => ({ commands: [{ cid: "LinkCheckAns", margin: 20, gwCnt: 1 }] }) },
    });
    device.request("LinkCheckReq");
    await sendAndWait(world, device, HEARTBEAT);
    expect(world.hub.uplinks[0]?.commands).toEqual([{ cid: "LinkCheckReq" }]);
    expect(device.events).toContainEqual(
      expect.objectContaining({ type: "answer", command: { cid: "LinkCheckAns", margin: 20, gwCnt: 1 } }),
    );
  });

  test("a confirmed downlink is acknowledged by the next uplink", async () => {
    const { world, device } = await joinedWorld({
      echo: {
        answer: ({ fCntUp }) =>
          fCntUp === 0 ? { confirmed: true, fPort: 3, payload: Uint8Array.of(9) } : null,
      },
    });
    const { downlink } = await sendAndWait(world, device, HEARTBEAT);
    expect(downlink).toMatchObject({ confirmed: true, fPort: 3, payload: Uint8Array.of(9) });
    await sendAndWait(world, device, HEARTBEAT);
    await sendAndWait(world, device, HEARTBEAT);
    expect(world.hub.uplinks.map(({ frame }) => frame.fCtrl.ack)).toEqual([false, true, false]);
  });

  test("a device that hears nothing asks with ADRACKReq after 64 uplinks and goes slower every 32 more", async () => {
    const { world, device } = await joinedWorld({ region: "EU433", echo: { answer: () => null } });
    const rates: number[] = [];
    for (let i = 0; i < 64 + 3 * 32; i++) {
      await sendAndWait(world, device, HEARTBEAT);
      rates.push(device.dataRate);
    }
    const asked = world.hub.uplinks.map(({ frame }) => frame.fCtrl.adrAckReq);
    expect(asked.slice(0, 64)).not.toContain(true);
    expect(asked.slice(64)).not.toContain(false);
    expect([rates[95], rates[96], rates[127], rates[128]]).toEqual([5, 4, 4, 3]);
  });
});

describe("what others send", () => {
  test("a downlink heard twice counts once, and one of another device not at all", async () => {
    const { world, device } = await joinedWorld();
    const other = world.device("70b3d57ed0060002");
    await world.join(other);
    let recorded: Uint8Array | null = null;
    world.air.onTransmission((t) => {
      if (t.polarity === "down") recorded ??= t.bytes;
    });
    expect((await sendAndWait(world, device)).sent).toMatchObject({ acknowledged: true });
    const replay = recorded ?? new Uint8Array(0);
    expect(decodePhyPayload(replay).mType).toBe("unconfirmedDataDown");
    for (const victim of [device, other]) {
      world.hub.sessions.clear();
      let uplink = true;
      world.air.onTransmission((t) => {
        if (t.from !== (victim === device ? "70b3d57ed0060001" : "70b3d57ed0060002") || !uplink) return;
        uplink = false;
        world.air.transmit({ ...t, from: GATEWAY, polarity: "down", bytes: replay, startMs: t.endMs + 1000 });
      });
      expect((await sendAndWait(world, victim)).sent).toMatchObject({ acknowledged: false });
    }
  });

  test("a join-accept recorded earlier does not join a 1.0.4 device again", async () => {
    const world = createRadioWorld();
    const gateway = await world.gateway();
    const device = world.device();
    let recorded: Uint8Array | null = null;
    world.air.onTransmission((t) => {
      if (t.polarity === "down") recorded ??= t.bytes;
    });
    expect(await world.join(device)).toBe(true);
    await gateway.powerOff();
    const replay = recorded ?? new Uint8Array(0);
    world.air.onTransmission((t) => {
      if (t.polarity === "up")
        world.air.transmit({ ...t, from: GATEWAY, polarity: "down", bytes: replay, startMs: t.endMs + 5000 });
    });
    expect(await world.join(device)).toBe(false);
  });
});

test("class C hears what is sent at any time on RX2", async () => {
  const { world, device } = await joinedWorld();
  device.setClass("C");
  let recorded: Uint8Array | null = null;
  world.air.onTransmission((t) => {
    if (t.polarity === "down" && t.frequencyHz !== 869_525_000) recorded = t.bytes;
  });
  // the ACK is kept from RX1 and sent a minute later
  const clear = world.air.addFault({ type: "loss", station: "70b3d57ed0060001", probability: 1 });
  await sendAndWait(world, device);
  clear();
  await world.clock.advance(60_000);
  world.air.transmit({
    from: GATEWAY,
    bytes: recorded ?? new Uint8Array(0),
    frequencyHz: 869_525_000,
    sf: 12,
    bandwidthHz: 125_000,
    powerDbm: 14,
    polarity: "down",
    startMs: world.clock.monotonicMs(),
  });
  await world.clock.advance(3000);
  expect(device.events.at(-1)).toMatchObject({ type: "downlink", slot: "C" });
});
