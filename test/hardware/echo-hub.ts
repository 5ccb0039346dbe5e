/** The least network server that proves the virtual hardware: joins, acknowledges, sends what a test tells it to. It
 *  checks every MIC, answers the first copy of a frame, and goes to RX2 when a gateway refuses RX1. Not the hub. */

import type { DatagramSocket, Endpoint } from "../../hardware/virtual/datagram.ts";
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
import { encodeMacCommands, type MacCommand, readMacCommands } from "../../protocols/lorawan/mac.ts";
import { type DataFrame, decodePhyPayload, type JoinRequest } from "../../protocols/lorawan/phy.ts";
import { dataRateOf, dataRateText, type Region } from "../../protocols/lorawan/regions.ts";
import { decodeSemtech, encodeSemtech, type Rxpk, type Txpk } from "../../protocols/semtech-udp.ts";

export interface EchoUplink {
  devEui: string;
  frame: DataFrame;
  fCntUp: number;
  payload: Uint8Array;
  commands: MacCommand[];
  /** Gateways that delivered it, with their copies' rxpk. */
  copies: { gateway: string; rxpk: Rxpk }[];
}

export interface EchoAnswer {
  ack?: boolean;
  confirmed?: boolean;
  fPending?: boolean;
  commands?: MacCommand[];
  fPort?: number;
  payload?: Uint8Array;
  /** Default 1; 2 goes straight to RX2. */
  window?: 1 | 2;
  /** Shifts the transmission, microseconds. */
  shiftUs?: number;
}

export interface EchoSession {
  devAddr: string;
  nwkSKey: string;
  appSKey: string;
  fCntUp: number;
  fCntDown: number;
  rxDelayS: number;
  rx2: { frequencyHz: number; dataRate: number };
}

interface Waiting {
  txpks: { gateway: string; txpk: Txpk }[];
}

export function createEchoHub(options: {
  socket: DatagramSocket;
  region: Region;
  appKeys: Record<string, string>;
  rxDelayS?: number;
  /** What to answer a new uplink; default: an ACK when it asks for one. */
  answer?: (uplink: EchoUplink) => EchoAnswer | null;
  acceptJoin?: (request: JoinRequest) => boolean;
  /** Called for every copy of a confirmed frame already answered; true answers it again. */
  again?: (uplink: EchoUplink) => boolean;
}) {
  const { socket, region, appKeys, rxDelayS = 1 } = options;
  const pullPaths = new Map<string, Endpoint>();
  const sessions = new Map<string, EchoSession>();
  const uplinks: EchoUplink[] = [];
  const txAcks: { gateway: string; error: string | null; warn: number | null }[] = [];
  const stats: { gateway: string; received: number | null; receivedOk: number | null }[] = [];
  const waiting = new Map<number, Waiting>();
  const seenJoins = new Set<string>();
  let token = 0;
  let joinNonce = 0;

  const send = (waits: Waiting) => {
    const next = waits.txpks.shift();
    const path = next && pullPaths.get(next.gateway);
    if (next === undefined || path === undefined) return;
    token = (token + 1) & 0xffff;
    waiting.set(token, waits);
    socket.send(encodeSemtech({ type: "pullResp", token, txpk: next.txpk }), path.port, path.address);
  };
  const plan = (
    bytes: Uint8Array,
    gateway: string,
    rxpk: Rxpk,
    delayS: number,
    session: EchoSession | null,
    answer: EchoAnswer,
  ) => {
    const up = dataRateOf(region, rxpk.dataRate) ?? 0;
    const rx2 = session?.rx2 ?? region.rx2;
    const at = (window: 1 | 2): Txpk => ({
      tmst: (rxpk.tmst + (delayS + window - 1) * 1_000_000 + (answer.shiftUs ?? 0)) % 2 ** 32,
      frequencyHz: window === 1 ? rxpk.frequencyHz : rx2.frequencyHz,
      rfChain: 0,
      eirpDbm: 14,
      dataRate: dataRateText(region, window === 1 ? region.rx1DataRate(up, 0) : rx2.dataRate),
      codingRate: "4/5",
      invertPolarity: true,
      crc: false,
      phyPayload: bytes,
    });
    const windows = answer.window === 2 ? [at(2)] : [at(1), at(2)];
    send({ txpks: windows.map((txpk) => ({ gateway, txpk })) });
  };
  const join = (gateway: string, rxpk: Rxpk, request: JoinRequest) => {
    const appKey = createAesKey(appKeys[request.devEui] ?? "0".repeat(32));
    const key = `${request.devEui}/${request.devNonce}`;
    if (!verifyJoinRequestMic(appKey, rxpk.phyPayload) || seenJoins.has(key)) return;
    seenJoins.add(key);
    if (options.acceptJoin?.(request) === false) return;
    joinNonce++;
    const devAddr = (0x48000000 + joinNonce).toString(16);
    const cfList = region.extraChannelsHz.length > 0 ? region.extraChannelsHz : null;
    const dlSettings = { rx1DrOffset: 0, rx2DataRate: region.rx2.dataRate, optNeg: false };
    const accept = { joinNonce, netId: "000013", devAddr, dlSettings, rxDelay: rxDelayS, cfList };
    const keys = sessionKeys10(appKey, joinNonce, "000013", request.devNonce);
    sessions.set(request.devEui, { devAddr, ...keys, fCntUp: -1, fCntDown: 0, rxDelayS, rx2: region.rx2 });
    plan(sealJoinAccept(appKey, accept), gateway, rxpk, region.joinAcceptDelay1S, null, {});
  };
  const reply = (uplink: EchoUplink, gateway: string, rxpk: Rxpk, session: EchoSession) => {
    const asked = uplink.frame.mType === "confirmedDataUp";
    const answer = options.answer ? options.answer(uplink) : asked ? { ack: true } : null;
    if (answer === null) return;
    const keys = { nwkSKey: createAesKey(session.nwkSKey), appSKey: createAesKey(session.appSKey) };
    const bytes = sealDataFrame(keys, {
      mType: answer.confirmed ? "confirmedDataDown" : "unconfirmedDataDown",
      devAddr: session.devAddr,
      fCtrl: { adr: false, adrAckReq: false, ack: answer.ack ?? false, fPending: answer.fPending ?? false },
      fCnt32: session.fCntDown++,
      fOpts: toHex(encodeMacCommands(answer.commands ?? [], "down")),
      fPort: answer.fPort ?? null,
      payload: answer.payload ?? null,
    });
    plan(bytes, gateway, rxpk, session.rxDelayS, session, answer);
  };
  const data = (gateway: string, rxpk: Rxpk, frame: DataFrame) => {
    const [devEui, session] = [...sessions].find(([, s]) => s.devAddr === frame.devAddr) ?? [];
    if (devEui === undefined || session === undefined) return;
    const known = uplinks.find((u) => u.devEui === devEui && u.frame.mic === frame.mic);
    if (known !== undefined) {
      const later = !known.copies.some((copy) => copy.gateway === gateway);
      known.copies.push({ gateway, rxpk });
      if (!later && options.again?.(known)) reply(known, gateway, rxpk, session);
      return;
    }
    const nwkSKey = createAesKey(session.nwkSKey);
    const fCntUp = session.fCntUp + 1 + ((frame.fCnt16 - (session.fCntUp + 1)) & 0xffff);
    if (!verifyDataMic(nwkSKey, "up", frame.devAddr, fCntUp, rxpk.phyPayload)) return;
    session.fCntUp = fCntUp;
    const payload = cryptFrmPayload(
      createAesKey(session.appSKey),
      "up",
      frame.devAddr,
      fCntUp,
      fromHex(frame.frmPayload),
    );
    const { commands } = readMacCommands(fromHex(frame.fOpts), "up");
    const uplink = { devEui, frame, fCntUp, payload, commands, copies: [{ gateway, rxpk }] };
    uplinks.push(uplink);
    reply(uplink, gateway, rxpk, session);
  };
  socket.onMessage((bytes, from) => {
    const packet = decodeSemtech(bytes);
    if (packet.type === "pullData") {
      pullPaths.set(packet.gateway, from);
      socket.send(encodeSemtech({ type: "pullAck", token: packet.token }), from.port, from.address);
    } else if (packet.type === "pushData") {
      socket.send(encodeSemtech({ type: "pushAck", token: packet.token }), from.port, from.address);
      if (packet.stat !== null)
        stats.push({
          gateway: packet.gateway,
          received: packet.stat.received,
          receivedOk: packet.stat.receivedOk,
        });
      for (const rxpk of packet.rxpk) {
        const frame = decodePhyPayload(rxpk.phyPayload);
        if (frame.mType === "joinRequest") join(packet.gateway, rxpk, frame);
        else if (frame.mType !== "joinAccept") data(packet.gateway, rxpk, frame);
      }
    } else if (packet.type === "txAck") {
      txAcks.push({ gateway: packet.gateway, error: packet.error, warn: packet.warn?.eirpDbm ?? null });
      const waits = waiting.get(packet.token);
      if (packet.error !== null && waits !== undefined) send(waits);
    }
  });
  return { uplinks, sessions, txAcks, stats, pullPaths };
}
