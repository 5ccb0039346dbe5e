/** Event numbers that survive power loss without a write on the way of an alarm. Pure: text of the log in,
 *  records out.
 *
 *  Numbers are reserved ahead in blocks, and a reservation is on flash and read back before its first
 *  number is used. After a restart counting goes on at the end of the last reservation, so no number is
 *  ever used twice; the rest of that block is never used at all.
 *
 *  That jump must not look like presses that were lost: the first frame after a restart is a heartbeat
 *  that carries the number before the next one, with detail 1 = "restarted". It is sent confirmed and
 *  repeated until a hub has stored it. Supervision takes a jump that such a heartbeat announces as a
 *  restart, any other as lost presses. Only a press that came before the heartbeat got through goes first:
 *  then the jump is reported as a lost press, and the heartbeat that follows explains it.
 *
 *  A log is a file of fixed size that takes one record of 8 characters after another: the end of the
 *  reserved range as four hex digits, then its complement. Flash bytes are written once, so a record that
 *  a power cut tore stays and is stepped over. When a log is full, its twin is begun; the full one is kept
 *  until then. Appending matters: a fresh small file per reservation would fill Storage in a year of daily
 *  power cuts, and compacting it is the one moment in which a power cut can lose every file. */

import { hex } from "./hex.ts";

export const NUMBER_LOGS = ["n0", "n1"] as const;
export const NUMBER_LOG_SIZE = 1024;
/** Numbers reserved at a time, and the stock below which the next block is reserved. */
export const NUMBER_BLOCK = 16;
export const NUMBER_STOCK = 8;

const RECORD_LENGTH = 8;
const BLANK = "\xff";

export interface NumberLog {
  /** First number not reserved by any record, -1: there is no whole record. */
  readonly end: number;
  /** Where the next record goes, NUMBER_LOG_SIZE: full. */
  readonly free: number;
}

/** The record that reserves everything below `end` (0-65535). */
export function numberRecord(end: number): string {
  return hex(end, 4) + hex(end ^ 0xffff, 4);
}

/** What a log's text says. A missing file reads as a full one: it takes no record, but can be begun. */
export function readNumberLog(text: string | undefined): NumberLog {
  let end = -1;
  let free = NUMBER_LOG_SIZE;
  if (text === undefined) return { end: end, free: free };
  for (let at = 0; at + RECORD_LENGTH <= text.length; at += RECORD_LENGTH) {
    const record = text.substr(at, RECORD_LENGTH);
    const value = parseInt(record.substr(0, 4), 16);
    if (record === BLANK.repeat(RECORD_LENGTH)) {
      if (free === NUMBER_LOG_SIZE) free = at;
    } else {
      free = NUMBER_LOG_SIZE;
      if (value >= 0 && record === numberRecord(value)) end = value;
    }
  }
  return { end: end, free: free };
}

/** Index of the log that holds the newer reservation, -1: neither holds any. Numbers wrap at 65536. */
export function newerLog(first: NumberLog, second: NumberLog): number {
  if (first.end < 0) return second.end < 0 ? -1 : 1;
  if (second.end < 0) return 0;
  return ((second.end - first.end) & 0xffff) < 0x8000 ? 1 : 0;
}
