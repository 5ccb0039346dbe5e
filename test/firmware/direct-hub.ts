/** The least network server for carriers without radio: takes PHYPayloads, gives back what goes down for them. It checks
 *  every MIC, refuses counters that were used, and acknowledges unless a test says otherwise. Not the hub. */
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
import { type DataFrame, decodePhyPayload } from "../../protocols/lorawan/phy.ts";

export interface DirectUplink {
  readonly port: number | null;
  readonly hex: string;
  readonly isConfirmed: boolean;
  readonly fCntUp: number;
}

export interface DirectAnswer {
  readonly ack: boolean;
  readonly port?: number;
  readonly hex?: string;
}

interface Session {
  readonly devAddr: string;
  readonly nwkSKey: string;
  readonly appSKey: string;
  fCntUp: number;
  fCntDown: number;
}

export function createDirectHub(appKeyHex: string) {
  const appKey = createAesKey(appKeyHex);
  const devNonces: number[] = [];
  const sessions: Session[] = [];
  const uplinks: DirectUplink[] = [];
  /** DevAddr, counter and bytes of every data frame. */
  const frames: string[] = [];
  /** Copies of a frame that came before, and what no session knows. */
  const refused = { copies: 0, strangers: 0, nonces: 0 };
  const hub = {
    devNonces,
    uplinks,
    frames,
    refused,
    /** False: the hub does not know the device. */
    isKnown: true,
    answer: (uplink: DirectUplink): DirectAnswer | null => ({ ack: uplink.isConfirmed }),
    /** All sessions are lost. */
    forget: () => void sessions.splice(0),
    receive(bytes: Uint8Array): Uint8Array[] {
      const frame = decodePhyPayload(bytes);
      if (frame.mType === "joinRequest")
        return verifyJoinRequestMic(appKey, bytes) ? join(frame.devNonce) : [];
      return frame.mType === "joinAccept" ? [] : data(frame, bytes);
    },
    /** A downlink that nobody asked for. */
    down({ ack, port, hex = "" }: DirectAnswer): Uint8Array {
      const session = sessions[0];
      if (session === undefined) throw new Error("nobody has joined");
      return sealDataFrame(
        { nwkSKey: createAesKey(session.nwkSKey), appSKey: createAesKey(session.appSKey) },
        {
          mType: "unconfirmedDataDown",
          devAddr: session.devAddr,
          fCtrl: { adr: false, adrAckReq: false, ack, fPending: false },
          fCnt32: session.fCntDown++,
          fOpts: "",
          fPort: port ?? null,
          payload: port === undefined ? null : fromHex(hex),
        },
      );
    },
  };
  const join = (devNonce: number): Uint8Array[] => {
    if (!hub.isKnown) return [];
    if (devNonces.some((used) => used >= devNonce)) {
      refused.nonces++;
      return [];
    }
    devNonces.push(devNonce);
    const joinNonce = devNonces.length;
    const devAddr = `0000${joinNonce.toString(16).padStart(4, "0")}`;
    const keys = sessionKeys10(appKey, joinNonce, "000013", devNonce);
    sessions.unshift({ devAddr, ...keys, fCntUp: -1, fCntDown: 0 });
    const dlSettings = { rx1DrOffset: 0, rx2DataRate: 0, optNeg: false };
    return [
      sealJoinAccept(appKey, { joinNonce, netId: "000013", devAddr, dlSettings, rxDelay: 1, cfList: null }),
    ];
  };
  const data = (frame: DataFrame, bytes: Uint8Array): Uint8Array[] => {
    const session = sessions.find(({ devAddr }) => devAddr === frame.devAddr);
    const fCntUp = session && session.fCntUp + 1 + ((frame.fCnt16 - (session.fCntUp + 1)) & 0xffff);
    if (session === undefined || fCntUp === undefined) {
      refused.strangers++;
      return [];
    }
    if (!verifyDataMic(createAesKey(session.nwkSKey), "up", frame.devAddr, fCntUp, bytes)) {
      refused.copies++;
      return [];
    }
    session.fCntUp = fCntUp;
    frames.push(`${frame.devAddr} ${fCntUp}`);
    const plain = cryptFrmPayload(
      createAesKey(session.appSKey),
      "up",
      frame.devAddr,
      fCntUp,
      fromHex(frame.frmPayload),
    );
    const isConfirmed = frame.mType === "confirmedDataUp";
    const uplink = { port: frame.fPort, hex: toHex(plain), isConfirmed, fCntUp };
    uplinks.push(uplink);
    const answer = hub.answer(uplink);
    return answer === null || (!answer.ack && answer.port === undefined) ? [] : [hub.down(answer)];
  };
  return hub;
}
