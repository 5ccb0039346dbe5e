/** Report: what a device says, the same 8 bytes on every carrier (FPort 2, device → hub). In the Espruino subset.
 *    byte 0    version:3 kind:5
 *    byte 1    mode:2 tamper:1 batteryLow:1 mainsLost:1 deviceFault:1 zero:2
 *    byte 2-3  event number, big-endian: +1 per event, survives power loss; a heartbeat carries the last event's
 *    byte 4-5  age of the event in seconds when this frame was made, big-endian, saturating at 65535
 *    byte 6    battery %, 0xff unknown
 *    byte 7    detail, by kind: press length in 50 ms, temperature °C + 40, zone …                              */
import { codecError } from "./codec-error.ts";
import { KINDS, type Kind, kindOf } from "./kinds.ts";

export const REPORT_FPORT = 2;
export const REPORT_LENGTH = 8;

/** Index = the two mode bits. */
export const MODES = ["real", "test", "drill", "commissioning"] as const;
export type Mode = (typeof MODES)[number];

export interface Report {
  readonly kind: Kind;
  readonly mode: Mode;
  readonly tamperOpen: boolean;
  readonly batteryLow: boolean;
  readonly mainsLost: boolean;
  readonly deviceFault: boolean;
  /** 0-65535, wraps. */
  readonly eventNumber: number;
  /** Seconds; 65535 means "that or more". */
  readonly ageS: number;
  /** 0-100, null unknown. */
  readonly batteryPercent: number | null;
  /** 0-255, meaning by kind. */
  readonly detail: number;
}

const VERSION = 1;
const TAMPER = 0x20;
const BATTERY = 0x10;
const MAINS = 0x08;
const FAULT = 0x04;
const UNKNOWN = 0xff;

/** Eight bytes. Total for every Report; numbers are cut to their field, ages saturate. */
export function encodeReport(r: Report): Uint8Array {
  const age = Math.min(r.ageS, 0xffff);
  const flags =
    (r.tamperOpen ? TAMPER : 0) |
    (r.batteryLow ? BATTERY : 0) |
    (r.mainsLost ? MAINS : 0) |
    (r.deviceFault ? FAULT : 0);
  return new Uint8Array([
    (VERSION << 5) | KINDS[r.kind].id,
    (MODES.indexOf(r.mode) << 6) | flags,
    r.eventNumber >> 8,
    r.eventNumber & 0xff,
    age >> 8,
    age & 0xff,
    r.batteryPercent === null ? UNKNOWN : r.batteryPercent,
    r.detail,
  ]);
}

/** Throws a CodecError: length, version, kind, reserved, battery. */
export function decodeReport(bytes: Uint8Array): Report {
  const at = (i: number) => bytes[i] ?? 0;
  if (bytes.length !== REPORT_LENGTH) throw codecError("length", "report: " + bytes.length + " bytes, not 8");
  if (at(0) >> 5 !== VERSION) throw codecError("version", "report: version " + (at(0) >> 5) + ", not 1");
  const kind = kindOf(at(0) & 0x1f);
  if (kind === undefined) throw codecError("kind", "report: no kind " + (at(0) & 0x1f));
  if ((at(1) & 0x03) !== 0) throw codecError("reserved", "report: byte 1 is 0x" + at(1).toString(16));
  const battery = at(6);
  if (battery > 100 && battery !== UNKNOWN) throw codecError("battery", "report: battery " + battery + " %");
  return {
    kind: kind,
    mode: MODES[at(1) >> 6] ?? "real",
    tamperOpen: (at(1) & TAMPER) !== 0,
    batteryLow: (at(1) & BATTERY) !== 0,
    mainsLost: (at(1) & MAINS) !== 0,
    deviceFault: (at(1) & FAULT) !== 0,
    eventNumber: (at(2) << 8) | at(3),
    ageS: (at(4) << 8) | at(5),
    batteryPercent: battery === UNKNOWN ? null : battery,
    detail: at(7),
  };
}
