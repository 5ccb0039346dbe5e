/** Many devices' rows in little memory. */
import type { DeviceRow, Session } from "../lorawan/store.ts";

/** Rows come from another thread with a copy of everything in each: what is the same in many is kept once. Each row is
 *  built field by field, because one that came across takes twice the memory. Takes the row over. */
export function createSharing(): (row: DeviceRow) => DeviceRow {
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly unknown[]>();
  const text = <T extends string>(own: T): T => once(texts, own, own) as T;
  const list = <T>(own: readonly T[]): T[] => once(lists, own.join(), own) as T[];
  const session = (own: Session | null) => {
    if (own !== null) own.channelsHz = list(own.channelsHz);
    return own;
  };
  return (row) => ({
    devEui: row.devEui,
    joinEui: text(row.joinEui),
    appKey: row.appKey,
    macVersion: text(row.macVersion),
    deviceClass: row.deviceClass,
    name: row.name,
    place: { site: text(row.place.site), zone: text(row.place.zone) },
    intervalS: row.intervalS,
    allowModes: list(row.allowModes),
    usedDevNonces: row.usedDevNonces,
    lastDevNonce: row.lastDevNonce,
    joinNonce: row.joinNonce,
    session: session(row.session),
    pendingSession: session(row.pendingSession),
  });
}

function once<T>(known: Map<string, T>, key: string, own: T): T {
  const before = known.get(key);
  if (before === undefined) known.set(key, own);
  return before ?? own;
}
