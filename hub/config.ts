/** hub.yaml. One schema checks the file, types the code and prints the documented default. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { isMap, isScalar, LineCounter, parseDocument, stringify } from "yaml";
import { REGIONS, type RegionName } from "../protocols/lorawan/regions.ts";
import { AnnunciatorsSchema, flawsOfAnnunciators } from "./annunciator/config.ts";
import { BusesSchema, flawsOfBuses } from "./carriers/rs485-config.ts";
import { ModbusSchema, mistakesIn } from "./modbus/config.ts";

const exact = { additionalProperties: false } as const;
const port = (description: string, byDefault: number) =>
  Type.Integer({ description, minimum: 0, maximum: 65535, default: byDefault });

const regionNames = Object.keys(REGIONS) as RegionName[];

export const HubConfigSchema = Type.Object(
  {
    name: Type.String({
      description: "The hub's name, as operators see it.",
      minLength: 1,
      maxLength: 64,
      default: "Hub",
    }),
    region: Type.Union(
      regionNames.map((name) => Type.Literal(name)),
      {
        description: `LoRaWAN region. Must be set: the law of the place decides. One of ${regionNames.join(", ")}.`,
      },
    ),
    semtechUdp: Type.Object(
      {
        host: Type.String({
          description:
            "Where gateways' packet forwarders send to. The protocol has no keys: addresses other than loopback need\nan entry in `gateways` for each gateway.",
          default: "127.0.0.1",
        }),
        port: port("UDP port; 0 takes a free one.", 1700),
        gateways: Type.Array(
          Type.Object(
            {
              eui: Type.String({ pattern: "^[0-9a-f]{16}$" }),
              sources: Type.Array(Type.String({ minLength: 1 }), { maxItems: 16, default: [] }),
            },
            exact,
          ),
          {
            description:
              "The only gateways that are heard: EUI (16 hex digits) and the addresses or ranges each may send from:\n  - { eui: 0016c001f1500001, sources: [192.168.1.20] }\nEmpty: every gateway on this machine.",
            maxItems: 64,
            default: [],
          },
        ),
      },
      { ...exact, description: "Radio gateways over Semtech UDP.", default: {} },
    ),
    buses: BusesSchema,
    broker: Type.Object(
      {
        host: Type.String({
          description: "Where boards and observers connect. Nobody connects without a name and a secret.",
          default: "127.0.0.1",
        }),
        port: port("MQTT port; 0 takes a free one.", 1883),
      },
      { ...exact, description: "The hub's own MQTT broker.", default: {} },
    ),
    centre: Type.Object(
      {
        pollS: Type.Integer({
          description:
            "The hub says that it lives every so many seconds; the centre raises an alarm when it does not.",
          minimum: 1,
          maximum: 3600,
          default: 10,
        }),
      },
      { ...exact, description: "Links to the centres that the hub is enrolled with.", default: {} },
    ),
    lorawan: Type.Object(
      {
        netId: Type.String({
          description: "NetID, 6 hex digits. 000000: a private network.",
          pattern: "^[0-9a-f]{6}$",
          default: "000000",
        }),
        rxDelayS: Type.Integer({
          description:
            "Seconds from a device's frame to its answer (RECEIVE_DELAY1). More only for gateways on slow lines.",
          minimum: 1,
          maximum: 15,
          default: 1,
        }),
      },
      { ...exact, description: "The LoRaWAN network server.", default: {} },
    ),
    modbus: ModbusSchema,
    annunciators: AnnunciatorsSchema,
    log: Type.Object(
      {
        level: Type.Union(
          (["debug", "info", "warn", "error"] as const).map((level) => Type.Literal(level)),
          { description: "debug prints every frame.", default: "info" },
        ),
      },
      { ...exact, description: "The log, JSON lines on standard output.", default: {} },
    ),
  },
  exact,
);

export type HubConfig = Static<typeof HubConfigSchema>;

/** A mistake in hub.yaml, in words that say where and what to do. One line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Throws a ConfigError with every mistake in the file, each with its line. */
export function readConfig(file: string): HubConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(
      `${file}: ${(cause as Error).message}\nMake one with: tugma hub config --commented > ${file}`,
    );
  }
  return parseConfig(text, file);
}

/** As `readConfig`, for text. `file` appears in the messages. */
export function parseConfig(text: string, file: string): HubConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = document.errors.map((error) => {
    const [start] = error.pos;
    return `${file}:${lines.linePos(start).line}: ${error.message.split("\n")[0]}`;
  });
  if (broken.length > 0) throw new ConfigError(broken.join("\n"));
  const config: unknown = Value.Default(HubConfigSchema, document.toJS() ?? {});
  const mistakes = firstPerPath([...Value.Errors(HubConfigSchema, config)]).map((mistake) => ({
    keys: mistake.path.split("/").slice(1),
    message: advice(mistake),
  }));
  if (mistakes.length === 0) mistakes.push(...beyondTheSchema(config as HubConfig));
  if (mistakes.length === 0) return config as HubConfig;
  const messages = mistakes.map(
    ({ keys, message }) =>
      `${file}:${lineOf(document, keys, lines)}: ${keys.join(".") || "the file"}: ${message}`,
  );
  throw new ConfigError(messages.join("\n"));
}

/** What depends on more than one setting. */
function beyondTheSchema({ modbus, buses, annunciators }: HubConfig): { keys: string[]; message: string }[] {
  const inModbus = mistakesIn(modbus).map(({ path, message }) => ({
    keys: ["modbus", ...path.map(String)],
    message,
  }));
  const paths = [...buses, ...modbus.buses].flatMap(({ path }) => path ?? []);
  return [...flawsOfBuses(buses, modbus.buses), ...inModbus, ...flawsOfAnnunciators(annunciators, paths)];
}

/** First 8 bytes of the configuration's SHA-256, 16 hex digits: what records name. Independent of the file's layout. */
export function configHash(config: HubConfig): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(config)))
    .digest("hex")
    .slice(0, 16);
}

/** The documented default, made from the schema. The region is left to be filled in. */
export function commentedConfig(): string {
  const head = "# Configuration of a Tugma hub. A wrong key or value is an error that names its line.\n";
  return head + printObject(HubConfigSchema.properties, "");
}

function printObject(properties: Record<string, TSchema>, indent: string): string {
  let out = "";
  for (const [key, schema] of Object.entries(properties)) {
    const { description } = schema;
    if (typeof description === "string") {
      out += `\n${description
        .split("\n")
        .map((line) => `${indent}# ${line}\n`)
        .join("")}`;
    }
    const nested = schema["properties"] as Record<string, TSchema> | undefined;
    if (nested !== undefined)
      out += `${indent}${key}:${printObject(nested, `${indent}  `).replace(/^\n?/, "\n")}`;
    else if (schema.default === undefined) out += `${indent}${key}:\n`;
    else out += `${indent}${key}: ${stringify(schema.default, { collectionStyle: "flow" }).trim()}\n`;
  }
  return out;
}

/** A union reports each of its members at the same path; one message is enough. */
function firstPerPath(errors: readonly ValueError[]): ValueError[] {
  const seen = new Set<string>();
  return errors.filter(({ path }) => !seen.has(path) && seen.add(path));
}

function advice({ schema, value, message, path }: ValueError): string {
  if (message === "Unexpected property") return `there is no such setting. See: tugma hub config --commented`;
  const choices = (schema["anyOf"] as TSchema[] | undefined)?.flatMap(({ const: word }) =>
    word === undefined ? [] : [word],
  );
  if (choices !== undefined && choices.length > 0) {
    const got =
      value === undefined || value === null ? "it must be set" : `${JSON.stringify(value)} is not known`;
    return `${got}; write one of ${choices.join(", ")}`;
  }
  const pattern = typeof schema["pattern"] === "string" ? `, pattern ${schema["pattern"]}` : "";
  const hint = path.endsWith("/eui") && typeof value === "number" ? ". Put the digits in quotes" : "";
  return `${message.toLowerCase()}${pattern}; got ${JSON.stringify(value) ?? "nothing"}${hint}`;
}

/** The line of the deepest part of the path that the file has. */
function lineOf(
  document: ReturnType<typeof parseDocument>,
  keys: readonly string[],
  lines: LineCounter,
): number {
  for (let depth = keys.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(keys.slice(0, depth - 1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && key.value === keys[depth - 1])
      : undefined;
    const node = (pair?.key ?? document.getIn(keys.slice(0, depth), true)) as
      | { range?: readonly number[] }
      | undefined;
    const start = node?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
