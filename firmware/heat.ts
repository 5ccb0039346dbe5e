/** A heat detector of class A1R (EN 54-5): temperatures in, what stands out. Pure; what begins and what ends is the
 *  difference of `stands` between two states.
 *
 *  Two ways to an alarm. Static: 58 °C, in the middle of the class's 54 to 65 °C. Rate of rise: the air is 12 K above
 *  a reference that follows it with a time constant of two minutes. In a steady rise the difference tends to two
 *  minutes' worth of it: 6 K at 3 K/min and 10 K at 5 K/min, which never alarm by rate, 20 K at 10 K/min, which does
 *  after about two minutes. It needs no particular temperature to begin from (the R of A1R).
 *
 *  Three samples more above a limit than below make an alarm. Samples are 5 s apart, 2 s once one is above, so an alarm
 *  comes within 10 s of a temperature that stays. A thermistor that breaks in the fire does not end the alarm. */
import { DETAIL } from "../protocols/device/details.ts";
import {
  AGAINST,
  type Counts,
  FOR,
  isCounting,
  standing,
  stands,
  stepCounts,
  UNDECIDED,
} from "./conditions.ts";
import type { Thermistor } from "./sensor-identity.ts";
import { celsiusOf, isOpen, isShort } from "./thermistor.ts";

const STATIC_CELSIUS = 58;
const RISE_KELVIN = 12;
const PRE_ALARM_CELSIUS = 50;
const PRE_ALARM_KELVIN = 8;
/** Below both of these alarm and pre-alarm are over. */
const CLEAR_CELSIUS = 45;
const CLEAR_KELVIN = 4;
const REFERENCE_MS = 120000;

const SAMPLE_MS = 5000;
const CLOSER_MS = 2000;
/** What a report can say. */
const OFFSET_CELSIUS = 40;

/** The alarm's first. */
export const HEAT_CODES = [DETAIL.heat, DETAIL.preAlarm, DETAIL.sensorOpen, DETAIL.sensorShort];

export interface Heat {
  readonly counts: Counts;
  /** Bit n: the condition with code n (DETAIL) stands. */
  readonly stands: number;
  /** °C + 40, 0 to 255. */
  readonly detail: number;
  /** The air, as it was some time ago, °C. */
  readonly reference: number;
  /** Of the last sample with a temperature, Infinity: none since the thermistor was whole. */
  readonly sampleMs: number;
  /** When the next sample is due. */
  readonly dueMs: number;
}

export interface HeatSample {
  readonly nowMs: number;
  /** 0 to 1, as the ADC gives it. */
  readonly reading: number;
}

export const COLD: Heat = { counts: [], stands: 0, detail: 0, reference: 0, sampleMs: Infinity, dueMs: 0 };

/** What a temperature says about a limit of its own and one of its rise, and about the clearance that both share. */
function verdict(celsius: number, rise: number, fromCelsius: number, fromKelvin: number): number {
  if (celsius >= fromCelsius || rise >= fromKelvin) return FOR;
  return celsius < CLEAR_CELSIUS && rise < CLEAR_KELVIN ? AGAINST : UNDECIDED;
}

/** Takes one sample. */
export function stepHeat(heat: Heat, thermistor: Thermistor, sample: HeatSample): Heat {
  const reading = sample.reading;
  const isBroken = isOpen(reading) || isShort(reading);
  const celsius = isBroken ? 0 : celsiusOf(reading, thermistor);
  const passedMs = sample.nowMs - heat.sampleMs;
  const followed = heat.reference + ((celsius - heat.reference) * passedMs) / (REFERENCE_MS + passedMs);
  const reference = passedMs < 0 ? celsius : followed;
  const rise = celsius - reference;
  const said = isBroken ? UNDECIDED : verdict(celsius, rise, STATIC_CELSIUS, RISE_KELVIN);
  const isPast = stands(heat.stands, DETAIL.heat) || said === FOR;
  const counts = stepCounts(HEAT_CODES, heat.counts, [
    said,
    isBroken || (isPast && said !== AGAINST)
      ? UNDECIDED
      : verdict(celsius, rise, PRE_ALARM_CELSIUS, PRE_ALARM_KELVIN),
    isOpen(reading) ? FOR : AGAINST,
    isShort(reading) ? FOR : AGAINST,
  ]);
  const now = standing(HEAT_CODES, counts);
  const isFaulty = stands(now, DETAIL.sensorOpen) || stands(now, DETAIL.sensorShort);
  return {
    counts: counts,
    stands: now,
    detail: isBroken ? heat.detail : Math.max(0, Math.min(255, Math.round(celsius) + OFFSET_CELSIUS)),
    reference: isBroken ? heat.reference : reference,
    // what the air was before a repair says nothing about its rise
    sampleMs: isFaulty ? Infinity : isBroken ? heat.sampleMs : sample.nowMs,
    dueMs: sample.nowMs + (isCounting(counts) ? CLOSER_MS : SAMPLE_MS),
  };
}
