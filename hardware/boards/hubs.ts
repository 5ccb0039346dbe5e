/** Computers that carry a hub. Pins of the 40-pole header by their GPIO number. */
import { assumed, from, GROUND, type Part, type Pin, pins, supplyIn } from "./part.ts";

const bcm = from("Raspberry Pi documentation, GPIO electrical characteristics");
const maxim = from("Maxim DS3231 data sheet 19-5170");

const GPIO: Pin = { role: "io", maxMa: bcm(16), hasPullUp: true, uart: "none" };
const HEADER = {
  "5V": supplyIn(assumed(4.75), assumed(5.25)),
  GND: GROUND,
  "3V3": { role: "supply-out", volts: bcm(3.3), maxMa: assumed(500) },
  USB1: { role: "usb-host" },
  USB2: { role: "usb-host" },
  USB3: { role: "usb-host" },
  USB4: { role: "usb-host" },
  GPIO2: { role: "i2c-data" },
  GPIO3: { role: "i2c-clock" },
  GPIO14: { ...GPIO, uart: "out", keptFor: "the console of the system" },
  GPIO15: { ...GPIO, uart: "in", keptFor: "the console of the system" },
  ...pins(["GPIO17", "GPIO22", "GPIO23", "GPIO24", "GPIO25", "GPIO27"], GPIO),
} as const satisfies Part["pins"];

export const PI4 = {
  name: "Raspberry Pi 4",
  order: "Raspberry Pi 4, 2 GB, with a 32 GB industrial card",
  outputVolts: bcm(3.3),
  peakMa: assumed(1300),
  pins: HEADER,
} as const satisfies Part;

export const PI5 = {
  name: "Raspberry Pi 5",
  order: "Raspberry Pi 5, 2 GB, with a 32 GB industrial card, its clock's cell and an active cooler",
  outputVolts: bcm(3.3),
  peakMa: assumed(2400),
  pins: HEADER,
} as const satisfies Part;

export const CM5 = {
  name: "Compute Module 5",
  order: "CM5, 2 GB, 32 GB eMMC, on its IO board with the clock's cell",
  outputVolts: bcm(3.3),
  peakMa: assumed(2400),
  pins: HEADER,
} as const satisfies Part;

/** The Pi 4 has no clock that runs without power. */
export const CLOCK = {
  name: "Clock with cell",
  order: "DS3231 module with a CR2032, 3.3 V",
  peakMa: maxim(0.65),
  pins: {
    VCC: supplyIn(maxim(2.3), maxim(5.5)),
    GND: GROUND,
    SDA: { role: "i2c-data" },
    SCL: { role: "i2c-clock" },
  },
} as const satisfies Part;
