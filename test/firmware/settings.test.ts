import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  answered,
  applySettings,
  halfOf,
  MESSAGE_AT,
  nextRecord,
  RECORD_DIGITS,
  type Values,
} from "../../firmware/settings.ts";
import { type CodecError, isCodecError } from "../../protocols/device/codec-error.ts";
import { MODES } from "../../protocols/device/report.ts";
import { decodeSettings, SETTING, type SettingItem } from "../../protocols/device/settings.ts";

const FACTORY: Values = [0, 360, 0, 0, 0, 0, 0];
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What an item says, as the device keeps it. */
function numberOf(item: SettingItem): number {
  switch (item.tag) {
    case "heartbeat":
      return item.seconds / 10;
    case "mode":
      return (MODES.indexOf(item.mode) << 16) | item.minutes;
    case "checkIn":
      return item.minutes;
    case "selfTest":
      return 1;
    default:
      return item.isOff ? 1 : 0;
  }
}

/** What becomes of a message by the codec: the values, or the first digit of the result. */
function byCodec(bytes: Uint8Array): Values | number {
  try {
    const values = [...FACTORY];
    for (const item of decodeSettings(bytes).items) values[SETTING[item.tag]] = numberOf(item);
    return values;
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return (error as CodecError).code === "tag" ? 2 : 1;
  }
}

describe("a message", () => {
  const items = fc.array(
    fc.oneof(
      fc.tuple(fc.constant(1), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constantFrom(2, 3), fc.nat(2)),
      fc.tuple(fc.constant(4), fc.nat(4), fc.nat(6), fc.nat(255)),
      fc.tuple(fc.constant(5)),
      fc.tuple(fc.constant(6), fc.nat(50), fc.nat(255)),
      fc.tuple(fc.nat(255), fc.nat(255)),
    ),
    { maxLength: 5 },
  );

  test("is applied as a whole or refused, as the codec reads it, whatever is in it", () => {
    fc.assert(
      fc.property(items, fc.nat(3), (said, cut) => {
        const bytes = Uint8Array.from(
          [0x22, 9, ...said.flat()].slice(0, Math.max(2, 2 + said.flat().length - cut)),
        );
        const applied = applySettings(FACTORY, hexOf(bytes));
        const expected = byCodec(bytes);
        if (typeof expected === "number") expect((applied[0] ?? 0) >> 8).toBe(expected);
        else expect(applied).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });

  test("that is refused names the item it is about", () => {
    expect(applySettings(FACTORY, "2201" + "0201" + "010005")[0]).toBe(0x101);
    expect(applySettings(FACTORY, "2201" + "0201" + "5500")[0]).toBe(0x255);
    expect(applySettings(FACTORY, "2201" + "0400")[0]).toBe(0x104);
  });
});

describe("a record", () => {
  const values = fc
    .tuple(
      fc.integer({ min: 6, max: 8640 }),
      fc.nat(1),
      fc.nat(1),
      fc.nat(3),
      fc.integer({ min: 1, max: 1440 }),
      fc.nat(10080),
    )
    .map(([heartbeat, lights, sound, mode, minutes, checkIn]) => [
      ...[0, heartbeat, lights, sound],
      ...[mode > 0 ? (mode << 16) | minutes : 0, 0, checkIn],
    ]);

  test("gives back every value as a message does", () => {
    fc.assert(
      fc.property(values, fc.nat(255), (said, token) => {
        const record = nextRecord("ffff", token.toString(16).padStart(2, "0"), said);
        expect(record.length).toBe(RECORD_DIGITS);
        expect(record.slice(0, 4)).toBe("0000");
        expect(applySettings(FACTORY, record.slice(MESSAGE_AT))).toEqual(said);
      }),
    );
  });

  test("halves what is left of a mode until nothing is", () => {
    expect([halfOf(0x2000a), halfOf(0x20001), halfOf(0x1ffff), halfOf(0)]).toEqual([0x20005, 0, 0x105a0, 0]);
  });
});

test("an answer says heartbeat, lights, sound, mode and minutes", () => {
  expect(answered([0, 12, 1, 0, 0x10005, 0, 9])).toBe("000c0100010005");
});
