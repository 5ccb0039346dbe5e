import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import {
  decodeSemtech,
  encodeSemtech,
  type Rxpk,
  type SemtechPacket,
  type Txpk,
} from "../../protocols/semtech-udp.ts";

interface Vector {
  readonly name: string;
  readonly source: string;
  /** Header, followed by `json` where that is not null. */
  readonly hex: string;
  readonly json: string | null;
  readonly value?: object;
  readonly error?: string;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../vectors/semtech-udp.json", import.meta.url), "utf8"),
);
const bytesOf = (v: Vector) =>
  Uint8Array.from(Buffer.concat([Buffer.from(v.hex, "hex"), Buffer.from(v.json ?? "")]));
const jsonOf = (bytes: Uint8Array, headerLength: number): unknown =>
  JSON.parse(Buffer.from(bytes.subarray(headerLength)).toString());

/** A packet as JSON shows it: payloads in hex. */
const shown = (packet: SemtechPacket): unknown =>
  JSON.parse(
    JSON.stringify(packet, (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ),
  );

for (const v of vectors) {
  test(`${v.name} [${v.source}]`, () => {
    if (v.error !== undefined) {
      return expect(() => decodeSemtech(bytesOf(v))).toThrow(
        expect.objectContaining({ name: "CodecError", code: v.error }),
      );
    }
    const packet = decodeSemtech(bytesOf(v));
    expect(shown(packet)).toEqual(v.value);
    expect(shown(decodeSemtech(encodeSemtech(packet)))).toEqual(v.value);
    if (v.json === null) expect(encodeSemtech(packet)).toEqual(bytesOf(v));
  });
}

const DOWNLINK: Txpk = {
  tmst: 5_000_000,
  frequencyHz: 869_525_000,
  rfChain: 0,
  eirpDbm: 16,
  dataRate: "SF12BW125",
  codingRate: "4/5",
  invertPolarity: true,
  crc: false,
  phyPayload: Uint8Array.of(0x60, 1, 2, 3),
};
const txpkOf = (change: Partial<Txpk>) =>
  jsonOf(encodeSemtech({ type: "pullResp", token: 1, txpk: { ...DOWNLINK, ...change } }), 4) as {
    txpk: Record<string, unknown>;
  };

describe("a downlink on the wire", () => {
  test("has every field that forwarders demand, under their names", () => {
    expect(txpkOf({})).toEqual({
      txpk: {
        tmst: 5_000_000,
        freq: 869.525,
        rfch: 0,
        powe: 16,
        modu: "LORA",
        datr: "SF12BW125",
        codr: "4/5",
        ipol: true,
        size: 4,
        data: "YAECAw==",
        ncrc: true,
      },
    });
  });
  test("wraps tmst modulo 2^32", () => {
    expect(txpkOf({ tmst: 2 ** 32 + 7 }).txpk["tmst"]).toBe(7);
    expect(txpkOf({ tmst: 2 ** 31 + 1_000_000 }).txpk["tmst"]).toBe(2 ** 31 + 1_000_000);
  });
  test("without tmst goes at once", () => {
    expect(txpkOf({ tmst: null }).txpk).toMatchObject({ imme: true });
    expect(txpkOf({ tmst: null }).txpk).not.toHaveProperty("tmst");
  });
  test("writes frequencies without float noise, at every 100 Hz of a band", () => {
    for (let hz = 863_000_000; hz <= 870_000_000; hz += 100) {
      expect(String(hz / 1e6).length).toBeLessThanOrEqual("869.5251".length);
    }
    expect(Buffer.from(encodeSemtech({ type: "pullResp", token: 1, txpk: DOWNLINK })).toString()).toContain(
      '"freq":869.525,',
    );
  });
  test("is never louder than asked", () => expect(txpkOf({ eirpDbm: 12.15 }).txpk["powe"]).toBe(12));
  test("in FSK has a deviation and no coding rate", () => {
    const { txpk } = txpkOf({ dataRate: "FSK50000", codingRate: null });
    expect(txpk).toMatchObject({ modu: "FSK", datr: 50_000, fdev: 25_000 });
    expect(txpk).not.toHaveProperty("codr");
  });
});

test("an answer carries the version it was given, and 2 without one", () => {
  expect([...encodeSemtech({ type: "pushAck", token: 0x0102, version: 1 })]).toEqual([1, 1, 2, 1]);
  expect([...encodeSemtech({ type: "pullAck", token: 0x0102 })]).toEqual([2, 1, 2, 4]);
});

test("an encoder refuses what the packet cannot carry", () => {
  expect(() => encodeSemtech({ type: "pushAck", token: 65_536 })).toThrow(RangeError);
  expect(() => encodeSemtech({ type: "pullData", token: 1, gateway: "aa55" })).toThrow(RangeError);
  const tooLong = { ...DOWNLINK, phyPayload: new Uint8Array(256) };
  expect(() => encodeSemtech({ type: "pullResp", token: 1, txpk: tooLong })).toThrow(RangeError);
});

const rxpks: fc.Arbitrary<Rxpk> = fc
  .record({
    tmst: fc.integer({ min: 0, max: 0xffff_ffff }),
    frequencyHz: fc.integer({ min: 100_000_000, max: 1_000_000_000 }),
    channel: fc.option(fc.integer({ min: 0, max: 9 })),
    rfChain: fc.option(fc.integer({ min: 0, max: 1 })),
    crc: fc.constantFrom("ok", "bad", "none"),
    dataRate: fc.constantFrom("SF12BW125", "SF7BW250", "FSK50000"),
    codingRate: fc.constantFrom("4/5", "4/8"),
    rssiDbm: fc.option(fc.integer({ min: -140, max: 10 })),
    snrDb: fc.option(fc.integer({ min: -80, max: 60 }).map((quarters) => quarters / 4)),
    phyPayload: fc.uint8Array({ maxLength: 255 }),
  })
  .map((r) => (r.dataRate.startsWith("FSK") ? { ...r, codingRate: null } : r));

test("any receptions come back as they went", () => {
  fc.assert(
    fc.property(fc.array(rxpks, { maxLength: 8 }), fc.integer({ min: 0, max: 65_535 }), (rxpk, token) => {
      const packet = {
        type: "pushData",
        version: 2,
        token,
        gateway: "b827ebfffe123456",
        rxpk,
        stat: null,
      } as const;
      expect(shown(decodeSemtech(encodeSemtech(packet)))).toEqual(shown(packet));
    }),
  );
});

describe("whatever comes to the port", () => {
  /** Reads, and where that is possible writes and reads again: the same value, for packets without JSON the same bytes. */
  function read(bytes: Uint8Array): void {
    try {
      const packet = decodeSemtech(bytes);
      const again = encodeSemtech(packet);
      expect(shown(decodeSemtech(again))).toEqual(shown(packet));
      if (packet.type === "pushAck" || packet.type === "pullAck" || packet.type === "pullData") {
        expect(Buffer.compare(again, bytes)).toBe(0);
      }
    } catch (error) {
      if (!isCodecError(error)) throw error;
    }
  }
  const header = fc
    .tuple(
      fc.constantFrom(1, 2),
      fc.uint8Array({ minLength: 2, maxLength: 2 }),
      fc.integer({ min: 0, max: 5 }),
    )
    .map(([version, token, type]) => Uint8Array.of(version, ...token, type));

  test("random bytes are refused with a CodecError, or mean the same again", () => {
    const noise = fc
      .tuple(header, fc.uint8Array({ maxLength: 64 }))
      .map(([a, b]) => Uint8Array.of(...a, ...b));
    fc.assert(fc.property(fc.oneof(noise, fc.uint8Array({ maxLength: 64 })), read), { numRuns: 3000 });
  });
  test("random JSON is refused with a CodecError, or means the same again", () => {
    const fields = fc.constantFrom(
      "tmst",
      "freq",
      "stat",
      "modu",
      "datr",
      "codr",
      "size",
      "data",
      "rssi",
      "__proto__",
      "imme",
    );
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(1, 868.1, "LORA", "SF7BW125", "4/5", "AQID", 3, -1, true),
    );
    const object = fc.dictionary(fields, value);
    const root = fc.record(
      { rxpk: fc.array(object), stat: fc.oneof(object, fc.constant(null)), txpk: object, txpk_ack: object },
      { requiredKeys: [] },
    );
    const eui = new Uint8Array(8);
    fc.assert(
      fc.property(header, root, (head, json) => {
        const hasEui = [0, 2, 5].includes(head[3] ?? 0);
        read(Uint8Array.of(...head, ...(hasEui ? eui : []), ...Buffer.from(JSON.stringify(json))));
      }),
      { numRuns: 2000 },
    );
  });
  test("every single-byte corruption of a real datagram is read or refused, never a crash", () => {
    const good = bytesOf(vectors[0] ?? expect.fail());
    for (let at = 0; at < good.length; at++) {
      for (const change of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const bytes = good.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        read(bytes);
      }
    }
  });
  test("64 KiB of brackets, quotes, digits or noise", () => {
    for (const text of ["[", '{"rxpk":[', '{"a":', '"', "9", "\u0000", " "]) {
      const body = Buffer.alloc(65_535 - 12, text);
      read(Uint8Array.of(2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, ...body));
    }
    expect(() => decodeSemtech(new Uint8Array(65_536).fill(2))).toThrow(
      expect.objectContaining({ code: "length" }),
    );
  });
});
