/** Whatever comes to the hub's UDP door: counted by name, never a crash, never an answer that helps a stranger, and a
 *  real press right after it is received as ever. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAesKey, joinRequestMic } from "../../protocols/lorawan/crypto.ts";
import { decodePhyPayload, encodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { encodeSemtech } from "../../protocols/semtech-udp.ts";
import { GATEWAY_A } from "./radio.ts";
import {
  BUTTON,
  besieged,
  changed,
  dataFrameOf,
  expectPressWorks,
  framesOf,
  noise,
  push,
  pushJson,
  received,
  STRANGER_EUI,
} from "./siege.ts";

const LISTED = `region: EU433\nsemtechUdp: { gateways: [{ eui: "${GATEWAY_A}", sources: [127.0.0.1] }] }`;

describe("from a gateway that is not listed", () => {
  test("nothing is answered, not even a well-formed datagram with a real frame in it", async () => {
    const { world, fromFar, fromNear, heard, counted, raised } = await besieged(LISTED);
    const good = push([received(dataFrameOf(world))]);
    const pull = encodeSemtech({ type: "pullData", token: 9, version: 2, gateway: STRANGER_EUI });
    for (const send of [fromFar, fromNear]) for (const bytes of [good, pull]) send(bytes);
    // the listed EUI from an address that is not its own
    fromFar(push([received(dataFrameOf(world))], GATEWAY_A));
    await world.clock.advance(100);
    expect(heard).toEqual([]);
    expect(counted()).toMatchObject({ "udp.unknownGateway": 5, "udp.datagrams": 5 });
    expect(await raised()).toEqual([]);
    await expectPressWorks(world);
  });

  test("any bytes at all, up to 64 KiB", async () => {
    const { world, fromFar, fromNear, heard, counted, raised } = await besieged(LISTED);
    let sent = 0;
    fc.assert(
      fc.property(noise, (bytes) => {
        fromFar(bytes);
        fromNear(bytes);
        sent += 2;
      }),
      { numRuns: 300, seed: 7 },
    );
    await world.clock.advance(100);
    expect(heard).toEqual([]);
    const { "udp.datagrams": datagrams = 0, "udp.pullData": pulls = 0, ...reasons } = counted();
    expect(datagrams).toBe(sent + pulls);
    const refused = ["notFromGateway", "unknownGateway", "wrongAddress"].map(
      (name) => reasons[`udp.${name}`] ?? 0,
    );
    expect(refused.reduce((a, b) => a + b)).toBe(sent);
    expect(await raised()).toEqual([]);
    await expectPressWorks(world);
  });
});

describe("from a program on the hub's machine, where no gateway is listed", () => {
  test("malformed datagrams and JSON are counted, and answered by nothing", async () => {
    const { world, fromNear, heard, counted, raised } = await besieged();
    const bad = [
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"rxpk":{}}',
      '{"rxpk":[{}]}',
      '{"rxpk":[{"tmst":-1}]}',
      '{"rxpk":[{"tmst":1,"freq":433.175,"chan":0,"rfch":0,"stat":1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","rssi":-80,"lsnr":7,"size":3,"data":"?"}]}',
      '{"stat":7}',
      "\u0000".repeat(65_000),
    ];
    for (const json of bad) fromNear(pushJson(json));
    await world.clock.advance(100);
    const { "udp.malformed": malformed = 0, "udp.datagrams": all = 0, ...rest } = counted();
    expect(all - (rest["udp.pullData"] ?? 0)).toBe(bad.length);
    // an empty object is a PUSH_DATA with nothing in it, which the protocol allows
    expect(heard.map((bytes) => bytes[3])).toEqual(heard.map(() => 1));
    expect(malformed + heard.length).toBe(bad.length);
    expect(heard.length).toBeLessThanOrEqual(1);
    expect(await raised()).toEqual([]);
    await expectPressWorks(world);
  });

  test("frames that are none of ours: PUSH_ACK as the protocol has it, and nothing else ever", async () => {
    const { world, fromNear, heard, counted } = await besieged();
    fromNear(encodeSemtech({ type: "pullData", token: 1, version: 2, gateway: STRANGER_EUI }));
    const frame = dataFrameOf(world);
    const frames = {
      "lorawan.malformed": [frame.slice(0, 11), Uint8Array.of(7), changed(frame, 0, 3), frame.with(5, 0x8f)],
      "lorawan.unknownDevAddr": [changed(frame, 1), changed(frame, 4)],
      "lorawan.badMic": [
        changed(frame, frame.length - 1),
        changed(frame, frame.length - 6),
        changed(frame, 8),
      ],
      "lorawan.notUplink": [changed(frame, 0, 0xe0)],
    };
    for (const [i, bytes] of Object.values(frames).flat().entries())
      fromNear(push([received(bytes, { tmst: i * 1_000 })]));
    await world.clock.advance(5_000);
    const grown = counted();
    for (const [name, list] of Object.entries(frames))
      expect([name, grown[name]]).toEqual([name, list.length]);
    expect(new Set(heard.map((bytes) => bytes[3]))).toEqual(new Set([1, 4]));
    expect(world.incidents().map(({ kind }) => kind)).toEqual(["panic"]);
    await expectPressWorks(world);
  });

  test("join-requests with a used DevNonce, a wrong MIC, of nobody: refused by reason, raised, no accept", async () => {
    const { world, fromNear, heard, counted, raised } = await besieged();
    fromNear(encodeSemtech({ type: "pullData", token: 1, version: 2, gateway: STRANGER_EUI }));
    const [request] = framesOf(world).filter((bytes) => decodePhyPayload(bytes).mType === "joinRequest");
    if (request === undefined) throw new Error("the button has never joined");
    const nobody = encodePhyPayload({
      ...{ mType: "joinRequest", joinEui: "0200000000000001", devEui: "02000000000fffff", devNonce: 1 },
      mic: "00000000",
    });
    const sealed = nobody.slice();
    sealed.set(joinRequestMic(createAesKey("00".repeat(16)), sealed.subarray(0, -4)), sealed.length - 4);
    const attempts = [
      request,
      changed(request, request.length - 1),
      changed(request, 17, 0x40),
      changed(request, 1),
      sealed,
    ];
    for (const [i, bytes] of attempts.entries())
      fromNear(push([received(bytes, { tmst: 1_000_000 * (i + 1) })]));
    await world.clock.advance(10_000);
    expect(counted()).toMatchObject({ "lorawan.joinsRefused": attempts.length });
    expect(counted()["lorawan.joinAccepts"]).toBeUndefined();
    expect(new Set(heard.map((bytes) => bytes[3]))).toEqual(new Set([1, 4]));
    const told = (await raised()).map(({ kind, note, device }) => [
      kind,
      /: (\w+)/.exec(note ?? "")?.[1],
      device,
    ]);
    expect(told).toEqual(
      expect.arrayContaining([
        ["joinRefused", "devNonce", BUTTON],
        ["joinRefused", "mic", BUTTON],
        ["joinRefused", "joinEui", BUTTON],
        ["joinRefused", "unknownDevice", null],
      ]),
    );
    await expectPressWorks(world);
  });

  test("any bytes at all, up to 64 KiB: a stranger's datagram brings back at most its four-byte acknowledgement", async () => {
    const { world, fromNear, heard } = await besieged();
    const lines: number[] = [];
    fc.assert(
      fc.property(noise, (bytes) => {
        fromNear(bytes);
        lines.push(bytes.length);
      }),
      { numRuns: 600, seed: 11 },
    );
    await world.clock.advance(100);
    expect(heard.every((bytes) => bytes.length === 4)).toBe(true);
    expect(heard.length).toBeLessThanOrEqual(lines.length);
    expect(Math.max(...lines)).toBeGreaterThan(60_000);
    await expectPressWorks(world);
  });

  test("a real datagram with any of its bytes changed", async () => {
    const { world, fromNear } = await besieged();
    const good = push([received(dataFrameOf(world))]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (edits) => {
          const bytes = good.slice();
          for (const [at, byte] of edits) bytes[at] = byte;
          fromNear(bytes);
        },
      ),
      { numRuns: 900, seed: 13 },
    );
    await world.clock.advance(1_000);
    expect((await world.records()).filter(({ kind }) => kind === "panic")).toHaveLength(1);
    await expectPressWorks(world);
  });

  test("a flood of bad MICs is one fault for the operator, not thousands", async () => {
    const { world, fromNear, raised } = await besieged();
    const frame = dataFrameOf(world);
    for (let i = 0; i < 400; i++) {
      fromNear(
        push([received(changed(frame, frame.length - 1 - (i % 4), 1 + (i % 255)), { tmst: i * 1_000 })]),
      );
      await world.clock.advance(25);
    }
    const told = await raised();
    expect(told.map(({ kind }) => kind)).toEqual(["badFrames"]);
    expect(world.incidents("badFrames")).toMatchObject([{ priority: "fault", repeats: 0 }]);
    await expectPressWorks(world);
  });
});
