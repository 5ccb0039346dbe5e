/** Devices as people give them: JSON from a program, or CSV from a list. All or nothing, every mistake with its place. */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { MODES } from "../protocols/device/report.ts";
import { EVENT_LIMITS } from "../protocols/event.ts";
import type { DeviceRow } from "./lorawan/store.ts";

const name = Type.String({
  minLength: 1,
  maxLength: EVENT_LIMITS.nameLength,
  pattern: "^[^\\x00-\\x1f\\x7f\\ufeff]*$",
});

export const DeviceInput = Type.Object(
  {
    devEui: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    joinEui: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    appKey: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    name,
    place: Type.Object({ site: name, zone: name }, { additionalProperties: false }),
    macVersion: Type.Union([Type.Literal("1.0.2"), Type.Literal("1.0.3"), Type.Literal("1.0.4")], {
      default: "1.0.4",
    }),
    deviceClass: Type.Union([Type.Literal("A"), Type.Literal("C")], { default: "A" }),
    /** Longest silence the device promises, in seconds. */
    intervalS: Type.Integer({ minimum: 10, maximum: 604_800, default: 3600 }),
    allowModes: Type.Array(Type.Union(MODES.map((mode) => Type.Literal(mode))), {
      default: [...MODES],
      uniqueItems: true,
    }),
  },
  { additionalProperties: false },
);
export type DeviceInput = Static<typeof DeviceInput>;

export const MAX_DEVICES = 10_000;

/** Mistakes in a list of devices, one line each. */
export class DeviceListError extends Error {
  override readonly name = "DeviceListError";
}

/** Checks a JSON array of devices against each other and against those already `known`. `placeOf` names an entry in
 *  messages. Throws a DeviceListError with every mistake. */
export function checkDevices(
  list: unknown,
  known: ReadonlySet<string>,
  placeOf: (index: number) => string = (index) => `device ${index + 1}`,
): DeviceRow[] {
  if (!Array.isArray(list)) throw new DeviceListError("expected a JSON array of devices");
  if (known.size + list.length > MAX_DEVICES) {
    throw new DeviceListError(
      `a hub takes ${MAX_DEVICES} devices; there are ${known.size}, and ${list.length} are to come`,
    );
  }
  const mistakes: string[] = [];
  const seen = new Map<string, number>();
  const rows = list.map((item: unknown, index) => {
    const input: unknown = Value.Default(DeviceInput, structuredClone(item));
    const flaws = flawsOf(input);
    for (const flaw of flaws) mistakes.push(`${placeOf(index)}: ${flaw}`);
    const device = input as DeviceInput;
    if (flaws.length > 0) return device;
    const earlier = seen.get(device.devEui);
    if (earlier !== undefined)
      mistakes.push(`${placeOf(index)}: DevEUI ${device.devEui} is also in ${placeOf(earlier)}`);
    else if (known.has(device.devEui)) {
      mistakes.push(
        `${placeOf(index)}: DevEUI ${device.devEui} is here already; remove it first to replace it`,
      );
    }
    seen.set(device.devEui, index);
    return device;
  });
  if (mistakes.length > 0) throw new DeviceListError(mistakes.join("\n"));
  return rows.map(newDevice);
}

function flawsOf(input: unknown): string[] {
  const seen = new Set<string>();
  return [...Value.Errors(DeviceInput, input)]
    .filter(({ path }) => !seen.has(path) && seen.add(path))
    .map(({ path, message, value, schema }) => {
      const pattern = typeof schema["pattern"] === "string" ? ` (${schema["pattern"]})` : "";
      // never the value of a key: messages go to logs
      const got = path === "/appKey" ? "" : `, got ${JSON.stringify(value) ?? "nothing"}`;
      return `${path.slice(1).replaceAll("/", ".") || "device"}: ${message.toLowerCase()}${pattern}${got}`;
    });
}

/** A device that has never joined. */
function newDevice(input: DeviceInput): DeviceRow {
  return { ...input, usedDevNonces: [], lastDevNonce: -1, joinNonce: 0, session: null, pendingSession: null };
}

const COLUMNS = {
  dev_eui: true,
  join_eui: true,
  app_key: true,
  name: true,
  site: true,
  zone: true,
  mac_version: false,
  class: false,
  interval_s: false,
  modes: false,
} as const;
type Column = keyof typeof COLUMNS;

export const CSV_HEADER = Object.keys(COLUMNS).join(",");

/** A list with a header row, comma or semicolon, quotes as in RFC 4180. `modes` is a list with spaces. Throws a
 *  DeviceListError that names lines. */
export function readDeviceCsv(text: string): { inputs: unknown[]; lines: number[] } {
  const [header, ...rows] = parseCsv(text.replace(/^\ufeff/, ""));
  if (header === undefined) throw new DeviceListError(`line 1: empty; expected the header ${CSV_HEADER}`);
  const columns = header.cells.map((cell) => cell.trim().toLowerCase());
  const unknown = columns.filter((column) => !(column in COLUMNS));
  const missing = Object.entries(COLUMNS).flatMap(([column, needed]) =>
    needed && !columns.includes(column) ? [column] : [],
  );
  const twice = columns.filter((column, index) => columns.indexOf(column) !== index);
  const mistakes = [
    ...unknown.map((column) => `line 1: there is no column "${column}"; columns are ${CSV_HEADER}`),
    ...missing.map((column) => `line 1: the column ${column} is missing`),
    ...twice.map((column) => `line 1: the column ${column} is there twice`),
    ...rows.flatMap(({ line, cells }) =>
      cells.length === columns.length
        ? []
        : [`line ${line}: ${cells.length} cells, the header has ${columns.length}`],
    ),
  ];
  if (mistakes.length > 0) throw new DeviceListError(mistakes.join("\n"));
  const inputs = rows.map(({ cells }) => {
    const cell = (column: Column) => cells[columns.indexOf(column)]?.trim() || undefined;
    return inputOf(cell);
  });
  return { inputs, lines: rows.map(({ line }) => line) };
}

function inputOf(cell: (column: Column) => string | undefined): unknown {
  const optional = {
    macVersion: cell("mac_version"),
    deviceClass: cell("class"),
    intervalS: numberOf(cell("interval_s")),
    allowModes: cell("modes")?.split(/\s+/),
  };
  return {
    devEui: cell("dev_eui")?.toLowerCase(),
    joinEui: cell("join_eui")?.toLowerCase(),
    appKey: cell("app_key")?.toLowerCase(),
    name: cell("name"),
    place: { site: cell("site"), zone: cell("zone") },
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** The text itself where it is no number, so that the message shows it. */
function numberOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

/** Rows with the number of the line on which each begins; blank lines are left out. Comma or semicolon, as in the first
 *  line. Throws a DeviceListError for a quote that is not closed. */
export function parseCsv(text: string): { line: number; cells: string[] }[] {
  const separator = (text.split("\n", 1)[0] ?? "").includes(";") ? ";" : ",";
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = "";
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRow = () => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== "") rows.push({ line: start, cells });
    cells = [];
    cell = "";
  };
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\n") line++;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text.charAt(i + 1) === '"') cell += text.charAt(++i);
      else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === separator) {
      cells.push(cell);
      cell = "";
    } else if (char === "\n") {
      endRow();
      start = line;
    } else if (char !== "\r") cell += char;
  }
  if (quoted) throw new DeviceListError(`line ${start}: a quote is not closed`);
  endRow();
  return rows;
}
