/** What people touch, see and hear, and what senses fire. */
import { assumed, from, GROUND, PASSIVE, type Part, type Pin, supplyIn } from "./part.ts";

const vishay = from("Vishay NTCLE100E3 data sheet");
const kingbright = from("Kingbright WP710A10 data sheet");

/** At 3 V through its own resistor. */
const LIGHT: Pin = { role: "load", loadMa: kingbright(2), maxVolts: assumed(5) };
const TWO_ENDS = { a: PASSIVE, b: PASSIVE } as const;

export const LAMP = {
  name: "Lamp: red, amber, green",
  order: "Three low-current light-emitting diodes in the button's ring, 470 Ω in each, common cathode",
  pins: { red: LIGHT, amber: LIGHT, green: LIGHT, common: GROUND },
} as const satisfies Part;

export const RED_LIGHT = {
  name: "Red light",
  order: "Low-current red light-emitting diode, 470 Ω",
  pins: { red: LIGHT, common: GROUND },
} as const satisfies Part;

export const BUZZER = {
  name: "Buzzer",
  order: "Piezo buzzer with its own generator, 3 V, 4 mA",
  pins: { "+": { role: "load", loadMa: assumed(4), maxVolts: assumed(5) }, "-": GROUND },
} as const satisfies Part;

export const PUSH_BUTTON = {
  name: "Alarm button",
  order: "Push button, 1 make contact, IP65, IK08",
  isContact: true,
  pins: TWO_ENDS,
} as const satisfies Part;

export const SMALL_BUTTON = {
  name: "Push button",
  order: "Push button, 1 make contact, flush",
  isContact: true,
  pins: TWO_ENDS,
} as const satisfies Part;

export const TAMPER = {
  name: "Case switch",
  order: "Microswitch, closed while the case is open",
  isContact: true,
  pins: TWO_ENDS,
} as const satisfies Part;

export const CALL_POINT = {
  name: "Call point",
  order: "Manual call point, 1 make contact, resettable",
  isContact: true,
  pins: TWO_ENDS,
} as const satisfies Part;

export const DOOR_CONTACT = {
  name: "Door contact",
  order: "Magnetic contact, closed while the door is closed",
  isContact: true,
  pins: TWO_ENDS,
} as const satisfies Part;

export const KEY_SWITCH = {
  name: "Silence key",
  order: "Key switch, 1 make contact",
  isContact: true,
  pins: TWO_ENDS,
} as const satisfies Part;

export const RESISTOR = {
  name: "Resistor",
  order: "Metal film resistor, 1 %, 0.25 W",
  isResistor: true,
  pins: { "1": PASSIVE, "2": PASSIVE },
} as const satisfies Part;

export const CAPACITOR = {
  name: "Capacitor",
  order: "Ceramic capacitor, X7R, 16 V",
  pins: { "1": PASSIVE, "2": PASSIVE },
} as const satisfies Part;

/** It pulses its own light; the output holds between pulses. */
export const CHAMBER = {
  name: "Smoke chamber",
  order: "Optical smoke chamber with pulsed front end, analog output",
  peakMa: assumed(5),
  currentMa: { always: assumed(0.006) },
  /** Shares of the supply: in clean air, and what 1 %/m adds. */
  figures: { clean: assumed(0.12), perPercent: assumed(0.05) },
  pins: { VDD: supplyIn(assumed(2.7), assumed(3.6)), GND: GROUND, OUT: { role: "analog-out" } },
} as const satisfies Part;

export const NTC = {
  name: "Thermistor",
  order: "NTC thermistor 100 kΩ, B 4190 K, 1 %",
  figures: { ohms: vishay(100_000), beta: vishay(4190) },
  isResistor: true,
  pins: { "1": PASSIVE, "2": PASSIVE },
} as const satisfies Part;

export const RELAYS = {
  name: "Relay board, two relays",
  order: "Relay board with two 5 V relays, optocouplers, inputs that switch on when high",
  peakMa: assumed(160),
  pins: {
    VCC: supplyIn(assumed(4.5), assumed(5.5)),
    GND: GROUND,
    IN1: { role: "load", loadMa: assumed(5), maxVolts: assumed(5.5) },
    IN2: { role: "load", loadMa: assumed(5), maxVolts: assumed(5.5) },
    COM1: PASSIVE,
    NO1: PASSIVE,
    COM2: PASSIVE,
    NO2: PASSIVE,
  },
} as const satisfies Part;

export const SIREN = {
  name: "Siren",
  order: "Electronic siren, 12 V, EN 54-3",
  peakMa: assumed(300),
  pins: { "+": { role: "load", maxVolts: assumed(15) }, "-": GROUND },
} as const satisfies Part;

export const STROBE = {
  name: "Strobe",
  order: "Strobe, 12 V, EN 54-23",
  peakMa: assumed(250),
  pins: { "+": { role: "load", maxVolts: assumed(15) }, "-": GROUND },
} as const satisfies Part;

/** The pair of an RS-485 bus. */
export const BUS_TERMINAL = {
  name: "Bus terminal",
  order: "Screw terminal, 3 poles: A, B, screen; twisted pair 120 Ω",
  pins: { A: { role: "bus-a" }, B: { role: "bus-b" } },
} as const satisfies Part;
