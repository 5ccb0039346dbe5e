/** Devices and sessions in memory. Sessions are found by DevAddr, which several devices may share. */
import { type AesKey, createAesKey } from "../../protocols/lorawan/crypto.ts";
import type { Exchange } from "./exchange.ts";
import { createMacState, type MacState } from "./mac-state.ts";
import type { DeviceRow, Session } from "./store.ts";

export interface LiveSession {
  readonly device: LiveDevice;
  readonly state: Session;
  /** Made on first use: most sessions of a large site sleep. */
  keys: SessionKeys | null;
  /** Highest FCntUp that the sink has accepted; `state.fCntUp` also counts those on their way to it. */
  acceptedFCntUp: number;
  /** Counters on their way to the sink: one, nearly always, for a moment. */
  inFlight: readonly number[];
  /** A reservation of FCntDown is on its way to the store. */
  reserving: Promise<void> | null;
}

export interface SessionKeys {
  nwkSKey: AesKey;
  appSKey: AesKey;
}

/** A device's row without its sessions, which live here. */
export type DeviceFacts = Omit<DeviceRow, "session" | "pendingSession">;

export interface LiveDevice {
  facts: DeviceFacts;
  session: LiveSession | null;
  pending: LiveSession | null;
  /** The first uplink under new keys was heard, and the store does not know yet. */
  switchOwed: boolean;
  /** The store is being told. */
  switching: Promise<void> | null;
  /** The last uplink and its answer. */
  exchange: Exchange | null;
  /** The uplink before it: a slow gateway may still bring a copy. */
  previous: Pick<Exchange, "fCntUp" | "frameHash" | "copies"> | null;
  mac: MacState;
  /** Join-requests since the last uplink: the more, the more urgent. */
  joinAttempts: number;
}

export interface SessionTable {
  readonly devices: ReadonlyMap<string, LiveDevice>;
  /** Adds a device or replaces it. */
  add(row: DeviceRow): LiveDevice;
  remove(devEui: string): void;
  /** Sessions under this DevAddr, current and pending. */
  at(devAddr: string): readonly LiveSession[];
  isUsed(devAddr: string): boolean;
  setPending(device: LiveDevice, session: Session): void;
  /** The pending session becomes the session; the old one is forgotten. */
  promote(device: LiveDevice): void;
}

const NONE: readonly LiveSession[] = [];
const NONE_IN_FLIGHT: readonly number[] = [];

/** Empty; devices come by `add`. */
export function createSessionTable(): SessionTable {
  const devices = new Map<string, LiveDevice>();
  const byDevAddr = new Map<string, LiveSession[]>();
  const live = (device: LiveDevice, session: Session): LiveSession => ({
    device,
    state: copyOf(session),
    keys: null,
    acceptedFCntUp: session.fCntUp,
    inFlight: NONE_IN_FLIGHT,
    reserving: null,
  });
  /** From the store: whatever was reserved may have been used before a crash. */
  const reload = (device: LiveDevice, session: Session): LiveSession =>
    live(device, { ...session, fCntDown: Math.max(session.fCntDown, session.fCntDownReserved) });
  const index = (live: LiveSession) => {
    const list = byDevAddr.get(live.state.devAddr);
    if (list === undefined) byDevAddr.set(live.state.devAddr, [live]);
    else list.push(live);
  };
  const unindex = (live: LiveSession | null) => {
    if (live === null) return;
    const rest = (byDevAddr.get(live.state.devAddr) ?? []).filter((other) => other !== live);
    if (rest.length > 0) byDevAddr.set(live.state.devAddr, rest);
    else byDevAddr.delete(live.state.devAddr);
  };
  const remove = (devEui: string) => {
    const device = devices.get(devEui);
    if (device === undefined) return;
    unindex(device.session);
    unindex(device.pending);
    device.exchange?.downlink?.cancel();
    devices.delete(devEui);
  };
  return {
    devices,
    add(row) {
      const before = devices.get(row.devEui);
      remove(row.devEui);
      const { session, pendingSession } = row;
      const device: LiveDevice = {
        facts: factsOf(row),
        session: null,
        pending: null,
        switchOwed: false,
        switching: null,
        exchange: null,
        previous: null,
        mac: createMacState(),
        joinAttempts: 0,
      };
      device.session = session === null ? null : reload(device, ahead(session, before));
      device.pending = pendingSession === null ? null : reload(device, ahead(pendingSession, before));
      for (const one of [device.session, device.pending]) if (one !== null) index(one);
      devices.set(row.devEui, device);
      return device;
    },
    remove,
    at: (devAddr) => byDevAddr.get(devAddr) ?? NONE,
    isUsed: (devAddr) => byDevAddr.has(devAddr),
    setPending(device, session) {
      // removed while the store was busy
      if (devices.get(device.facts.devEui) !== device) return;
      unindex(device.pending);
      device.pending = live(device, session);
      index(device.pending);
    },
    promote(device) {
      if (device.pending === null) return;
      unindex(device.session);
      device.session = device.pending;
      device.pending = null;
      // the status of a device that has just come is asked for soon
      device.mac = createMacState();
      device.switchOwed = true;
    },
  };
}

/** Field by field, here and below: an object made by spreading takes up to three times the memory, and there are
 *  thousands of these. */
function factsOf(row: DeviceRow): DeviceFacts {
  return {
    devEui: row.devEui,
    joinEui: row.joinEui,
    appKey: row.appKey,
    macVersion: row.macVersion,
    deviceClass: row.deviceClass,
    name: row.name,
    place: row.place,
    intervalS: row.intervalS,
    allowModes: row.allowModes,
    usedDevNonces: row.usedDevNonces,
    lastDevNonce: row.lastDevNonce,
    joinNonce: row.joinNonce,
  };
}

function copyOf(session: Session): Session {
  return {
    devAddr: session.devAddr,
    nwkSKey: session.nwkSKey,
    appSKey: session.appSKey,
    fCntUp: session.fCntUp,
    fCntDown: session.fCntDown,
    fCntDownReserved: session.fCntDownReserved,
    rx1DrOffset: session.rx1DrOffset,
    rx2DataRate: session.rx2DataRate,
    rxDelayS: session.rxDelayS,
    dataRate: session.dataRate,
    txPowerIndex: session.txPowerIndex,
    nbTrans: session.nbTrans,
    channelsHz: session.channelsHz,
  };
}

/** A row may be older than what is in memory: counters of the same session never go back. */
function ahead(session: Session, before: LiveDevice | undefined): Session {
  const known = [before?.session, before?.pending].find(
    (one) => one?.state.nwkSKey === session.nwkSKey,
  )?.state;
  if (known === undefined) return session;
  return {
    ...session,
    fCntUp: Math.max(session.fCntUp, known.fCntUp),
    fCntDownReserved: Math.max(session.fCntDownReserved, known.fCntDownReserved),
  };
}

/** The session's keys, made once. */
export function keysOf(live: LiveSession): SessionKeys {
  live.keys ??= { nwkSKey: createAesKey(live.state.nwkSKey), appSKey: createAesKey(live.state.appSKey) };
  return live.keys;
}

/** Notes that an uplink is on its way to the sink. */
export function beginUplink(live: LiveSession, fCntUp: number): void {
  live.inFlight = [...live.inFlight, fCntUp];
  live.state.fCntUp = Math.max(live.state.fCntUp, fCntUp);
}

/** Notes what the sink said. A refused uplink gives its counter back, so that its next copy is tried again. */
export function endUplink(live: LiveSession, fCntUp: number, accepted: boolean): void {
  const rest = live.inFlight.filter((other) => other !== fCntUp);
  live.inFlight = rest.length > 0 ? rest : NONE_IN_FLIGHT;
  if (accepted) live.acceptedFCntUp = Math.max(live.acceptedFCntUp, fCntUp);
  live.state.fCntUp = Math.max(live.acceptedFCntUp, ...live.inFlight);
}
