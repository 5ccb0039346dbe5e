/** A world of real processes to be killed, cut and copied, and the way to wait until it has come to rest. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startWorld, type World } from "../../hardware/demo/world.ts";
import type { RegionName } from "../../protocols/lorawan/regions.ts";

export const REALM = "campaign";

export interface Campaign {
  readonly world: World;
  readonly dir: string;
}

/** Starts hub and centre in a folder of their own. `stack` stops them and removes the folder, whatever happens; with
 *  TUGMA_KEEP set the folder stays, and its name is printed. */
export async function startCampaign(region: RegionName, stack: AsyncDisposableStack): Promise<Campaign> {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-campaign-"));
  stack.defer(() => {
    if (process.env["TUGMA_KEEP"]) console.log(`kept: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  });
  const world = await startWorld({ dir, region, realm: REALM });
  stack.defer(() => world.stop());
  return { world, dir };
}

/** Looks at `done` until it holds; rejects after `limitMs` with what was waited for and what `state` says then. */
export async function until(
  done: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string,
  state: () => unknown = () => "",
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await done())) {
    if (performance.now() > endMs)
      throw new Error(`not within ${limitMs / 1000} s: ${what} ${JSON.stringify(await state())}`);
    await sleep(20);
  }
}

/** The one path of the hub as its status door shows it; null while the hub is down. */
export async function pathOf(
  world: World,
): Promise<{ up: boolean; complete: number; backlog: number } | null> {
  const status = await world.hubStatus();
  const [path] = (status?.["paths"] ?? []) as { up: boolean; complete: number; backlog: number }[];
  return path ?? null;
}

/** Settles when the hub has a receipt for every record it holds. */
export async function untilSettled(world: World, limitMs: number): Promise<void> {
  const isSettled = async () => (await pathOf(world))?.backlog === 0;
  await until(isSettled, limitMs, "a receipt for every record", () => pathOf(world));
}

/** Says every `every`th time how far a campaign is. */
export function createProgress(
  name: string,
  total: number,
  every: number,
): (done: number, more: string) => void {
  const startMs = performance.now();
  return (done, more) => {
    if (done % every !== 0 && done !== total) return;
    const seconds = Math.round((performance.now() - startMs) / 1000);
    console.log(`${name}: ${done} of ${total} after ${seconds} s; ${more}`);
  };
}
