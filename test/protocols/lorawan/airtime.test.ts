import { describe, expect, test } from "vitest";
import { airtimeMs, fskAirtimeMs } from "../../../protocols/lorawan/airtime.ts";

/** Milliseconds at 125 kHz. Uplinks with CRC; the last three columns are downlinks, without. */
const COLUMNS = [12, 20, 24, 23, 12, 17, 33] as const;
const FIRST_DOWNLINK = 4;
const TABLE: Readonly<Record<number, readonly number[]>> = {
  7: [41.2, 56.6, 61.7, 61.7, 41.2, 46.3, 71.9],
  8: [82.4, 102.9, 113.2, 113.2, 72.2, 92.7, 133.6],
  9: [144.4, 185.3, 205.8, 205.8, 144.4, 164.9, 246.8],
  10: [288.8, 370.7, 370.7, 370.7, 288.8, 329.7, 452.6],
  11: [577.5, 741.4, 823.3, 823.3, 577.5, 659.5, 905.2],
  12: [1155.1, 1318.9, 1482.8, 1482.8, 991.2, 1155.1, 1810.4],
};

describe("LoRa", () => {
  for (const [sf, row] of Object.entries(TABLE)) {
    for (const [i, ms] of row.entries()) {
      const payloadBytes = COLUMNS[i] ?? 0;
      const crc = i < FIRST_DOWNLINK;
      test(`SF${sf}, ${payloadBytes} bytes ${crc ? "up" : "down"}: ${ms} ms`, () => {
        const exact = airtimeMs({ sf: Number(sf), bandwidthHz: 125_000, payloadBytes, crc });
        expect(Number(exact.toFixed(1))).toBe(ms);
      });
    }
  }
  test("double bandwidth is half the time", () => {
    const frame = { sf: 7, payloadBytes: 20, crc: true };
    expect(airtimeMs({ ...frame, bandwidthHz: 250_000 })).toBe(
      airtimeMs({ ...frame, bandwidthHz: 125_000 }) / 2,
    );
  });
  test("more preamble and more redundancy last longer", () => {
    const frame = { sf: 7, bandwidthHz: 125_000, payloadBytes: 20, crc: true };
    expect(airtimeMs({ ...frame, preambleSymbols: 16 }) - airtimeMs(frame)).toBeCloseTo(8 * 1.024, 6);
    expect(airtimeMs({ ...frame, codingRate: 4 }) - airtimeMs(frame)).toBeCloseTo(7 * 3 * 1.024, 6);
  });
});

test("FSK: 8 bits a byte behind 11 bytes of framing", () => {
  expect(fskAirtimeMs(20)).toBeCloseTo(4.96, 6);
  expect(fskAirtimeMs(0, 100_000)).toBeCloseTo(0.88, 6);
});
