/** What the flasher needs of a build: its pins, and which boards have them. */
import type { PartName } from "./boards.ts";
import { buildOf } from "./wiring/builds.ts";
import { type Profile, profileOf } from "./wiring/profile.ts";

export interface FlashProfile {
  readonly pins: Profile;
  /** Espruino's names (`process.env.BOARD`) for the board in this build. */
  readonly boards: readonly string[];
}

/** Espruino's names for a controller. */
const ESPRUINO_BOARDS: Partial<Readonly<Record<PartName, readonly string[]>>> = {
  mdbt42q: ["MDBT42Q"],
  nrf52840: ["NRF52840DK"],
  pico: ["PICO_R1_3"],
  esp32: ["ESP32", "ESP32_IDF4"],
};

/** Of a build by its name; undefined for one that is not there, or that runs no program of ours. */
export function flashProfile(name: string): FlashProfile | undefined {
  const build = buildOf(name);
  const pins = build === undefined ? undefined : profileOf(build);
  const controller = build?.parts[build.controller ?? ""]?.use;
  if (pins === undefined || controller === undefined) return undefined;
  return { pins, boards: ESPRUINO_BOARDS[controller] ?? [] };
}
