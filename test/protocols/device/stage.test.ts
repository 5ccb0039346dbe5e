import { describe, expect, test } from "vitest";
import { decodeStage, encodeStage, STAGES } from "../../../protocols/device/stage.ts";
import { fromHex, otherBytes, refusedOrCanonical, testAnyBytes, testVectors } from "../promises.ts";

const codec = { encode: encodeStage, decode: decodeStage };
const RECEIVED = fromHex("2102002a");

describe("stage", () => {
  testVectors("stage.json", codec);
  testAnyBytes(codec, [RECEIVED]);

  test("the ladder is stored, received, taken, dispatched, closed", () => {
    expect(STAGES).toEqual(["stored", "received", "taken", "dispatched", "closed"]);
  });

  test("every stage for every event number comes back as it was said", () => {
    for (const stage of STAGES) {
      for (let eventNumber = 0; eventNumber <= 0xffff; eventNumber += 251) {
        const said = { stage, eventNumber };
        expect(decodeStage(encodeStage(said))).toEqual(said);
      }
    }
  });

  test("each of the 255 changes of each byte is refused, or is for another event or another stage", () => {
    let believed = 0;
    for (const changed of otherBytes(RECEIVED)) {
      if (refusedOrCanonical(codec, changed)) continue;
      const said = decodeStage(changed);
      // a device takes a stage for its own event number only; what remains is guarded by the frame's MIC
      if (said.eventNumber === 42) believed++;
      expect(said).not.toEqual({ stage: "received", eventNumber: 42 });
    }
    expect(believed).toBe(STAGES.length - 1);
  });
});
