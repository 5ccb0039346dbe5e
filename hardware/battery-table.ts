/** Battery life as a table: builds on a cell, at three data rates. */
import { airtimeMs } from "../protocols/lorawan/airtime.ts";
import { REGIONS, type RegionName } from "../protocols/lorawan/regions.ts";
import { type Charges, chargesOf, meanMa, yearsOn } from "./battery.ts";
import { runDay } from "./battery-day.ts";
import type { Build } from "./wiring/build.ts";

/** Header, port, report and MIC. */
const REPORT_BYTES = 21;

/** Spreading factors of the table: beside the hub, in the street, and the slowest that the region has time for. */
export function tableSf(region: RegionName): readonly number[] {
  const dwellMs = REGIONS[region].dwellTimeMs ?? Number.POSITIVE_INFINITY;
  const fits = (sf: number) =>
    airtimeMs({ sf, bandwidthHz: 125_000, payloadBytes: REPORT_BYTES, crc: true }) <= dwellMs;
  return [7, 9, Math.max(...[10, 11, 12].filter(fits))];
}

export interface LifeRow {
  readonly build: string;
  readonly sf: number;
  readonly heartbeatS: number;
  readonly framesADay: number;
  readonly meanMicroamps: number;
  readonly yearsEr14505: number;
  readonly yearsCr123a: number;
  /** What takes most of it on a quiet day, and which share. */
  readonly most: string;
}

/** Does it live on a cell, with the modem that the model knows? */
export function isOnBattery({ parts, firmware }: Build): boolean {
  const uses = Object.values(parts).map(({ use }) => use);
  return firmware !== undefined && uses.includes("er14505") && uses.includes("rak3172");
}

function mostOf(charges: Charges): string {
  const entries = Object.entries(charges).sort(([, a], [, b]) => b - a);
  const total = entries.reduce((sum, [, charge]) => sum + charge, 0);
  const [name = "", charge = 0] = entries[0] ?? [];
  return `${name} ${Math.round((100 * charge) / total)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** One row: runs a virtual day of the build. */
export async function lifeOf(
  build: Build,
  bundle: string,
  at: { readonly region: RegionName; readonly sf: number; readonly heartbeatS: number },
): Promise<LifeRow> {
  const { day, press } = await runDay({ build, bundle, ...at });
  const mean = meanMa(build, day, press);
  return {
    build: build.name,
    sf: day.slowestSf,
    heartbeatS: at.heartbeatS,
    framesADay: day.frames,
    meanMicroamps: rounded(mean * 1000),
    yearsEr14505: rounded(yearsOn("er14505", mean)),
    yearsCr123a: rounded(yearsOn("cr123a", mean)),
    most: mostOf(chargesOf(build, day)),
  };
}

/** The row as the table on paper has it. */
export function printedRow(row: LifeRow): string {
  const cells = [
    row.build,
    `SF${row.sf}`,
    `${row.heartbeatS} s`,
    String(row.framesADay),
    row.meanMicroamps.toFixed(1),
    row.yearsEr14505.toFixed(1),
    row.yearsCr123a.toFixed(1),
    row.most,
  ];
  return `| ${cells.join(" | ")} |`;
}

export const TABLE_HEAD = [
  "| build | data rate | heartbeat | frames a day | mean, µA | years on ER14505 | years on CR123A | most of it |",
  "|---|---|---|---|---|---|---|---|",
] as const;
