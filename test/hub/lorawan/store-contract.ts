/** What every LorawanStore must keep. `reopen` closes or kills the store and opens it again on the same disk; what was
 *  stored lazily before may be lost by it, unless `settleLazy` has made it durable. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeviceRow, LorawanStore, Session } from "../../../hub/lorawan/store.ts";

export interface StoreUnderTest {
  open(): Promise<LorawanStore>;
  /** A crash and a restart. */
  reopen(): Promise<LorawanStore>;
  /** Waits until lazily stored values are durable. */
  settleLazy(): Promise<void>;
  close(): Promise<void>;
}

export function aSession(change: Partial<Session> = {}): Session {
  return {
    devAddr: "00a1b2c3",
    nwkSKey: "00112233445566778899aabbccddeeff",
    appSKey: "ffeeddccbbaa99887766554433221100",
    fCntUp: -1,
    fCntDown: 0,
    fCntDownReserved: 32,
    rx1DrOffset: 0,
    rx2DataRate: 0,
    rxDelayS: 1,
    dataRate: 0,
    txPowerIndex: 0,
    nbTrans: 1,
    channelsHz: [868_100_000, 868_300_000, 868_500_000],
    ...change,
  };
}

export function aDevice(change: Partial<DeviceRow> = {}): DeviceRow {
  return {
    devEui: "70b3d57ed0000001",
    joinEui: "70b3d57ed0000000",
    appKey: "2b7e151628aed2a6abf7158809cf4f3c",
    macVersion: "1.0.4",
    deviceClass: "A",
    name: "Entrance 1",
    place: { site: "Chilonzor 5", zone: "entrance 1" },
    intervalS: 3600,
    allowModes: ["real", "test"],
    usedDevNonces: [],
    lastDevNonce: -1,
    joinNonce: 0,
    session: null,
    pendingSession: null,
    ...change,
  };
}

/** Declares the suite for one implementation. */
export function describeStore(name: string, create: () => StoreUnderTest): void {
  describe(`LorawanStore: ${name}`, () => {
    let under: StoreUnderTest;
    let store: LorawanStore;
    const row = async (devEui = aDevice().devEui) => {
      store = await under.reopen();
      return (await store.loadDevices()).find((device) => device.devEui === devEui);
    };

    beforeEach(async () => {
      under = create();
      store = await under.open();
    });
    afterEach(() => under.close());

    test("an empty store has no devices and no ledger", async () => {
      expect(await store.loadDevices()).toEqual([]);
      expect(await store.loadDutyCycle()).toBeNull();
    });

    test("a device comes back whole, and is replaced whole", async () => {
      const device = aDevice({ usedDevNonces: [1, 7], lastDevNonce: 7, session: aSession({ fCntDown: 32 }) });
      await store.saveDevice(device);
      expect(await row()).toEqual(device);
      const other = aDevice({ name: "Entrance 2", macVersion: "1.0.3" });
      await store.saveDevice(other);
      expect(await row()).toEqual(other);
    });

    test("a removed device is gone, the others stay", async () => {
      await store.saveDevice(aDevice());
      await store.saveDevice(aDevice({ devEui: "70b3d57ed0000002" }));
      await store.removeDevice(aDevice().devEui);
      expect(await row()).toBeUndefined();
      expect((await row("70b3d57ed0000002"))?.devEui).toBe("70b3d57ed0000002");
    });

    test("a join stores nonce, JoinNonce and pending session, and leaves the session alone", async () => {
      const session = aSession({ fCntDown: 32 });
      await store.saveDevice(aDevice({ macVersion: "1.0.3", session }));
      const pendingSession = aSession({ devAddr: "00ffffff", fCntDown: 32 });
      await store.commitJoin(aDevice().devEui, { devNonce: 9, joinNonce: 1, pendingSession });
      await store.commitJoin(aDevice().devEui, { devNonce: 4, joinNonce: 2, pendingSession });
      const after = await row();
      expect(after).toMatchObject({ lastDevNonce: 9, joinNonce: 2, session, pendingSession });
      expect(new Set(after?.usedDevNonces)).toEqual(new Set([4, 9]));
    });

    test("a join of an unknown device rejects", async () => {
      const join = { devNonce: 1, joinNonce: 1, pendingSession: aSession() };
      await expect(store.commitJoin("70b3d57ed00000ff", join)).rejects.toThrow();
    });

    test("the pending session becomes the session; switching again changes nothing", async () => {
      await store.saveDevice(aDevice({ session: aSession() }));
      const pendingSession = aSession({ devAddr: "00ffffff", fCntDown: 32 });
      await store.commitJoin(aDevice().devEui, { devNonce: 1, joinNonce: 1, pendingSession });
      await store.switchSession(aDevice().devEui);
      expect(await row()).toMatchObject({ session: pendingSession, pendingSession: null });
      await store.switchSession(aDevice().devEui);
      expect(await row()).toMatchObject({ session: pendingSession, pendingSession: null });
    });

    test("after loading, FCntDown continues behind everything that was reserved", async () => {
      await store.saveDevice(aDevice({ session: aSession({ fCntDownReserved: 0 }) }));
      await store.reserveFCntDown(aDevice().devEui, 64);
      await store.reserveFCntDown(aDevice().devEui, 32);
      expect((await row())?.session).toMatchObject({ fCntDown: 64, fCntDownReserved: 64 });
    });

    test("lazy counters never lower FCntUp and never touch another session", async () => {
      await store.saveDevice(aDevice({ session: aSession({ fCntUp: 10 }) }));
      const counters = { devAddr: "00a1b2c3", dataRate: 5, txPowerIndex: 0, nbTrans: 2 };
      store.saveCounters(aDevice().devEui, { ...counters, fCntUp: 12 });
      store.saveCounters(aDevice().devEui, { ...counters, fCntUp: 11 });
      store.saveCounters(aDevice().devEui, { ...counters, devAddr: "00ffffff", fCntUp: 99 });
      await under.settleLazy();
      expect((await row())?.session).toMatchObject({ fCntUp: 12, dataRate: 5, nbTrans: 2 });
    });

    test("the duty-cycle ledger comes back", async () => {
      store.saveDutyCycle('{"first":1}');
      store.saveDutyCycle('{"second":2}');
      await under.settleLazy();
      expect(await (await under.reopen()).loadDutyCycle()).toBe('{"second":2}');
    });
  });
}
