/** What one measurement gets and gives. Each runs in a process of its own (isolate.ts), so that none inherits another's
 *  heap, and everything it gives travels as plain data. */
import type { Figure } from "./stats.ts";

/** Latencies of one kind, for the plot and the JSON. */
export interface Curve {
  readonly name: string;
  /** Milliseconds, any order. */
  readonly samples: readonly number[];
}

/** Rates of one kind, side by side. */
export interface Bars {
  readonly name: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly value: number }[];
}

/** A figure that was not measured, and why. */
export interface Skipped {
  readonly name: string;
  readonly why: string;
}

export interface Measured {
  readonly figures: readonly Figure[];
  readonly curves?: readonly Curve[];
  readonly bars?: readonly Bars[];
  readonly skipped?: readonly Skipped[];
}

export interface Bench {
  /** An empty folder on the disk that is measured; whoever made it removes it. */
  readonly dir: string;
  /** Fewer rounds. */
  readonly quick: boolean;
  /** Milliseconds that every sync of this process and its children takes longer; 0: as the disk is. */
  readonly slowSyncMs: number;
  /** Aborted when the measurement shall end early. */
  readonly signal: AbortSignal;
  progress(words: string): void;
}

/** Exported as `measure` by the module that a Row names. */
export type Measure = (bench: Bench) => Promise<Measured>;

export interface Row {
  /** For --only. */
  readonly name: string;
  /** File beside this one. */
  readonly module: string;
  readonly what: string;
  readonly slowSyncMs?: number;
  /** The hub runs in the measurement's own process: V8 is told what `tugma hub run` tells it. */
  readonly asHub?: true;
  /** Not even begun with --quick; the reason is shown. */
  readonly notQuick?: string;
  /** Ended by force after this. */
  readonly limitS: number;
}
