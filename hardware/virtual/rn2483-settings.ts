/** Settings of an RN2483 (Microchip's command reference DS40001784): `mac set`, `mac get`, and what a frame's line says.
 *  They live in RAM: this model has no `mac save`. */
import type { RegionName } from "../../protocols/lorawan/regions.ts";

export interface Rn2483Settings {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
  readonly adr: boolean;
  readonly dataRate: number;
  /** Repetitions of a confirmed uplink after the first. */
  readonly retries: number;
}

/** After `mac reset`; keys of zeros count as none. */
export const RN2483_DEFAULTS: Rn2483Settings = {
  devEui: "0".repeat(16),
  joinEui: "0".repeat(16),
  appKey: "0".repeat(32),
  adr: false,
  dataRate: 5,
  retries: 7,
};

/** `mac reset <band>`. */
export const RN2483_BANDS: Readonly<Record<string, RegionName>> = { "868": "EU868", "433": "EU433" };

const HEX: Readonly<Record<string, readonly ["devEui" | "joinEui" | "appKey", RegExp]>> = {
  deveui: ["devEui", /^[0-9a-fA-F]{16}$/],
  appeui: ["joinEui", /^[0-9a-fA-F]{16}$/],
  appkey: ["appKey", /^[0-9a-fA-F]{32}$/],
};
const MAX_DATA_RATE = 7;
const MAX_RETRIES = 255;

/** The settings after `mac set <name> <value>`, null: invalid_param. */
export function setSetting(settings: Rn2483Settings, name: string, value: string): Rn2483Settings | null {
  const [key, shape] = HEX[name] ?? [];
  if (key !== undefined) return shape?.test(value) ? { ...settings, [key]: value.toLowerCase() } : null;
  if (name === "adr") return /^(on|off)$/.test(value) ? { ...settings, adr: value === "on" } : null;
  const number = /^\d{1,3}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
  if (name === "dr") return number <= MAX_DATA_RATE ? { ...settings, dataRate: number } : null;
  if (name === "retx") return number <= MAX_RETRIES ? { ...settings, retries: number } : null;
  return null;
}

/** What `mac get <name>` says, null: invalid_param. A key is never said. */
export function getSetting(settings: Rn2483Settings, name: string): string | null {
  const facts: Readonly<Record<string, string>> = {
    deveui: settings.devEui.toUpperCase(),
    appeui: settings.joinEui.toUpperCase(),
    adr: settings.adr ? "on" : "off",
    dr: String(settings.dataRate),
    retx: String(settings.retries),
  };
  return facts[name] ?? null;
}

/** A join needs all three. */
export function hasKeys({ devEui, joinEui, appKey }: Rn2483Settings): boolean {
  return [devEui, joinEui, appKey].every((key) => /[^0]/.test(key));
}

/** `mac tx <cnf|uncnf> <port> <hex>`; null: invalid_param. */
export function parseTx(
  words: readonly string[],
): { confirmed: boolean; fPort: number; payload: Uint8Array } | null {
  const [kind = "", port = "", data = "", ...more] = words;
  const fPort = /^\d{1,3}$/.test(port) ? Number(port) : 0;
  const isHex = /^([0-9a-fA-F]{2})+$/.test(data);
  if (!/^(un)?cnf$/.test(kind) || fPort < 1 || fPort > 223 || !isHex || more.length > 0) return null;
  return { confirmed: kind === "cnf", fPort, payload: new Uint8Array(Buffer.from(data, "hex")) };
}
