/** Answers to uplinks: when there is something to say, when it leaves, and what is in it at that moment. */

import type { MacCommand } from "../../protocols/lorawan/mac.ts";
import { maxPayloadOf, type Region } from "../../protocols/lorawan/regions.ts";
import type { Clock } from "../clock.ts";
import type { Booking, DownlinkRequest } from "./booking.ts";
import { createClassCNews } from "./class-c.ts";
import { type Answer, composeDownlink, type DownlinkContent, downlinkSizeBytes } from "./compose.ts";
import type { Exchange } from "./exchange.ts";
import { reserveFCntDown } from "./fcnt-down.ts";
import { maySettingsUse } from "./join-control.ts";
import { answersTo, NO_REQUESTS, type Requests, requestsFor } from "./mac-answers.ts";
import type { Scheduler } from "./scheduler.ts";
import type { LiveDevice, LiveSession } from "./session.ts";
import type { UplinkSink } from "./sink.ts";
import type { LorawanStore } from "./store.ts";
import { classCWindows, type Window, windowsOf } from "./windows.ts";

/** A DevStatusReq that got no answer is asked again after this. */
const STATUS_RETRY_MS = 3_600_000;
/** And so are settings, of a device that goes on without a word about them. */
const REQUEST_RETRY_MS = 600_000;
/** Where there is no data rate there is no limit but the frame's own. */
const WIRE_MAX_PAYLOAD = 222;

export interface AnsweringOptions {
  region: Region;
  clock: Clock;
  store: LorawanStore;
  sink: UplinkSink;
  scheduler: Scheduler;
  /** False while the wall clock must not be given to devices. */
  timeTrusted: () => boolean;
}

export type AnsweringCounter = "answers" | "unanswered" | "fCntDownMissing";

export interface Answering {
  /** The device's uplink is stored: answers it, if there is anything to say. */
  answer(device: LiveDevice): void;
  /** Another gateway has heard the uplink that is being answered. */
  copyHeard(device: LiveDevice): void;
  /** The sink has something new to say: sends what was held back, or at once to a device that can be reached. */
  answerChanged(device: LiveDevice): void;
  readonly counters: Record<AnsweringCounter, number>;
}

/** Everything that answers share. */
export function createAnswering(options: AnsweringOptions): Answering {
  const { region, clock, store, sink, scheduler } = options;
  const counters = { answers: 0, unanswered: 0, fCntDownMissing: 0 };
  const news = createClassCNews(clock);

  const contentFor = (
    live: LiveSession,
    exchange: Exchange,
    reply: boolean,
  ): DownlinkContent & { requests: Requests } => {
    const nowMs = clock.monotonicMs();
    const ageMs = nowMs - (exchange.copies[0]?.heardMs ?? nowMs);
    const uplinkWallMs = options.timeTrusted() ? clock.wallMs() - ageMs : null;
    const answers = answersTo(exchange.questions, { copies: exchange.copies, uplinkWallMs }, region);
    // an alarm's answer stays short, and a device without a radio has nothing to set
    const requests =
      exchange.hold || isDirect(exchange)
        ? NO_REQUESTS
        : requestsFor(region, live.device.mac, live.state, { adr: exchange.adr, nowMs });
    return {
      ack: reply && exchange.confirmed && exchange.state === "kept",
      adr: exchange.adr,
      commands: [...answers, ...requests.commands],
      answer: sink.answer(live.device.facts.devEui),
      requests,
    };
  };

  const reserve = (live: LiveSession): Promise<boolean> =>
    reserveFCntDown(live, store).then(
      () => true,
      (error: unknown) => {
        const { devEui } = live.device.facts;
        sink.notice({ type: "storeFault", devEui, what: "reserveFCntDown", error: String(error) });
        return false;
      },
    );

  /** Composes for a window, and notes what to remember once the frame is on its way. `reply` = it answers the uplink
   *  itself; otherwise it only tells news. */
  const composer = (live: LiveSession, exchange: Exchange, reply: boolean) => {
    let sent: { commands: readonly MacCommand[]; requests: Requests; answer: Answer } = {
      commands: [],
      requests: NO_REQUESTS,
      answer: null,
    };
    return {
      said: () => sent.answer,
      compose(maxPayload: number): Uint8Array | null {
        const content = contentFor(live, exchange, reply);
        const frame = composeDownlink(live, content, maxPayload);
        if (frame === null) {
          counters.fCntDownMissing++;
          return null;
        }
        sent = { commands: frame.commands, requests: content.requests, answer: content.answer };
        return frame.phyPayload;
      },
      noteSent() {
        counters.answers++;
        if (reply) exchange.answers++;
        const { mac } = live.device;
        const { settings, offeredHz } = sent.requests;
        const count = (cid: string) => sent.commands.filter((command) => command.cid === cid).length;
        const nowMs = clock.monotonicMs();
        if (count("DevStatusReq") > 0) mac.statusDueMs = nowMs + STATUS_RETRY_MS;
        if (count("LinkADRReq") + count("NewChannelReq") > 0) {
          mac.asked = count("LinkADRReq") > 0 ? settings : null;
          mac.offeredHz = offeredHz.slice(0, count("NewChannelReq"));
          mac.patientUntilMs = nowMs + REQUEST_RETRY_MS;
        }
        void reserve(live);
      },
    };
  };

  const bookFor = (live: LiveSession, exchange: Exchange, reply: boolean, windows: () => Window[]) => {
    const { compose, noteSent, said } = composer(live, exchange, reply);
    const { ack, answer } = contentFor(live, exchange, reply);
    let over = false;
    const isAwaited = exchange.hold || ack || (answer !== null && answer.canWait !== true);
    const request: DownlinkRequest = {
      devEui: live.device.facts.devEui,
      priority: isAwaited ? "alarm" : "mac",
      mayUse: (window, calendar) => isAwaited || maySettingsUse(window, calendar),
      rank: 0,
      lastMoment: exchange.hold,
      windows,
      sizeBytes: () => downlinkSizeBytes(contentFor(live, exchange, reply)),
      compose: (window) => compose(maxPayloadOf(region, window.dataRate)),
      done(window, reason) {
        over = true;
        exchange.downlink = null;
        if (window !== null) noteSent();
        else if (reply) unanswered(live, exchange, reason);
        if (live.device.facts.deviceClass !== "C") return;
        tellOn(live, exchange, { said: window === null ? null : said(), reply });
      },
    };
    const booking = scheduler.book(request);
    exchange.downlink = over ? null : booking;
  };

  /** To a device that listens all the time. */
  const tellNow = (live: LiveSession, exchange: Exchange) => {
    void reserve(live);
    const { rx2DataRate } = live.state;
    const windows = classCWindows(region, exchange.copies, rx2DataRate, clock.monotonicMs());
    bookFor(live, exchange, exchange.answers === 0, () => windows);
  };

  /** A downlink for such a device is over, and carried `said`, or nothing (null). */
  const tellOn = (
    live: LiveSession,
    exchange: Exchange,
    { said, reply }: { said: Answer; reply: boolean },
  ) => {
    const { device } = live;
    const isLast = () => device.exchange === exchange && exchange.downlink === null;
    const next = () => (isLast() ? sink.answer(device.facts.devEui) : null);
    const answer = next();
    if (answer === null) return;
    // changed while the frame was on its way to the gateway
    if (said !== null && !sameAnswer(said, answer)) return tellNow(live, exchange);
    // who has asked asks again
    if (said !== null && reply) return;
    news.told(exchange, answer, () => next() !== null && tellNow(live, exchange));
  };

  const unanswered = (live: LiveSession, exchange: Exchange, reason: string) => {
    if (!exchange.confirmed) return;
    counters.unanswered++;
    sink.notice({ type: "unanswered", devEui: live.device.facts.devEui, fCntUp: exchange.fCntUp, reason });
  };

  /** A receipt may be back before the block of counters for its answer is on disk: then the booking waits for that, at
   *  most to its last safe moment. */
  const sendHeld = async (live: LiveSession, exchange: Exchange, downlink: Booking) => {
    if ((await reserve(live)) && exchange.downlink === downlink) downlink.sendNow();
  };

  /** Over a carrier without receive windows. */
  const sendDirect = async (live: LiveSession, exchange: Exchange, reply: boolean) => {
    const copy = exchange.copies.at(-1);
    if (copy === undefined || !(await reserve(live))) return;
    const { compose, noteSent } = composer(live, exchange, reply);
    const phyPayload = compose(WIRE_MAX_PAYLOAD);
    const carrier = scheduler.carrier(copy.carrier);
    if (phyPayload === null || carrier === undefined) return unanswered(live, exchange, "no carrier");
    const { devEui } = live.device.facts;
    const { gateway } = copy;
    const result = await carrier.send({
      phyPayload,
      gateway,
      devEui,
      tmst: null,
      frequencyHz: 0,
      dataRate: 0,
      eirpDbm: 0,
    });
    if (result === "queued") noteSent();
    else unanswered(live, exchange, result);
  };

  return {
    counters,
    answer(device) {
      const { exchange, session: live } = device;
      if (exchange === null || live === null) return;
      const content = contentFor(live, exchange, true);
      const something =
        content.ack || content.answer !== null || content.commands.length > 0 || exchange.adrAckReq;
      if (!something) return;
      if (isDirect(exchange)) return void sendDirect(live, exchange, true);
      void reserve(live);
      const { rxDelayS: rx1DelayS, rx1DrOffset, rx2DataRate } = live.state;
      bookFor(live, exchange, true, () =>
        windowsOf(region, exchange.copies, { rx1DelayS, rx1DrOffset, rx2DataRate }),
      );
    },
    copyHeard: (device) => device.exchange?.downlink?.replan(),
    answerChanged(device) {
      const { exchange, session: live } = device;
      if (exchange === null || live === null || exchange.state === "storing") return;
      if (exchange.downlink !== null && exchange.hold)
        return void sendHeld(live, exchange, exchange.downlink);
      if (sink.answer(device.facts.devEui) === null) return;
      const reply = exchange.answers === 0;
      if (isDirect(exchange)) return void sendDirect(live, exchange, reply);
      // class A asks again by itself: nothing is kept for it
      if (device.facts.deviceClass === "C" && exchange.downlink === null) tellNow(live, exchange);
    },
  };
}

function sameAnswer(a: NonNullable<Answer>, b: NonNullable<Answer>): boolean {
  return a.fPort === b.fPort && Buffer.compare(a.payload, b.payload) === 0;
}

function isDirect(exchange: Exchange): boolean {
  return exchange.copies.at(-1)?.tmst === null;
}
