/** What the profile in an identity file says about a sensor. Readings are shares of the supply, 0 to 1, as the ADC
 *  gives them; whoever wires the board measures or computes them. These names come from outside: the build keeps
 *  them. */

/** A smoke chamber whose output rises with smoke. */
export interface Chamber {
  readonly pin: string;
  /** Below this it is blind: half of `clean` where nothing better is known. */
  readonly floor: number;
  /** In clean air, when it was made. */
  readonly clean: number;
  /** How much 1 %/m of obscuration adds. */
  readonly perPercent: number;
  /** Threshold of its alarm, %/m; 3.5 if absent. */
  readonly alarmPercent?: number;
}

/** An NTC thermistor from the pin to ground, a resistor from the pin to the supply. */
export interface Thermistor {
  readonly pin: string;
  /** At 25 °C. */
  readonly ohms: number;
  /** Of the thermistor, kelvin. */
  readonly beta: number;
  /** Of the resistor. */
  readonly seriesOhms: number;
}

/** A supervised loop from the pin to ground, a resistor from the pin to the supply. */
export interface Loop {
  readonly pin: string;
  /** Readings that part the states of the loop, rising: see loop-states.ts. */
  readonly bounds: readonly number[];
}

/** What a sensor's profile has besides lights, carrier and battery: what its role needs. */
export interface SensorProfile {
  readonly chamber: Chamber;
  readonly thermistor: Thermistor;
  readonly loop: Loop;
}
