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
    /** Arduino: digital pin; a high level energises. 0 and 1 are the serial port. */
    pin: Type.Optional(Type.Integer({ minimum: 2, maximum: 19 })),
    /** Relay module: as on the wire, from 0. */
    coil: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
  },
  exact,
);

/** A line of its own: on a bus with panels a siren would wait behind their reading. */
const RelaySchema = Type.Object(
  {
    /** One of path and host. */
    path: Type.Optional(Type.String({ minLength: 1 })),
    baudRate: Type.Integer({ minimum: 300, maximum: 1_000_000, default: 9600 }),
    parity: Type.Union(
      (["none", "even", "odd"] as const).map((word) => Type.Literal(word)),
      { default: "none" },
    ),
    stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { default: 1 }),
    host: Type.Optional(Type.String({ minLength: 1 })),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502 }),
    unit: Type.Integer({ minimum: 1, maximum: 247 }),
    timeoutMs: Type.Integer({ minimum: 50, maximum: 2_000, default: 300 }),
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
      arduino: Type.Optional(Type.String({ minLength: 1 })),
      /** Or a relay module over Modbus. */
      relay: Type.Optional(RelaySchema),
      outputs: Type.Array(OutputSchema, { minItems: 1, maxItems: MAX_OUTPUTS }),
      /** Arduino: digital pin of a key that closes to ground. */
      silencePin: Type.Optional(Type.Integer({ minimum: 2, maximum: 19 })),
      rules: Type.Array(RuleSchema, { minItems: 1, maxItems: MAX_RULES }),
    },
    exact,
  ),
  {
    description: `Local sirens, strobes and lamps, on an Arduino with StandardFirmata or on a Modbus relay module with a line of its
own. The first rule that fits wins an output:
  - name: stairwell
    arduino: /dev/serial/by-id/usb-Arduino_Uno_A1B2C3-if00
    outputs:
      - { name: siren, type: siren, pin: 7 }
      - { name: strobe, type: strobe, pin: 8 }
    silencePin: 4       # a key to ground; it stops sirens until the next alarm
    rules:
      - { kinds: [smoke, heat, callPoint], outputs: [siren, strobe], pattern: temporal3, forS: 1800 }
      - { kinds: [panic], site: Chilonzor 9, outputs: [siren], pattern: pulse, forS: 180, exercises: [drill] }
  - name: yard
    relay: { host: 192.168.1.40, unit: 1 }    # port: 502; or path: /dev/serial/by-id/…, baudRate: 9600
    outputs: [{ name: siren, type: siren, coil: 0 }]
    rules: [{ kinds: [smoke, heat, callPoint], outputs: [siren], pattern: steady, forS: 1800 }]
Kinds: ${SHOWN_KINDS.join(", ")}. Patterns: ${Object.keys(PATTERNS).join(", ")}.`,
    maxItems: MAX_ANNUNCIATORS,
    default: [],
  },
);

export type AnnunciatorConfig = Static<typeof AnnunciatorsSchema>[number];
export type RelayConfig = Static<typeof RelaySchema>;

interface Flaw {
  readonly keys: string[];
  readonly message: string;
}

/** What no schema can see, for a configuration that fits it. Empty when it can be run. `takenPaths`: serial ports that
 *  other parts of the hub open. */
export function flawsOfAnnunciators(
  annunciators: readonly AnnunciatorConfig[],
  takenPaths: readonly string[],
): Flaw[] {
  const names: string[] = [];
  const paths = [...takenPaths];
  return annunciators.flatMap((one, index) => {
    const at = ["annunciators", String(index)];
    const flaws = [...flawsOfLine(one, at), ...flawsOfOutputs(one, at)];
    if (names.includes(one.name))
      flaws.push({ keys: [...at, "name"], message: `${JSON.stringify(one.name)} is there twice` });
    const path = one.arduino ?? one.relay?.path;
    if (path !== undefined && paths.includes(path))
      flaws.push({ keys: at, message: `${path} is used for something else` });
    names.push(one.name);
    if (path !== undefined) paths.push(path);
    return flaws;
  });
}

function flawsOfLine({ arduino, relay, silencePin, outputs }: AnnunciatorConfig, at: string[]): Flaw[] {
  const flaws: Flaw[] = [];
  if ((arduino === undefined) === (relay === undefined))
    flaws.push({ keys: at, message: "give it an arduino or a relay, one of both" });
  if (relay !== undefined && (relay.path === undefined) === (relay.host === undefined))
    flaws.push({ keys: [...at, "relay"], message: "give it a path (serial) or a host (TCP), one of both" });
  if (relay !== undefined && silencePin !== undefined)
    flaws.push({ keys: [...at, "silencePin"], message: "only an arduino has a key" });
  const wanted = arduino === undefined ? "coil" : "pin";
  for (const [index, { pin, coil }] of outputs.entries())
    if ((wanted === "pin") !== (pin !== undefined) || (wanted === "coil") !== (coil !== undefined))
      flaws.push({
        keys: [...at, "outputs", String(index)],
        message: `here it has a ${wanted}, and nothing else`,
      });
  return flaws;
}

function flawsOfOutputs({ outputs, silencePin, rules }: AnnunciatorConfig, at: string[]): Flaw[] {
  const flaws: Flaw[] = [];
  const names = outputs.map(({ name }) => name);
  const places = [
    ...outputs.flatMap(({ pin, coil }) => pin ?? coil ?? []),
    ...(silencePin ? [silencePin] : []),
  ];
  if (new Set(names).size < names.length)
    flaws.push({ keys: [...at, "outputs"], message: "two outputs have one name" });
  if (new Set(places).size < places.length)
    flaws.push({ keys: [...at, "outputs"], message: "one pin or coil is used twice" });
  for (const [rule, wanted] of rules.entries()) {
    const unknown = wanted.outputs.find((output) => !names.includes(output));
    if (unknown !== undefined)
      flaws.push({
        keys: [...at, "rules", String(rule), "outputs"],
        message: `there is no output "${unknown}"; write one of ${names.join(", ")}`,
      });
  }
  return flaws;
}
