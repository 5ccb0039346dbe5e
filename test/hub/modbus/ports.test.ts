/** What modbus-serial gets to see: an answer to the one outstanding request, or nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc16, frameGapMs, replyLength } from "../../../hub/modbus/rtu-frame.ts";
import { RtuPort } from "../../../hub/modbus/rtu-port.ts";
import { TcpPort } from "../../../hub/modbus/tcp-port.ts";

function framed(...bytes: number[]): Buffer {
  const crc = crc16(Uint8Array.from(bytes));
  return Buffer.of(...bytes, crc & 0xff, crc >> 8);
}

const REQUEST = framed(5, 3, 0, 7, 0, 1);
const ANSWER = framed(5, 3, 2, 0x04, 0xd2);
const REFUSED = framed(5, 0x83, 2);

function rtu() {
  const seen: Buffer[] = [];
  const port = new RtuPort(() => undefined);
  port.on("data", (frame: Buffer) => seen.push(frame));
  return { port, seen };
}

function tcp() {
  const seen: Buffer[] = [];
  const sent: Uint8Array[] = [];
  let resets = 0;
  const port = new TcpPort(
    (bytes) => sent.push(bytes),
    () => resets++,
  );
  port.on("data", (frame: Buffer) => seen.push(frame));
  return { port, seen, sent, resets: () => resets };
}

test("the CRC is the specification's: 02 07 has 41 12", () => {
  expect(crc16(Uint8Array.of(0x02, 0x07))).toBe(0x1241);
});

test("the silence is three and a half characters, and 1.75 ms above 19,200 baud", () => {
  const gap = (baudRate: number) => frameGapMs({ baudRate, dataBits: 8, parity: "even", stopBits: 1 });
  expect(gap(9600)).toBeCloseTo(4.01, 2);
  expect([gap(38_400), gap(115_200)]).toEqual([1.75, 1.75]);
});

describe("on a serial line", () => {
  test("an answer is known in pieces of any size, with anything around it", () => {
    const noise = fc.uint8Array({ maxLength: 40 }).filter((bytes) => !bytes.includes(5));
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
    fc.assert(
      fc.property(noise, fc.constantFrom(ANSWER, REFUSED), noise, sizes, (before, answer, after, cuts) => {
        const { port, seen } = rtu();
        port.write(REQUEST);
        const all = Buffer.concat([before, answer, after]);
        for (let at = 0, n = 0; at < all.length; n++) {
          const size = cuts[n % cuts.length] ?? 1;
          port.receive(all.subarray(at, at + size));
          at += size;
        }
        expect(seen).toEqual([answer]);
      }),
    );
  });

  test("nothing is an answer before a request, after its answer, or once nobody waits", () => {
    const { port, seen } = rtu();
    port.receive(ANSWER);
    port.write(REQUEST);
    port.receive(ANSWER);
    port.receive(ANSWER);
    expect(seen).toHaveLength(1);
    port.write(REQUEST);
    port.abandon();
    port.receive(ANSWER);
    expect(seen).toHaveLength(1);
    expect(port.discardedBytes).toBe(3 * ANSWER.length);
  });

  test("whatever comes, only what this request asks for is handed on", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (pieces) => {
        const { port, seen } = rtu();
        port.write(REQUEST);
        for (const piece of pieces) port.receive(piece);
        for (const frame of seen) {
          expect(frame[0]).toBe(5);
          expect(crc16(frame)).toBe(0);
          expect(frame.length).toBe(frame[1] === 3 ? replyLength({ functionCode: 3, count: 1 }) : 5);
        }
      }),
    );
  });
});

describe("on TCP", () => {
  const mbap = (transaction: number, ...pdu: number[]) =>
    Buffer.of(transaction >> 8, transaction & 0xff, 0, 0, 0, pdu.length, ...pdu);

  test("a request loses its CRC and gets a number of its own, and its answer comes back as on a serial line", () => {
    const { port, seen, sent } = tcp();
    port.write(REQUEST);
    port.write(REQUEST);
    expect(sent).toEqual([mbap(1, 5, 3, 0, 7, 0, 1), mbap(2, 5, 3, 0, 7, 0, 1)]);
    port.receive(mbap(2, 5, 3, 2, 0x04, 0xd2));
    expect(seen).toEqual([ANSWER]);
  });

  test.each([
    ["an earlier request's", mbap(1, 5, 3, 2, 0, 1)],
    ["another unit's", mbap(2, 6, 3, 2, 0, 1)],
    ["another function's", mbap(2, 5, 4, 2, 0, 1)],
    ["one of another length", mbap(2, 5, 3, 4, 0, 1, 0, 2)],
    ["one that is longer than it says", mbap(2, 5, 3, 2, 0, 1, 9)],
  ])("%s answer answers nothing", (_, bytes) => {
    const { port, seen, resets } = tcp();
    port.write(REQUEST);
    port.write(REQUEST);
    port.receive(bytes);
    expect([seen, resets()]).toEqual([[], 0]);
    port.receive(mbap(2, 5, 0x83, 2));
    expect(seen).toEqual([REFUSED]);
  });

  test("answers are found in pieces of any size", () => {
    const all = Buffer.concat([mbap(1, 5, 3, 2, 0, 1), mbap(2, 5, 3, 2, 0x04, 0xd2)]);
    for (let size = 1; size <= all.length; size++) {
      const { port, seen } = tcp();
      port.write(REQUEST);
      port.write(REQUEST);
      for (let at = 0; at < all.length; at += size) port.receive(all.subarray(at, at + size));
      expect(seen).toEqual([ANSWER]);
    }
  });

  test("what is no Modbus TCP makes the line anew, and keeps nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 300 }), (bytes) => {
        fc.pre((bytes[2] ?? 0) !== 0);
        const { port, seen, resets } = tcp();
        port.write(REQUEST);
        port.receive(bytes);
        expect([seen, resets()]).toEqual([[], 1]);
        port.write(REQUEST);
        port.receive(mbap(2, 5, 3, 2, 0x04, 0xd2));
        expect(seen).toEqual([ANSWER]);
      }),
    );
  });
});
