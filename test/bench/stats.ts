/** Figures from samples, and how a bench line is judged. */

export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The value below which `part` (0-1) of the samples lie, by nearest rank. NaN for no samples. */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))] ?? Number.NaN;
}

export function distribution(samples: readonly number[]): Distribution {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    count: sorted.length,
    min: percentile(sorted, 0),
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    max: percentile(sorted, 1),
  };
}

export function median(samples: readonly number[]): number {
  return distribution(samples).p50;
}

/** One promise with the figure that was measured for it, both sides in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The other side, in the same unit; null where the bound is a plain number. */
  readonly reference: { readonly what: string; readonly value: number } | null;
  readonly bound: { readonly is: "<=" | ">="; readonly limit: number };
  readonly detail?: Readonly<Record<string, number | string>>;
}

/** What the bound is about: value / reference, or the value itself where there is no other side. */
export function ratioOf({ value, reference }: Figure): number {
  return reference === null ? value : value / reference.value;
}

/** False also for a ratio that is no number: nothing was measured. */
export function meets(figure: Figure): boolean {
  const ratio = ratioOf(figure);
  return figure.bound.is === "<=" ? ratio <= figure.bound.limit : ratio >= figure.bound.limit;
}

/** CPU seconds of this process, all its threads, user and system, since `before`. */
export function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

/** Short number for a table: three significant digits. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString("en-GB")
    : Number(value.toPrecision(3)).toString();
}
