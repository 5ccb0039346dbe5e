/** Frame counters (LoRaWAN 1.0.4, "Frame counter (FCnt)"). Only the low 16 bits are on air; which 32-bit counter a
 *  frame really carries is settled by its MIC alone. */
import type { MacVersion } from "./store.ts";

/** MAX_FCNT_GAP of LoRaWAN 1.0.2 and 1.0.3; 1.0.4 dropped it. */
export const MAX_FCNT_GAP = 16384;
const MAX_FCNT = 0xffff_ffff;
const WRAP = 0x1_0000;

export type FCntMeaning =
  /** Not heard before. `lost` = counters in between that were never heard. */
  | { kind: "fresh"; fCntUp: number; lost: number }
  /** The last accepted counter once more: another copy, a retransmission, or a replay; time and bytes decide. */
  | { kind: "same"; fCntUp: number }
  /** Behind the counter. */
  | { kind: "old"; fCntUp: number }
  /** Ahead by more than MAX_FCNT_GAP on LoRaWAN up to 1.0.3: must not be accepted. */
  | { kind: "gap"; fCntUp: number };

/** Every counter that `fCnt16` may stand for, the likeliest first; the first whose MIC is good is the truth.
 *  `last` = highest FCntUp accepted, or -1 after a join. */
export function fCntMeanings(last: number, fCnt16: number, macVersion: MacVersion): FCntMeaning[] {
  const meanings: FCntMeaning[] = [];
  if (last >= 0 && fCnt16 === (last & 0xffff)) meanings.push({ kind: "same", fCntUp: last });
  const ahead = (fCnt16 - (last + 1)) & 0xffff;
  const next = last + 1 + ahead;
  if (next <= MAX_FCNT) {
    const tooFar = macVersion !== "1.0.4" && last >= 0 && next - last > MAX_FCNT_GAP;
    meanings.push(tooFar ? { kind: "gap", fCntUp: next } : { kind: "fresh", fCntUp: next, lost: ahead });
  }
  const before = next - WRAP;
  // equal to `last` only when that was pushed above
  if (before >= 0 && before < last) meanings.push({ kind: "old", fCntUp: before });
  return meanings;
}
