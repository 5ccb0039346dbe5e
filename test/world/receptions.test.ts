/** One frame is one event, whoever hears it and however often it is said. */
import { describe, expect, test } from "vitest";
import { encodeReport } from "../../protocols/device/report.ts";
import { verifyEvidence } from "../../protocols/evidence.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { boardEui, GATEWAY_A, GATEWAY_B } from "./radio.ts";
import { type World, worldOf } from "./world.ts";

const BUTTON = boardEui(0);

/** The world's time at which each of the hub's records was on stable storage. */
function storedAt(world: World): Map<number, number> {
  const times = new Map<number, number>();
  world.hub.journal.onStored(({ sequence }) => times.set(sequence, world.clock.monotonicMs()));
  return times;
}

/** Datagrams with frames from one gateway, since a moment. */
function pushes(world: World, gateway: string, sinceMs: number) {
  return world.lines.passed.filter(
    ({ packet, atMs }) =>
      atMs >= sinceMs && packet?.type === "pushData" && packet.gateway === gateway && packet.rxpk.length > 0,
  );
}

/** Data downlinks that the hub gave to gateways, by DevAddr and FCntDown. */
function dataDownlinks(world: World, sinceMs = 0): string[] {
  return world.lines.passed.flatMap(({ packet, atMs }) => {
    if (atMs < sinceMs || packet?.type !== "pullResp") return [];
    const frame = decodePhyPayload(packet.txpk.phyPayload);
    return "fCnt16" in frame ? [`${frame.devAddr} ${frame.fCnt16}`] : [];
  });
}

describe("two gateways hear one press", () => {
  test.each([0, 20, 500, 900])(
    "the slower one %i ms later: one event with two receptions, and no waiting for the second",
    async (slowMs) => {
      const world = await worldOf({ boards: 1, gateways: [GATEWAY_A, GATEWAY_B] });
      await world.join();
      const times = storedAt(world);
      world.lines.delayMs.set(GATEWAY_B, slowMs);
      const beganMs = world.clock.monotonicMs();
      await world.press(BUTTON);
      expect(world.lamp(BUTTON)).toBe("received");

      const [panic, more, ...others] = (await world.records()).filter(({ kind }) => kind !== "hubStarted");
      expect(others).toEqual([]);
      expect(panic).toMatchObject({
        kind: "panic",
        mode: "real",
        device: BUTTON,
        provenance: "authenticated",
      });
      expect(more).toMatchObject({ kind: "moreReceptions", refersTo: panic?.sequence, device: BUTTON });
      expect(more?.frameHash).toBe(panic?.frameHash);
      const gateways = [panic, more].map((record) => record?.receptions.map(({ gateway }) => gateway));
      if (slowMs > 0) expect(gateways).toEqual([[GATEWAY_A], [GATEWAY_B]]);
      else expect(gateways.flat().sort()).toEqual([GATEWAY_A, GATEWAY_B]);

      const storedMs = times.get(panic?.sequence ?? 0) ?? Number.NaN;
      const [quick] = pushes(world, gateways[0]?.[0] ?? "", beganMs);
      const [slow] = pushes(world, gateways[1]?.[0] ?? "", beganMs);
      // on disk in the moment in which the first datagram was there
      expect(storedMs - (quick?.atMs ?? 0)).toBeLessThan(0.3);
      if (slowMs > 0) expect(storedMs).toBeLessThan((slow?.atMs ?? 0) - slowMs / 2);

      const [incident, ...doubled] = world.incidents();
      expect(doubled).toEqual([]);
      expect(incident).toMatchObject({
        kind: "panic",
        mode: "real",
        device: BUTTON,
        repeats: 0,
        stage: "new",
      });
      expect(incident?.receptions.map(({ gateway }) => gateway).sort()).toEqual([GATEWAY_A, GATEWAY_B]);
    },
  );

  test("its evidence proves both receptions offline", async () => {
    const world = await worldOf({ boards: 1, gateways: [GATEWAY_A, GATEWAY_B] });
    await world.join();
    world.lines.delayMs.set(GATEWAY_B, 500);
    await world.press(BUTTON);
    const file = await world.centre.exportEvidence(world.incidents()[0]?.id ?? "");
    const proof = verifyEvidence(file ?? new Uint8Array(), {
      receiptPublicKeys: [world.centre.receiptPublicKey],
    });
    expect(proof).toMatchObject({ ok: true });
    expect(proof.records.flatMap(({ receptions }) => receptions.map(({ gateway }) => gateway))).toEqual([
      GATEWAY_A,
      GATEWAY_B,
    ]);
  });
});

describe("the acknowledgement is lost on the air", () => {
  const panic = encodeReport({
    kind: "panic",
    mode: "real",
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
    eventNumber: 17,
    ageS: 0,
    batteryPercent: 90,
    detail: 10,
  });

  test("NbTrans copies of the frame are acknowledged again, each once, and are one event", async () => {
    const world = await worldOf({ devices: 1 });
    await world.join();
    const [device] = world.devices;
    if (device === undefined) throw new Error("no device");
    const deaf = world.site.air.addFault({ type: "loss", probability: 1, station: device.devEui });
    world.clock.setTimer(deaf, 6_000);
    const beganMs = world.clock.monotonicMs();
    device.modem.send({ fPort: 2, payload: panic, confirmed: true, trials: 8 });
    await world.clock.runUntil(() => device.events.some(({ type }) => type === "sent"), 60_000);
    await world.clock.advance(5_000);

    const sent = device.events.find((event) => event.type === "sent");
    expect(sent).toMatchObject({ acknowledged: true });
    const copies = sent?.type === "sent" ? sent.copies : 0;
    expect(copies).toBeGreaterThan(1);
    expect(world.counter("lorawan.retransmissions")).toBe(copies - 1);
    const answers = dataDownlinks(world, beganMs);
    // one downlink for each copy, each under an FCntDown of its own
    expect(answers).toHaveLength(copies);
    expect(new Set(answers).size).toBe(copies);

    const records = (await world.records()).filter(({ device }) => device !== null);
    expect(records.map(({ kind }) => kind).filter((kind) => kind !== "moreReceptions")).toEqual(["panic"]);
    expect(new Set(records.map(({ frameHash }) => frameHash)).size).toBe(1);
    expect(world.incidents()).toMatchObject([{ kind: "panic", eventNumber: 17, repeats: 0 }]);
  });

  test("the button's own repeats, new frames under the same number, are one event too", async () => {
    const world = await worldOf({ boards: 1 });
    await world.join();
    const deaf = world.site.air.addFault({ type: "loss", probability: 1, station: BUTTON });
    await world.press(BUTTON, 20_000);
    expect(world.lamp(BUTTON)).toBe("notDelivered");
    deaf();
    await world.clock.runUntil(() => world.lamp(BUTTON) === "received", 120_000);
    expect(world.lamp(BUTTON)).toBe("received");
    expect(world.counter("ingest.repeats")).toBeGreaterThan(1);
    const records = (await world.records()).filter(({ device }) => device !== null);
    expect(records.map(({ kind }) => kind).filter((kind) => kind !== "moreReceptions")).toEqual(["panic"]);
    const [incident, ...doubled] = world.incidents();
    expect(doubled).toEqual([]);
    expect(incident).toMatchObject({ kind: "panic", repeats: 0 });
    expect(incident?.eventNumbers).toEqual([[incident?.eventNumber, incident?.eventNumber]]);
  });
});

describe("a recorded frame", () => {
  /** A press, and everything that its frames were made of. */
  async function recordedPress() {
    const world = await worldOf({ boards: 1 });
    await world.join();
    const beganMs = world.clock.monotonicMs();
    await world.press(BUTTON);
    const frames = world.siteEvents.flatMap((event) =>
      event.type === "frame" && event.atMs >= beganMs && event.transmission.polarity === "up"
        ? [event.transmission]
        : [],
    );
    const datagrams = pushes(world, GATEWAY_A, beganMs);
    // beyond any copy that the device itself could send
    await world.clock.advance(300_000);
    const last = world.hub.journal.head.sequence;
    return { world, frames, datagrams, last, fromMs: world.clock.monotonicMs() };
  }

  /** What a recording must come to, wherever it is played. */
  async function expectRefused(
    world: World,
    { last, fromMs }: { last: number; fromMs: number },
  ): Promise<void> {
    expect(world.counter("lorawan.replays")).toBe(1);
    const raised = (await world.records()).filter(({ sequence }) => sequence > last);
    expect(raised).toMatchObject([{ kind: "replay", device: BUTTON, provenance: "hub", mode: "real" }]);
    expect(raised[0]?.place.zone).toBe("1-kirish");
    expect(world.incidents().map(({ kind }) => kind)).toEqual(["panic", "replay"]);
    expect(world.incidents("replay")).toMatchObject([{ device: BUTTON, stage: "new", priority: "fault" }]);
    expect(world.incidents("panic")).toMatchObject([{ repeats: 0 }]);
    // no downlink, and no sound or light from the button
    expect(
      world.lines.passed.filter(({ atMs, packet }) => atMs >= fromMs && packet?.type === "pullResp"),
    ).toEqual([]);
    expect(world.lamp(BUTTON)).toBe("off");
  }

  /** A real press right after must be as quick as ever. */
  async function expectNextPress(world: World): Promise<void> {
    const beganMs = world.clock.monotonicMs();
    await world.press(BUTTON);
    expect(world.lamp(BUTTON)).toBe("received");
    expect(world.incidents("panic")[0]?.eventNumbers.flatMap(([from, to]) => to - from + 1)).toEqual([2]);
    const answers = world.siteEvents.flatMap((event) =>
      event.atMs >= beganMs && event.type === "gateway" && event.event.type === "downlink"
        ? [event.event.answer]
        : [],
    );
    expect(answers[0]).toBe("queued");
  }

  test("sent again on the air is refused, counted, raised, and reaches the centre as such", async () => {
    const { world, frames, ...before } = await recordedPress();
    const [frame] = frames;
    if (frame === undefined) throw new Error("no frame was recorded");
    world.site.air.transmit({ ...frame, from: "attacker", startMs: world.clock.monotonicMs() });
    await world.clock.advance(10_000);
    await expectRefused(world, before);
    await expectNextPress(world);
  });

  test("sent again as the datagram that it came in is refused in the same way", async () => {
    const { world, datagrams, ...before } = await recordedPress();
    const [datagram] = datagrams;
    if (datagram === undefined) throw new Error("no datagram was recorded");
    const attacker = world.lines.network.bind(0);
    const heard: Uint8Array[] = [];
    attacker.onMessage((bytes) => void heard.push(bytes));
    attacker.send(datagram.bytes, datagram.to.port, datagram.to.address);
    await world.clock.advance(10_000);
    await expectRefused(world, before);
    // four bytes that acknowledge the datagram, as the protocol has it, and nothing else
    expect(heard.map((bytes) => [bytes.length, bytes[3]])).toEqual([[4, 1]]);
    await expectNextPress(world);
  });

  test("played a thousand times is one record a minute, and presses still come through", async () => {
    const { world, frames, last } = await recordedPress();
    const [frame] = frames;
    if (frame === undefined) throw new Error("no frame was recorded");
    for (let i = 0; i < 1_000; i++) {
      world.site.air.transmit({ ...frame, from: "attacker", startMs: world.clock.monotonicMs() });
      await world.clock.advance(100 + frame.endMs - frame.startMs);
    }
    const minutes = (1_000 * (100 + frame.endMs - frame.startMs)) / 60_000;
    const raised = (await world.records()).filter(({ sequence }) => sequence > last);
    expect(new Set(raised.map(({ kind }) => kind))).toEqual(new Set(["replay"]));
    expect(raised.length).toBeLessThanOrEqual(Math.ceil(minutes) + 1);
    const heard = world.siteEvents.filter(
      (event) =>
        event.type === "gateway" &&
        event.event.type === "heard" &&
        event.event.transmission.from === "attacker",
    );
    expect(heard.length).toBeGreaterThan(900);
    expect(world.counter("lorawan.replays")).toBe(heard.length);
    expect(world.incidents("replay")).toHaveLength(1);
    await expectNextPress(world);
  });
});
