/** Devices that exist only as rows and keys, and the frames that they would send. Each is made from its number alone, so that
 *  the two ends of a measurement agree without a word between them. */
import { hash } from "node:crypto";
import type { DeviceRow } from "../../hub/lorawan/store.ts";
import type { Kind } from "../../protocols/device/kinds.ts";
import { encodeReport, REPORT_FPORT } from "../../protocols/device/report.ts";
import { type AesKey, createAesKey, sealDataFrame } from "../../protocols/lorawan/crypto.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";

export const REGION = REGIONS.EU868;

const keyHex = (number: number, what: string) => hash("sha256", `${what} ${number}`, "hex").slice(0, 32);

export function devEuiOf(number: number): string {
  return (0x70b3d57ed0000000n + BigInt(number)).toString(16);
}

function devAddrOf(number: number): string {
  return (0x01000000 + number).toString(16).padStart(8, "0");
}

/** A device that has joined long ago. `number` 0 to 2^24 - 1. */
export function deviceRow(number: number): DeviceRow {
  return {
    devEui: devEuiOf(number),
    joinEui: "70b3d57ed0ffffff",
    appKey: keyHex(number, "app"),
    macVersion: "1.0.4",
    deviceClass: "A",
    name: `Button ${number}`,
    place: { site: `House ${number >> 2}`, zone: `Entrance ${(number & 3) + 1}` },
    intervalS: 3600,
    allowModes: ["real", "test", "drill", "commissioning"],
    usedDevNonces: [],
    lastDevNonce: 1,
    joinNonce: 1,
    session: {
      devAddr: devAddrOf(number),
      nwkSKey: keyHex(number, "nwkS"),
      appSKey: keyHex(number, "appS"),
      fCntUp: -1,
      fCntDown: 0,
      fCntDownReserved: 0,
      rx1DrOffset: 0,
      rx2DataRate: 0,
      rxDelayS: 1,
      dataRate: 5,
      txPowerIndex: 0,
      nbTrans: 1,
      channelsHz: [...REGION.defaultChannelsHz, ...REGION.extraChannelsHz],
    },
    pendingSession: null,
  };
}

export interface BenchDevice {
  readonly devEui: string;
  /** The next frame: a heartbeat, unconfirmed, or an event with the next event number, confirmed. */
  frame(kind: Kind): Uint8Array;
  /** Number of the last event, 0 before the first. */
  readonly eventNumber: number;
}

/** The sending side of `deviceRow(number)`. Numbers count from the given ones on. */
export function createBenchDevice(number: number, from = { fCntUp: 0, eventNumber: 0 }): BenchDevice {
  const devAddr = devAddrOf(number);
  let keys: { nwkSKey: AesKey; appSKey: AesKey } | undefined;
  let { fCntUp, eventNumber } = from;
  return {
    devEui: devEuiOf(number),
    get eventNumber() {
      return eventNumber;
    },
    frame(kind) {
      keys ??= {
        nwkSKey: createAesKey(keyHex(number, "nwkS")),
        appSKey: createAesKey(keyHex(number, "appS")),
      };
      if (kind !== "heartbeat") eventNumber = (eventNumber + 1) & 0xffff;
      const payload = encodeReport({
        kind,
        mode: "real",
        tamperOpen: false,
        batteryLow: false,
        mainsLost: false,
        deviceFault: false,
        eventNumber,
        ageS: 0,
        batteryPercent: 87,
        detail: 0,
      });
      return sealDataFrame(keys, {
        mType: kind === "heartbeat" ? "unconfirmedDataUp" : "confirmedDataUp",
        devAddr,
        fCtrl: { adr: false, adrAckReq: false, ack: false, fPending: false },
        fCnt32: fCntUp++,
        fOpts: "",
        fPort: REPORT_FPORT,
        payload,
      });
    },
  };
}
