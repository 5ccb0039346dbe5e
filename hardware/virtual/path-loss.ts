/** How much of a signal is left where it is heard: the loss between two stations, as functions to give to the air. */

/** Loss in dB from one station to another at a frequency. Infinity = never heard. */
export type PathLoss = (from: string, to: string, frequencyHz: number) => number;

export interface Position {
  readonly xM: number;
  readonly yM: number;
}

/** Free space loss at one metre is 20 log10(f) − 147.55 dB (Friis). */
const FRIIS_DB = -147.55;

/** Log-distance model: free space to the first metre, then `exponent`: 2 free space, 2.7-3.5 a street, 4 and more indoors. */
export function distanceLossDb(distanceM: number, frequencyHz: number, exponent: number): number {
  return 20 * Math.log10(frequencyHz) + FRIIS_DB + 10 * exponent * Math.log10(Math.max(1, distanceM));
}

/** Stations on a map. One without a position hears and is heard by nobody. */
export function lossByPosition(positions: ReadonlyMap<string, Position>, exponent = 3.2): PathLoss {
  return (from, to, frequencyHz) => {
    const a = positions.get(from);
    const b = positions.get(to);
    if (a === undefined || b === undefined) return Number.POSITIVE_INFINITY;
    return distanceLossDb(Math.hypot(a.xM - b.xM, a.yM - b.yM), frequencyHz, exponent);
  };
}

/** Measured or imagined losses, the same in both directions; pairs not in the table lose `otherwiseDb`. */
export function lossByTable(
  table: Readonly<Record<string, Readonly<Record<string, number>>>>,
  otherwiseDb: number,
): PathLoss {
  return (from, to) => table[from]?.[to] ?? table[to]?.[from] ?? otherwiseDb;
}
