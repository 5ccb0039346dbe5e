/** What the LoRaWAN server must find again after a power cut. test/hub/lorawan/store-contract.ts checks these
 *  promises on every implementation. A promise returned here settles when its change is on stable storage; if it
 *  rejects, the change has not happened. Calls for one device take effect in the order they were made. */
import type { Mode } from "../../protocols/device/report.ts";

export type MacVersion = "1.0.2" | "1.0.3" | "1.0.4";

/** Everything both sides share after a join. */
export interface Session {
  /** 8 lowercase hex digits. */
  devAddr: string;
  /** 32 lowercase hex digits each. */
  nwkSKey: string;
  appSKey: string;
  /** Highest FCntUp accepted, all 32 bits; -1 before the first. */
  fCntUp: number;
  /** Next FCntDown to use. After loading, the same as `fCntDownReserved`: what lies between may have been used. */
  fCntDown: number;
  /** First FCntDown that is not reserved on stable storage. */
  fCntDownReserved: number;
  rx1DrOffset: number;
  rx2DataRate: number;
  rxDelayS: number;
  /** What ADR last agreed with the device. */
  dataRate: number;
  txPowerIndex: number;
  nbTrans: number;
  /** The device's uplink channels, by channel index. */
  channelsHz: readonly number[];
}

export interface DeviceRow {
  devEui: string;
  joinEui: string;
  appKey: string;
  macVersion: MacVersion;
  deviceClass: "A" | "C";
  name: string;
  place: { site: string; zone: string };
  /** Longest silence the device promises. */
  intervalS: number;
  /** Modes its reports may carry; any other mode is reported and treated as real. */
  allowModes: Mode[];
  /** LoRaWAN up to 1.0.3: every DevNonce used. */
  usedDevNonces: number[];
  /** LoRaWAN 1.0.4: the highest DevNonce used; -1 before the first join. */
  lastDevNonce: number;
  /** JoinNonce of the last join-accept; 0 before the first. */
  joinNonce: number;
  session: Session | null;
  /** Made by the last join, not yet used by the device. */
  pendingSession: Session | null;
}

/** What changes with ordinary traffic and may be a few seconds old after a crash. */
export interface SessionCounters {
  /** The session they belong to; ignored when the device has moved on. */
  devAddr: string;
  fCntUp: number;
  dataRate: number;
  txPowerIndex: number;
  nbTrans: number;
}

export interface JoinCommit {
  devNonce: number;
  joinNonce: number;
  pendingSession: Session;
}

export interface LorawanStore {
  loadDevices(): Promise<DeviceRow[]>;
  /** Adds a device, or replaces every field of one. */
  saveDevice(row: DeviceRow): Promise<void>;
  removeDevice(devEui: string): Promise<void>;
  /** Records a DevNonce as used (history and highest), the JoinNonce and the pending session, all or nothing. */
  commitJoin(devEui: string, join: JoinCommit): Promise<void>;
  /** The pending session becomes the session. Without a pending session: no change. */
  switchSession(devEui: string): Promise<void>;
  /** Raises `fCntDownReserved` of the current session. Never lowers it. */
  reserveFCntDown(devEui: string, firstUnreserved: number): Promise<void>;
  /** Stored soon, not now. Never lowers `fCntUp`. Losing the last seconds of it in a crash is harmless. */
  saveCounters(devEui: string, counters: SessionCounters): void;
  /** Stored soon, not now. */
  saveDutyCycle(ledgerJson: string): void;
  /** The last ledger saved, or null. */
  loadDutyCycle(): Promise<string | null>;
}
