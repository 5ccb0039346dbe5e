import fc from "fast-check";
import { expect, test } from "vitest";
import { LAMP } from "../../firmware/lamp.ts";
import { reportText, stageIn } from "../../firmware/report-text.ts";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { DETAIL } from "../../protocols/device/details.ts";
import { KINDS, type Kind } from "../../protocols/device/kinds.ts";
import { encodeReport, MODES } from "../../protocols/device/report.ts";
import { decodeStage, STAGES } from "../../protocols/device/stage.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const OWN_FLAG: readonly number[] = [DETAIL.case, DETAIL.battery, DETAIL.mains];

test("a board writes every report as the codec does", () => {
  const said = fc.record({
    kind: fc.constantFrom(...(Object.keys(KINDS) as Kind[])),
    mode: fc.integer({ min: 0, max: 3 }),
    standing: fc.integer({ min: 0, max: 2 ** 21 - 1 }).map((bits) => bits & ~1),
    number: fc.integer({ min: 0, max: 0xffff }),
    ageS: fc.double({ min: 0, max: 100_000, noNaN: true }),
    batteryPercent: fc.option(fc.integer({ min: 0, max: 100 })),
    detail: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(said, ({ kind, mode, standing, number, ageS, batteryPercent, detail }) => {
      const stands = (code: number) => (standing & (1 << code)) !== 0;
      const faults = Object.values(DETAIL).filter((code) => code < DETAIL.smoke && !OWN_FLAG.includes(code));
      const report = {
        ...{ kind, mode: MODES[mode] ?? "real", eventNumber: number, ageS: Math.floor(ageS) },
        ...{ batteryPercent, detail, tamperOpen: stands(DETAIL.case), batteryLow: stands(DETAIL.battery) },
        ...{ mainsLost: stands(DETAIL.mains), deviceFault: faults.some(stands) },
      };
      const numbers = { kindId: KINDS[kind].id, mode, standing, number, ageS, detail };
      expect(reportText({ ...numbers, batteryPercent: batteryPercent ?? 255 })).toBe(
        hexOf(encodeReport(report)),
      );
    }),
  );
});

test("a board reads every stage message, and nothing else, as the codec does", () => {
  const stageOf = (bytes: Uint8Array) => {
    try {
      return STAGES.indexOf(decodeStage(bytes).stage);
    } catch (error) {
      if (!isCodecError(error)) throw error;
      return -1;
    }
  };
  const near = fc.tuple(fc.constantFrom(0x21, 0x22, 0x41), fc.nat(9), fc.nat(255), fc.nat(255));
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    near.map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(any, (bytes) => {
      expect(stageIn(hexOf(bytes))).toBe(stageOf(bytes));
    }),
    { numRuns: 2000 },
  );
});

test("up to dispatched the lamp says the stage itself", () => {
  expect(STAGES.slice(0, 4).map((stage) => LAMP[stage as keyof typeof LAMP])).toEqual([0, 1, 2, 3]);
});
