/** What is to become of which board: from options, or a CSV list with one row a board. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { EVENT_LIMITS } from "../../protocols/event.ts";
import { DeviceListError, parseCsv } from "../devices.ts";
import type { Flasher } from "./board.ts";

const text = Type.String({ minLength: 1, maxLength: EVENT_LIMITS.nameLength });

const Order = Type.Object(
  {
    port: Type.String({ minLength: 1 }),
    role: Type.String({ minLength: 1 }),
    uplink: Type.String({ minLength: 1 }),
    name: text,
    site: text,
    zone: text,
    region: Type.String({ pattern: "^(EU433|EU868|RU864|AS923|UZ923)$" }),
    /** A build, or a file (JSON) with the names of the pins. */
    profile: Type.Optional(Type.String({ minLength: 1 })),
    join_eui: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    heartbeat_s: Type.Integer({ minimum: 60, maximum: 86_400 }),
    wire_address: Type.Optional(Type.Integer({ minimum: 1, maximum: 126 })),
  },
  { additionalProperties: false },
);
export type FlashOrder = Static<typeof Order> & {
  /** How messages name it. */
  readonly line: string;
  readonly pins: Readonly<Record<string, unknown>>;
  /** Boards with these pins; null where a file names the pins, for it may be any. */
  readonly boards: readonly string[] | null;
};

export const ORDER_COLUMNS = Object.keys(Order.properties);

/** All EUIs made here are locally administered (second hex digit 2, 6, A or E), so that they can never be a maker's. */
export const DEFAULT_JOIN_EUI = "0200000000000001";

const DEFAULTS: Cells = { uplink: "rak3172", join_eui: DEFAULT_JOIN_EUI, heartbeat_s: "3600" };
const NUMBERS = ["heartbeat_s", "wire_address"];

type Cells = Readonly<Record<string, string | undefined>>;

/** One order from the options, or one for each row of `csvFile`; an option stands in for a cell that is empty or has no
 *  column. Throws a DeviceListError with every mistake. */
export function readOrders(
  options: Cells,
  csvFile: string | undefined,
  flasher: Pick<Flasher, "programs" | "profile">,
): FlashOrder[] {
  const rows = csvFile === undefined ? [{ line: "the board", cells: options }] : rowsOf(csvFile, options);
  const mistakes: string[] = [];
  const orders = rows.map(({ line, cells }) => {
    const order = Object.fromEntries(
      ORDER_COLUMNS.flatMap((column) => {
        const cell = (cells[column] || DEFAULTS[column])?.trim();
        if (cell === undefined || cell === "") return [];
        const isNumber = NUMBERS.includes(column) && /^\d+$/.test(cell);
        return [[column, isNumber ? Number(cell) : cell]];
      }),
    );
    mistakes.push(...flawsOf(order, flasher.programs).map((flaw) => `${line}: ${flaw}`));
    const profile = String(order["profile"] ?? `${order["role"]}-${order["uplink"]}`);
    const wired = flasher.profile(profile) ?? profileIn(profile);
    if (typeof wired === "string") mistakes.push(`${line}: profile: ${wired}`);
    const { pins, boards } = typeof wired === "string" ? NO_PROFILE : wired;
    return { ...(order as Static<typeof Order>), line, pins, boards };
  });
  mistakes.push(...clashes(orders));
  if (mistakes.length > 0) throw new DeviceListError(mistakes.join("\n"));
  return orders;
}

function rowsOf(file: string, options: Cells): { line: string; cells: Cells }[] {
  let csv: string;
  try {
    csv = readFileSync(file, "utf8");
  } catch (cause) {
    throw new DeviceListError(`${file}: ${(cause as Error).message}`);
  }
  const [header, ...rows] = parseCsv(csv.replace(/^\ufeff/, ""));
  const columns = header?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const unknown = columns.filter(
    (column, at) => !ORDER_COLUMNS.includes(column) || columns.indexOf(column) !== at,
  );
  if (header === undefined || rows.length === 0 || unknown.length > 0) {
    const flaw =
      unknown.length > 0 ? `there is no column "${unknown.join('", "')}", or it is there twice` : "no rows";
    throw new DeviceListError(`${file}: ${flaw}; columns are ${ORDER_COLUMNS.join(",")}`);
  }
  return rows.map(({ line, cells }) => {
    if (cells.length !== columns.length)
      throw new DeviceListError(
        `${file}: line ${line}: ${cells.length} cells, the header has ${columns.length}`,
      );
    const given = Object.fromEntries(
      columns.map((column, at) => [column, cells[at]?.trim() || options[column]]),
    );
    const profile = given["profile"];
    const isBeside = profile?.endsWith(".json") === true && profile !== options["profile"];
    const beside = isBeside ? { profile: path.resolve(path.dirname(file), profile) } : {};
    return { line: `${file}: line ${line}`, cells: { ...options, ...given, ...beside } };
  });
}

function flawsOf(
  order: Readonly<Record<string, unknown>>,
  programs: Readonly<Record<string, readonly string[]>>,
): string[] {
  const flaws = [...Value.Errors(Order, order)].map(({ path: at, message, value }) => {
    const got = value === undefined ? "missing" : `${message.toLowerCase()}, got ${JSON.stringify(value)}`;
    return `${at.slice(1)}: ${got}`;
  });
  const uplinks = programs[String(order["role"])];
  if (uplinks === undefined) flaws.push(`role: there are ${Object.keys(programs).join(", ")}`);
  else if (!uplinks.includes(String(order["uplink"])))
    flaws.push(`uplink: ${String(order["role"])} runs on ${uplinks.join(", ")}`);
  if (order["uplink"] === "mqtt")
    flaws.push(
      "uplink: the Wi-Fi and the broker's password of such a board are not set up by this command yet",
    );
  if (order["uplink"] === "wire" && order["wire_address"] === undefined)
    flaws.push("wire_address: missing; a board on a bus has an address from 1 to 126");
  return [...new Set(flaws)];
}

const NO_PROFILE = { pins: {}, boards: null } as const;

/** The pins that a profile file names, or what is wrong with it. */
function profileIn(file: string): Pick<FlashOrder, "pins" | "boards"> | string {
  try {
    const pins: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof pins === "object" && pins !== null && !Array.isArray(pins))
      return { pins: pins as Record<string, unknown>, boards: null };
    return `${file} is no JSON object with the names of pins`;
  } catch (cause) {
    return `no build and no file of this name; tugma hardware list names builds: ${(cause as Error).message}`;
  }
}

/** Two boards cannot be on one port at once. */
function clashes(orders: readonly FlashOrder[]): string[] {
  return orders.flatMap(({ port, line }, at) => {
    const first = orders.findIndex((other) => other.port === port);
    return first < at ? [`${line}: the port ${port} is also in ${orders[first]?.line}`] : [];
  });
}
