/** Every part that an installer mounts or a workshop solders, as data: pins, levels, supply, currents. */
import { ESP32, MDBT42Q, NRF52840, PICO, UNO } from "./boards/controllers.ts";
import * as field from "./boards/field.ts";
import { CLOCK, CM5, PI4, PI5 } from "./boards/hubs.ts";
import type { Part } from "./boards/part.ts";
import { CONCENTRATOR, RAK3172, RN2483, RS485, USB_RS485 } from "./boards/radios.ts";
import * as supplies from "./boards/supplies.ts";

export const PARTS = {
  mdbt42q: MDBT42Q,
  nrf52840: NRF52840,
  pico: PICO,
  esp32: ESP32,
  uno: UNO,
  rak3172: RAK3172,
  rn2483: RN2483,
  rs485: RS485,
  usbRs485: USB_RS485,
  concentrator: CONCENTRATOR,
  pi4: PI4,
  pi5: PI5,
  cm5: CM5,
  clock: CLOCK,
  er14505: supplies.ER14505,
  cr123a: supplies.CR123A,
  ldo: supplies.LDO,
  buck: supplies.BUCK,
  mains12v: supplies.MAINS_12V,
  feed12v: supplies.FEED_12V,
  feed5v: supplies.FEED_5V,
  piSupply: supplies.PI_SUPPLY,
  lamp: field.LAMP,
  redLight: field.RED_LIGHT,
  buzzer: field.BUZZER,
  pushButton: field.PUSH_BUTTON,
  smallButton: field.SMALL_BUTTON,
  tamper: field.TAMPER,
  callPoint: field.CALL_POINT,
  doorContact: field.DOOR_CONTACT,
  keySwitch: field.KEY_SWITCH,
  resistor: field.RESISTOR,
  capacitor: field.CAPACITOR,
  chamber: field.CHAMBER,
  ntc: field.NTC,
  relays: field.RELAYS,
  siren: field.SIREN,
  strobe: field.STROBE,
  busTerminal: field.BUS_TERMINAL,
} as const satisfies Record<string, Part>;

export type PartName = keyof typeof PARTS;

/** A part by its name, as any part. */
export function partOf(name: PartName): Part {
  return PARTS[name];
}
