/** A device's duty cycle: time credit per sub-band, refilled at the sub-band's rate up to what one hour allows, and the
 *  network's limit over all of them (DutyCycleReq). So a burst of alarms may go out at once, as the hour's sum permits. */
import type { Region } from "../../protocols/lorawan/regions.ts";

const PERIOD_MS = 3_600_000;

interface Credit {
  readonly leftMs: number;
  readonly atMs: number;
}

export interface DutyCycle {
  /** Milliseconds until a transmission of `airtimeMs` is allowed at this frequency; 0 = now, Infinity = never. */
  waitMs(frequencyHz: number, airtimeMs: number, nowMs: number): number;
  spend(frequencyHz: number, airtimeMs: number, nowMs: number): void;
  /** MaxDutyCycle of DutyCycleReq: at most 1/2^exponent of the time over all sub-bands; 0 lifts it. */
  limitAll(exponent: number): void;
}

export function createDutyCycle(region: Region): DutyCycle {
  const spent = new Map<number, Credit>();
  let exponent = 0;
  let silentUntilMs = 0;
  const bandOf = (frequencyHz: number) =>
    region.subBands.findIndex(({ minHz, maxHz }) => frequencyHz >= minHz && frequencyHz <= maxHz);
  const creditMs = (band: number, nowMs: number) => {
    const rate = region.subBands[band]?.dutyCycle ?? 0;
    const credit = spent.get(band);
    const fullMs = rate * PERIOD_MS;
    return credit === undefined ? fullMs : Math.min(fullMs, credit.leftMs + (nowMs - credit.atMs) * rate);
  };
  return {
    waitMs(frequencyHz, airtimeMs, nowMs) {
      const band = bandOf(frequencyHz);
      const rate = region.subBands[band]?.dutyCycle ?? 0;
      if (airtimeMs > rate * PERIOD_MS) return Number.POSITIVE_INFINITY;
      const missingMs = Math.max(0, airtimeMs - creditMs(band, nowMs));
      return Math.max(missingMs === 0 ? 0 : missingMs / rate, silentUntilMs - nowMs, 0);
    },
    spend(frequencyHz, airtimeMs, nowMs) {
      const band = bandOf(frequencyHz);
      spent.set(band, { leftMs: creditMs(band, nowMs) - airtimeMs, atMs: nowMs });
      if (exponent > 0) silentUntilMs = nowMs + airtimeMs * 2 ** exponent;
    },
    limitAll(wanted) {
      exponent = wanted;
      if (wanted === 0) silentUntilMs = 0;
    },
  };
}
