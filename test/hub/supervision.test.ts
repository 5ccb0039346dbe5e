import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSupervision } from "../../hub/supervision.ts";

const A = "aa00000000000001";
const HOUR = 3_600_000;

describe("supervision", () => {
  test("a silent device is raised once after three intervals and a tenth, and once when it is back", () => {
    const s = createSupervision();
    s.watchDevices([{ devEui: A, intervalS: 3600 }], 0);
    expect(s.tick(3 * HOUR)).toEqual([]);
    expect(s.tick(3.11 * HOUR)).toEqual([{ kind: "deviceSilent", device: A, note: null }]);
    expect(s.tick(4 * HOUR)).toEqual([]);
    s.heard(A, 4.5 * HOUR);
    expect(s.tick(4.5 * HOUR)).toEqual([{ kind: "deviceBack", device: A, note: null }]);
    expect(s.tick(5 * HOUR)).toEqual([]);
  });

  test("whatever is heard and when: silence and return alternate, and the last word is true", () => {
    const step = fc.tuple(fc.integer({ min: 1, max: 2 * HOUR }), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const s = createSupervision();
        s.watchDevices([{ devEui: A, intervalS: 600 }], 0);
        let now = 0;
        let lastHeard = 0;
        let silent = false;
        for (const [wait, hear] of steps) {
          now += wait;
          if (hear) {
            s.heard(A, now);
            lastHeard = now;
          }
          for (const { kind, device } of s.tick(now)) {
            if (device === null) continue;
            expect(kind).toBe(silent ? "deviceBack" : "deviceSilent");
            silent = !silent;
          }
          expect(silent).toBe(now - lastHeard > 600_000 * 3.1);
        }
      }),
    );
  });

  test("many devices falling silent together are called what they look like, once", () => {
    const s = createSupervision();
    const devices = ["1", "2", "3", "4"].map((n) => ({ devEui: `aa0000000000000${n}`, intervalS: 60 }));
    s.watchDevices(devices, 0);
    const kinds = s.tick(HOUR).map((t) => t.kind);
    expect(kinds).toEqual([...Array(4).fill("deviceSilent"), "jammingSuspected"]);
    expect(s.tick(HOUR + 1000)).toEqual([]);
  });

  test("one quiet device of many is no jamming", () => {
    const s = createSupervision();
    const devices = Array.from({ length: 8 }, (_, n) => ({ devEui: `aa0000000000000${n}`, intervalS: 60 }));
    s.watchDevices(devices, 0);
    for (const { devEui } of devices.slice(1)) s.heard(devEui, HOUR);
    expect(s.tick(HOUR).map((t) => t.kind)).toEqual(["deviceSilent"]);
  });

  test("a named gateway that never came is lost after 30 s; one that spoke is watched from then on", () => {
    const s = createSupervision();
    s.watchGateways(["00800000a0000001"], 0);
    s.gatewaySeen("00800000a0000002", 10_000);
    expect(s.tick(30_001)).toEqual([{ kind: "gatewayLost", device: null, note: "00800000a0000001" }]);
    expect(s.tick(40_001)).toEqual([{ kind: "gatewayLost", device: null, note: "00800000a0000002" }]);
    s.gatewaySeen("00800000a0000002", 41_000);
    expect(s.tick(41_000)).toEqual([{ kind: "gatewayBack", device: null, note: "00800000a0000002" }]);
  });

  test("a path that blinks is not reported; one that stays down is, and its return too", () => {
    const s = createSupervision();
    s.path("centre-1", true, 0);
    s.path("centre-1", false, 1000);
    s.path("centre-1", true, 15_000);
    expect(s.tick(30_000)).toEqual([]);
    s.path("centre-1", false, 40_000);
    expect(s.tick(59_000)).toEqual([]);
    expect(s.tick(60_001)).toEqual([{ kind: "pathDown", device: null, note: "centre-1" }]);
    s.path("centre-1", true, 70_000);
    expect(s.tick(70_000)).toEqual([{ kind: "pathUp", device: null, note: "centre-1" }]);
  });

  test("a device that was removed is forgotten", () => {
    const s = createSupervision();
    s.watchDevices([{ devEui: A, intervalS: 60 }], 0);
    s.watchDevices([], 1000);
    expect(s.tick(HOUR)).toEqual([]);
  });

  test("a wired device is lost as soon as its wire says so, and back with it; that is no jamming", () => {
    const s = createSupervision();
    const devices = ["1", "2", "3"].map((n) => ({ devEui: `aa0000000000000${n}`, intervalS: 3600 }));
    s.watchDevices(devices, 0);
    for (const [i, { devEui }] of devices.entries()) s.heard(devEui, 10, `stairs/${i + 1}`);
    for (const n of [1, 2, 3]) s.wire(`stairs/${n}`, false, "no answer");
    expect(s.tick(1_000)).toEqual(
      devices.map(({ devEui }, i) => ({
        kind: "deviceSilent",
        device: devEui,
        note: `stairs/${i + 1}: no answer`,
      })),
    );
    s.wire("stairs/2", true, null);
    expect(s.tick(2_000)).toEqual([{ kind: "deviceBack", device: "aa00000000000002", note: null }]);
    // it hangs on the radio now: the wire says nothing about it any more
    s.heard("aa00000000000003", 3_000);
    expect(s.tick(3_000)).toEqual([
      { kind: "deviceBack", device: "aa00000000000003", note: null },
      { kind: "gatewayLost", device: null, note: "stairs/3" },
    ]);
    s.wire("stairs/3", true, null);
    expect(s.tick(4_000)).toEqual([{ kind: "gatewayBack", device: null, note: "stairs/3" }]);
  });

  test("a bus is told when it stays away, once, and when it is back", () => {
    const s = createSupervision();
    s.bus("stairs", false, 0);
    s.bus("stairs", true, 1_900);
    s.bus("yard", false, 0);
    expect(s.tick(2_001)).toEqual([{ kind: "busLost", device: null, note: "yard" }]);
    s.bus("stairs", false, 3_000);
    expect(s.tick(5_000)).toEqual([]);
    s.bus("yard", true, 5_000);
    expect(s.tick(5_001)).toEqual([
      { kind: "busLost", device: null, note: "stairs" },
      { kind: "busBack", device: null, note: "yard" },
    ]);
    expect(s.view(6_000).buses["stairs"]).toEqual({ up: false, forMs: 3_000, reported: true });
  });
});
