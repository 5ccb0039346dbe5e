/** What a part is: its pins and figures. Each figure says where it is from: the name of a data sheet, or "assumed". */

export interface Figure {
  readonly value: number;
  /** Name of a data sheet, or "assumed". */
  readonly source: string;
}

/** Makes figures of one source. */
export function from(source: string): (value: number) => Figure {
  return (value) => ({ value, source });
}

export const assumed = from("assumed");

/** What a pin is to others. `uart-out` speaks and `uart-in` listens, whatever the part's sheet calls them. A `load` is driven
 *  by a pin of a controller; a `passive` end only conducts. */
export type PinRole =
  | "supply-out"
  | "supply-in"
  | "ground"
  | "io"
  | "input-only"
  | "uart-out"
  | "uart-in"
  | "reset"
  | "load"
  | "passive"
  | "analog-out"
  | "bus-a"
  | "bus-b"
  | "usb-host"
  | "usb-device"
  | "i2c-data"
  | "i2c-clock";

export interface Pin {
  readonly role: PinRole;
  /** On a supply: what it gives. */
  readonly volts?: Figure;
  /** On a supply input: what it needs, and what it takes. */
  readonly minVolts?: Figure;
  readonly maxVolts?: Figure;
  /** What it can give for long, mA. */
  readonly maxMa?: Figure;
  /** What it takes when it is driven, mA. */
  readonly loadMa?: Figure;
  readonly isAnalog?: boolean;
  /** It has a pull-up that the firmware switches on. */
  readonly hasPullUp?: boolean;
  /** Why nothing may hang on it: the board needs it itself, most often while it starts. */
  readonly keptFor?: string;
  /** UART signals that can be led to it; any if absent. */
  readonly uart?: "out" | "in" | "none";
}

export interface Part {
  readonly name: string;
  /** What to order. */
  readonly order: string;
  readonly pins: Readonly<Record<string, Pin>>;
  /** Level of its outputs; that of its supply if absent. */
  readonly outputVolts?: Figure;
  /** What its inputs take; 0.3 V above its outputs if absent. */
  readonly inputMaxVolts?: Figure;
  /** What it draws from its supply at most, mA, without what it feeds. */
  readonly peakMa?: Figure;
  /** What it draws in each state, mA. */
  readonly currentMa?: Readonly<Record<string, Figure>>;
  /** What else is known of it: capacity, levels. */
  readonly figures?: Readonly<Record<string, Figure>>;
  /** Two ends that a resistor joins: its value is the build's. */
  readonly isResistor?: boolean;
  /** Two ends that a hand, a door or a case joins. */
  readonly isContact?: boolean;
  /** Its output is made of its input. */
  readonly isRegulator?: boolean;
}

/** The same pin under several names. */
export function pins(names: readonly string[], pin: Pin): Record<string, Pin> {
  return Object.fromEntries(names.map((name) => [name, pin]));
}

export const GROUND: Pin = { role: "ground" };
export const PASSIVE: Pin = { role: "passive" };

/** A supply input for a range of volts. */
export function supplyIn(minVolts: Figure, maxVolts: Figure): Pin {
  return { role: "supply-in", minVolts, maxVolts };
}
