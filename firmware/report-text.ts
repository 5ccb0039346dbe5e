/** The board's half of protocols/device/report.ts and stage.ts, as small as a board needs it: hex digits as carriers take
 *  and give them. Held to those files by test. */
import { DETAIL } from "../protocols/device/details.ts";
import { digitsAt, hex } from "./hex.ts";

const REPORT_HEAD = 1 << 5;
const STAGE_HEAD = "21";
const MOST_STAGE = 5;
const MOST_AGE_S = 0xffff;

/** Bits of all that is wrong with the device, but for what has a flag of its own. Codes of alarms are above them. */
const DEVICE_FAULTS =
  (1 << DETAIL.smoke) - 1 - (1 << DETAIL.battery) - (1 << DETAIL.mains) - (1 << DETAIL.case);

/** The second byte: mode, and flags of what stands (bit n: DETAIL n). */
function stateByte(mode: number, standing: number): number {
  return (
    (mode << 6) |
    (((standing >> DETAIL.case) & 1) << 5) |
    (((standing >> DETAIL.battery) & 1) << 4) |
    (((standing >> DETAIL.mains) & 1) << 3) |
    ((standing & DEVICE_FAULTS) !== 0 ? 4 : 0)
  );
}

/** What a report says, in numbers. */
export interface ReportNumbers {
  /** Id of its kind. */
  readonly kindId: number;
  /** Index into MODES. */
  readonly mode: number;
  /** Bit n: DETAIL n stands. */
  readonly standing: number;
  readonly number: number;
  readonly ageS: number;
  /** 255: unknown. */
  readonly batteryPercent: number;
  readonly detail: number;
}

/** A report as hex digits. */
export function reportText(r: ReportNumbers): string {
  return (
    hex(REPORT_HEAD | r.kindId, 2) +
    hex(stateByte(r.mode, r.standing), 2) +
    hex(r.number, 4) +
    hex(Math.min(Math.floor(r.ageS), MOST_AGE_S), 4) +
    hex(r.batteryPercent, 2) +
    hex(r.detail, 2)
  );
}

/** Index into STAGES of what a stage message says, -1: it is none. */
export function stageIn(text: string): number {
  const wire = digitsAt(text, 2, 2);
  return text.length === 8 && text.startsWith(STAGE_HEAD) && wire >= 1 && wire <= MOST_STAGE ? wire - 1 : -1;
}
