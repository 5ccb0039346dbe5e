/** Join-requests on their way to a join-accept: several copies are one request, the DevNonce is stored before anything
 *  leaves, and a crowd of joining devices shares the gateway's air. */
import { createAesKey } from "../../protocols/lorawan/crypto.ts";
import type { JoinRequest } from "../../protocols/lorawan/phy.ts";
import type { Reception } from "../carriers/carrier.ts";
import type { Clock } from "../clock.ts";
import type { Booking } from "./booking.ts";
import type { Settled } from "./copies.ts";
import { withDevNonce } from "./dev-nonce.ts";
import { type JoinSettings, joinRefusal, planJoin } from "./join.ts";
import { mayJoinUse } from "./join-control.ts";
import type { Keeping } from "./keeping.ts";
import type { Notices } from "./notices.ts";
import type { Scheduler } from "./scheduler.ts";
import type { LiveDevice, SessionTable } from "./session.ts";
import type { JoinRefusal, UplinkSink } from "./sink.ts";
import type { LorawanStore } from "./store.ts";
import { type Heard, type Window, windowsOf } from "./windows.ts";

export interface JoinsOptions extends JoinSettings {
  clock: Clock;
  store: LorawanStore;
  sink: UplinkSink;
  table: SessionTable;
  scheduler: Scheduler;
  keeping: Keeping;
  notices: Notices;
}

export type JoinCounter = "joinRequests" | "joinCopies" | "joinAccepts" | "joinsRefused" | "joinsUnanswered";

export interface Joins {
  receive(request: JoinRequest, reception: Reception, settled: Settled): void;
  readonly counters: Record<JoinCounter, number>;
}

/** One request and its copies. */
interface Attempt {
  readonly request: JoinRequest;
  copies: Heard[];
  booking: Booking | null;
}

/** Copies through other gateways come within this time; the same nonce later is a recording. */
const COPY_MS = 2_000;

/** Two devices that ask within this time are a crowd: the power has come back, or the hub is new. The transmitter is what
 *  a crowd lacks, so their accepts are short; whoever fails asks again after these seconds. */
const CROWD_MS = 7_000;

/** Everything that joining shares. */
export function createJoins(options: JoinsOptions): Joins {
  const { clock, store, sink, table, scheduler, notices, region } = options;
  const counters = { joinRequests: 0, joinCopies: 0, joinAccepts: 0, joinsRefused: 0, joinsUnanswered: 0 };
  const attempts = new Map<string, Attempt>();
  let last = { devEui: "", atMs: Number.NEGATIVE_INFINITY };

  function isCrowd(devEui: string): boolean {
    const atMs = clock.monotonicMs();
    const crowd = last.devEui !== devEui && atMs - last.atMs < CROWD_MS;
    last = { devEui, atMs };
    return crowd;
  }

  function receive(request: JoinRequest, reception: Reception, settled: Settled) {
    const { devEui } = request;
    const heard = scheduler.heard(reception);
    const key = `${devEui} ${request.devNonce} ${request.mic}`;
    const known = attempts.get(key);
    if (known !== undefined) {
      counters.joinCopies++;
      known.copies.push(heard);
      known.booking?.replan();
      settled?.("kept");
      return;
    }
    counters.joinRequests++;
    const device = table.devices.get(devEui);
    const appKey = device === undefined ? null : createAesKey(device.facts.appKey);
    const wrongSender = reception.devEui !== undefined && reception.devEui !== devEui;
    const refusal = wrongSender
      ? "wrongSender"
      : joinRefusal(device?.facts, request, reception.phyPayload, appKey);
    if (refusal !== null) return refuse(devEui, refusal, heard, settled);
    const plan =
      device && appKey
        ? planJoin(device.facts, request, appKey, { ...options, short: isCrowd(devEui) })
        : null;
    if (device === undefined || plan === null) return refuse(devEui, "addresses", heard, settled);
    const attempt: Attempt = { request, copies: [heard], booking: null };
    attempts.set(key, attempt);
    clock.setTimer(() => attempts.delete(key), COPY_MS);
    // taken even when the store refuses: a JoinNonce may be skipped but never used for two accepts
    device.facts.joinNonce = plan.commit.joinNonce;
    device.joinAttempts++;
    const { commit, phyPayload } = plan;
    commitJoin(device, commit).then(
      () => {
        settled?.("kept");
        if (heard.tmst === null) sendDirect(device, heard, phyPayload);
        else attempt.booking = book(device, attempt, phyPayload);
      },
      (error: unknown) => {
        sink.notice({ type: "storeFault", devEui, what: "commitJoin", error: String(error) });
        attempts.delete(key);
        refuse(devEui, "disk", heard, (outcome) => settled?.(outcome === "refused" ? "notStored" : outcome));
      },
    );
  }

  const refuse = (devEui: string, reason: JoinRefusal, { gateway }: Heard, settled: Settled) => {
    counters.joinsRefused++;
    notices.tell({ type: "joinRefused", devEui, reason, gateway });
    settled?.("refused");
  };

  async function commitJoin(
    device: LiveDevice,
    commit: Parameters<LorawanStore["commitJoin"]>[1],
  ): Promise<void> {
    // the store has one place for a pending session: the one that is in use must have left it
    await options.keeping.ensureSwitched(device);
    await store.commitJoin(device.facts.devEui, commit);
    device.facts = withDevNonce(device.facts, commit.devNonce);
    table.setPending(device, commit.pendingSession);
  }

  function book(device: LiveDevice, attempt: Attempt, phyPayload: Uint8Array): Booking | null {
    let over = false;
    const settings = {
      rx1DelayS: region.joinAcceptDelay1S,
      rx1DrOffset: 0,
      rx2DataRate: region.rx2.dataRate,
    };
    const booking = scheduler.book({
      devEui: device.facts.devEui,
      priority: "join",
      rank: device.joinAttempts,
      lastMoment: false,
      windows: (): Window[] => windowsOf(region, attempt.copies, settings),
      sizeBytes: () => phyPayload.length,
      mayUse: (window, calendar) => mayJoinUse(region, window, calendar, phyPayload.length),
      compose: () => phyPayload,
      done(window) {
        over = true;
        attempt.booking = null;
        if (window === null) counters.joinsUnanswered++;
        else counters.joinAccepts++;
      },
    });
    return over ? null : booking;
  }

  function sendDirect(device: LiveDevice, { carrier, gateway }: Heard, phyPayload: Uint8Array): void {
    const { devEui } = device.facts;
    const transmission = { phyPayload, gateway, devEui, tmst: null, frequencyHz: 0, dataRate: 0, eirpDbm: 0 };
    const sent = scheduler.carrier(carrier)?.send(transmission) ?? Promise.resolve("noGateway" as const);
    void sent.then((result) => {
      if (result === "queued") counters.joinAccepts++;
      else counters.joinsUnanswered++;
    });
  }

  return { receive, counters };
}
