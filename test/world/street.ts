/** A button with a running session and gateways around it, in as few lines as it takes to press in real time: real UDP to
 *  a hub. Each press is heard by another gateway, so that presses need not wait for each other's receive windows. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { DeviceRow } from "../../hub/lorawan/store.ts";
import { encodeReport, type Mode } from "../../protocols/device/report.ts";
import { decodeStage, type Stage } from "../../protocols/device/stage.ts";
import { createAesKey, cryptFrmPayload, sealDataFrame } from "../../protocols/lorawan/crypto.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import { decodeSemtech, encodeSemtech } from "../../protocols/semtech-udp.ts";

export const STREET_BUTTON = "0200000000000201";
const gatewayOf = (fCnt: number) => `02000000000000b${fCnt % 10}`;
const DEV_ADDR = "00a1b2c3";
const NWK = "01".repeat(16);
const APP = "02".repeat(16);

/** The button as the hub's journal has it: joined long ago. */
export const STREET_ROW: DeviceRow = {
  devEui: STREET_BUTTON,
  joinEui: "0200000000000001",
  appKey: "03".repeat(16),
  macVersion: "1.0.4",
  deviceClass: "A",
  name: "Qorasaroy 7-1",
  place: { site: "Qorasaroy mahallasi, 7-uy (Olmazor)", zone: "1-kirish" },
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

export interface Street {
  /** Sends the report; settles with the stage in its first downlink, or null for one without. */
  press(eventNumber: number, mode?: Mode): Promise<Stage | null>;
  close(): void;
}

/** Listens; the hub's UDP port is where its frames go. */
export async function openStreet(udpPort: number): Promise<Street> {
  const keys = { nwkSKey: createAesKey(NWK), appSKey: createAesKey(APP) };
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const send = (packet: Parameters<typeof encodeSemtech>[0]) =>
    socket.send(encodeSemtech(packet), udpPort, "127.0.0.1");
  let fCnt32 = 0;

  const frameOf = (eventNumber: number, mode: Mode) =>
    sealDataFrame(keys, {
      mType: "confirmedDataUp",
      devAddr: DEV_ADDR,
      fCtrl: { adr: false, adrAckReq: false, ack: false, fPending: false },
      fCnt32: fCnt32++,
      fOpts: "",
      fPort: 2,
      payload: encodeReport({
        kind: "panic",
        mode,
        ...{ tamperOpen: false, batteryLow: false, mainsLost: false, deviceFault: false },
        ...{ eventNumber, ageS: 0, batteryPercent: 90, detail: 10 },
      }),
    });

  let answered = (_: Stage | null) => {};
  socket.on("message", (bytes: Buffer) => {
    const packet = decodeSemtech(new Uint8Array(bytes));
    if (packet.type !== "pullResp") return;
    const { token } = packet;
    send({ type: "txAck", token, version: 2, gateway: gatewayOf(fCnt32 - 1), error: null, warn: null });
    const frame = decodePhyPayload(packet.txpk.phyPayload);
    if (frame.mType !== "unconfirmedDataDown" || frame.fPort !== 2) return answered(null);
    const { devAddr, fCnt16, frmPayload } = frame;
    const sealed = new Uint8Array(Buffer.from(frmPayload, "hex"));
    answered(decodeStage(cryptFrmPayload(keys.appSKey, "down", devAddr, fCnt16, sealed)).stage);
  });

  return {
    press(eventNumber, mode = "real") {
      const answer = new Promise<Stage | null>((resolve) => {
        answered = resolve;
      });
      const common = { version: 2, gateway: gatewayOf(fCnt32) } as const;
      send({ type: "pullData", token: 1, ...common });
      const rxpk = {
        phyPayload: frameOf(eventNumber, mode),
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
      send({ type: "pushData", token: 2, ...common, rxpk: [rxpk], stat: null });
      return answer;
    },
    close: () => void socket.close(),
  };
}
