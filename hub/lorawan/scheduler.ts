/** Everything that waits for its moment on air, over all gateways.
 *
 *  Nothing is handed to a gateway early, because a gateway gives no place back: what waits here can still yield to an
 *  alarm's answer, and can still carry what becomes known in between. */
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Carrier, CarrierName, Reception } from "../carriers/carrier.ts";
import type { Clock } from "../clock.ts";
import { type Booking, createBooking, type DownlinkRequest, type SchedulerCounter } from "./booking.ts";
import { type Calendar, createCalendar } from "./calendar.ts";
import type { DutyCycleLedger } from "./duty-cycle.ts";
import { createGatewayClock, type GatewayClock } from "./gateway-clock.ts";
import { createGatewayPath, type GatewayPath } from "./gateway-path.ts";
import { createLateness } from "./lateness.ts";
import type { Heard } from "./windows.ts";

export interface Scheduler {
  attach(carrier: Carrier): void;
  carrier(name: CarrierName): Carrier | undefined;
  /** A reception without its bytes, with the moment it left the air. */
  heard(reception: Reception): Heard;
  /** Books the first window that can be had. `request.done` may be called before this returns. */
  book(request: DownlinkRequest): Booking;
  readonly counters: Readonly<Record<SchedulerCounter, number>>;
  /** Forgets everything that waits. */
  stop(): void;
}

export interface SchedulerOptions {
  region: Region;
  clock: Clock;
  dutyCycle: DutyCycleLedger;
}

/** Without carriers; they come by `attach`. */
export function createScheduler({ region, clock, dutyCycle }: SchedulerOptions): Scheduler {
  const carriers = new Map<CarrierName, Carrier>();
  const gateways = new Map<string, { calendar: Calendar; clock: GatewayClock; path: GatewayPath }>();
  const open = new Set<Booking>();
  const counters = {
    downlinks: 0,
    downlinksRefused: 0,
    downlinksDisplaced: 0,
    dutyCycleRefused: 0,
    noAnswer: 0,
  };

  const gatewayOf = (name: string) => {
    let state = gateways.get(name);
    if (state === undefined) {
      state = {
        calendar: createCalendar(() => clock.monotonicMs()),
        clock: createGatewayClock(),
        path: createGatewayPath(),
      };
      gateways.set(name, state);
    }
    return state;
  };
  const context = {
    region,
    clock,
    dutyCycle,
    lateness: createLateness(),
    counters,
    carrier: (name: CarrierName) => carriers.get(name),
    calendar: (gateway: string) => gatewayOf(gateway).calendar,
    path: (gateway: string) => gatewayOf(gateway).path,
    forget: (booking: Booking) => void open.delete(booking),
  };
  return {
    attach: (carrier) => void carriers.set(carrier.name, carrier),
    carrier: context.carrier,
    heard(reception) {
      const { gateway, carrier, tmst, snrDb, rssiDbm, frequencyHz, dataRate, atMs } = reception;
      const heardMs = tmst === null ? atMs : gatewayOf(gateway).clock.heardMs(tmst, atMs);
      return { gateway, carrier, tmst, heardMs, snrDb, rssiDbm, frequencyHz, dataRate };
    },
    book(request) {
      let over = false;
      const done: DownlinkRequest["done"] = (window, reason) => {
        over = true;
        request.done(window, reason);
      };
      const booking = createBooking(context, { ...request, done });
      if (!over) open.add(booking);
      return booking;
    },
    counters,
    stop() {
      for (const booking of [...open]) booking.cancel();
    },
  };
}
