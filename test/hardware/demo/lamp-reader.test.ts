import { describe, expect, test } from "vitest";
import { AMBER, GREEN, LAMP, lampAt, RED } from "../../../firmware/lamp.ts";
import { type LampChange, readLamp } from "../../../hardware/demo/web/lamp-reader.ts";

/** The pins' changes while the firmware shows `meaning` for `lengthMs`. */
function shown(meaning: keyof typeof LAMP, fromMs: number, lengthMs: number): LampChange[] {
  const changes: LampChange[] = [];
  for (let at = 0; at < lengthMs; ) {
    const { lights, nextMs } = lampAt(LAMP[meaning], at);
    changes.push({
      atMs: fromMs + at,
      red: !!(lights & RED),
      amber: !!(lights & AMBER),
      green: !!(lights & GREEN),
    });
    at += nextMs;
  }
  return changes;
}

const MEANINGS = ["sending", "stored", "received", "taken", "dispatched", "notDelivered"] as const;

describe.each(MEANINGS)("%s", (meaning) => {
  test("is read from the firmware's own rhythm at every moment, once it has been seen for one turn", () => {
    const changes = shown(meaning, 0, 9000);
    for (let at = 2000; at < 8900; at += 10) {
      const seen = changes.filter((change) => change.atMs <= at).slice(-16);
      expect([at, readLamp(seen, at)]).toEqual([at, meaning]);
    }
  });

  test("ends as off", () => {
    const changes = [...shown(meaning, 0, 5000), ...shown("off", 5000, 1)];
    expect(readLamp(changes, 7000)).toBe("off");
  });
});

test("the stages of a press are read in their order and none besides", () => {
  const road = [
    ...shown("sending", 0, 1500),
    ...shown("stored", 1500, 1000),
    ...shown("received", 2500, 4000),
    ...shown("taken", 6500, 6000),
    ...shown("dispatched", 12_500, 6000),
  ];
  const read: string[] = [];
  for (let at = 0; at < 18_400; at += 50) {
    const word = readLamp(road.filter((change) => change.atMs <= at).slice(-16), at);
    if (read.at(-1) !== word) read.push(word);
  }
  expect(read.filter((word, i) => word !== "sending" || i === 0)).toEqual([
    "sending",
    "stored",
    "received",
    "taken",
    "dispatched",
  ]);
});
