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
import { digitsAt, hex } from "./hex.ts";

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
  let body = "";
  let free = text === undefined ? LOG_SIZE : 0;
  for (let at = 0; text !== undefined && at + 2 * digits <= text.length; at += 2 * digits) {
    const record = text.substr(at, 2 * digits);
    const found = record.substr(0, digits);
    if (record === logRecord(found)) body = found;
    if (record !== BLANK.repeat(2 * digits)) free = at + 2 * digits;
  }
  return { body: body, free: free };
}

/** Whether the second of two logs holds the newer record. */
export function isNewer(first: Log, second: Log): boolean {
  const ahead = (digitsAt(second.body, 0, 4) - digitsAt(first.body, 0, 4)) & 0xffff;
  return second.body !== "" && (first.body === "" || ahead < 0x8000);
}
