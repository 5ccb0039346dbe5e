/** `tugma press`: a world made for one press. It prints every stage with its time, has an operator take, dispatch and
 *  close the incident, exports the evidence and verifies it. Exit status 0 means that the whole road was proven. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Incident } from "../../centre/incidents/incident.ts";
import { STAGES, type Stage } from "../../protocols/device/stage.ts";
import { verifyEvidence } from "../../protocols/evidence.ts";
import { type LampChange, type LampMeaning, lampMeaning } from "../virtual/board-lamp.ts";
import { createRealClock } from "../virtual/clock.ts";
import { buildButton } from "./build.ts";
import { watchHub } from "./demo.ts";
import { becomeFirstOperator, type Operator } from "./operator.ts";
import { DEMO_ENTRANCES, DEMO_REGION } from "./site-data.ts";
import { startVirtualSite, type VirtualSite } from "./virtual-site.ts";
import { startWorld, type World } from "./world.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
  readonly signal: AbortSignal;
}

const USAGE = `usage: npx tugma press [--json] [--out FILE] [--drill]
  --out FILE   keep the evidence file
  --drill      press in drill mode (the device says so, and everything after it is signed as a drill)`;

const HOLD_MS = 500;
/** SF12 joins and a whole repeat ladder fit in here. */
const JOIN_LIMIT_MS = 120_000;
const STAGE_LIMIT_MS = 120_000;

interface Told {
  readonly stage: string;
  readonly atMs: number;
}

export interface PressResult {
  readonly ok: boolean;
  /** Milliseconds from the finger on the button. */
  readonly stages: readonly Told[];
  readonly lamp: readonly Told[];
  readonly incident: Incident;
  readonly findings: readonly { level: string; what: string }[];
  readonly evidenceBytes: number;
}

/** Exit status 0, 64 for a wrong command line, 65 when the evidence does not verify, 69 when a stage never came. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let values: { json?: boolean; out?: string; drill?: boolean };
  try {
    const options = {
      json: { type: "boolean" },
      out: { type: "string" },
      drill: { type: "boolean" },
    } as const;
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    io.printError(`press: ${(error as Error).message}\n${USAGE}`);
    return 64;
  }
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-press-"));
  try {
    const { result, evidence } = await pressOnce(dir, values.drill ?? false, io);
    if (values.out !== undefined) writeFileSync(values.out, evidence);
    if (values.json) io.print(JSON.stringify(result));
    else for (const line of describe(result, values.out)) io.print(line);
    return result.ok ? 0 : 65;
  } catch (error) {
    io.printError(`press: ${(error as Error).message}`);
    return 69;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function pressOnce(dir: string, drill: boolean, io: Io) {
  const progress = (line: string) => io.printError(`· ${line}`);
  await using stack = new AsyncDisposableStack();
  const bundle = await buildButton();
  const world = await startWorld({ dir, region: DEMO_REGION, realm: "press", progress });
  stack.defer(() => world.stop());
  const operator = await becomeFirstOperator(world.console.loginLink ?? "", "Operator");
  const states = await followStages(world, stack);
  const clock = createRealClock();
  const [entrance] = DEMO_ENTRANCES;
  if (entrance === undefined) throw new Error("the demo has no entrance");
  const identity = drill ? { mode: "drill" } : {};
  const virtual = await startVirtualSite({ dir, clock, bundle, world, entrances: [entrance], identity });
  stack.defer(() => virtual.stop());
  progress("the button joins the hub over the air");
  await until(() => joined(virtual, entrance.id), JOIN_LIMIT_MS, "the button has not joined", io.signal);

  const lamp: LampChange[] = [];
  virtual.site.onEvent((event) => {
    if (event.type === "lamp") lamp.push({ lamp: event.lamp, atMs: event.atMs });
  });
  progress("press");
  const pressedMs = clock.monotonicMs();
  const pressedWallMs = clock.wallMs();
  await virtual.site.press(entrance.id, HOLD_MS);
  const shows = (stage: Stage) =>
    until(() => states.has(stage), STAGE_LIMIT_MS, `the hub never verified "${stage}"`, io.signal);
  const lampShows = (meaning: LampMeaning) =>
    until(
      () => lampMeaning(lamp, clock.monotonicMs()) === meaning,
      STAGE_LIMIT_MS,
      `the lamp never showed "${meaning}"`,
      io.signal,
    );
  await shows("received");
  await lampShows("received");
  const incident = await actThrough(operator, entrance.id, async (stage) => {
    progress(`operator: ${stage}`);
    await shows(stage);
    if (stage !== "closed") await lampShows(stage as LampMeaning);
  });
  const evidence = await operator.evidence(incident.id);
  const { ok, findings } = verifyEvidence(evidence);
  const stages = STAGES.map((stage) => ({
    stage,
    atMs: Math.round((states.get(stage) ?? 0) - pressedWallMs),
  }));
  const result: PressResult = {
    ok,
    stages,
    lamp: meanings(lamp, pressedMs),
    incident,
    findings,
    evidenceBytes: evidence.length,
  };
  return { result, evidence };
}

/** Wall time at which the hub said each stage of the press on its own broker. */
async function followStages(world: World, stack: AsyncDisposableStack): Promise<Map<Stage, number>> {
  const states = new Map<Stage, number>();
  const stop = await watchHub(world, (topic, payload) => {
    if (!topic.endsWith("/state") || topic === "tugma/hub/state") return;
    const { kind, stage } = JSON.parse(Buffer.from(payload).toString("utf8"));
    if (kind === "panic" && !states.has(stage)) states.set(stage, Date.now());
  });
  stack.defer(stop);
  return states;
}

/** The operator's part: finds the incident, and after each act waits for `shown`. */
async function actThrough(
  operator: Operator,
  device: string,
  shown: (stage: Exclude<Stage, "stored" | "received">) => Promise<void>,
): Promise<Incident> {
  const found = (await operator.incidents()).find((i) => i.device === device && i.kind === "panic");
  if (found === undefined) throw new Error("the press is not among the centre's incidents");
  await operator.act({ type: "take", incident: found.id });
  await shown("taken");
  await operator.act({ type: "dispatch", incident: found.id, text: "Team 1" });
  await shown("dispatched");
  const closed = await operator.act({ type: "close", incident: found.id, cause: "test" });
  await shown("closed");
  return closed;
}

function joined({ site }: VirtualSite, devEui: string): boolean {
  return site.modems.get(devEui)?.joined ?? false;
}

/** When the lamp began to mean what, from the finger on the button. */
function meanings(changes: readonly LampChange[], pressedMs: number): Told[] {
  const told: Told[] = [];
  for (const [index, { atMs }] of changes.entries()) {
    const meaning = lampMeaning(changes.slice(0, index + 1), atMs);
    if (told.at(-1)?.stage !== meaning) told.push({ stage: meaning, atMs: Math.round(atMs - pressedMs) });
  }
  return told;
}

/** Looks at `done` until it holds. Rejects after `limitMs` with `why`, or when Ctrl-C is pressed. */
export async function until(
  done: () => boolean,
  limitMs: number,
  why: string,
  signal?: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!done()) {
    if (signal?.aborted) throw new Error("stopped");
    if (performance.now() > endMs) throw new Error(`${why} within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function describe(result: PressResult, out: string | undefined): string[] {
  return [
    "from the finger on the button:",
    ...result.stages.map(({ stage, atMs }) => `  ${stage.padEnd(12)} ${String(atMs).padStart(7)} ms`),
    "the lamp:",
    ...result.lamp.map(({ stage, atMs }) => `  ${stage.padEnd(12)} ${String(atMs).padStart(7)} ms`),
    `evidence: ${result.evidenceBytes} bytes${out === undefined ? "" : `, kept in ${out}`}`,
    ...result.findings.map(({ level, what }) => `  ${level.padEnd(5)} ${what}`),
    result.ok ? "The whole road is proven." : "The evidence does NOT verify.",
  ];
}
