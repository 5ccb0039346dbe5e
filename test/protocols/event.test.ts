import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../protocols/cose.ts";
import { MODES } from "../../protocols/device/report.ts";
import {
  decodeEvent,
  EVENT_LIMITS,
  type EventRecord,
  encodeEvent,
  openEvent,
  PROVENANCES,
  sealEvent,
  TIME_SOURCES,
} from "../../protocols/event.ts";
import { EVENT_KINDS, type EventKind } from "../../protocols/hub-kinds.ts";
import { bitFlips, codeOf, testAnyBytes, testVectors } from "./promises.ts";
import { event, HUB_KEY, keyring, REALM, SUITES } from "./samples.ts";

const codec = { encode: encodeEvent, decode: decodeEvent };

const hexOf = (min: number, max = min) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((bytes) => Buffer.from(bytes).toString("hex"));
const uint = fc.oneof(fc.maxSafeNat(), fc.nat(300));
const words = (minLength: number, maxLength: number) =>
  fc
    .string({
      unit: fc.constantFrom(..."aZ09 -._ʻoʻгғҳ技🔔"),
      minLength,
      maxLength: Math.floor(maxLength / 2),
    })
    .filter((text) => text.length >= minLength);
const decibels = fc.integer({ min: -20_000, max: 20_000 }).map((hundredths) => hundredths / 100);

const anyEvent: fc.Arbitrary<EventRecord> = fc.record({
  version: fc.constant(1),
  hub: hexOf(8),
  boot: uint,
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  previous: hexOf(32),
  time: fc.record({ unixMs: uint, uncertaintyMs: uint, source: fc.constantFrom(...TIME_SOURCES) }),
  monotonicMs: uint,
  device: fc.option(hexOf(8)),
  eventNumber: fc.option(fc.nat(0xffff)),
  ageMs: uint,
  kind: fc.constantFrom(...(Object.keys(EVENT_KINDS) as EventKind[])),
  mode: fc.constantFrom(...MODES),
  drill: fc.option(words(1, 120)),
  place: fc.record({ site: words(0, 120), zone: words(0, 120) }),
  state: fc.option(
    fc.record({
      detail: fc.nat(255),
      batteryPercent: fc.option(fc.nat(100)),
      tamperOpen: fc.boolean(),
      batteryLow: fc.boolean(),
      mainsLost: fc.boolean(),
      deviceFault: fc.boolean(),
    }),
  ),
  frameHash: fc.option(hexOf(32)),
  receptions: fc.array(
    fc.record({
      carrier: fc.constantFrom("semtech-udp", "mqtt", "rs485"),
      gateway: words(1, 64),
      rssiDbm: fc.option(decibels),
      snrDb: fc.option(decibels),
      dataRate: fc.option(fc.nat(15)),
    }),
    { maxLength: EVENT_LIMITS.receptions },
  ),
  provenance: fc.constantFrom(...PROVENANCES),
  configHash: hexOf(8),
  refersTo: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
  raw: fc.option(hexOf(1, EVENT_LIMITS.rawBytes)),
  note: fc.option(words(1, EVENT_LIMITS.noteLength)),
});

describe("event record", () => {
  testVectors("event.json", codec);
  testAnyBytes(codec, [
    encodeEvent(event()),
    encodeEvent(event({ state: null, device: null, note: "ok", raw: "00" })),
  ]);

  test("every event comes back as it was written", () => {
    fc.assert(
      fc.property(anyEvent, (written) => {
        expect(decodeEvent(encodeEvent(written))).toEqual(written);
      }),
    );
  });

  test("what a gateway reports in tenths or quarters of a decibel is kept exactly", () => {
    for (const snrDb of [9.25, -7.5, 0.1, -19.9, 12.8]) {
      const [reception] = decodeEvent(encodeEvent(event({ receptions: [{ ...radio, snrDb }] }))).receptions;
      expect(reception?.snrDb).toBe(snrDb);
    }
  });

  test("nothing can be signed that the centre would refuse to read", () => {
    const wrong: Partial<Record<keyof EventRecord, unknown>>[] = [
      { hub: "F1E2D3C4B5A69788" },
      { sequence: 0 },
      { sequence: 2 ** 53 },
      { ageMs: 1.5 },
      { ageMs: -1 },
      { kind: "explosion" },
      { mode: "fake" },
      { place: { site: "a\u0007", zone: "" } },
      { place: { site: "x".repeat(EVENT_LIMITS.nameLength + 1), zone: "" } },
      { note: "\ud800" },
      { note: "" },
      { raw: "00".repeat(256) },
      { raw: "0" },
      { receptions: new Array(EVENT_LIMITS.receptions + 1).fill(radio) },
      { eventNumber: Number.NaN },
    ];
    for (const change of wrong) {
      expect(codeOf(() => encodeEvent({ ...event(), ...(change as Partial<EventRecord>) }))).toBe("field");
    }
    expect(codeOf(() => encodeEvent({ ...event(), version: 2 as 1 }))).toBe("version");
  });

  test("the message of a refusal names the field, what it got and what it expected", () => {
    expect(() => encodeEvent(event({ ageMs: -1 }))).toThrow(
      /event\.ageMs: got -1, expected an integer from 0/,
    );
  });
});

const radio = { carrier: "semtech-udp", gateway: "a84041ffff000001", rssiDbm: -91, snrDb: 9.25, dataRate: 5 };

describe.each(SUITES)("sealed event, $suite", ({ key }) => {
  const sealed = sealEvent(event(), REALM, key);
  const keys = keyring(key);

  test("opens to the event, the kid and the hash of the whole record", () => {
    expect(openEvent(sealed, REALM, keys)).toEqual({ event: event(), kid: key.kid, hash: sha256Hex(sealed) });
  });

  test("each flipped bit of each byte is refused", () => {
    for (const changed of bitFlips(sealed))
      expect(codeOf(() => openEvent(changed, REALM, keys))).toBeDefined();
  });

  test("each cut is refused", () => {
    for (let end = 0; end < sealed.length; end++) {
      expect(codeOf(() => openEvent(sealed.subarray(0, end), REALM, keys))).toBe("cose");
    }
  });

  test("a record of a test system is refused in the live one", () => {
    expect(codeOf(() => openEvent(sealed, "toshkent", keys))).toBe("signature");
  });
});

test("the signature is checked before anything is read: an unreadable payload under no signature is a signature fault", () => {
  const sealed = sealEvent(event(), REALM, HUB_KEY);
  sealed[20] = 0xff;
  expect(codeOf(() => openEvent(sealed, REALM, keyring(HUB_KEY)))).toBe("signature");
});

test("a press with one reception takes at most 320 bytes, all told", () => {
  expect(sealEvent(event(), REALM, HUB_KEY).length).toBeLessThanOrEqual(320);
});
