/** `annunciators:` in hub.yaml: local sirens, strobes and lamps, what each one is for and how long it goes. */
import { type Static, Type } from "@sinclair/typebox";
import { MODES } from "../../protocols/device/report.ts";
import { EVENT_LIMITS } from "../../protocols/event.ts";
import { PATTERNS, type Pattern } from "./pattern.ts";

/** The only kinds that can be shown here. What is reported in silence (a silent panic, duress), and whatever comes from who
 *  reports so (tamper, faults), is not among them: no configuration can make it sound. */
export const SHOWN_KINDS = [
  "panic",
  "smoke",
  "heat",
  "callPoint",
  "medical",
  "intrusion",
  "technical",
  "preAlarm",
] as const;

/** A silence key stops sirens; strobes and lamps go on. */
export const OUTPUT_TYPES = ["siren", "strobe", "lamp"] as const;

const exact = { additionalProperties: false } as const;
const name = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$" });
const oneOf = <const T extends readonly string[]>(words: T) =>
  Type.Union(words.map((word) => Type.Literal(word as T[number])));

const MAX_ANNUNCIATORS = 8;
const MAX_OUTPUTS = 16;
const MAX_RULES = 16;
const MAX_RULE_S = 86_400;

const OutputSchema = Type.Object(
  {
    name,
    type: oneOf(OUTPUT_TYPES),
    /** Digital pin; a high level energises. 0 and 1 are the serial port. */
    pin: Type.Integer({ minimum: 2, maximum: 19 }),
  },
  exact,
);

const RuleSchema = Type.Object(
  {
    kinds: Type.Array(oneOf(SHOWN_KINDS), { minItems: 1 }),
    /** Only of this site. */
    site: Type.Optional(Type.String({ minLength: 1, maxLength: EVENT_LIMITS.nameLength })),
    outputs: Type.Array(name, { minItems: 1 }),
    pattern: oneOf(Object.keys(PATTERNS) as Pattern[]),
    forS: Type.Integer({ minimum: 1, maximum: MAX_RULE_S }),
    /** Exercises that it is shown for, too. The real is always shown. */
    exercises: Type.Array(oneOf(MODES.filter((mode) => mode !== "real")), { default: [] }),
  },
  exact,
);

export const AnnunciatorsSchema = Type.Array(
  Type.Object(
    {
      name,
      /** Serial port of an Arduino that runs StandardFirmata. */
      arduino: Type.String({ minLength: 1 }),
      outputs: Type.Array(OutputSchema, { minItems: 1, maxItems: MAX_OUTPUTS }),
      /** Digital pin of a key that closes to ground. */
      silencePin: Type.Optional(Type.Integer({ minimum: 2, maximum: 19 })),
      rules: Type.Array(RuleSchema, { minItems: 1, maxItems: MAX_RULES }),
    },
    exact,
  ),
  {
    description: `Local sirens, strobes and lamps on an Arduino with StandardFirmata. The first rule that fits wins an output:
  - name: stairwell
    arduino: /dev/serial/by-id/usb-Arduino_Uno_A1B2C3-if00
    outputs:
      - { name: siren, type: siren, pin: 7 }
      - { name: strobe, type: strobe, pin: 8 }
    silencePin: 4       # a key to ground; it stops sirens until the next alarm
    rules:
      - { kinds: [smoke, heat, callPoint], outputs: [siren, strobe], pattern: temporal3, forS: 1800 }
      - { kinds: [panic], site: Chilonzor 9, outputs: [siren], pattern: pulse, forS: 180, exercises: [drill] }
Kinds: ${SHOWN_KINDS.join(", ")}. Patterns: ${Object.keys(PATTERNS).join(", ")}.`,
    maxItems: MAX_ANNUNCIATORS,
    default: [],
  },
);

export type AnnunciatorConfig = Static<typeof AnnunciatorsSchema>[number];

/** What no schema can see, for a configuration that fits it. Empty when it can be run. `takenPaths`: serial ports that
 *  other parts of the hub open. */
export function flawsOfAnnunciators(
  annunciators: readonly AnnunciatorConfig[],
  takenPaths: readonly string[],
): { keys: string[]; message: string }[] {
  const paths = [...takenPaths];
  return annunciators.flatMap((one, index) => {
    const at = ["annunciators", String(index)];
    const flaws: { keys: string[]; message: string }[] = [];
    if (annunciators.findIndex(({ name }) => name === one.name) < index)
      flaws.push({ keys: [...at, "name"], message: `${JSON.stringify(one.name)} is there twice` });
    if (paths.includes(one.arduino))
      flaws.push({ keys: [...at, "arduino"], message: `${one.arduino} is used for something else` });
    paths.push(one.arduino);
    const names = one.outputs.map((output) => output.name);
    const pins = [...one.outputs.map(({ pin }) => pin), ...(one.silencePin ? [one.silencePin] : [])];
    if (new Set(names).size < names.length)
      flaws.push({ keys: [...at, "outputs"], message: "two outputs have one name" });
    if (new Set(pins).size < pins.length)
      flaws.push({ keys: [...at, "outputs"], message: "one pin is used twice" });
    for (const [rule, { outputs }] of one.rules.entries()) {
      const unknown = outputs.find((output) => !names.includes(output));
      if (unknown !== undefined)
        flaws.push({
          keys: [...at, "rules", String(rule), "outputs"],
          message: `there is no output "${unknown}"; write one of ${names.join(", ")}`,
        });
    }
    return flaws;
  });
}
