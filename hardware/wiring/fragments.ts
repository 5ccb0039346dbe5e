/** Pieces that builds have in common. Nets that the firmware knows have the names of its profile. */
import type { Fragment } from "./build.ts";

/** Which of its pins a controller gives to what. */
export interface PinPlan {
  readonly supply: string;
  readonly button: string;
  readonly red: string;
  readonly amber: string;
  readonly green: string;
  readonly buzzer: string;
  readonly tamper: string;
  readonly rx: string;
  readonly tx: string;
  readonly modemReset: string;
  readonly battery: string;
  readonly sensor: string;
}

export const MDBT42Q_PINS: PinPlan = {
  supply: "VDD",
  button: "D11",
  red: "D14",
  amber: "D15",
  green: "D16",
  buzzer: "D17",
  tamper: "D18",
  rx: "D22",
  tx: "D23",
  modemReset: "D24",
  battery: "D28",
  sensor: "D29",
};

export const ESP32_PINS: PinPlan = {
  supply: "5V",
  button: "D27",
  red: "D25",
  amber: "D26",
  green: "D14",
  buzzer: "D13",
  tamper: "D32",
  rx: "D16",
  tx: "D17",
  modemReset: "D18",
  battery: "D33",
  sensor: "D33",
};

/** An ER14505 behind a 3.0 V regulator, and a divider that measures it. */
export function onBattery(pins: PinPlan): Fragment {
  return {
    parts: {
      B1: { use: "er14505", note: "Put it in last" },
      U2: { use: "ldo" },
      U1: { use: "mdbt42q" },
      R1: { use: "resistor", ohms: 4_700_000 },
      R2: { use: "resistor", ohms: 4_700_000 },
      C1: { use: "capacitor", value: "100 nF" },
    },
    nets: {
      cell: ["B1.+", "U2.IN", "R1.1"],
      supply: ["U2.OUT", `U1.${pins.supply}`],
      ground: ["B1.-", "U2.GND", "U1.GND", "R2.2", "C1.2"],
      battery: ["R1.2", "R2.1", "C1.1", `U1.${pins.battery}`],
    },
    notes: ["A fresh cell gives more than chip and modem take: never bridge U2."],
  };
}

/** A stairwell's 12 V behind a converter to 3.3 V. */
export function onFeed(pins: PinPlan): Fragment {
  return {
    parts: { X1: { use: "feed12v" }, U2: { use: "buck" }, U1: { use: "mdbt42q" } },
    nets: {
      feed: ["X1.+12V", "U2.IN"],
      supply: ["U2.OUT", `U1.${pins.supply}`],
      ground: ["X1.0V", "U2.GND", "U1.GND"],
    },
    notes: ["Fuse the 12 V feed at its supply, 500 mA."],
  };
}

/** Wi-Fi in the controller itself. */
export function onWifi(pins: PinPlan): Fragment {
  return {
    parts: { X1: { use: "feed5v" }, U1: { use: "esp32" } },
    nets: { feed: ["X1.+5V", `U1.${pins.supply}`], ground: ["X1.0V", "U1.GND"] },
    notes: ["Without mains this button is silent: use it only beside one with a battery."],
  };
}

export function rak3172(pins: PinPlan): Fragment {
  return {
    parts: { U3: { use: "rak3172", note: "Antenna upright, 10 cm from metal" } },
    nets: {
      supply: ["U3.VDD"],
      ground: ["U3.GND"],
      rx: ["U3.TX2", `U1.${pins.rx}`],
      tx: ["U3.RX2", `U1.${pins.tx}`],
      modemReset: ["U3.RST", `U1.${pins.modemReset}`],
    },
    notes: ["The antenna before the cell: a modem that sends without one is damaged."],
  };
}

export function rn2483(pins: PinPlan): Fragment {
  return {
    parts: { U3: { use: "rn2483", note: "Antenna upright, 10 cm from metal" } },
    nets: {
      supply: ["U3.VDD"],
      ground: ["U3.GND"],
      rx: ["U3.TX", `U1.${pins.rx}`],
      tx: ["U3.RX", `U1.${pins.tx}`],
      modemReset: ["U3.RESET", `U1.${pins.modemReset}`],
    },
    notes: [
      "The antenna before the cell: a modem that sends without one is damaged.",
      "EU433 and EU868 only.",
    ],
  };
}

/** A pair of the bus, with the resistor that only the last device of a line carries. */
export function wire(pins: PinPlan): Fragment {
  return {
    parts: {
      U3: { use: "rs485" },
      X2: { use: "busTerminal" },
      R9: {
        use: "resistor",
        ohms: 120,
        note: "End of line: only in the last device of the line, cut out of all others",
      },
    },
    nets: {
      supply: ["U3.VCC"],
      ground: ["U3.GND"],
      rx: ["U3.RO", `U1.${pins.rx}`],
      tx: ["U3.DI", `U1.${pins.tx}`],
      busA: ["U3.A", "X2.A", "R9.1"],
      busB: ["U3.B", "X2.B", "R9.2"],
    },
    notes: ["A to A, B to B, one line from device to device, no star. Screen earthed at the hub only."],
  };
}

export function alarmButton(pins: PinPlan): Fragment {
  return {
    parts: { S1: { use: "pushButton" } },
    nets: { button: ["S1.a", `U1.${pins.button}`], ground: ["S1.b"] },
  };
}

export function caseSwitch(pins: PinPlan): Fragment {
  return {
    parts: { S2: { use: "tamper" } },
    nets: { tamper: ["S2.a", `U1.${pins.tamper}`], ground: ["S2.b"] },
  };
}

export function lamp(pins: PinPlan): Fragment {
  return {
    parts: { H1: { use: "lamp" } },
    nets: {
      red: ["H1.red", `U1.${pins.red}`],
      amber: ["H1.amber", `U1.${pins.amber}`],
      green: ["H1.green", `U1.${pins.green}`],
      ground: ["H1.common"],
    },
  };
}

export function redLight(pins: PinPlan): Fragment {
  return {
    parts: { H1: { use: "redLight" } },
    nets: { red: ["H1.red", `U1.${pins.red}`], ground: ["H1.common"] },
  };
}

export function buzzer(pins: PinPlan): Fragment {
  return {
    parts: { H2: { use: "buzzer" } },
    nets: { buzzer: ["H2.+", `U1.${pins.buzzer}`], ground: ["H2.-"] },
  };
}
