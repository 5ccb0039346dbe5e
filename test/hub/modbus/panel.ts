/** A panel on a bus, polled into a journal on disk, in virtual time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../hardware/virtual/clock.ts";
import {
  createModbusLine,
  createModbusUnit,
  type ModbusUnit,
  type VirtualModbusLine,
} from "../../../hardware/virtual/modbus-slave.ts";
import { parseConfig } from "../../../hub/config.ts";
import type { Foundation } from "../../../hub/foundation.ts";
import { DiskRefused } from "../../../hub/journal/disk.ts";
import { openJournalInThread } from "../../../hub/journal/host.ts";
import type { Journal } from "../../../hub/journal/journal.ts";
import { type Modbus, openModbus } from "../../../hub/modbus/modbus.ts";
import type { EventRecord } from "../../../protocols/event.ts";
import { GENESIS, HUB, journalOptions } from "../journal/fixture.ts";
import { lineOf } from "./virtual-bus.ts";

export interface PolledWorld {
  readonly clock: VirtualClock;
  readonly line: VirtualModbusLine;
  /** Unit 1. */
  readonly panel: ModbusUnit;
  readonly modbus: Modbus;
  readonly journal: Journal;
  /** Every record so far. */
  records(): Promise<EventRecord[]>;
  /** Kind and zone of every record so far. */
  story(): Promise<string[]>;
  /** The process ends and starts again, with hub.yaml as it is or another one; `whileDown` happens in between. */
  restart(change?: { yaml?: string; whileDown?: () => void }): Promise<void>;
  plug(isIn: boolean): void;
  /** The disk takes nothing, or everything again. */
  fill(isFull: boolean): void;
}

export const PANEL_YAML = `
region: EU433
modbus:
  buses:
    - name: fire
      path: /dev/ttyS9
      timeoutMs: 200
      units:
        - name: panel
          unit: 1
          profile: bolid-c2000-pp
          site: Chilonzor 9
          points:
            - { at: 1, zone: Stairs }
            - { at: 2, zone: Cellar, kind: heat }
            - { at: 3, zone: Roof }
            - { at: 7, zone: Gate }
`;
const ZONES = 40_000;
export const ARMED = 24 << 8;
const LIMIT_MS = 1_000;

/** Zones 1, 2, 3 and 7 are armed and quiet. */
export async function panelWorld(yaml = PANEL_YAML): Promise<PolledWorld> {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-panel-"));
  const clock = createVirtualClock();
  const line = createModbusLine({ clock, baudRate: 9600 });
  const panel = createModbusUnit();
  line.units.set(1, panel);
  for (const zone of [1, 2, 3, 7]) setZone(panel, zone, ARMED);
  let plug: (isIn: boolean) => void = () => undefined;
  let isFull = false;
  let running: { journal: Journal; modbus: Modbus } | null = null;

  async function start(text: string): Promise<void> {
    const journal = await openJournalInThread({
      ...journalOptions(path.join(dir, "journal.sqlite")),
      genesis: GENESIS,
    });
    const refusing: Journal = Object.create(journal, {
      appendAll: {
        value: (...args: Parameters<Journal["appendAll"]>) =>
          isFull ? Promise.reject(new DiskRefused("full", "no space")) : journal.appendAll(...args),
      },
    });
    const foundation = {
      clock,
      journal: refusing,
      identity: { hub: HUB },
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      trouble(error: unknown) {
        if (!(error instanceof DiskRefused)) throw error;
      },
    } as unknown as Foundation;
    const { modbus: config } = parseConfig(text, "hub.yaml");
    const modbus = await openModbus(foundation, config, () =>
      lineOf(line, clock, (handed) => {
        plug = handed;
      }),
    );
    running = { journal, modbus };
  }

  async function stop(): Promise<void> {
    const { journal, modbus } = now();
    await modbus.close();
    await journal[Symbol.asyncDispose]();
  }

  function now() {
    if (running === null) throw new Error("nothing runs");
    return running;
  }

  await start(yaml);
  onTestFinished(async () => {
    await stop();
    rmSync(dir, { recursive: true });
  });
  const records = async () => (await now().journal.read(0, 10_000)).map(({ event }) => event);
  return {
    clock,
    line,
    panel,
    get modbus() {
      return now().modbus;
    },
    get journal() {
      return now().journal;
    },
    records,
    story: async () => (await records()).map(({ kind, place, note }) => `${kind} ${place.zone || note}`),
    async restart({ yaml: other = yaml, whileDown } = {}) {
      await stop();
      whileDown?.();
      await clock.advance(LIMIT_MS);
      await start(other);
    },
    plug: (isIn) => plug(isIn),
    fill(full) {
      isFull = full;
    },
  };
}

export function setZone(panel: ModbusUnit, zone: number, state: number): void {
  panel.holdingRegisters.set(ZONES + zone - 1, state);
}

function ignore(): void {
  // what is logged here is told in the journal
}
