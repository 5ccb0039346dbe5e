/** Authentic frames that are not new: another gateway's copy, a device that sends again because it heard no answer, or a
 *  recording. Only the second is answered, and none is raised again. */
import { hash } from "node:crypto";
import type { DataHeader } from "../../protocols/lorawan/phy.ts";
import type { Reception } from "../carriers/carrier.ts";
import type { Answering } from "./answering.ts";
import { createExchange, type Exchange, meaningOfCopy, RETRANSMISSION_MS } from "./exchange.ts";
import type { Notices } from "./notices.ts";
import type { Scheduler } from "./scheduler.ts";
import type { LiveDevice, LiveSession } from "./session.ts";
import type { ReceiveOutcome, UplinkSink } from "./sink.ts";

/** Hears once what became of one copy. */
export type Settled = ((outcome: ReceiveOutcome) => void) | undefined;

/** One copy of a frame whose MIC is good. */
export interface Arrival {
  readonly live: LiveSession;
  readonly frame: DataHeader;
  readonly fCntUp: number;
  readonly reception: Reception;
  readonly settled: Settled;
}

export type CopyCounter = "copies" | "lateCopies" | "retransmissions" | "replays";

export interface Copies {
  /** The counter of the last uplink. */
  same(arrival: Arrival): void;
  /** A counter before it. */
  old(arrival: Arrival): void;
  readonly counters: Record<CopyCounter, number>;
}

export interface CopiesOptions {
  sink: UplinkSink;
  scheduler: Scheduler;
  answering: Answering;
  notices: Notices;
  /** Hub's monotonic milliseconds at which this server began to listen. */
  startedMs: number;
}

/** A copy of the frame before the last, through another, slower gateway: so much later it may come. */
const LATE_COPY_MS = 5_000;

/** Everything that copies share. */
export function createCopies({ sink, scheduler, answering, notices, startedMs }: CopiesOptions): Copies {
  const counters = { copies: 0, lateCopies: 0, retransmissions: 0, replays: 0 };

  const replay = ({ live, fCntUp, reception, settled }: Arrival, frameHash: string) => {
    const { devEui } = live.device.facts;
    counters.replays++;
    notices.tell({ type: "replay", devEui, fCntUp, gateway: reception.gateway, frameHash });
    settled?.("refused");
  };

  /** The copy is evidence for a frame that is stored, or on its way there. */
  const add = ({ live, reception, settled }: Arrival, exchange: Exchange) => {
    if (exchange.state === "storing") {
      exchange.early = [...(exchange.early ?? []), reception];
      if (settled !== undefined) exchange.waiting = [...(exchange.waiting ?? []), settled];
      return;
    }
    sink.addReception(live.device.facts.devEui, exchange.frameHash, reception);
    settled?.("kept");
  };

  /** The last counter from before a restart: the frame is stored and its bytes are forgotten. A device that still waits
   *  for its answer gets one; later than that it is a recording. */
  const afterRestart = (arrival: Arrival, frameHash: string) => {
    const { live, frame, fCntUp, reception } = arrival;
    const { device } = live;
    const heard = scheduler.heard(reception);
    if (
      device.exchange !== null ||
      live !== device.session ||
      heard.heardMs - startedMs > RETRANSMISSION_MS
    ) {
      return replay(arrival, frameHash);
    }
    counters.retransmissions++;
    const exchange = createExchange(frame, { fCntUp, frameHash }, heard);
    exchange.state = "kept";
    device.exchange = exchange;
    add(arrival, exchange);
    answering.answer(device);
  };

  return {
    counters,
    same(arrival) {
      const { device } = arrival.live;
      const frameHash = hash("sha256", arrival.reception.phyPayload, "hex");
      const exchange = device.exchange;
      if (exchange?.fCntUp !== arrival.fCntUp) return afterRestart(arrival, frameHash);
      const heard = scheduler.heard(arrival.reception);
      const meaning = meaningOfCopy(exchange, frameHash, heard);
      if (meaning === "replay") return replay(arrival, frameHash);
      add(arrival, exchange);
      if (meaning === "copy") {
        counters.copies++;
        exchange.copies.push(heard);
        return answering.copyHeard(device);
      }
      counters.retransmissions++;
      exchange.transmissions++;
      // the receive windows that are open now are those of this transmission
      exchange.downlink?.cancel();
      exchange.downlink = null;
      exchange.copies = [heard];
      if (exchange.state === "kept") answering.answer(device);
    },
    old(arrival) {
      const { live, reception, settled } = arrival;
      const frameHash = hash("sha256", reception.phyPayload, "hex");
      if (!isLateCopy(live.device, arrival, frameHash)) return replay(arrival, frameHash);
      counters.lateCopies++;
      sink.addReception(live.device.facts.devEui, frameHash, reception);
      settled?.("kept");
    },
  };
}

function isLateCopy({ previous }: LiveDevice, { fCntUp, reception }: Arrival, frameHash: string): boolean {
  const first = previous?.copies[0];
  return (
    first !== undefined &&
    previous?.fCntUp === fCntUp &&
    previous.frameHash === frameHash &&
    previous.copies.every((copy) => copy.gateway !== reception.gateway) &&
    reception.atMs - first.heardMs < LATE_COPY_MS
  );
}
