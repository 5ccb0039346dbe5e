import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createDeframer,
  type Discard,
  decodeFrame,
  encodeFrame,
  FRAME_TYPES,
  nextSequence,
  type WireFrame,
} from "../../../protocols/device/frame.ts";
import { codeOf, fromHex, otherBytes, refusedOrCanonical, testAnyBytes } from "../promises.ts";

const codec = { encode: encodeFrame, decode: decodeFrame };

function frame(changes: Partial<WireFrame> = {}): WireFrame {
  return {
    address: 5,
    fromDevice: true,
    type: "data",
    sequence: 1,
    payload: fromHex("400100000000010002aabb"),
    ...changes,
  };
}

/** What a deframer makes of the line, cut into pieces of `step` bytes. */
function hear(line: Uint8Array, step = line.length): { frames: WireFrame[]; discards: Discard[] } {
  const frames: WireFrame[] = [];
  const discards: Discard[] = [];
  const deframe = createDeframer(
    (heard) => frames.push(heard),
    (why) => discards.push(why),
  );
  for (let at = 0; at < line.length; at += step) deframe(line.subarray(at, at + step));
  return { frames, discards };
}

/** COBS as its paper has it, block by block, without the last empty block behind a full one. */
function referenceCobs(body: Uint8Array): number[] {
  const out: number[] = [];
  let block: number[] = [];
  for (const byte of body) {
    if (byte !== 0) block.push(byte);
    if (byte === 0 || block.length === 254) {
      out.push(block.length + 1, ...block);
      block = [];
    }
  }
  const endsFull = body.length > 0 && block.length === 0 && body.at(-1) !== 0;
  return endsFull ? out : [...out, block.length + 1, ...block];
}

function referenceCrc(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  return ~crc & 0xffff;
}

const anyFrame = fc.oneof(
  fc.record({
    address: fc.nat(127),
    fromDevice: fc.boolean(),
    type: fc.constant("data" as const),
    sequence: fc.nat(3),
    payload: fc.uint8Array({ minLength: 1, maxLength: 255 }),
  }),
  fc.record({
    address: fc.nat(127),
    fromDevice: fc.boolean(),
    type: fc.constantFrom("poll" as const, "idle" as const),
    sequence: fc.nat(3),
    payload: fc.constant(new Uint8Array()),
  }),
);

describe("wire frame", () => {
  testAnyBytes(codec, [
    encodeFrame(frame()),
    encodeFrame(frame({ type: "poll", payload: new Uint8Array() })),
  ]);

  test("the CRC is X-25: 906e for 123456789 [RFC 1662 C, CRC catalogue]", () => {
    expect(referenceCrc(Buffer.from("123456789"))).toBe(0x906e);
  });

  test("the bytes are 00, COBS of address, control, payload and CRC with its low byte first, 00", () => {
    fc.assert(
      fc.property(anyFrame, (sent) => {
        const head = [
          (sent.fromDevice ? 0x80 : 0) | sent.address,
          (FRAME_TYPES.indexOf(sent.type) << 2) | sent.sequence,
        ];
        const body = Uint8Array.from([...head, ...sent.payload]);
        const crc = referenceCrc(body);
        const coded = referenceCobs(Uint8Array.from([...body, crc & 0xff, crc >> 8]));
        expect([...encodeFrame(sent)]).toEqual([0, ...coded, 0]);
      }),
    );
  });

  test("every frame comes back as it was sent, the line cut into pieces of any size", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        (sent, step) => {
          const line = Buffer.concat(sent.map(encodeFrame));
          expect(hear(line, step)).toEqual({ frames: sent, discards: [] });
        },
      ),
    );
  });

  test("every payload length comes back, of zeros, of no zero, and of both", () => {
    for (let length = 1; length <= 255; length++) {
      for (const fill of [0, 0xff, 1]) {
        const payload = new Uint8Array(length).map((_, i) => (fill === 1 ? i % 2 : fill));
        const bytes = encodeFrame(frame({ payload }));
        expect(bytes.length).toBeLessThanOrEqual(263);
        expect(decodeFrame(bytes).payload).toEqual(payload);
      }
    }
  });

  test("each of the 255 changes of each byte of three frames: two come through at least, and never a wrong one", () => {
    const sent = [
      frame(),
      frame({ type: "poll", payload: new Uint8Array() }),
      frame({ address: 6, payload: fromHex("00ff00") }),
    ];
    const line = Buffer.concat(sent.map(encodeFrame));
    const known = new Set(sent.map((one) => JSON.stringify(one)));
    for (const changed of otherBytes(line)) {
      const { frames } = hear(changed);
      for (const heard of frames) expect(known).toContain(JSON.stringify(heard));
      expect(frames.length).toBeGreaterThanOrEqual(2);
    }
  });

  test("any two frames with noise of any kind between them: both come through", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
        const { frames } = hear(
          Buffer.concat([encodeFrame(frame()), noise, encodeFrame(frame({ sequence: 2 }))]),
        );
        expect(frames.at(0)).toEqual(frame());
        expect(frames.at(-1)).toEqual(frame({ sequence: 2 }));
      }),
    );
  });

  test("0 begins and never comes back by itself: 0 1 2 3 1", () => {
    expect([0, 1, 2, 3].map(nextSequence)).toEqual([1, 2, 3, 1]);
  });

  test("what is wrong is said", () => {
    expect(hear(fromHex("0001010100")).discards).toEqual(["form"]);
    expect(hear(fromHex("0009010100")).discards).toEqual(["cobs"]);
    expect(hear(fromHex("00058504aabb00")).discards).toEqual(["crc"]);
    expect(hear(Buffer.from([0, ...new Uint8Array(300).fill(7), 0])).discards).toEqual(["long"]);
    expect(codeOf(() => decodeFrame(fromHex("0102")))).toBe("delimiter");
    expect(codeOf(() => decodeFrame(Buffer.concat([encodeFrame(frame()), encodeFrame(frame())])))).toBe(
      "delimiter",
    );
  });

  test("a poll with a payload, data without one and reserved control bits are refused with a good CRC", () => {
    for (const [control, payload] of [
      [0x01, "aa"],
      [0x04, ""],
      [0x0c, "aa"],
      [0x14, "aa"],
      [0x84, "aa"],
    ] as const) {
      const body = Uint8Array.from([0x85, control, ...fromHex(payload)]);
      const crc = referenceCrc(body);
      const bytes = Uint8Array.from([
        0,
        ...referenceCobs(Uint8Array.from([...body, crc & 0xff, crc >> 8])),
        0,
      ]);
      expect(codeOf(() => decodeFrame(bytes))).toBe("form");
    }
  });

  test("a second COBS form of the same body is refused", () => {
    const payload = new Uint8Array(250).fill(0x55);
    for (let sequence = 0; sequence < 4; sequence++) {
      const bytes = encodeFrame(frame({ payload, sequence }));
      expect(bytes[1]).toBe(0xff);
      const longer = Uint8Array.from([...bytes.subarray(0, -1), 1, 0]);
      expect(codeOf(() => decodeFrame(longer))).toBe("cobs");
      expect(refusedOrCanonical(codec, bytes)).toBe(false);
    }
  });
});
