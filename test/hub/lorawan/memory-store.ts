/** The LorawanStore's promises kept in memory, with a disk that can refuse and a power that can fail: `disk` is what is
 *  on stable storage, `crash()` forgets the rest. */
import { withDevNonce } from "../../../hub/lorawan/dev-nonce.ts";
import type { DeviceRow, LorawanStore, SessionCounters } from "../../../hub/lorawan/store.ts";

export interface MemoryStore extends LorawanStore {
  /** While true every write rejects and changes nothing. */
  refuses: boolean;
  /** Before each durable write; may return a promise that delays it, or never settles (the power failed meanwhile). */
  beforeWrite: (what: string) => Promise<void> | undefined;
  /** What a sink does in the transaction of an alarm: its counter becomes durable with it. */
  commitFCntUp(devEui: string, fCntUp: number): Promise<void>;
  /** Makes lazily stored values durable. */
  flush(): void;
  /** Power failure: what was only lazily stored is gone; writes that are under way never happen. */
  crash(): void;
}

/** Empty, or with what another store left on its disk. */
export function createMemoryStore(rows: readonly DeviceRow[] = []): MemoryStore {
  const disk = new Map<string, DeviceRow>(rows.map((row) => [row.devEui, structuredClone(row)]));
  let lazyCounters: [string, SessionCounters][] = [];
  let dutyCycle: string | null = null;
  let lazyDutyCycle: string | null = null;
  let power = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const write = (what: string, change: () => void): Promise<void> => {
    const on = power;
    const done = queue.then(async () => {
      await store.beforeWrite(what);
      if (on !== power) return new Promise<void>(() => undefined);
      if (store.refuses) throw new Error(`memory store: ${what} refused`);
      return change();
    });
    queue = done.catch(() => undefined);
    return done;
  };
  const rowOf = (devEui: string): DeviceRow => {
    const row = disk.get(devEui);
    if (row === undefined) throw new Error(`memory store: no device ${devEui}`);
    return row;
  };
  const store: MemoryStore = {
    refuses: false,
    beforeWrite: () => undefined,
    async loadDevices() {
      await queue;
      return [...disk.values()]
        .map((row) => structuredClone(row))
        .map((row) => {
          for (const session of [row.session, row.pendingSession]) {
            if (session !== null) session.fCntDown = session.fCntDownReserved;
          }
          return row;
        });
    },
    saveDevice: (row) => write("saveDevice", () => void disk.set(row.devEui, structuredClone(row))),
    removeDevice: (devEui) => write("removeDevice", () => void disk.delete(devEui)),
    commitJoin: (devEui, join) =>
      write("commitJoin", () => {
        const { joinNonce, pendingSession } = structuredClone(join);
        disk.set(devEui, { ...withDevNonce(rowOf(devEui), join.devNonce), joinNonce, pendingSession });
      }),
    switchSession: (devEui) =>
      write("switchSession", () => {
        const row = rowOf(devEui);
        if (row.pendingSession === null) return;
        row.session = row.pendingSession;
        row.pendingSession = null;
      }),
    reserveFCntDown: (devEui, firstUnreserved) =>
      write("reserveFCntDown", () => {
        const { session } = rowOf(devEui);
        if (session !== null) session.fCntDownReserved = Math.max(session.fCntDownReserved, firstUnreserved);
      }),
    commitFCntUp: (devEui, fCntUp) =>
      write("commitFCntUp", () => {
        const { session } = rowOf(devEui);
        if (session !== null) session.fCntUp = Math.max(session.fCntUp, fCntUp);
      }),
    saveCounters: (devEui, counters) => void lazyCounters.push([devEui, counters]),
    saveDutyCycle(ledgerJson) {
      lazyDutyCycle = ledgerJson;
    },
    loadDutyCycle: async () => lazyDutyCycle ?? dutyCycle,
    flush() {
      for (const [devEui, { fCntUp, devAddr, ...rest }] of lazyCounters) {
        const session = disk.get(devEui)?.session ?? null;
        if (session?.devAddr !== devAddr) continue;
        Object.assign(session, rest, { fCntUp: Math.max(session.fCntUp, fCntUp) });
      }
      lazyCounters = [];
      dutyCycle = lazyDutyCycle;
    },
    crash() {
      power++;
      queue = Promise.resolve();
      lazyCounters = [];
      lazyDutyCycle = dutyCycle;
    },
  };
  return store;
}
