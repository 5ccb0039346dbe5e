/** Data uplinks: authenticated, counted, and handed on with the first valid copy. */
import { hash } from "node:crypto";
import { cryptFrmPayload } from "../../protocols/lorawan/crypto.ts";
import { fromHex } from "../../protocols/lorawan/hex.ts";
import type { DataHeader } from "../../protocols/lorawan/phy.ts";
import type { Reception } from "../carriers/carrier.ts";
import type { Answering } from "./answering.ts";
import { authenticate } from "./authenticate.ts";
import { type Arrival, type CopiesOptions, type CopyCounter, createCopies, type Settled } from "./copies.ts";
import { createExchange, type Exchange, settleExchange } from "./exchange.ts";
import type { Keeping } from "./keeping.ts";
import { noteUplink, readDeviceCommands } from "./mac-answers.ts";
import { beginUplink, keysOf, type LiveSession, type SessionTable } from "./session.ts";
import type { Uplink } from "./sink.ts";

export interface UplinksOptions extends CopiesOptions {
  keeping: Keeping;
  table: SessionTable;
  answering: Answering;
}

type Refusal = "unknownDevAddr" | "badMic" | "wrongSender" | "counterGaps";
export type UplinkCounter =
  | CopyCounter
  | Refusal
  | "uplinks"
  | "badMacCommands"
  | "notStored"
  | "sessionSwitches";

export interface Uplinks {
  /** Takes one copy of one frame. `settled` hears once what became of it. */
  receive(frame: DataHeader, reception: Reception, settled: Settled): void;
  readonly counters: Readonly<Record<UplinkCounter, number>>;
}

const FRAME_HEADER = 8;
const MIC_LENGTH = 4;

/** Everything that uplinks share. */
export function createUplinks(options: UplinksOptions): Uplinks {
  const { sink, keeping, table, scheduler, answering, notices } = options;
  const copies = createCopies(options);
  const counters = {
    ...{ uplinks: 0, badMacCommands: 0, notStored: 0, sessionSwitches: 0 },
    ...{ unknownDevAddr: 0, badMic: 0, wrongSender: 0, counterGaps: 0 },
  };

  const refuse = (counter: Refusal, settled: Settled) => {
    counters[counter]++;
    settled?.("refused");
  };

  const begin = (arrival: Arrival, lost: number) => {
    const { live, frame, fCntUp, reception } = arrival;
    const { device } = live;
    if (live === device.pending) {
      table.promote(device);
      counters.sessionSwitches++;
    }
    const heard = scheduler.heard(reception);
    const frameHash = hash("sha256", reception.phyPayload, "hex");
    const exchange = createExchange(frame, { fCntUp, frameHash }, heard);
    if (arrival.settled !== undefined) exchange.waiting = [arrival.settled];
    beginUplink(live, fCntUp);
    device.exchange?.downlink?.cancel();
    device.previous = device.exchange;
    device.exchange = exchange;
    device.joinAttempts = 0;
    noteUplink(device.mac, live.state, heard, lost);
    counters.uplinks++;
    const payload = payloadOf(arrival);
    readCommands(arrival, payload, exchange);
    const uplink = hasApplicationData(frame) ? uplinkOf(arrival, exchange, { payload, lost }) : null;
    keeping.keep(live, exchange, uplink).then(
      () => {
        if (uplink === null) sink.notice({ type: "alive", devEui: device.facts.devEui, reception });
        kept(live, exchange);
      },
      (error: unknown) => notKept(live, exchange, error),
    );
  };

  const kept = ({ device }: LiveSession, exchange: Exchange) => {
    exchange.state = "kept";
    settleExchange(exchange, "kept");
    for (const copy of exchange.early ?? []) sink.addReception(device.facts.devEui, exchange.frameHash, copy);
    exchange.early = null;
    if (device.exchange === exchange) answering.answer(device);
  };

  const notKept = ({ device }: LiveSession, exchange: Exchange, error: unknown) => {
    counters.notStored++;
    exchange.state = "refused";
    exchange.early = null;
    settleExchange(exchange, "notStored");
    sink.notice({ type: "storeFault", devEui: device.facts.devEui, what: "uplink", error: String(error) });
  };

  const readCommands = ({ live, frame, reception }: Arrival, payload: Uint8Array, exchange: Exchange) => {
    if (frame.fPort !== 0 && frame.fOpts === "") return;
    const bytes = frame.fPort === 0 ? payload : fromHex(frame.fOpts);
    const { device, state } = live;
    const read = readDeviceCommands(bytes, device.facts.devEui, device.mac, state, reception.atMs);
    if (!read.understood) counters.badMacCommands++;
    exchange.questions = read.questions;
    for (const notice of read.notices) sink.notice(notice);
  };

  return {
    get counters() {
      return { ...counters, ...copies.counters };
    },
    receive(frame, reception, settled) {
      const candidates = table.at(frame.devAddr);
      // a neighbour's network, mostly
      if (candidates.length === 0) return refuse("unknownDevAddr", settled);
      const authentic = authenticate(candidates, frame, reception.phyPayload);
      if (authentic === null) {
        notices.tell({ type: "badMic", devAddr: frame.devAddr, gateway: reception.gateway });
        return refuse("badMic", settled);
      }
      const { live, meaning } = authentic;
      const { devEui } = live.device.facts;
      if (reception.devEui !== undefined && reception.devEui !== devEui)
        return refuse("wrongSender", settled);
      const { fCntUp } = meaning;
      const arrival: Arrival = { live, frame, fCntUp, reception, settled };
      if (meaning.kind === "fresh") return begin(arrival, meaning.lost);
      if (meaning.kind === "same") return copies.same(arrival);
      if (meaning.kind === "old") return copies.old(arrival);
      notices.tell({ type: "counterGap", devEui, fCntUp, gateway: reception.gateway });
      return refuse("counterGaps", settled);
    },
  };
}

function hasApplicationData(frame: DataHeader): boolean {
  return frame.fPort !== null && frame.fPort !== 0;
}

function uplinkOf(
  { live, frame, fCntUp, reception }: Arrival,
  { confirmed, frameHash }: Exchange,
  { payload, lost }: { payload: Uint8Array; lost: number },
): Uplink {
  return {
    devEui: live.device.facts.devEui,
    fPort: frame.fPort ?? 0,
    payload,
    confirmed,
    fCntUp,
    frameHash,
    receptions: [reception],
    lostFrames: lost,
    phyPayload: reception.phyPayload,
  };
}

/** The FRMPayload in plain. */
function payloadOf({ live, frame, fCntUp, reception: { phyPayload } }: Arrival): Uint8Array {
  if (frame.fPort === null) return new Uint8Array(0);
  const from = FRAME_HEADER + frame.fOpts.length / 2 + 1;
  const { nwkSKey, appSKey } = keysOf(live);
  const encrypted = phyPayload.subarray(from, phyPayload.length - MIC_LENGTH);
  return cryptFrmPayload(frame.fPort === 0 ? nwkSKey : appSKey, "up", phyPayload, fCntUp, encrypted);
}
