/** Battery life as a table: builds on a cell, at three data rates. */
import type { RegionName } from "../protocols/lorawan/regions.ts";
import { type Charges, chargesOf, meanMa, yearsOn } from "./battery.ts";
import { runDay } from "./battery-day.ts";
import type { Build } from "./wiring/build.ts";

/** Spreading factors of the table: beside the hub, in the street, at the edge. */
export const TABLE_SF: readonly number[] = [7, 9, 12];

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
    sf: at.sf,
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
