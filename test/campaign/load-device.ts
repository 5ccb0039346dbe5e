/** Devices of the load: joined long ago, with keys and counters and nothing else. */
import { randomBytes } from "node:crypto";
import type { DeviceRow } from "../../hub/lorawan/store.ts";
import { encodeReport, REPORT_FPORT } from "../../protocols/device/report.ts";
import { type AesKey, createAesKey, sealDataFrame } from "../../protocols/lorawan/crypto.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";
import { encodeSemtech } from "../../protocols/semtech-udp.ts";

export const LOAD_REGION = "EU433";
const REGION = REGIONS[LOAD_REGION];
const DATA_RATE = 5;

export interface LoadDevice {
  readonly row: DeviceRow;
  readonly keys: { readonly nwkSKey: AesKey; readonly appSKey: AesKey };
  /** The only one that hears it. */
  readonly gateway: string;
  fCntUp: number;
  /** Of the event that it says, or said last. */
  eventNumber: number;
  /** When the event that waits for its acknowledgement was last said; null: none waits. */
  saidMs: number | null;
}

/** A device as an import would make it, in the middle of a session. */
export function createLoadDevice(index: number, gateway: string): LoadDevice {
  const key = () => randomBytes(16).toString("hex");
  const [nwkSKey, appSKey] = [key(), key()];
  const row: DeviceRow = {
    devEui: `020000000002${index.toString(16).padStart(4, "0")}`,
    joinEui: "0200000000000001",
    appKey: key(),
    macVersion: "1.0.4",
    deviceClass: "A",
    name: `Button ${index}`,
    place: { site: `House ${index >> 2}`, zone: `Entrance ${(index & 3) + 1}` },
    intervalS: 3600,
    allowModes: ["real"],
    usedDevNonces: [],
    lastDevNonce: 1,
    joinNonce: 1,
    session: {
      devAddr: (0x01000000 + index).toString(16).padStart(8, "0"),
      nwkSKey,
      appSKey,
      fCntUp: -1,
      fCntDown: 0,
      fCntDownReserved: 0,
      rx1DrOffset: 0,
      rx2DataRate: DATA_RATE,
      rxDelayS: 1,
      dataRate: DATA_RATE,
      txPowerIndex: 0,
      nbTrans: 1,
      channelsHz: [...REGION.defaultChannelsHz],
    },
    pendingSession: null,
  };
  const keys = { nwkSKey: createAesKey(nwkSKey), appSKey: createAesKey(appSKey) };
  return { row, keys, gateway, fCntUp: 0, eventNumber: 0, saidMs: null };
}

/** PUSH_DATA with the device's next frame, which says its event; its last symbol came at `tmst`. */
export function eventDatagram(device: LoadDevice, tmst: number): Uint8Array {
  const payload = encodeReport({
    kind: "panic",
    mode: "real",
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
    eventNumber: device.eventNumber,
    ageS: 0,
    batteryPercent: 87,
    detail: 2,
  });
  const phyPayload = sealDataFrame(device.keys, {
    mType: "confirmedDataUp",
    devAddr: device.row.session?.devAddr ?? "",
    fCtrl: { adr: false, adrAckReq: false, ack: false, fPending: false },
    fCnt32: device.fCntUp++,
    fOpts: "",
    fPort: REPORT_FPORT,
    payload,
  });
  const [frequencyHz = 0] = REGION.defaultChannelsHz;
  const radio = { frequencyHz, channel: 0, rfChain: 0, dataRate: "SF7BW125", codingRate: "4/5" };
  const rxpk = { ...radio, tmst, crc: "ok", rssiDbm: -81, snrDb: 8.5, phyPayload } as const;
  const token = device.fCntUp & 0xffff;
  return encodeSemtech({ type: "pushData", token, gateway: device.gateway, stat: null, rxpk: [rxpk] });
}
