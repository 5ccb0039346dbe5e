/** `modbus:` in hub.yaml: buses, the devices on them, which points they have and what each one watches. */
import { type Static, Type } from "@sinclair/typebox";
import { EVENT_LIMITS } from "../../protocols/event.ts";
import { POINT_KINDS } from "./meaning.ts";
import { type Profile, ProfileSchema } from "./profile.ts";
import { builtInProfile, PROFILE_NAMES } from "./profiles.ts";

const exact = { additionalProperties: false } as const;
/** Buses and devices are named in records, and their names are what they are known by. */
const name = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$" });
/** As a record takes it. */
const place = Type.String({
  minLength: 1,
  maxLength: EVENT_LIMITS.nameLength,
  pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufeff]+$",
});

const MAX_BUSES = 16;
const MAX_UNITS = 64;
const MAX_POINTS = 512;

const PointSchema = Type.Object(
  {
    /** The panel's own number of it. */
    at: Type.Integer({ minimum: 0, maximum: 65_535 }),
    zone: Type.Optional(place),
    site: Type.Optional(place),
    kind: Type.Optional(Type.Union(POINT_KINDS.map((kind) => Type.Literal(kind)))),
    above: Type.Optional(Type.Number()),
    below: Type.Optional(Type.Number()),
    hysteresis: Type.Optional(Type.Number({ minimum: 0 })),
  },
  exact,
);

const UnitSchema = Type.Object(
  {
    name,
    unit: Type.Integer({ minimum: 1, maximum: 247 }),
    profile: Type.String({ minLength: 1 }),
    site: place,
    /** Of points that have none of their own. */
    zone: Type.Optional(place),
    pollMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
    /** Added to every address: -1 for a panel that counts from 1 on the wire, too. */
    shift: Type.Integer({ minimum: -65_535, maximum: 65_535, default: 0 }),
    /** Lets the hub write the register that selects what is read. Nothing else is ever written. */
    allowSelect: Type.Boolean({ default: false }),
    points: Type.Array(PointSchema, { minItems: 1, maxItems: MAX_POINTS }),
  },
  exact,
);

const BusSchema = Type.Object(
  {
    name,
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
    /** The frames of a serial line over TCP, as plain serial servers carry them. */
    rtuOverTcp: Type.Boolean({ default: false }),
    timeoutMs: Type.Integer({ minimum: 50, maximum: 5_000, default: 500 }),
    units: Type.Array(UnitSchema, { minItems: 1, maxItems: MAX_UNITS }),
  },
  exact,
);

export const ModbusSchema = Type.Object(
  {
    buses: Type.Array(BusSchema, {
      description: `Each with a path (serial, best below /dev/serial/by-id) or a host (Modbus TCP), and the units on it:
  - name: fire panels
    path: /dev/serial/by-id/usb-FTDI_USB-RS485_A1B2C3-if00-port0
    baudRate: 9600      # parity: none, stopBits: 1, timeoutMs: 500; or host: 192.168.1.30, port: 502
    units:
      - name: panel 1
        unit: 1
        profile: bolid-c2000-pp
        site: Chilonzor 9
        points:
          - { at: 1, zone: Entrance 1 }
          - { at: 2, zone: Entrance 2, kind: heat }
Profiles: ${PROFILE_NAMES.join(", ")},
and your own below.`,
      maxItems: MAX_BUSES,
      default: [],
    }),
    profiles: Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,39}$" }), ProfileSchema, {
      ...exact,
      description: "Profiles of your own, by name. A draft is written by: tugma modbus learn",
      default: {},
    }),
  },
  {
    ...exact,
    description: "Fire panels and sensors of others, polled over Modbus. The hub only reads.",
    default: {},
  },
);

export type ModbusConfig = Static<typeof ModbusSchema>;
export type BusConfig = ModbusConfig["buses"][number];
export type UnitConfig = BusConfig["units"][number];
export type PointConfig = UnitConfig["points"][number];

/** A mistake that no schema can see. `path` leads to what is wrong. */
export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The profile of a unit; undefined when there is none of this name. The installer's own come first. */
export function profileOf(
  { profiles }: Pick<ModbusConfig, "profiles">,
  { profile }: UnitConfig,
): Profile | undefined {
  return Object.hasOwn(profiles, profile) ? profiles[profile] : builtInProfile(profile);
}

/** For a configuration that fits the schema. Empty when it can be run. */
export function mistakesIn(config: ModbusConfig): Mistake[] {
  const at = ["buses"] as const;
  return [
    ...doubled(config.buses, ({ name }) => name, "name", at),
    ...doubled(config.buses, ({ path }) => path, "path", at),
    ...config.buses.flatMap((bus, index) => inBus(config, bus, [...at, index])),
    ...Object.entries(config.profiles).flatMap(([name, profile]) => inProfile(profile, ["profiles", name])),
  ];
}

function inBus(config: ModbusConfig, bus: BusConfig, path: Mistake["path"]): Mistake[] {
  const mistakes: Mistake[] = [];
  if ((bus.path === undefined) === (bus.host === undefined))
    mistakes.push({ path, message: "give it a path (serial) or a host (TCP), one of both" });
  const units = [...path, "units"];
  return [
    ...mistakes,
    ...doubled(bus.units, ({ name }) => name, "name", units),
    ...bus.units.flatMap((unit, index) => inUnit(config, unit, [...units, index])),
  ];
}

function inUnit(config: ModbusConfig, unit: UnitConfig, path: Mistake["path"]): Mistake[] {
  const profile = profileOf(config, unit);
  if (profile === undefined) {
    const known = [...Object.keys(config.profiles), ...PROFILE_NAMES].join(", ");
    return [
      { path: [...path, "profile"], message: `there is no profile "${unit.profile}"; write one of ${known}` },
    ];
  }
  const mistakes: Mistake[] = doubled(unit.points, ({ at }) => at, "at", [...path, "points"]);
  if (profile.select !== undefined && !unit.allowSelect)
    mistakes.push({
      path: [...path, "profile"],
      message: `it selects what is read by writing register ${profile.select}; allow that with allowSelect: true`,
    });
  for (const [index, point] of unit.points.entries()) {
    const message = wrongWith(profile, unit, point);
    if (message !== null) mistakes.push({ path: [...path, "points", index], message });
  }
  return mistakes;
}

function wrongWith(profile: Profile, unit: UnitConfig, point: PointConfig): string | null {
  if (point.at < profile.from || point.at > profile.to)
    return `point ${point.at} is outside of ${profile.from} to ${profile.to}`;
  const first = firstAddress(profile, unit, point.at);
  if (first < 0 || first + profile.width > 0x1_0000) return `its address ${first} is outside of 0 to 65535`;
  const hasLimit = point.above !== undefined || point.below !== undefined;
  if (profile.value !== undefined && profile.codes === undefined && profile.bits === undefined && !hasLimit)
    return "a measured value needs a limit: above or below";
  if (profile.value === undefined && hasLimit)
    return "above and below are for measured values; this profile has none";
  return null;
}

/** On the wire. */
export function firstAddress(profile: Profile, { shift }: Pick<UnitConfig, "shift">, at: number): number {
  const offset = profile.select === undefined ? (at - profile.from) * profile.step : 0;
  return profile.address + offset + shift;
}

function inProfile(profile: Profile, path: Mistake["path"]): Mistake[] {
  const mistakes: Mistake[] = [];
  const say = (key: string, message: string) => mistakes.push({ path: [...path, key], message });
  const { width, block, table, from, to, codes, bits, value, absent } = profile;
  if (to < from) say("to", `${to} is less than from, ${from}`);
  if (width > block) say("width", `a point of ${width} does not fit into one read of ${block}`);
  const words = table === "coils" || table === "discreteInputs" ? 1 : width;
  const used = [codes, value, absent, ...(bits ?? [])].map((rule) => rule?.word ?? 0);
  if (Math.max(...used) >= words)
    say("width", `word ${Math.max(...used)} is asked for, and there are ${words}`);
  if (codes === undefined && value === undefined && (bits ?? []).length === 0)
    say("table", "it says nothing of what the values mean: add codes, bits or value");
  return mistakes;
}

function doubled<T>(
  list: readonly T[],
  of: (one: T) => string | number | undefined,
  key: string,
  path: Mistake["path"],
): Mistake[] {
  return list.flatMap((one, index) => {
    const value = of(one);
    const before = list.findIndex((other) => of(other) === value);
    if (value === undefined || before === index) return [];
    return [{ path: [...path, index, key], message: `${JSON.stringify(value)} is there twice` }];
  });
}
