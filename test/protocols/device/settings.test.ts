import { describe, expect, test } from "vitest";
import { isCodecError } from "../../../protocols/device/codec-error.ts";
import {
  decodeSettings,
  decodeSettingsAnswer,
  encodeSettings,
  encodeSettingsAnswer,
  SETTING,
  SETTING_BYTES,
  SETTING_HIGHEST,
  SETTING_LOWEST,
} from "../../../protocols/device/settings.ts";
import { fromHex, testAnyBytes, testVectors } from "../promises.ts";

const message = { encode: encodeSettings, decode: decodeSettings };
const answer = { encode: encodeSettingsAnswer, decode: decodeSettingsAnswer };

/** A message of one item. */
function one(tag: number, value: number): Uint8Array {
  const digits = (SETTING_BYTES[tag] ?? 0) * 2;
  return fromHex(
    `2205${tag.toString(16).padStart(2, "0")}${digits > 0 ? value.toString(16).padStart(digits, "0") : ""}`,
  );
}

function isRefused(bytes: Uint8Array): boolean {
  try {
    decodeSettings(bytes);
    return false;
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return true;
  }
}

describe("settings", () => {
  testVectors("settings.json", message);
  testAnyBytes(message, [fromHex("220101016802010300040200050506003c"), fromHex("22ff")]);

  test.each(Object.entries(SETTING).filter(([name]) => name !== "selfTest" && name !== "mode"))(
    "%s takes its lowest and its highest value and nothing beyond",
    (_, tag) => {
      const [low, high] = [SETTING_LOWEST[tag] ?? 0, SETTING_HIGHEST[tag] ?? 0];
      expect([isRefused(one(tag, low)), isRefused(one(tag, high)), isRefused(one(tag, high + 1))]).toEqual([
        false,
        false,
        true,
      ]);
      if (low > 0) expect(isRefused(one(tag, low - 1))).toBe(true);
    },
  );

  test("a mode has 1 to 1,440 minutes, the real one none", () => {
    const takes = (mode: number) =>
      [0, 1, 1440, 1441].map((minutes) => !isRefused(one(SETTING.mode, (mode << 16) | minutes)));
    expect([0, 1, 2, 3, 4].map(takes)).toEqual([
      [true, false, false, false],
      ...[1, 2, 3].map(() => [false, true, true, false]),
      [false, false, false, false],
    ]);
  });

  test("every tag that is none is refused", () => {
    for (let tag = 0; tag < 256; tag++)
      if (tag < 1 || tag > 6)
        expect(isRefused(fromHex(`2205${tag.toString(16).padStart(2, "0")}000000`))).toBe(true);
  });
});

describe("an answer about settings", () => {
  testVectors("settings-answer.json", answer);
  testAnyBytes(answer, [fromHex("2307000001680000000000")]);
});
