import fc from "fast-check";
import { expect, test } from "vitest";
import { readWire, writeWire } from "../../firmware/wire-frame.ts";
import { decodeFrame, encodeFrame, FRAME_TYPES, type WireFrame } from "../../protocols/device/frame.ts";
import { bytesOf, textOf } from "./espruino.ts";

const payload = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 240 }),
  fc.array(fc.constantFrom(0, 1, 255), { minLength: 1, maxLength: 60 }).map((list) => Uint8Array.from(list)),
);

const frames = fc
  .record({
    address: fc.integer({ min: 1, max: 126 }),
    fromDevice: fc.boolean(),
    type: fc.constantFrom(...FRAME_TYPES),
    sequence: fc.integer({ min: 0, max: 3 }),
    payload,
  })
  .map((frame): WireFrame => (frame.type === "data" ? frame : { ...frame, payload: new Uint8Array(0) }));

function bodyOf({ address, fromDevice, type, sequence, payload: bytes }: WireFrame): string {
  const control = (FRAME_TYPES.indexOf(type) << 2) | sequence;
  return textOf(Uint8Array.of((fromDevice ? 0x80 : 0) | address, control, ...bytes));
}

test("a board writes and reads exactly the frames of the wire's codec", () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const coded = writeWire(bodyOf(frame));
      expect(bytesOf(coded)).toEqual(encodeFrame(frame));
      expect(decodeFrame(bytesOf(coded))).toEqual(frame);
      expect(readWire(coded.slice(1, -1))).toBe(bodyOf(frame));
    }),
  );
});

test("of every change of one byte of a frame, none is read as a frame", () => {
  const sent = writeWire(textOf(Uint8Array.of(5, 6, 0x60, 1, 2, 0, 4, 0x20, 7, 0, 1, 2, 3, 4))).slice(1, -1);
  for (let at = 0; at < sent.length; at++)
    for (let value = 1; value < 256; value++) {
      const changed = sent.slice(0, at) + String.fromCharCode(value) + sent.slice(at + 1);
      expect([at, value, readWire(changed)]).toEqual([at, value, changed === sent ? readWire(sent) : ""]);
    }
});

test("a cut frame and noise are no frames", () => {
  const sent = writeWire("\x05\x06hello").slice(1, -1);
  for (let length = 0; length < sent.length; length++) expect(readWire(sent.slice(0, length))).toBe("");
  const noise = fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 300 });
  fc.assert(fc.property(noise, (bytes) => readWire(textOf(Uint8Array.from(bytes))) === ""));
});
