/** centre.yaml: one schema checks the file, types the code and writes the commented default. */
import { readFileSync } from "node:fs";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { LineCounter, parseDocument } from "yaml";

/** A wrong configuration file. The message names the file, the line, the path and what is expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const port = (usual: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: usual });
const host = (usual: string) => Type.String({ minLength: 1, maxLength: 253, default: usual });
const STRICT = { additionalProperties: false } as const;

export const CentreConfig = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64, default: "Tugma centre" }),
    realm: Type.String({ pattern: "^[a-z0-9][a-z0-9.-]{0,63}$", default: "tugma-test" }),
    hosts: Type.Array(Type.String({ pattern: "^[A-Za-z0-9.-]{1,253}$" }), {
      minItems: 1,
      maxItems: 16,
      uniqueItems: true,
      default: ["localhost", "127.0.0.1"],
    }),
    mqtt: Type.Object({ host: host("127.0.0.1"), port: port(8883) }, { ...STRICT, default: {} }),
    enrol: Type.Object(
      {
        host: host("127.0.0.1"),
        port: port(8884),
        inviteHours: Type.Number({ exclusiveMinimum: 0, maximum: 720, default: 24 }),
        attemptsPerMinute: Type.Integer({ minimum: 1, maximum: 100_000, default: 10 }),
      },
      { ...STRICT, default: {} },
    ),
    web: Type.Object({ host: host("127.0.0.1"), port: port(8080) }, { ...STRICT, default: {} }),
    maxConnections: Type.Integer({ minimum: 1, maximum: 100_000, default: 4000 }),
    clockToleranceMs: Type.Integer({ minimum: 1000, maximum: 3_600_000, default: 10_000 }),
    devices: Type.Record(
      Type.String({ pattern: "^[0-9a-f]{16}$" }),
      Type.String({ minLength: 1, maxLength: 120 }),
      {
        ...STRICT,
        default: {},
      },
    ),
  },
  STRICT,
);

export type CentreConfig = Static<typeof CentreConfig>;

/** The whole file as it is written on the first start; it says what each line is for. */
export const COMMENTED_CONFIG = `# Tugma centre. Every line may be left out; shown are the defaults.

# Shown on screens and written into each hub's enrolment.
name: Tugma centre

# Enters every signature: a record of one realm is never taken in another. Choose it once, before the first hub.
realm: tugma-test

# Names and IPv4 addresses by which hubs reach this machine. They stand in the server's certificate; the first one also in
# invitation codes.
hosts:
  - localhost
  - 127.0.0.1

# Where hubs deliver (MQTT over TLS with client certificates). 0.0.0.0: on all networks.
mqtt:
  host: 127.0.0.1
  port: 8883

# Where new hubs enrol, how long an invitation is good for, and how often one address may try.
enrol:
  host: 127.0.0.1
  port: 8884
  inviteHours: 24
  attemptsPerMinute: 10

# The operators' console.
web:
  host: 127.0.0.1
  port: 8080

# Hubs connected at once.
maxConnections: 4000

# A record whose clock is further off than its own uncertainty and this is marked "time uncertain". It is never refused.
clockToleranceMs: 10000

# Names of devices by DevEUI, as operators shall read them.
devices: {}
`;

/** The configuration with nothing written in it. */
export function defaultConfig(): CentreConfig {
  return parseConfig("", "default");
}

/** Reads centre.yaml. Throws a ConfigError for the first mistake. */
export function readConfig(file: string): CentreConfig {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(
      `${file}: cannot be read (${String(cause)}). Run "tugma centre init" to make one.`,
      { cause },
    );
  }
  return parseConfig(source, file);
}

/** `file` is for messages only. */
export function parseConfig(source: string, file: string): CentreConfig {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const [flaw] = document.errors;
  if (flaw !== undefined)
    throw new ConfigError(`${file}:${lines.linePos(flaw.pos[0]).line}: ${flaw.message}`);
  const config: unknown = Value.Default(CentreConfig, document.toJS() ?? {});
  const wrong = Value.Errors(CentreConfig, config).First();
  if (wrong === undefined) return Value.Decode(CentreConfig, config);
  const keys = wrong.path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const node = document.getIn(keys, true) as { range?: [number, number, number] } | undefined;
  const at = node?.range === undefined ? "" : `:${lines.linePos(node.range[0]).line}`;
  throw new ConfigError(
    `${file}${at}: ${keys.join(".") || "the file"}: ${wrong.message.toLowerCase()}. See "tugma centre config".`,
  );
}
