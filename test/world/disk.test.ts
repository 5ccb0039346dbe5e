/** The hub's disk takes nothing more: nothing is acknowledged, and when there is space again the fault is told and every
 *  press that is still being said is stored, once. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { boardEui } from "./radio.ts";
import { type World, worldOf } from "./world.ts";

const BUTTON = boardEui(0);
const OTHER = boardEui(1);

/** A disk that can be filled to its last byte and emptied again. */
interface SmallDisk {
  readonly dir: string;
  fill(): void;
  free(): void;
  /** Only while nothing on it is open. */
  writable(on: boolean): void;
}

/** Only root may mount; others may where sudo asks them for no password. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
const OWNER = `uid=${process.getuid?.()},gid=${process.getgid?.()}`;

/** Says whether it went well. */
function asRoot(...command: readonly string[]): boolean {
  const [program = "", ...args] = [...AS_ROOT, ...command];
  return spawnSync(program, args).status === 0;
}

function mountTmpfs(dir: string, size: string): boolean {
  return asRoot("mount", "-t", "tmpfs", "-o", `size=${size},mode=700,${OWNER}`, "tugma", dir);
}

/** A file system of its own in memory. */
function mountSmallDisk(): SmallDisk {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-disk-"));
  expect(mountTmpfs(dir, "4m")).toBe(true);
  onTestFinished(() => {
    expect(asRoot("umount", dir)).toBe(true);
    rmSync(dir, { recursive: true });
  });
  const ballast = path.join(dir, "ballast");
  return {
    dir,
    fill() {
      const { bavail, bsize } = statfsSync(dir);
      writeFileSync(ballast, new Uint8Array(bavail * bsize));
    },
    free: () => rmSync(ballast),
    writable: (on) => expect(asRoot("mount", "-o", `remount,${on ? "rw" : "ro"}`, dir)).toBe(true),
  };
}

const canMount = mountsHere();
if (!canMount) console.warn("Skipped: only root or sudo may mount the small disk that these tests fill");

function mountsHere(): boolean {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-probe-"));
  const mounted = mountTmpfs(dir, "64k");
  if (mounted) asRoot("umount", dir);
  rmSync(dir, { recursive: true });
  return mounted;
}

/** Downlinks that acknowledge or answer anything, since a moment. */
const answers = (world: World, sinceMs: number) =>
  world.lines.passed.filter(({ atMs, packet }) => atMs >= sinceMs && packet?.type === "pullResp");

describe.skipIf(!canMount)("a full disk", () => {
  async function onSmallDisk() {
    const disk = mountSmallDisk();
    const hubDir = path.join(disk.dir, "hub");
    mkdirSync(hubDir);
    const world = await worldOf({ boards: 2, hubDir });
    await world.join();
    return { disk, world };
  }

  test("a press is not acknowledged, then stored once when there is space; the fault is told with its length", async () => {
    const { disk, world } = await onSmallDisk();
    const last = world.hub.journal.head;
    disk.fill();
    const fullMs = world.clock.monotonicMs();
    await world.press(BUTTON, 20_000);
    expect(world.lamp(BUTTON)).toBe("notDelivered");
    expect(answers(world, fullMs)).toEqual([]);
    expect(world.hub.journal.head).toEqual(last);
    expect(world.hub.status().disk).toBe("full");
    expect(world.counter("disk.refusals")).toBeGreaterThan(1);
    expect(world.logged).toContain("disk.fault");
    expect(world.incidents()).toEqual([]);

    disk.free();
    await world.clock.runUntil(() => world.lamp(BUTTON) === "received", 120_000);
    expect(world.lamp(BUTTON)).toBe("received");
    expect(world.hub.status().disk).toBe("ok");
    expect(world.logged).toContain("disk.restored");
    const told = (await world.records()).filter(({ sequence }) => sequence > last.sequence);
    expect(told.map(({ kind }) => kind).sort()).toEqual(["diskFault", "diskRestored", "panic"]);
    expect(told.find(({ kind }) => kind === "diskFault")?.note).toMatch(
      /^full, for \d+ s; \d+ writes refused$/,
    );
    expect(world.incidents("panic")).toMatchObject([
      { device: BUTTON, repeats: 0, proof: { chain: "complete" } },
    ]);
    expect(world.incidents("diskFault")).toMatchObject([{ stage: "closed", marks: ["ended"] }]);
  });

  test("a heartbeat, a join and a stage meanwhile break nothing, and no counter is used twice", async () => {
    const { disk, world } = await onSmallDisk();
    await world.press(BUTTON);
    disk.fill();
    const fullMs = world.clock.monotonicMs();
    await world.site.setSwitch(OTHER, false);
    await world.site.setSwitch(OTHER, true);
    await world.clock.advance(4_000_000);
    expect(
      answers(world, fullMs).filter(
        ({ packet }) => packet?.type === "pullResp" && packet.txpk.phyPayload[0] === 0x20,
      ),
    ).toEqual([]);
    const [incident] = world.incidents("panic");
    const take = {
      type: "take",
      incident: incident?.id ?? "",
      operator: "Nodira",
      atMs: 0,
      key: "1",
    } as const;
    expect(await world.centre.act(take)).toMatchObject({ ok: true });
    await world.clock.advance(10_000);
    disk.free();
    await world.clock.advance(200_000);
    expect(world.hub.status().disk).toBe("ok");
    // its pauses have become long; nobody is at its button
    await world.join(3_600_000);
    for (const button of [BUTTON, OTHER]) {
      await world.press(button);
      expect(world.lamp(button)).toBe("received");
    }
    expect(world.incidents("panic").map(({ device }) => device)).toEqual([BUTTON, OTHER]);
    const rows = await world.hub.journal.readRows(0, 1_000);
    expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, i) => i + 1));
  });

  test.each(["full", "read-only"])(
    "a hub that starts on a %s disk says so and loses nothing",
    async (how) => {
      const { disk, world } = await onSmallDisk();
      await world.press(BUTTON);
      const before = await world.records();
      await world.stopHub();
      if (how === "full") disk.fill();
      else disk.writable(false);
      await expect(world.startHub()).rejects.toThrow(/^journal: the disk refused: /);
      if (how === "full") disk.free();
      else disk.writable(true);
      await world.startHub();
      await world.restore();
      expect((await world.records()).slice(0, before.length)).toEqual(before);
      await world.press(BUTTON, 10_000);
      expect(world.lamp(BUTTON)).toBe("received");
      expect(world.incidents("panic")[0]?.eventNumbers.map(([from, to]) => to - from + 1)).toEqual([2]);
    },
  );
});
