/** A log: a file of fixed size that takes one record after another, and its twin. Pure: text of the files in, what they
 *  say out.
 *
 *  A record is a body of hex digits and the same digits inverted. Flash bytes are written once, so a record that a power
 *  cut tore stays and is stepped over. When a log is full its twin is begun; the full one is kept until then. Appending
 *  matters: a fresh small file per record would fill Storage in a year of daily power cuts, and compacting it is the one
 *  moment in which a power cut can lose every file.
 *
 *  A body begins with a number of four digits that grows from record to record, and wraps: of two logs it tells the
 *  newer. */
import { hex } from "./hex.ts";

export const LOG_SIZE = 1024;

const BLANK = "\xff";

export interface Log {
  /** Body of the last whole record, "": there is none. */
  readonly body: string;
  /** Where the next record goes, LOG_SIZE: full. */
  readonly free: number;
}

/** The record of a body. */
export function logRecord(body: string): string {
  const digits = body.split("").map((digit) => hex(15 - parseInt(digit, 16), 1));
  return body + digits.join("");
}

/** What a log's text says, with bodies of `digits` each. A missing file reads as a full one: it takes no record, but can
 *  be begun. */
export function readLog(text: string | undefined, digits: number): Log {
  const length = digits * 2;
  let body = "";
  let free = LOG_SIZE;
  if (text === undefined) return { body: body, free: free };
  for (let at = 0; at + length <= text.length; at += length) {
    const record = text.substr(at, length);
    const found = record.substr(0, digits);
    if (record === BLANK.repeat(length)) {
      if (free === LOG_SIZE) free = at;
    } else {
      free = LOG_SIZE;
      if (record === logRecord(found)) body = found;
    }
  }
  return { body: body, free: free };
}

/** The number that a log's last record begins with, -1: there is none. */
export function serialOf(log: Log): number {
  return log.body === "" ? -1 : parseInt(log.body.substr(0, 4), 16);
}

/** Index of the log that holds the newer record, -1: neither holds any. */
export function newerLog(first: Log, second: Log): number {
  const a = serialOf(first);
  const b = serialOf(second);
  if (a < 0) return b < 0 ? -1 : 1;
  return b >= 0 && ((b - a) & 0xffff) < 0x8000 ? 1 : 0;
}
