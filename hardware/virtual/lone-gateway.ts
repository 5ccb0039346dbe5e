/** A gateway and network in one that serves a single device: lets it join, gives it a data rate, acknowledges, and says the
 *  stage of an event. For measuring what a device does over days; the hub does all of it properly. */
import { decodeReport } from "../../protocols/device/report.ts";
import { encodeStage, STAGE_FPORT, type Stage } from "../../protocols/device/stage.ts";
import {
  createAesKey,
  cryptFrmPayload,
  sealDataFrame,
  sealJoinAccept,
  sessionKeys10,
  verifyDataMic,
  verifyJoinRequestMic,
} from "../../protocols/lorawan/crypto.ts";
import { fromHex, toHex } from "../../protocols/lorawan/hex.ts";
import { encodeMacCommands, type MacCommand } from "../../protocols/lorawan/mac.ts";
import { type DataFrame, decodePhyPayload, type JoinRequest } from "../../protocols/lorawan/phy.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Air, Transmission } from "./air-types.ts";

export interface LoneGatewayOptions {
  readonly air: Air;
  readonly region: Region;
  readonly appKey: string;
  /** Given to the device with the first answer. */
  readonly dataRate: number;
}

export interface LoneGateway {
  /** What it says of the next events. */
  stage: Stage;
  /** Data frames heard since the start. */
  readonly heard: number;
}

const NET_ID = "000013";
const DEV_ADDR = "48000001";
const POWER_DBM = 14;

type Keys = Readonly<Record<"nwkSKey" | "appSKey", ReturnType<typeof createAesKey>>>;

/** Puts it into the air. */
export function createLoneGateway(options: LoneGatewayOptions): LoneGateway {
  return new Network(options);
}

class Network implements LoneGateway {
  stage: Stage = "received";
  heard = 0;
  readonly #options: LoneGatewayOptions;
  readonly #appKey: ReturnType<typeof createAesKey>;
  #keys: Keys | null = null;
  #joins = 0;
  #fCntUp = -1;
  #fCntDown = 0;
  #isRateGiven = false;

  constructor(options: LoneGatewayOptions) {
    this.#options = options;
    this.#appKey = createAesKey(options.appKey);
    options.air.attach({
      id: "lone-gateway",
      demodulators: 8,
      hears: ({ polarity }) => polarity === "up",
      receive: ({ transmission }) => this.#hear(transmission),
    });
  }

  #hear(transmission: Transmission): void {
    const frame = decodePhyPayload(transmission.bytes);
    if (frame.mType === "joinRequest") this.#join(transmission, frame);
    else if (frame.mType !== "joinAccept") this.#data(transmission, frame);
  }

  #join(transmission: Transmission, { devNonce }: JoinRequest): void {
    if (!verifyJoinRequestMic(this.#appKey, transmission.bytes)) return;
    const { region } = this.#options;
    const joinNonce = ++this.#joins;
    const keys = sessionKeys10(this.#appKey, joinNonce, NET_ID, devNonce);
    this.#keys = { nwkSKey: createAesKey(keys.nwkSKey), appSKey: createAesKey(keys.appSKey) };
    [this.#fCntUp, this.#fCntDown, this.#isRateGiven] = [-1, 0, false];
    const dlSettings = { rx1DrOffset: 0, rx2DataRate: region.rx2.dataRate, optNeg: false };
    const accept = { joinNonce, netId: NET_ID, devAddr: DEV_ADDR, dlSettings, rxDelay: 1, cfList: null };
    this.#answer(transmission, sealJoinAccept(this.#appKey, accept), region.joinAcceptDelay1S);
  }

  #data(transmission: Transmission, frame: DataFrame): void {
    const keys = this.#keys;
    if (keys === null) return;
    const fCntUp = this.#fCntUp + 1 + ((frame.fCnt16 - (this.#fCntUp + 1)) & 0xffff);
    if (!verifyDataMic(keys.nwkSKey, "up", frame.devAddr, fCntUp, transmission.bytes)) return;
    this.#fCntUp = fCntUp;
    this.heard++;
    const isConfirmed = frame.mType === "confirmedDataUp";
    const payload = this.#stageOf(keys, frame, fCntUp);
    if (!isConfirmed && !frame.fCtrl.adrAckReq && this.#isRateGiven && payload === null) return;
    const commands: MacCommand[] = this.#isRateGiven ? [] : [this.#rate()];
    this.#isRateGiven = true;
    const bytes = sealDataFrame(keys, {
      mType: "unconfirmedDataDown",
      devAddr: DEV_ADDR,
      fCtrl: { adr: true, adrAckReq: false, ack: isConfirmed, fPending: false },
      fCnt32: this.#fCntDown++,
      fOpts: toHex(encodeMacCommands(commands, "down")),
      fPort: payload === null ? null : STAGE_FPORT,
      payload,
    });
    this.#answer(transmission, bytes, this.#options.region.receiveDelay1S);
  }

  /** What to say of the event in a frame; null for a heartbeat, and for frames without a report. */
  #stageOf(keys: Keys, frame: DataFrame, fCntUp: number): Uint8Array | null {
    if (frame.fPort !== STAGE_FPORT || frame.frmPayload === "") return null;
    const bytes = cryptFrmPayload(keys.appSKey, "up", frame.devAddr, fCntUp, fromHex(frame.frmPayload));
    const { kind, eventNumber } = decodeReport(bytes);
    return kind === "heartbeat" ? null : encodeStage({ stage: this.stage, eventNumber });
  }

  #rate(): MacCommand {
    return {
      cid: "LinkADRReq",
      dataRate: this.#options.dataRate,
      txPower: 0,
      chMask: (1 << this.#options.region.defaultChannelsHz.length) - 1,
      chMaskCntl: 0,
      nbTrans: 1,
    };
  }

  /** In RX1, as the device's settings have it: same channel, same rate. */
  #answer({ frequencyHz, sf, bandwidthHz, endMs }: Transmission, bytes: Uint8Array, delayS: number): void {
    this.#options.air.transmit({
      ...{ from: "lone-gateway", bytes, frequencyHz, sf, bandwidthHz },
      powerDbm: POWER_DBM,
      polarity: "down",
      startMs: endMs + delayS * 1000,
    });
  }
}
