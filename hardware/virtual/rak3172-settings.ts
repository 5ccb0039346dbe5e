/** What a RAK3172 keeps in its flash, and the AT commands that read and write it (RUI3 AT command manual). */
import type { RegionName } from "../../protocols/lorawan/regions.ts";
import { BLANK_MEMORY, type DeviceMemory } from "./device-session.ts";

export interface Rak3172Settings {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
  readonly deviceClass: "A" | "C";
  /** AT+BAND number. */
  readonly band: number;
  readonly adr: boolean;
  readonly dataRate: number;
  readonly confirmed: boolean;
  /** AT+RETY: repetitions of a confirmed uplink after the first. */
  readonly retries: number;
  readonly lowPower: 0 | 1;
  readonly lowPowerLevel: 1 | 2;
  /** AT+JOIN's second to fourth parameter. */
  readonly joinAtBoot: boolean;
  readonly joinPeriodS: number;
  readonly joinRetries: number;
}

/** All that survives a power cut. The session does not: RUI3 must join again after every reset. */
export interface Rak3172Flash {
  readonly settings: Rak3172Settings;
  readonly memory: DeviceMemory;
}

export const BLANK_FLASH: Rak3172Flash = {
  settings: {
    devEui: "0".repeat(16),
    joinEui: "0".repeat(16),
    appKey: "0".repeat(32),
    deviceClass: "A",
    band: 4,
    adr: true,
    dataRate: 0,
    confirmed: false,
    retries: 0,
    lowPower: 0,
    lowPowerLevel: 1,
    joinAtBoot: false,
    joinPeriodS: 8,
    joinRetries: 0,
  },
  memory: BLANK_MEMORY,
};

/** AT+BAND numbers of the regions that this project knows. */
export const RUI3_BANDS: Readonly<Record<number, RegionName>> = {
  0: "EU433",
  2: "RU864",
  4: "EU868",
  8: "AS923",
};

interface Setting {
  read(settings: Rak3172Settings): string;
  /** The changed settings, null: AT_PARAM_ERROR. */
  write(settings: Rak3172Settings, value: string): Rak3172Settings | null;
}

const MAX_RETRIES = 7;
const MAX_DATA_RATE = 7;

function hex(name: "devEui" | "joinEui" | "appKey", digits: number): Setting {
  const shape = new RegExp(`^[0-9a-fA-F]{${digits}}$`);
  return {
    read: (settings) => settings[name].toUpperCase(),
    write: (settings, value) => (shape.test(value) ? { ...settings, [name]: value.toLowerCase() } : null),
  };
}

function number(
  name: "dataRate" | "retries" | "lowPower" | "lowPowerLevel",
  lowest: number,
  highest: number,
): Setting {
  return {
    read: (settings) => String(settings[name]),
    write: (settings, value) => {
      const given = /^\d{1,3}$/.test(value) ? Number(value) : -1;
      return given >= lowest && given <= highest ? { ...settings, [name]: given } : null;
    },
  };
}

function flag(name: "adr" | "confirmed"): Setting {
  return {
    read: (settings) => (settings[name] ? "1" : "0"),
    write: (settings, value) =>
      value === "0" || value === "1" ? { ...settings, [name]: value === "1" } : null,
  };
}

/** Modes that this model does not have (P2P, ABP) are refused: only one value is right. */
function fixed(only: string): Setting {
  return { read: () => only, write: (settings, value) => (value === only ? settings : null) };
}

/** AT commands of the form AT+XXX=? and AT+XXX=value. `bands`: which AT+BAND numbers exist. */
export function createSettingCommands(
  bands: Readonly<Record<number, RegionName>>,
): ReadonlyMap<string, Setting> {
  const band: Setting = {
    read: (settings) => String(settings.band),
    write: (settings, value) =>
      /^\d{1,2}$/.test(value) && bands[Number(value)] !== undefined
        ? { ...settings, band: Number(value) }
        : null,
  };
  const deviceClass: Setting = {
    read: (settings) => settings.deviceClass,
    write: (settings, value) => (value === "A" || value === "C" ? { ...settings, deviceClass: value } : null),
  };
  return new Map<string, Setting>([
    ["AT+NWM", fixed("1")],
    ["AT+NJM", fixed("1")],
    ["AT+CLASS", deviceClass],
    ["AT+BAND", band],
    ["AT+DEVEUI", hex("devEui", 16)],
    ["AT+APPEUI", hex("joinEui", 16)],
    ["AT+APPKEY", hex("appKey", 32)],
    ["AT+ADR", flag("adr")],
    ["AT+DR", number("dataRate", 0, MAX_DATA_RATE)],
    ["AT+CFM", flag("confirmed")],
    ["AT+RETY", number("retries", 0, MAX_RETRIES)],
    ["AT+LPM", number("lowPower", 0, 1)],
    ["AT+LPMLVL", number("lowPowerLevel", 1, 2)],
  ]);
}

/** AT+JOIN's value "start:atBoot:periodS:retries", later parts may be missing; null: AT_PARAM_ERROR. */
export function parseJoin(
  settings: Rak3172Settings,
  value: string,
): { start: boolean; settings: Rak3172Settings } | null {
  const parts = value.split(":");
  if (parts.length > 4 || parts.some((part) => !/^\d{1,3}$/.test(part))) return null;
  const [
    start = 1,
    atBoot = Number(settings.joinAtBoot),
    periodS = settings.joinPeriodS,
    retries = settings.joinRetries,
  ] = parts.map(Number);
  // AT command manual: interval 7-255 s, attempts 0-255
  if (start > 1 || atBoot > 1 || periodS < 7 || periodS > 255 || retries > 255) return null;
  const changed = { joinAtBoot: atBoot === 1, joinPeriodS: periodS, joinRetries: retries };
  return { start: start === 1, settings: { ...settings, ...changed } };
}

/** AT+SEND's value "port:hex"; null: AT_PARAM_ERROR. */
export function parseSend(value: string): { fPort: number; payload: Uint8Array } | null {
  const [, port, data] = /^(\d{1,3}):((?:[0-9a-fA-F]{2})*)$/.exec(value) ?? [];
  const fPort = Number(port);
  if (data === undefined || fPort < 1 || fPort > 223) return null;
  return { fPort, payload: new Uint8Array(Buffer.from(data, "hex")) };
}
