/** `tugma bench`: every figure of speed and memory that is promised, both sides measured in the same run, judged as ratios so
 *  that the verdict does not depend on the machine. */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { measureApart } from "./isolate.ts";
import type { Bars, Curve, Measured, Row, Skipped } from "./measure.ts";
import { ROWS } from "./rows.ts";
import { buildSlowSync } from "./slow-sync.ts";
import { distribution, type Figure, meets, ratioOf } from "./stats.ts";
import { drawPlot } from "./svg.ts";
import { drawTable } from "./table.ts";

export interface CommandIo {
  print(line: string): void;
  printError(line: string): void;
  readonly signal: AbortSignal;
}

const USAGE = `usage: tugma bench [--quick] [--only NAME[,NAME …]] [--json] [--svg FILE] [--strict]
  --quick   fewer rounds, under two minutes
  --only    some of: ${ROWS.map(({ name }) => name).join(", ")}
  --json    everything as JSON, with all distributions
  --svg     where the plot goes (default dist/bench.svg)
  --strict  exit status 1 when a bound is missed or a figure is not measured`;

const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;
const TMPFS_MAGIC = 0x01021994;

interface Results {
  readonly figures: Figure[];
  readonly curves: Curve[];
  readonly bars: Bars[];
  readonly skipped: Skipped[];
}

/** Settles with the exit status: 0 when it ran, whatever the bounds say (unless --strict), 64 for a wrong command line. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    io.printError(`tugma bench: ${options}\n${USAGE}`);
    return EXIT_USAGE;
  }
  if (options.help) {
    io.print(USAGE);
    return 0;
  }
  mkdirSync("data", { recursive: true });
  const dir = mkdtempSync(path.resolve("data", "bench-"));
  try {
    if (statfsSync(dir).type === TMPFS_MAGIC)
      io.printError(`${dir} is in memory: figures with syncs say nothing about a disk`);
    const [load = 0] = loadavg();
    if (load > availableParallelism() / 4)
      io.printError(
        `others are at work on this machine (load ${load.toFixed(1)}): figures will be worse than it is`,
      );
    const results = await measureAll(options.rows, { dir, quick: options.quick, io });
    report(results, options, io);
    if (io.signal.aborted) return EXIT_INTERRUPTED;
    const good = results.figures.every(meets) && results.skipped.length === 0;
    return options.strict && !good ? 1 : 0;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

type Options = NonNullable<Exclude<ReturnType<typeof readOptions>, string>>;

/** What was asked for, or what is wrong with it. */
function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        strict: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        only: { type: "string" },
        svg: { type: "string", default: path.join("dist", "bench.svg") },
      },
    });
    const names = values.only?.split(",") ?? ROWS.map(({ name }) => name);
    const unknown = names.find((name) => ROWS.every((row) => row.name !== name));
    if (unknown !== undefined) return `there is no figure "${unknown}"`;
    return { ...values, rows: ROWS.filter(({ name }) => names.includes(name)) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function measureAll(
  rows: readonly Row[],
  { dir, quick, io }: { dir: string; quick: boolean; io: CommandIo },
): Promise<Results> {
  const results: Results = { figures: [], curves: [], bars: [], skipped: [] };
  for (const row of rows) {
    if (io.signal.aborted) break;
    const own = path.join(dir, row.name);
    mkdirSync(own);
    const startedMs = performance.now();
    const progress = (words: string) => io.printError(`  ${row.name}: ${words}`);
    io.printError(`${row.name}: ${row.what}`);
    try {
      const slow = row.slowSyncMs === undefined ? { env: {} } : buildSlowSync(dir, row.slowSyncMs);
      if (quick && row.notQuick !== undefined) results.skipped.push({ name: row.name, why: row.notQuick });
      else if ("why" in slow) results.skipped.push({ name: row.name, why: slow.why });
      else
        add(
          results,
          await measureApart(row, { dir: own, quick, env: slow.env, signal: io.signal, progress }),
        );
    } catch (error) {
      // One figure that cannot be measured must not hide the others.
      const why = error instanceof Error ? error.message : String(error);
      results.skipped.push({ name: row.name, why });
      progress(why);
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
    progress(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }
  return results;
}

function add(results: Results, measured: Measured): void {
  results.figures.push(...measured.figures);
  results.curves.push(...(measured.curves ?? []));
  results.bars.push(...(measured.bars ?? []));
  results.skipped.push(...(measured.skipped ?? []));
}

function report(results: Results, options: Options, io: CommandIo): void {
  const { figures, skipped } = results;
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model ?? "",
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 1e6),
  };
  const at = new Date().toISOString();
  const rounds = options.quick ? ", few rounds" : "";
  const subtitle = `${at.slice(0, 16).replace("T", " ")} UTC · ${machine.cpu}, ${machine.cores} cores · Node ${process.version}${rounds}`;
  mkdirSync(path.dirname(path.resolve(options.svg)), { recursive: true });
  writeFileSync(options.svg, drawPlot({ ...results, subtitle }));
  if (options.json)
    io.print(JSON.stringify({ at, node: process.version, machine, ...plain(results, options) }, null, 1));
  else for (const line of drawTable(figures, skipped)) io.print(line);
  io.printError(`plot: ${options.svg}`);
}

/** The results for a program, with what follows from them. */
function plain({ figures, curves, bars, skipped }: Results, { quick }: Options) {
  return {
    quick,
    figures: figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), met: meets(figure) })),
    distributions: curves.map(({ name, samples }) => ({
      name,
      unit: "ms",
      ...distribution(samples),
      samples: samples.map((ms) => Number(ms.toFixed(3))),
    })),
    rates: bars,
    skipped,
  };
}
