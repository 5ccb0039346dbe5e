/** Something that is wrong in a build. */
import type { Build } from "./build.ts";

export type FindingCode =
  | "pin-unknown"
  | "pin-twice"
  | "pin-kept"
  | "adc"
  | "level"
  | "pin-current"
  | "supply-current"
  | "uart-crossed"
  | "bus-crossed"
  | "usb"
  | "pull-missing"
  | "eol-missing"
  | "supply-missing"
  | "supply-range"
  | "supply-clash"
  | "ground-missing"
  | "bom";

export interface Finding {
  readonly code: FindingCode;
  readonly build: string;
  /** Name of the net; null where no net is concerned. */
  readonly net: string | null;
  readonly pins: readonly string[];
  /** What is wrong, and what to do. */
  readonly says: string;
}

/** Makes a finding. */
export function finding(
  { name }: Build,
  code: FindingCode,
  where: { readonly net?: string; readonly pins: readonly string[] },
  says: string,
): Finding {
  return { code, build: name, net: where.net ?? null, pins: where.pins, says };
}
