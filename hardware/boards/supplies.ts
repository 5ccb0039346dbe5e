/** What feeds the others. */
import { assumed, from, GROUND, type Part, supplyIn } from "./part.ts";

const saft = from("Saft LS 14500 data sheet");
const panasonic = from("Panasonic CR123A data sheet");
const ti = from("TI TPS7A02 data sheet SBVS277");
const recom = from("Recom R-78E data sheet");
const pi = from("Raspberry Pi 27W power supply product brief");

/** Lithium thionyl chloride, AA. */
export const ER14505 = {
  name: "ER14505 cell",
  order: "ER14505 lithium cell, AA, 3.6 V, with a hybrid layer capacitor across it",
  figures: {
    capacityMah: assumed(2400),
    usableShare: assumed(0.8),
    lossPerYear: saft(0.01),
    fullVolts: saft(3.6),
    emptyVolts: assumed(3.1),
  },
  pins: {
    "+": { role: "supply-out", volts: saft(3.6), maxMa: assumed(150) },
    "-": GROUND,
  },
} as const satisfies Part;

export const CR123A = {
  name: "CR123A cell",
  order: "CR123A lithium cell, 3 V",
  figures: {
    capacityMah: panasonic(1550),
    usableShare: assumed(0.8),
    lossPerYear: panasonic(0.01),
    fullVolts: panasonic(3),
    emptyVolts: assumed(2.3),
  },
  pins: {
    "+": { role: "supply-out", volts: panasonic(3), maxMa: panasonic(1500) },
    "-": GROUND,
  },
} as const satisfies Part;

/** A fresh ER14505 stands above the 3.6 V that chip and modem take. */
export const LDO = {
  name: "3.0 V regulator",
  order: "TPS7A0230, with 1 µF at input and output",
  isRegulator: true,
  peakMa: ti(0.1),
  currentMa: { always: ti(0.000025) },
  pins: {
    IN: supplyIn(ti(1.5), ti(6)),
    GND: GROUND,
    OUT: { role: "supply-out", volts: ti(3), maxMa: ti(200) },
  },
} as const satisfies Part;

export const BUCK = {
  name: "3.3 V converter",
  order: "Recom R-78E3.3-0.5",
  isRegulator: true,
  peakMa: assumed(5),
  pins: {
    IN: supplyIn(recom(7), recom(28)),
    GND: GROUND,
    OUT: { role: "supply-out", volts: recom(3.3), maxMa: recom(500) },
  },
} as const satisfies Part;

export const MAINS_12V = {
  name: "12 V mains supply with battery",
  order: "EN 54-4 supply 13.8 V, 2 A, with a 7 Ah battery",
  pins: {
    "+12V": { role: "supply-out", volts: assumed(13.8), maxMa: assumed(2000) },
    "0V": GROUND,
  },
} as const satisfies Part;

/** Where the cable of a bus or a supply comes in. */
export const FEED_12V = {
  name: "12 V feed",
  order: "Screw terminal, 2 poles: 12 V from the stairwell's cable, fused 500 mA at its supply",
  pins: {
    "+12V": { role: "supply-out", volts: assumed(13.8), maxMa: assumed(500) },
    "0V": GROUND,
  },
} as const satisfies Part;

export const FEED_5V = {
  name: "5 V mains adapter",
  order: "5 V, 1 A mains adapter with a fixed cable",
  pins: {
    "+5V": { role: "supply-out", volts: assumed(5), maxMa: assumed(1000) },
    "0V": GROUND,
  },
} as const satisfies Part;

export const PI_SUPPLY = {
  name: "5.1 V supply with battery",
  order: "5.1 V, 5 A uninterruptible supply with battery, mains-lost contact",
  pins: {
    "+5V": { role: "supply-out", volts: pi(5.1), maxMa: pi(5000) },
    "0V": GROUND,
    LOST: { role: "passive" },
  },
} as const satisfies Part;
