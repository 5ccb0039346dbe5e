/** Pieces of the builds that sense: chamber, thermistor and supervised loops with the resistors at their ends. */
import type { Fragment, SensorWiring } from "./build.ts";
import type { PinPlan } from "./fragments.ts";

export const CHAMBER_WIRING: SensorWiring = { sort: "chamber", chamber: "S3" };
export const THERMISTOR_WIRING: SensorWiring = { sort: "thermistor", thermistor: "S3", series: "R3" };
export const CALL_POINT_WIRING: SensorWiring = { sort: "call-point", series: "R3", rest: "R4", alarm: "R5" };
export const DOOR_WIRING: SensorWiring = { sort: "door", series: "R3", closed: "R4", open: "R5" };

/** Resistors of a loop, ohms. */
export interface LoopOhms {
  readonly series: number;
  readonly near: number;
  readonly far: number;
}

/** In one box with the board: high values, which spare the cell. */
export const CALL_POINT_BOXED: LoopOhms = { series: 1_000_000, near: 3_300_000, far: 330_000 };
export const DOOR_BOXED: LoopOhms = { series: 1_000_000, near: 330_000, far: 3_300_000 };
/** On a cable: low values, which damp walls do not disturb. */
export const CALL_POINT_CABLED: LoopOhms = { series: 10_000, near: 33_000, far: 3300 };
export const DOOR_CABLED: LoopOhms = { series: 10_000, near: 3300, far: 33_000 };

export function chamber(pins: PinPlan): Fragment {
  return {
    parts: { S3: { use: "chamber" }, S4: { use: "smallButton", note: "Silences the buzzer" } },
    nets: {
      supply: ["S3.VDD"],
      ground: ["S3.GND", "S4.b"],
      chamber: ["S3.OUT", `U1.${pins.sensor}`],
      button: ["S4.a", `U1.${pins.button}`],
    },
    notes: ["Measure the chamber in clean air and write its level (clean) into the identity."],
  };
}

export function thermistor(pins: PinPlan): Fragment {
  return {
    parts: {
      S3: { use: "ntc", note: "Free in the air, 25 mm below the ceiling" },
      R3: { use: "resistor", ohms: 100_000 },
    },
    nets: {
      supply: ["R3.1"],
      ground: ["S3.2"],
      thermistor: ["R3.2", "S3.1", `U1.${pins.sensor}`],
    },
  };
}

/** Rest at the end of the loop, alarm beside it through the contact. */
export function callPoint(pins: PinPlan, ohms: LoopOhms): Fragment {
  return {
    parts: {
      R3: { use: "resistor", ohms: ohms.series, note: "On the board" },
      S3: { use: "callPoint" },
      R4: { use: "resistor", ohms: ohms.near, note: "End of line: in the call point, across the loop" },
      R5: { use: "resistor", ohms: ohms.far, note: "In the call point, in series with its contact" },
    },
    nets: {
      supply: ["R3.1"],
      loop: ["R3.2", "R4.1", "R5.1", `U1.${pins.sensor}`],
      alarm: ["R5.2", "S3.a"],
      ground: ["R4.2", "S3.b"],
    },
    notes: ["R4 and R5 belong into the call point, at the far end of the wire, never onto the board."],
  };
}

/** Closed: the near resistor alone; open: the far one in series with it. */
export function doorLoop(pins: PinPlan, ohms: LoopOhms): Fragment {
  return {
    parts: {
      R3: { use: "resistor", ohms: ohms.series, note: "On the board" },
      S3: { use: "doorContact" },
      R4: { use: "resistor", ohms: ohms.near, note: "End of line: in the contact's box, in series" },
      R5: { use: "resistor", ohms: ohms.far, note: "In the contact's box, across the contact" },
    },
    nets: {
      supply: ["R3.1"],
      loop: ["R3.2", "R4.1", `U1.${pins.sensor}`],
      contact: ["R4.2", "R5.1", "S3.a"],
      ground: ["R5.2", "S3.b"],
    },
    notes: ["R4 and R5 belong into the contact's box, at the far end of the wire, never onto the board."],
  };
}
