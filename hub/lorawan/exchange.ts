/** One uplink and its answer: the sink's verdict, the copies whose receive windows may still be open, the downlink. */
import type { DataHeader } from "../../protocols/lorawan/phy.ts";
import type { Reception } from "../carriers/carrier.ts";
import type { Booking } from "./booking.ts";
import type { Question } from "./mac-answers.ts";
import type { ReceiveOutcome } from "./sink.ts";
import type { Heard } from "./windows.ts";

/** How often a device may send one frame. More often it is a recording, and its answers would serve an attacker. */
export const MAX_TRANSMISSIONS = 8;
/** Copies of one frame come seconds apart, at SF12 about four. Whatever comes later was recorded. */
export const RETRANSMISSION_MS = 15_000;
/** A device never sends again before its RX1 was open, a second after the frame at least. */
const TRANSMISSION_MS = 1000;

export interface Exchange {
  readonly fCntUp: number;
  readonly frameHash: string;
  readonly confirmed: boolean;
  readonly adr: boolean;
  readonly adrAckReq: boolean;
  state: "storing" | "kept" | "refused";
  /** An alarm: its answer waits for the receipt. */
  hold: boolean;
  /** How often the device has sent it. */
  transmissions: number;
  /** Copies of the newest transmission, the first one first. */
  copies: Heard[];
  /** What the device has asked by MAC command. */
  questions: readonly Question[];
  /** Downlinks sent for this uplink. */
  answers: number;
  downlink: Booking | null;
  /** Copies that came before the sink had answered for the first. */
  early: Reception[] | null;
  /** Carriers that want to know what became of their copy. */
  waiting: ((outcome: ReceiveOutcome) => void)[] | null;
}

export type CopyMeaning =
  /** The transmission that is known already, by another way: another gateway, a late datagram. */
  | "copy"
  /** The device has sent the frame again. */
  | "retransmission"
  /** Recorded and played back. */
  | "replay";

/** What another authentic frame with the exchange's counter is. */
export function meaningOfCopy(exchange: Exchange, frameHash: string, heard: Heard): CopyMeaning {
  if (exchange.frameHash !== frameHash) return "replay";
  const first = exchange.copies[0];
  const last = exchange.copies.at(-1);
  if (first === undefined || last === undefined) return "replay";
  if (heard.heardMs - last.heardMs > RETRANSMISSION_MS) return "replay";
  if (heard.heardMs - first.heardMs < TRANSMISSION_MS) return "copy";
  return exchange.transmissions < MAX_TRANSMISSIONS ? "retransmission" : "replay";
}

/** Most uplinks ask nothing: they share this. */
const NO_QUESTIONS: readonly Question[] = [];

/** An uplink whose first copy is `heard`. */
export function createExchange(
  frame: DataHeader,
  { fCntUp, frameHash }: Pick<Exchange, "fCntUp" | "frameHash">,
  heard: Heard,
): Exchange {
  return {
    fCntUp,
    frameHash,
    confirmed: frame.mType === "confirmedDataUp",
    adr: frame.fCtrl.adr,
    adrAckReq: frame.fCtrl.adrAckReq,
    state: "storing",
    hold: false,
    transmissions: 1,
    copies: [heard],
    questions: NO_QUESTIONS,
    answers: 0,
    downlink: null,
    early: null,
    waiting: null,
  };
}

/** Says what became of the frame to every carrier that asked. */
export function settleExchange(exchange: Exchange, outcome: ReceiveOutcome): void {
  const waiting = exchange.waiting;
  exchange.waiting = null;
  for (const settled of waiting ?? []) settled(outcome);
}
