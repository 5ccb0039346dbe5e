import { describe, expect, test } from "vitest";
import { createPins, type Edge } from "../../hardware/virtual/board-pins.ts";

describe("an analog level on a pin", () => {
  test("is 0 or 1 for who reads it digitally, and an edge only where that changes", () => {
    const pins = createPins({ A1: 0.75 });
    const edges: Edge[] = [];
    pins.onEdge((edge) => edges.push(edge));
    for (const level of [0.8, 0.6, 0.17, 0.05, 0.99, null]) pins.drive("A1", level);
    expect(edges.map(({ level }) => level)).toEqual([0, 1, 0]);
    expect([pins.read("A1"), pins.level("A1")]).toEqual([0, 0]);
  });

  test("may be whatever it is when somebody looks", () => {
    const pins = createPins();
    let level = 0.2;
    pins.drive("A1", () => level);
    expect([pins.read("A1"), pins.level("A1")]).toEqual([0.2, 0]);
    level = 0.7;
    expect([pins.read("A1"), pins.level("A1")]).toEqual([0.7, 1]);
  });
});
