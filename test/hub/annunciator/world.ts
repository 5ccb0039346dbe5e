/** A device that is joined already, the gateway's part of its frames, and a centre that nobody can reach. */
import type { Socket } from "node:dgram";
import type { HubIdentity } from "../../../hub/enrolments.ts";
import type { DeviceRow } from "../../../hub/lorawan/store.ts";
import type { Kind } from "../../../protocols/device/kinds.ts";
import { encodeReport } from "../../../protocols/device/report.ts";
import { createAesKey, sealDataFrame } from "../../../protocols/lorawan/crypto.ts";
import { encodeSemtech } from "../../../protocols/semtech-udp.ts";
import { GENESIS, HUB, PRIVATE_KEY_PEM, REALM } from "../journal/fixture.ts";
import { hubLink, RECEIPT_KEY } from "../relay/scripted-centre.ts";

const DEV_ADDR = "00a1b2c3";
const NWK = "01".repeat(16);
const APP = "02".repeat(16);
const GATEWAY = "0016c001f1500001";
/** Nobody listens there: the port of "discard", which no machine offers any more. */
const DISCARD_PORT = 9;

export const DEVICE: DeviceRow = {
  devEui: "70b3d57ed0000001",
  joinEui: "0000000000000001",
  appKey: "03".repeat(16),
  macVersion: "1.0.4",
  deviceClass: "A",
  name: "Stairwell",
  place: { site: "Chilonzor 9", zone: "Stairwell" },
  intervalS: 3600,
  allowModes: ["real", "test", "drill", "commissioning"],
  usedDevNonces: [],
  lastDevNonce: 0,
  joinNonce: 1,
  session: {
    devAddr: DEV_ADDR,
    nwkSKey: NWK,
    appSKey: APP,
    fCntUp: -1,
    fCntDown: 0,
    fCntDownReserved: 0,
    rx1DrOffset: 0,
    rx2DataRate: 0,
    rxDelayS: 1,
    dataRate: 5,
    txPowerIndex: 0,
    nbTrans: 1,
    channelsHz: [433_175_000, 433_375_000, 433_575_000],
  },
  pendingSession: null,
};

/** Enrolled with a centre at which nobody answers. */
export function createCutOffIdentity(): HubIdentity {
  const { host, port, caPem, certificatePem, privateKeyPem } = hubLink(DISCARD_PORT);
  const { publicKey: receiptPublicKey, alg: receiptAlg } = RECEIPT_KEY;
  const keys = { receiptPublicKey, receiptAlg };
  const enrolment = { version: 1, realm: REALM, hub: HUB, hubPublicKey: "", hubAlg: -19 } as const;
  return {
    hub: HUB,
    realm: REALM,
    genesis: GENESIS,
    signingKeyPem: PRIVATE_KEY_PEM,
    tlsKeyPem: privateKeyPem,
    centres: [
      {
        name: "main",
        enrolment: { ...enrolment, ...keys, centre: "test", issuedMs: 0, fromSequence: 1 },
        hash: GENESIS,
        access: { realm: REALM, ...keys, mqttHost: host, mqttPort: port },
        caPem,
        certificatePem,
      },
    ],
  };
}

/** A report of the device, from its gateway; `count` is both frame counter and event number. */
export function transmit(gateway: Socket, udpPort: number, kind: Kind, count: number): void {
  const payload = encodeReport({
    kind,
    mode: "real",
    tamperOpen: false,
    batteryLow: false,
    mainsLost: false,
    deviceFault: false,
    eventNumber: count,
    ageS: 0,
    batteryPercent: 90,
    detail: 0,
  });
  const phyPayload = sealDataFrame(
    { nwkSKey: createAesKey(NWK), appSKey: createAesKey(APP) },
    {
      mType: "confirmedDataUp",
      devAddr: DEV_ADDR,
      fCtrl: { adr: false, adrAckReq: false, ack: false, fPending: false },
      fCnt32: count,
      fOpts: "",
      fPort: 2,
      payload,
    },
  );
  const rxpk = {
    phyPayload,
    tmst: Math.round(performance.now() * 1000) >>> 0,
    frequencyHz: 433_175_000,
    channel: 0,
    rfChain: 0,
    crc: "ok",
    dataRate: "SF7BW125",
    codingRate: "4/5",
    rssiDbm: -80,
    snrDb: 7,
  } as const;
  const common = { version: 2, gateway: GATEWAY } as const;
  const push = encodeSemtech({ type: "pushData", token: 2, ...common, rxpk: [rxpk], stat: null });
  gateway.send(push, udpPort, "127.0.0.1");
}
