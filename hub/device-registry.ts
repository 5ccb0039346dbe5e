/** The devices a hub listens to: in the journal first, then in every part that works with them. */
import type { DeviceSetting } from "./device-settings.ts";
import { checkDevices } from "./devices.ts";
import type { Journal } from "./journal/journal.ts";
import type { DeviceRow } from "./lorawan/store.ts";

/** A device as the status page shows it: no keys. */
export interface DeviceView {
  readonly devEui: string;
  readonly joinEui: string;
  readonly name: string;
  readonly place: DeviceRow["place"];
  readonly macVersion: string;
  readonly deviceClass: string;
  readonly intervalS: number;
  readonly allowModes: readonly string[];
  /** What was asked of it last; null: nothing. Left out where no hub runs. */
  readonly settings?: DeviceSetting | null;
}

export interface DeviceRegistry {
  readonly rows: ReadonlyMap<string, DeviceRow>;
  /** The network server has taken the sessions over, and here they would only grow old. */
  dropSessions(): void;
  /** `list`: JSON as `DeviceInput`. All or nothing; rejects with a DeviceListError. */
  add(list: unknown): Promise<{ added: number }>;
  /** False when there is no such device. */
  remove(devEui: string): Promise<boolean>;
  views(): DeviceView[];
  /** Told after each change that is on stable storage. */
  onChange(listener: (change: { added: readonly DeviceRow[]; removed: string | null }) => void): void;
}

export async function openDeviceRegistry(
  journal: Pick<Journal, "loadDevices" | "saveDevices" | "removeDevice">,
): Promise<DeviceRegistry> {
  const rows = new Map((await journal.loadDevices()).map((row) => [row.devEui, row]));
  const listeners: Parameters<DeviceRegistry["onChange"]>[0][] = [];
  // One change after the other: what is checked against the list must still be so when it is stored.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const result = queue.then(action);
    queue = result.catch(() => undefined);
    return result;
  };
  return {
    rows,
    dropSessions() {
      for (const row of rows.values()) {
        row.session = null;
        row.pendingSession = null;
      }
    },
    add: (list) =>
      inTurn(async () => {
        const added = checkDevices(list, new Set(rows.keys()));
        await journal.saveDevices(added);
        for (const row of added) rows.set(row.devEui, row);
        for (const listener of listeners) listener({ added, removed: null });
        return { added: added.length };
      }),
    remove: (devEui) =>
      inTurn(async () => {
        if (!rows.has(devEui)) return false;
        await journal.removeDevice(devEui);
        rows.delete(devEui);
        for (const listener of listeners) listener({ added: [], removed: devEui });
        return true;
      }),
    views: () => [...rows.values()].map(deviceView),
    onChange: (listener) => void listeners.push(listener),
  };
}

export function deviceView(row: DeviceRow): DeviceView {
  const { devEui, joinEui, name, place, macVersion, deviceClass, intervalS, allowModes } = row;
  return { devEui, joinEui, name, place, macVersion, deviceClass, intervalS, allowModes };
}
