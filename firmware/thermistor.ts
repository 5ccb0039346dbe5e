/** An NTC thermistor in a divider: its reading to a temperature. Pure. */
import type { Thermistor } from "./sensor-identity.ts";

const KELVIN = 273.15;
const NOMINAL_KELVIN = 298.15;

/** Readings beyond these are no temperature: below -40 °C or a broken wire, above 150 °C or a short. */
const OPEN_READING = 0.985;
const SHORT_READING = 0.012;

/** Whether a reading (0 to 1) is a broken wire's. */
export function isOpen(reading: number): boolean {
  return reading > OPEN_READING;
}

/** Whether a reading (0 to 1) is a short's. An ADC may read a little below zero. */
export function isShort(reading: number): boolean {
  return reading < SHORT_READING;
}

/** °C, by the beta equation. Only for a reading that is neither open nor short. */
export function celsiusOf(reading: number, thermistor: Thermistor): number {
  const ohms = (thermistor.seriesOhms * reading) / (1 - reading);
  return 1 / (1 / NOMINAL_KELVIN + Math.log(ohms / thermistor.ohms) / thermistor.beta) - KELVIN;
}
