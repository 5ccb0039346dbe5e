/** Who an entrance button is: `identity` in Storage (JSON), written once by whoever flashes the board:
 *    devEui, joinEui (16 hex digits), appKey (32), role "entrance-button", region EU433 | EU868 | RU864 | AS923 | UZ923
 *    heartbeatS   seconds between heartbeats, 60 or more, 3600 if absent
 *    mode         real (if absent) | test | drill | commissioning; with modeForS it ends that long after power-up
 *    checkInMinutes  of a personal button: from one check-in to the next, 0 or absent: none
 *    profile      pin names: button, red, amber, green, buzzer, rx, tx; where wired also tamper, mains, modemReset
 *                 (low resets), modemPower (low cuts), battery: pin and its analog readings (0 to 1) empty and full
 *    wireAddress  on RS-485: address on the bus, 1 to 126
 *    wifi         on Wi-Fi: ssid, password
 *    broker       on Wi-Fi: the hub's broker: host, port, password of this device
 *  These names come from outside: the build keeps them, and shortens all others. */
import type { Mode } from "../protocols/device/report.ts";

/** What a carrier has to know of it. */
export interface DeviceIdentity {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
  readonly region: "EU433" | "RU864" | "EU868" | "AS923" | "UZ923";
  readonly wireAddress?: number;
  readonly wifi?: { readonly ssid: string; readonly password: string };
  readonly broker?: { readonly host: string; readonly port: number; readonly password: string };
}

export interface Profile {
  readonly button: string;
  readonly red: string;
  readonly amber: string;
  readonly green: string;
  readonly buzzer: string;
  readonly rx: string;
  readonly tx: string;
  readonly tamper?: string;
  readonly mains?: string;
  readonly modemReset?: string;
  readonly modemPower?: string;
  readonly battery?: { readonly pin: string; readonly empty: number; readonly full: number };
}

export interface Identity extends DeviceIdentity {
  readonly heartbeatS?: number;
  readonly mode?: Mode;
  readonly modeForS?: number;
  readonly checkInMinutes?: number;
  readonly profile: Profile;
}
