/** Modems and transceivers. */
import { assumed, from, GROUND, type Part, supplyIn } from "./part.ts";

const rak = from("RAKwireless RAK3172 Module Datasheet");
const microchip = from("Microchip RN2483 data sheet DS50002346");
const mornsun = from("Mornsun TD321D485H-A data sheet");
const ftdi = from("FTDI FT232R data sheet");

export const RAK3172 = {
  name: "RAK3172 LoRaWAN modem",
  order: "RAK3172-H (868 MHz; -L for EU433) with RUI3 4.x, and an antenna",
  peakMa: rak(87),
  currentMa: {
    /** Stop mode 2. */
    asleep: rak(0.00169),
    /** Stop mode 1. */
    dozing: assumed(0.005),
    /** Its processor between a command and the answer. */
    awake: assumed(5),
    receiving: assumed(8.4),
    /** At 14 dBm on its high-power amplifier. */
    sending: assumed(90),
  },
  pins: {
    VDD: supplyIn(rak(2), rak(3.6)),
    GND: GROUND,
    TX2: { role: "uart-out" },
    RX2: { role: "uart-in" },
    RST: { role: "reset" },
  },
} as const satisfies Part;

export const RN2483 = {
  name: "RN2483 LoRaWAN modem",
  order: "RN2483A, and an antenna",
  peakMa: microchip(40),
  currentMa: {
    asleep: microchip(0.0016),
    awake: microchip(2.8),
    receiving: microchip(14.2),
    sending: microchip(38.9),
  },
  pins: {
    VDD: supplyIn(microchip(2.1), microchip(3.6)),
    GND: GROUND,
    TX: { role: "uart-out" },
    RX: { role: "uart-in" },
    RESET: { role: "reset" },
  },
} as const satisfies Part;

/** It turns its direction by itself: Espruino has no signal for it. */
export const RS485 = {
  name: "RS-485 transceiver, isolated",
  order: "Mornsun TD321D485H-A or another isolated transceiver with automatic direction, 3.3 V",
  peakMa: mornsun(60),
  currentMa: { idle: mornsun(25), sending: mornsun(60) },
  pins: {
    VCC: supplyIn(mornsun(3.15), mornsun(3.45)),
    GND: GROUND,
    RO: { role: "uart-out" },
    DI: { role: "uart-in" },
    A: { role: "bus-a" },
    B: { role: "bus-b" },
  },
} as const satisfies Part;

export const USB_RS485 = {
  name: "USB to RS-485, isolated",
  order: "USB adapter with FT232R, isolated RS-485, automatic direction, failsafe bias",
  peakMa: ftdi(100),
  pins: { USB: { role: "usb-device" }, A: { role: "bus-a" }, B: { role: "bus-b" } },
} as const satisfies Part;

export const CONCENTRATOR = {
  name: "LoRa concentrator, USB",
  order: "RAK5146 (USB) on a USB carrier with housing, and an outdoor antenna",
  peakMa: assumed(500),
  pins: { USB: { role: "usb-device" } },
} as const satisfies Part;
