/** An optical smoke chamber: its readings in, what stands and what it measured out. Pure; what begins and what ends
 *  is the difference of `stands` between two states.
 *
 *  The reading of clean air and the gain were measured at the factory. Dust lifts the reading over the months, and
 *  drift compensation follows it: slower than 1 % of the alarm threshold an hour, so that no smouldering fire is
 *  taken for dust, and never past half of the threshold. There the detector is dirty: it says so, and goes on with
 *  what it has. Drift is not kept over a power cut: what is forgotten makes a detector more sensitive, never less.
 *
 *  Three samples more above a threshold than below make an alarm. Samples are 5 s apart, 2 s once one is above, so an alarm
 *  comes within 10 s of smoke that stays. It ends below the pre-alarm's threshold, after a minute without smoke.
 *
 *  Walk test, in mode test only: samples every second and a sounder that chirps, so that one person with a can of test
 *  gas hears each detector within three seconds, and it is ready again twelve seconds after the gas is gone. */
import { DETAIL } from "../protocols/device/details.ts";
import { change } from "./change.ts";
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
import type { Chamber } from "./sensor-identity.ts";

/** Obscuration in %/m at which the chamber alarms, if the identity names none: 0.155 dB/m. */
const ALARM_PERCENT = 3.5;
/** Of the alarm's threshold. */
const PRE_ALARM_SHARE = 0.6;
const DRIFT_SHARE = 0.5;
const DRIFT_SHARE_PER_HOUR = 0.008;
/** At its limit, and away from it again. */
const DIRTY_SHARE = 0.49;
const TIDY_SHARE = 0.45;
/** Below this the pre-alarm, and with it the alarm, is over. */
const CLEAR_SHARE = 0.5;
/** Dense smoke ends a silence. */
const DENSE_SHARE = 2;
/** A head keeps its output above this, even with its light out; without a head the base pulls the line down. */
const REMOVED_READING = 0.01;

const SAMPLE_MS = 5000;
const CLOSER_MS = 2000;
const WALK_MS = 1000;
const HOUR_MS = 3600000;
const SILENCE_MS = 600000;
const CHIRP_MS = 1000;

/** The alarm's first. */
export const SMOKE_CODES = [DETAIL.smoke, DETAIL.preAlarm, DETAIL.headRemoved, DETAIL.chamber, DETAIL.dirty];

export interface Smoke {
  readonly counts: Counts;
  /** Bit n: the condition with code n (DETAIL) stands. */
  readonly stands: number;
  /** 0.1 %/m, 255: that or more. */
  readonly detail: number;
  /** What dust adds, %/m. */
  readonly drift: number;
  /** Of the last sample, Infinity: none yet. */
  readonly sampleMs: number;
  /** When the next sample is due. */
  readonly dueMs: number;
  /** From when on the sounder of an alarm sounds. */
  readonly soundMs: number;
  readonly isWalkTest: boolean;
}

export interface SmokeSample {
  readonly nowMs: number;
  /** 0 to 1, as the ADC gives it. */
  readonly reading: number;
  readonly isWalkTest: boolean;
}

export const CLEAN_AIR: Smoke = {
  counts: [],
  stands: 0,
  detail: 0,
  drift: 0,
  sampleMs: Infinity,
  dueMs: 0,
  soundMs: 0,
  isWalkTest: false,
};

function verdict(value: number, from: number, until: number): number {
  return value >= from ? FOR : value < until ? AGAINST : UNDECIDED;
}

/** Where dust has brought the chamber, in %/m above clean air. */
function driftAt(smoke: Smoke, raw: number, nowMs: number, alarmAt: number): number {
  const hours = Math.max(0, nowMs - smoke.sampleMs) / HOUR_MS;
  const most = alarmAt * DRIFT_SHARE_PER_HOUR * hours;
  const drift = smoke.drift + Math.max(-most, Math.min(most, raw - smoke.drift));
  return Math.max(-alarmAt * DRIFT_SHARE, Math.min(alarmAt * DRIFT_SHARE, drift));
}

/** Takes one sample. */
export function stepSmoke(smoke: Smoke, chamber: Chamber, sample: SmokeSample): Smoke {
  const nowMs = sample.nowMs;
  const alarmAt = chamber.alarmPercent ?? ALARM_PERCENT;
  const isRemoved = sample.reading < REMOVED_READING;
  const isBlind = sample.reading < chamber.floor;
  const raw = (sample.reading - chamber.clean) / chamber.perPercent;
  const share = (raw - smoke.drift) / alarmAt;
  const isCalm = !isBlind && share < PRE_ALARM_SHARE;
  const drift = isCalm ? driftAt(smoke, raw, nowMs, alarmAt) : smoke.drift;
  const said = isBlind ? UNDECIDED : verdict(share, 1, CLEAR_SHARE);
  const isPast = stands(smoke.stands, DETAIL.smoke) || said === FOR;
  const next = stepCounts(SMOKE_CODES, smoke.counts, [
    said,
    isBlind || (isPast && said !== AGAINST) ? UNDECIDED : verdict(share, PRE_ALARM_SHARE, CLEAR_SHARE),
    isRemoved ? FOR : AGAINST,
    isBlind && !isRemoved ? FOR : AGAINST,
    verdict(Math.abs(drift) / alarmAt, DIRTY_SHARE, TIDY_SHARE),
  ]);
  const now = standing(SMOKE_CODES, next);
  const isNew = stands(now & ~smoke.stands, DETAIL.smoke);
  const isDense = share >= DENSE_SHARE;
  return {
    counts: next,
    stands: now,
    detail: Math.max(0, Math.min(255, Math.round(share * alarmAt * 10))),
    drift: drift,
    sampleMs: nowMs,
    dueMs: nowMs + (sample.isWalkTest ? WALK_MS : isCounting(next) ? CLOSER_MS : SAMPLE_MS),
    soundMs: isNew ? nowMs : isDense ? Math.min(smoke.soundMs, nowMs) : smoke.soundMs,
    isWalkTest: sample.isWalkTest,
  };
}

/** Somebody silences the sounder of an alarm, for ten minutes. What is reported stays. */
export function silenceSmoke(smoke: Smoke, nowMs: number): Smoke {
  return change(smoke, { soundMs: nowMs + SILENCE_MS });
}

/** What the detector shows: 0 nothing, 1 its light, 3 light and sounder. */
export function signalOf(smoke: Smoke, nowMs: number): number {
  if (!stands(smoke.stands, DETAIL.smoke)) return 0;
  const forMs = nowMs - smoke.soundMs;
  return forMs < 0 || (smoke.isWalkTest && forMs >= CHIRP_MS) ? 1 : 3;
}
