/** One downlink on its way: chooses gateway and window by calendar and duty cycle, waits until the frame must leave
 *  the hub, and takes the next window or gateway when the first one fails. */
import { type Region, subBandOf } from "../../protocols/lorawan/regions.ts";
import type { Carrier, CarrierName, SendResult } from "../carriers/carrier.ts";
import type { Clock, Timer } from "../clock.ts";
import type { Calendar, Slot } from "./calendar.ts";
import type { DutyCycleLedger, Priority } from "./duty-cycle.ts";
import type { GatewayPath } from "./gateway-path.ts";
import type { Lateness } from "./lateness.ts";
import { downlinkAirtimeMs, type Window } from "./windows.ts";

/** Answers that nobody waits for leave this much before the last moment, so that a second gateway can still be tried. */
const EARLY_MS = 40;
/** Once something went wrong, being safe is worth more than being up to date. */
const SECOND_TRY_EARLY_MS = 400;
/** A window is still worth trying this long after the last safe moment: a carrier's lead has a margin in it. */
const GRACE_MS = 10;

export interface DownlinkRequest {
  devEui: string;
  priority: Priority;
  /** Among equal priorities, the higher goes first. */
  rank: number;
  /** True: leave at the last safe moment; false: a little before. */
  lastMoment: boolean;
  /** Every chance, best first. Asked again whenever the plan changes. */
  windows(): Window[];
  /** Size of the PHYPayload as far as is known now, for the calendar. */
  sizeBytes(): number;
  /** False where this request must not use this window although it is free. */
  mayUse?(window: Window, calendar: Calendar): boolean;
  /** The frame for this window, made at the moment of sending; null: nothing may be sent in it. */
  compose(window: Window): Uint8Array | null;
  /** Called once, perhaps before `book` returns: a gateway has taken the frame (`window`), or nobody has (null). */
  done(window: Window | null, reason: string): void;
}

export interface Booking {
  /** Sends at once instead of waiting for the last safe moment. */
  sendNow(): void;
  /** Chooses anew, because another copy of the uplink has come. */
  replan(): void;
  /** Gives the place back; `done` is not called. What a gateway has already is sent all the same. */
  cancel(): void;
}

export interface BookingContext {
  region: Region;
  clock: Clock;
  dutyCycle: DutyCycleLedger;
  lateness: Lateness;
  counters: Record<SchedulerCounter, number>;
  carrier(name: CarrierName): Carrier | undefined;
  calendar(gateway: string): Calendar;
  path(gateway: string): GatewayPath;
  /** The booking is over, whatever way. */
  forget(booking: Booking): void;
}

export type SchedulerCounter =
  | "downlinks"
  | "downlinksRefused"
  | "downlinksDisplaced"
  | "dutyCycleRefused"
  | "noAnswer";

interface Plan {
  window: Window;
  slot: Slot;
  timer: Timer;
}

/** Plans at once: `done` may be called before this returns. */
export function createBooking(context: BookingContext, request: DownlinkRequest): Booking {
  const { clock, counters, dutyCycle, lateness, region } = context;
  const tried = new Set<string>();
  const mute = new Set<string>();
  let plan: Plan | null = null;
  let phase: "waiting" | "sending" | "over" = "waiting";
  let reason = "no window";

  const release = () => {
    if (plan === null) return;
    plan.timer.cancel();
    context.calendar(plan.window.gateway).release(plan.slot);
    plan = null;
  };
  const finish = (window: Window | null) => {
    phase = "over";
    context.forget(booking);
    request.done(window, reason);
  };

  const choose = () => {
    const untried = request.windows().filter((window) => !tried.has(keyOf(window)));
    const isMute = ({ gateway }: Window) => mute.has(gateway);
    // a gateway that did not answer may have lost one datagram only, but any other comes first
    for (const window of [...untried.filter((w) => !isMute(w)), ...untried.filter(isMute)]) {
      const obstacle = take(window);
      if (obstacle === null) return;
      reason = obstacle;
    }
    finish(null);
  };

  const displaced = () => {
    counters.downlinksDisplaced++;
    plan?.timer.cancel();
    plan = null;
    choose();
  };

  /** Books the window, or says why it cannot be had. */
  const take = (window: Window): string | null => {
    const carrier = context.carrier(window.carrier);
    if (carrier === undefined) return "no carrier";
    const nowMs = clock.monotonicMs();
    const latestMs = window.startMs - carrier.leadMs - context.path(window.gateway).extraLeadMs;
    if (nowMs > latestMs + GRACE_MS) return "too late";
    const calendar = context.calendar(window.gateway);
    const airtimeMs = downlinkAirtimeMs(region, window.dataRate, request.sizeBytes());
    const { priority, rank } = request;
    const slot = { startMs: window.startMs, endMs: window.startMs + airtimeMs, priority, rank, sent: false };
    const place: Slot = { ...slot, onDisplaced: displaced };
    if (request.mayUse?.(window, calendar) === false) return "window kept free";
    if (!dutyCycle.allows(window.gateway, subBandOf(region, window.frequencyHz), airtimeMs, priority)) {
      counters.dutyCycleRefused++;
      return "duty cycle";
    }
    if (!calendar.canBook(place)) return "gateway busy";
    calendar.book(place);
    const earlyMs = tried.size > 0 ? SECOND_TRY_EARLY_MS : request.lastMoment ? 0 : EARLY_MS;
    const dueMs = latestMs - lateness.ms - earlyMs;
    plan = { window, slot: place, timer: clock.setTimer(() => dispatch(dueMs), dueMs - nowMs) };
    return null;
  };

  /** `dueMs` = when the timer should have called; null: called early, on demand. */
  const dispatch = (dueMs: number | null) => {
    if (plan === null) return;
    const { window, slot } = plan;
    const startedMs = clock.monotonicMs();
    const phyPayload = request.compose(window);
    if (phyPayload === null) {
      release();
      tried.add(keyOf(window));
      reason = "nothing may be sent";
      return choose();
    }
    plan.timer.cancel();
    plan = null;
    phase = "sending";
    tried.add(keyOf(window));
    const airtimeMs = downlinkAirtimeMs(region, window.dataRate, phyPayload.length);
    Object.assign(slot, { sent: true, endMs: slot.startMs + airtimeMs });
    dutyCycle.spend(window.gateway, subBandOf(region, window.frequencyHz), airtimeMs);
    const { gateway, tmst, frequencyHz, dataRate, eirpDbm } = window;
    const transmission = {
      phyPayload,
      gateway,
      tmst,
      frequencyHz,
      dataRate,
      eirpDbm,
      devEui: request.devEui,
    };
    const sent = context.carrier(window.carrier)?.send(transmission) ?? Promise.resolve("noGateway" as const);
    if (dueMs !== null) lateness.note(startedMs - dueMs + (clock.monotonicMs() - startedMs));
    void sent.then((result) => settle(window, slot, result));
  };

  const settle = (window: Window, slot: Slot, result: SendResult) => {
    context.path(window.gateway).note(result);
    if (result === "queued") {
      counters.downlinks++;
      if (phase === "sending") finish(window);
      return;
    }
    context.calendar(window.gateway).release(slot);
    counters.downlinksRefused++;
    if (result === "noAnswer" || result === "noGateway") mute.add(window.gateway);
    if (result === "noAnswer") counters.noAnswer++;
    // without an answer it may be in the air all the same, and the law counts what is in the air
    else dutyCycle.refund(window.gateway, subBandOf(region, window.frequencyHz), slot.endMs - slot.startMs);
    if (phase !== "sending") return;
    reason = result;
    phase = "waiting";
    choose();
  };

  const booking: Booking = {
    sendNow: () => dispatch(null),
    replan() {
      if (phase !== "waiting") return;
      release();
      choose();
    },
    cancel() {
      release();
      phase = "over";
      context.forget(booking);
    },
  };
  choose();
  return booking;
}

function keyOf(window: Window): string {
  return `${window.gateway} ${window.name} ${window.startMs}`;
}
