/** Devices and their LoRaWAN sessions in the journal's tables. Every function runs inside its caller's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { DeviceRow, JoinCommit, Session, SessionCounters } from "../lorawan/store.ts";
import type { UplinkCounter } from "./journal.ts";

export interface CounterChange {
  readonly devEui: string;
  readonly counters: SessionCounters;
}

const CURRENT = 0;
const PENDING = 1;
/** To SQLite, a limit below zero is none. */
const ALL = -1;

/** Prepares the statements once; what it returns is the only code that touches these tables. */
export function createDeviceTables(database: DatabaseSync) {
  const putDevice = database.prepare("INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?)");
  const dropDevice = database.prepare("DELETE FROM device WHERE dev_eui = ?");
  const dropNonces = database.prepare("DELETE FROM dev_nonce WHERE dev_eui = ?");
  const dropSessions = database.prepare("DELETE FROM session WHERE dev_eui = ?");
  const dropSession = database.prepare("DELETE FROM session WHERE dev_eui = ? AND pending = ?");
  const putNonce = database.prepare("INSERT OR IGNORE INTO dev_nonce VALUES (?, ?)");
  const putSession = database.prepare("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const joined = database.prepare(
    "UPDATE device SET last_dev_nonce = max(last_dev_nonce, ?), join_nonce = ? WHERE dev_eui = ?",
  );
  const promote = database.prepare("UPDATE session SET pending = 0 WHERE dev_eui = ? AND pending = 1");
  const isPending = database.prepare("SELECT 1 FROM session WHERE dev_eui = ? AND pending = 1");
  const reserve = database.prepare(
    "UPDATE session SET f_cnt_down_reserved = max(f_cnt_down_reserved, ?) WHERE dev_eui = ? AND pending = 0",
  );
  const advance = database.prepare(
    "UPDATE session SET f_cnt_up = ? WHERE dev_eui = ? AND pending = 0 AND f_cnt_up < ?",
  );
  const putCounters = database.prepare(
    `UPDATE session SET f_cnt_up = max(f_cnt_up, ?), data_rate = ?, tx_power_index = ?, nb_trans = ?
     WHERE dev_eui = ? AND pending = 0 AND dev_addr = ?`,
  );

  function saveSession(devEui: string, pending: number, session: Session): void {
    const {
      devAddr,
      fCntUp,
      fCntDown: _,
      fCntDownReserved,
      dataRate,
      txPowerIndex,
      nbTrans,
      ...facts
    } = session;
    putSession.run(
      devEui,
      pending,
      devAddr,
      JSON.stringify(facts),
      fCntUp,
      fCntDownReserved,
      dataRate,
      txPowerIndex,
      nbTrans,
    );
  }

  function saveDevice(row: DeviceRow): void {
    const { devEui, usedDevNonces, lastDevNonce, joinNonce, session, pendingSession, ...facts } = row;
    putDevice.run(devEui, JSON.stringify(facts), lastDevNonce, joinNonce);
    dropNonces.run(devEui);
    for (const nonce of usedDevNonces) putNonce.run(devEui, nonce);
    dropSessions.run(devEui);
    if (session !== null) saveSession(devEui, CURRENT, session);
    if (pendingSession !== null) saveSession(devEui, PENDING, pendingSession);
  }

  return {
    /** By DevEUI: the devices behind `after`, at most `limit`; left out, all. */
    load: (after = "", limit = ALL) => loadDevices(database, after, limit),
    saveDevice,
    removeDevice(devEui: string): void {
      for (const statement of [dropDevice, dropNonces, dropSessions]) statement.run(devEui);
    },
    commitJoin(devEui: string, join: JoinCommit): void {
      if (joined.run(join.devNonce, join.joinNonce, devEui).changes === 0)
        throw new Error(`journal: no device ${devEui}`);
      putNonce.run(devEui, join.devNonce);
      saveSession(devEui, PENDING, join.pendingSession);
    },
    switchSession(devEui: string): void {
      if (isPending.get(devEui) === undefined) return;
      dropSession.run(devEui, CURRENT);
      promote.run(devEui);
    },
    reserveFCntDown: (devEui: string, firstUnreserved: number): void =>
      void reserve.run(firstUnreserved, devEui),
    advance: ({ devEui, fCntUp }: UplinkCounter): void => void advance.run(fCntUp, devEui, fCntUp),
    saveCounters({ devEui, counters: c }: CounterChange): void {
      putCounters.run(c.fCntUp, c.dataRate, c.txPowerIndex, c.nbTrans, devEui, c.devAddr);
    },
  };
}

export type DeviceTables = ReturnType<typeof createDeviceTables>;

function loadDevices(database: DatabaseSync, after: string, limit: number): DeviceRow[] {
  const devices = database
    .prepare("SELECT * FROM device WHERE dev_eui > ? ORDER BY dev_eui LIMIT ?")
    .all(after, limit);
  const last = String(devices.at(-1)?.["dev_eui"] ?? after);
  const ofThese = (table: "dev_nonce" | "session") =>
    database.prepare(`SELECT * FROM ${table} WHERE dev_eui > ? AND dev_eui <= ?`).iterate(after, last);
  const nonces = new Map<string, number[]>();
  for (const { dev_eui, nonce } of ofThese("dev_nonce")) {
    const list = nonces.get(String(dev_eui)) ?? [];
    list.push(Number(nonce));
    nonces.set(String(dev_eui), list);
  }
  const sessions = new Map<string, Session>();
  for (const row of ofThese("session")) {
    sessions.set(`${row["dev_eui"]}/${row["pending"]}`, readSession(row));
  }
  return devices.map((row): DeviceRow => {
    const devEui = String(row["dev_eui"]);
    return {
      ...(JSON.parse(String(row["facts"])) as Omit<DeviceRow, "devEui">),
      devEui,
      usedDevNonces: nonces.get(devEui) ?? [],
      lastDevNonce: Number(row["last_dev_nonce"]),
      joinNonce: Number(row["join_nonce"]),
      session: sessions.get(`${devEui}/${CURRENT}`) ?? null,
      pendingSession: sessions.get(`${devEui}/${PENDING}`) ?? null,
    };
  });
}

function readSession(row: Record<string, unknown>): Session {
  return {
    ...(JSON.parse(String(row["facts"])) as Session),
    devAddr: String(row["dev_addr"]),
    fCntUp: Number(row["f_cnt_up"]),
    // Every value below the reservation may have been used before the crash, so counting goes on behind it.
    fCntDown: Number(row["f_cnt_down_reserved"]),
    fCntDownReserved: Number(row["f_cnt_down_reserved"]),
    dataRate: Number(row["data_rate"]),
    txPowerIndex: Number(row["tx_power_index"]),
    nbTrans: Number(row["nb_trans"]),
  };
}
