/** What an annunciator shows, by itself. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnnunciatorConfig, SHOWN_KINDS } from "../../../hub/annunciator/config.ts";
import { levelAt, PATTERNS, type Pattern } from "../../../hub/annunciator/pattern.ts";
import {
  dueMs,
  nothingShown,
  outputsAt,
  raise,
  type Shown,
  type ShownEvent,
  silence,
} from "../../../hub/annunciator/policy.ts";
import { parseConfig } from "../../../hub/config.ts";
import { MODES } from "../../../protocols/device/report.ts";
import { EVENT_KINDS, type EventKind } from "../../../protocols/hub-kinds.ts";

const POLICY: Pick<AnnunciatorConfig, "outputs" | "rules"> = {
  outputs: [
    { name: "siren", type: "siren", pin: 7 },
    { name: "strobe", type: "strobe", pin: 8 },
  ],
  rules: [
    {
      kinds: ["smoke", "heat", "callPoint"],
      outputs: ["siren", "strobe"],
      pattern: "temporal3",
      forS: 600,
      exercises: [],
    },
    {
      kinds: ["panic"],
      site: "Chilonzor 9",
      outputs: ["siren"],
      pattern: "pulse",
      forS: 60,
      exercises: ["drill"],
    },
  ],
};
const PLACE = { site: "Chilonzor 9", zone: "Entrance 2" };
const OFF = { siren: null, strobe: null };
const FIRE = { siren: "temporal3", strobe: "temporal3" };

function event(change: Partial<ShownEvent> = {}): ShownEvent {
  return {
    kind: "smoke",
    mode: "real",
    place: PLACE,
    refersTo: null,
    provenance: "authenticated",
    ...change,
  };
}

const given = (...events: Partial<ShownEvent>[]): Shown =>
  events.reduce((shown, one) => raise(POLICY, shown, event(one), 0), nothingShown(POLICY));

describe("an alarm", () => {
  test("is shown at once, for its rule's time, and then no more", () => {
    const shown = given({ kind: "heat" });
    expect(outputsAt(POLICY, shown, 0)).toEqual(FIRE);
    expect(outputsAt(POLICY, shown, 599_999)).toEqual(FIRE);
    expect(dueMs(shown, 0)).toBe(600_000);
    expect(outputsAt(POLICY, shown, 600_000)).toEqual(OFF);
    expect(dueMs(shown, 600_000)).toBeNull();
  });

  test("of another one begins its time anew", () => {
    const shown = raise(POLICY, given({}), event({ kind: "callPoint" }), 400_000);
    expect(outputsAt(POLICY, shown, 999_999)).toEqual(FIRE);
  });

  test("of the first rule that fits wins an output; the other goes on behind it", () => {
    const shown = raise(POLICY, given({}), event({ kind: "panic" }), 590_000);
    expect(outputsAt(POLICY, shown, 595_000)).toEqual(FIRE);
    expect(outputsAt(POLICY, shown, 605_000)).toEqual({ siren: "pulse", strobe: null });
  });

  test("of a point that is only polled is shown; what adds to a record, or comes of the hub itself, is not", () => {
    expect(outputsAt(POLICY, given({ provenance: "poller" }), 0)).toEqual(FIRE);
    expect(outputsAt(POLICY, given({ refersTo: 4 }, { provenance: "hub" }), 0)).toEqual(OFF);
  });

  test("counts only at its rule's site", () => {
    const elsewhere = { kind: "panic", place: { site: "Yunusobod 4", zone: "" } } as const;
    expect(outputsAt(POLICY, given(elsewhere), 0)).toEqual(OFF);
    expect(outputsAt(POLICY, given({ kind: "panic" }), 0)).toEqual({ siren: "pulse", strobe: null });
  });
});

test("an exercise is shown only by rules that name it", () => {
  for (const mode of MODES) {
    const isOn = (kind: EventKind) => outputsAt(POLICY, given({ kind, mode }), 0)["siren"] !== null;
    expect([isOn("panic"), isOn("smoke")]).toEqual([mode === "real" || mode === "drill", mode === "real"]);
  }
});

describe("the silence key", () => {
  test("stops sirens and leaves strobes", () => {
    expect(outputsAt(POLICY, silence(given({})), 1)).toEqual({ siren: null, strobe: "temporal3" });
  });

  test("mutes no alarm that comes later, whatever came and was silenced before", () => {
    const step = fc.constantFrom("smoke", "panic", "silence");
    fc.assert(
      fc.property(fc.array(step), fc.constantFrom<EventKind>("smoke", "panic"), (steps, kind) => {
        const before = steps.reduce(
          (shown, one) =>
            one === "silence" ? silence(shown) : raise(POLICY, shown, event({ kind: one as EventKind }), 0),
          nothingShown(POLICY),
        );
        const shown = raise(POLICY, before, event({ kind }), 1);
        expect(outputsAt(POLICY, shown, 1)["siren"]).not.toBeNull();
      }),
    );
  });
});

describe("silent kinds", () => {
  test.each(["silentPanic", "duress", "tamper", "fault", "checkIn"] as const)(
    "%s cannot be configured to be shown",
    (kind) => {
      const yaml = `region: EU433\nannunciators:\n  - { name: a, arduino: /dev/x, outputs: [{ name: s, type: siren, pin: 7 }],
      rules: [{ kinds: [${kind}], outputs: [s], pattern: steady, forS: 60 }] }\n`;
      expect(() => parseConfig(yaml, "hub.yaml")).toThrow(/kinds/);
    },
  );

  test("show nothing, whatever the rules say", () => {
    const shownKinds: readonly string[] = SHOWN_KINDS;
    const silent = (Object.keys(EVENT_KINDS) as EventKind[]).filter((kind) => !shownKinds.includes(kind));
    expect(silent).toContain("silentPanic");
    expect(silent).toContain("duress");
    const rules = POLICY.rules.map((rule) => ({
      ...rule,
      kinds: silent as unknown as typeof rule.kinds,
      exercises: MODES.filter((mode) => mode !== "real"),
    }));
    for (const kind of silent)
      for (const mode of MODES) {
        const shown = raise({ ...POLICY, rules }, nothingShown({ rules }), event({ kind, mode }), 0);
        expect(outputsAt({ ...POLICY, rules }, shown, 0)).toEqual(OFF);
      }
  });
});

describe("a configuration", () => {
  const refused = (change: string) => {
    const yaml = `region: EU433\nannunciators:\n  - { name: a, arduino: /dev/x, outputs: [{ name: s, type: siren, pin: 7 }],
      silencePin: 4, rules: [{ kinds: [smoke], outputs: [s], pattern: steady, forS: 60 }] }\n${change}`;
    return () => parseConfig(yaml, "hub.yaml");
  };

  test("may not use a port, a name or a pin twice, nor an output that is not there", () => {
    const rules = "rules: [{ kinds: [smoke], outputs: [s], pattern: steady, forS: 60 }] }\n";
    expect(refused("")).not.toThrow();
    expect(
      refused(`  - { name: a, arduino: /dev/y, outputs: [{ name: s, type: siren, pin: 7 }], ${rules}`),
    ).toThrow(/there twice/);
    expect(
      refused(`  - { name: b, arduino: /dev/x, outputs: [{ name: s, type: siren, pin: 7 }], ${rules}`),
    ).toThrow(/something else/);
    expect(
      refused(
        `  - { name: b, arduino: /dev/y, silencePin: 7, outputs: [{ name: s, type: siren, pin: 7 }], ${rules}`,
      ),
    ).toThrow(/one pin or coil is used twice/);
    expect(
      refused(`  - { name: b, arduino: /dev/y, outputs: [{ name: t, type: siren, pin: 7 }], ${rules}`),
    ).toThrow(/no output "s"/);
  });
});

test.each(Object.keys(PATTERNS) as Pattern[])("%s begins with on, and says when it changes", (pattern) => {
  expect(levelAt(pattern, 0).isOn).toBe(true);
  for (let atMs = 0; atMs < 10_000; atMs += 50) {
    const { isOn, forMs } = levelAt(pattern, atMs);
    if (forMs === Number.POSITIVE_INFINITY) continue;
    expect(forMs).toBeGreaterThan(0);
    expect(levelAt(pattern, atMs + forMs - 1).isOn).toBe(isOn);
  }
});
