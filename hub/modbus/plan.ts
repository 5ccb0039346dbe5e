/** What is asked of a unit: as few reads as its profile allows, none of a register that nobody named. Pure. */
import type { ReadRequest } from "./bus.ts";
import { firstAddress, type PointConfig, type UnitConfig } from "./config.ts";
import { type Profile, TABLES } from "./profile.ts";

/** A point as it is polled. */
export interface PlannedPoint {
  readonly config: PointConfig;
  /** Its first address. */
  readonly address: number;
}

export interface Block {
  readonly request: ReadRequest;
  readonly points: readonly PlannedPoint[];
  /** Written before the read, which belongs to it; null: nothing. */
  readonly select: { readonly address: number; readonly value: number } | null;
}

export function blocksOf(profile: Profile, unit: UnitConfig): Block[] {
  const points = unit.points
    .map((config) => ({ config, address: firstAddress(profile, unit, config.at) }))
    .sort((a, b) => a.address - b.address);
  const { select } = profile;
  if (select !== undefined)
    return points.map((point) => ({
      ...blockOf(profile, unit, [point]),
      select: { address: select + unit.shift, value: point.config.at },
    }));
  const groups: PlannedPoint[][] = [];
  for (const point of points) {
    const group = groups.at(-1);
    if (group !== undefined && fits(profile, group, point)) group.push(point);
    else groups.push([point]);
  }
  return groups.map((group) => blockOf(profile, unit, group));
}

/** One read for each point: when one of them spoils the read for the others. */
export function apart(profile: Profile, unit: UnitConfig, { points }: Block): Block[] {
  return points.map((point) => blockOf(profile, unit, [point]));
}

function fits({ width, block }: Profile, group: readonly PlannedPoint[], { address }: PlannedPoint): boolean {
  const first = group[0]?.address ?? address;
  const end = (group.at(-1)?.address ?? address) + width;
  return address <= end && address + width - first <= block;
}

function blockOf(profile: Profile, { unit }: UnitConfig, points: readonly PlannedPoint[]): Block {
  const addresses = points.map(({ address }) => address);
  const address = Math.min(...addresses);
  const count = Math.max(...addresses) + profile.width - address;
  return { request: { unit, functionCode: TABLES[profile.table], address, count }, points, select: null };
}

/** The values of one point out of its block's. */
export function valuesOf(
  { width }: Profile,
  block: Block,
  point: PlannedPoint,
  values: readonly number[],
): number[] {
  const at = point.address - block.request.address;
  return values.slice(at, at + width);
}
