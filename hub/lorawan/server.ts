/** The LoRaWAN network server of one hub: stitches receiving, joining and answering together. Behaviour is in the files
 *  beside this one; nothing here decides anything. */
import { randomBytes } from "node:crypto";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { decodeUplink } from "../../protocols/lorawan/phy.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Carrier, Reception } from "../carriers/carrier.ts";
import type { Clock, Timer } from "../clock.ts";
import { type AnsweringCounter, createAnswering } from "./answering.ts";
import type { SchedulerCounter } from "./booking.ts";
import { createDutyCycleLedger, type DutyCycleLedger } from "./duty-cycle.ts";
import { createJoins, type JoinCounter } from "./joins.ts";
import { createKeeping } from "./keeping.ts";
import { STATUS_INTERVAL_MS } from "./mac-answers.ts";
import { createNotices } from "./notices.ts";
import { createScheduler } from "./scheduler.ts";
import { createSessionTable } from "./session.ts";
import type { ReceiveOutcome, UplinkSink } from "./sink.ts";
import type { DeviceRow, LorawanStore } from "./store.ts";
import { createUplinks, type UplinkCounter } from "./uplinks.ts";

export type { Acceptance, JoinRefusal, Notice, ReceiveOutcome, Uplink, UplinkSink } from "./sink.ts";

export interface NetworkServerOptions {
  region: Region;
  clock: Clock;
  store: LorawanStore;
  sink: UplinkSink;
  /** What the store held: `await store.loadDevices()` and `await store.loadDutyCycle()`. */
  devices?: readonly DeviceRow[];
  dutyCycle?: string | null;
  /** 6 hex digits; default 000000, a private network. */
  netId?: string;
  /** RECEIVE_DELAY1 given to devices at their join, 1 to 15 s; longer only for gateways with a slow way to the hub. */
  rxDelayS?: number;
  /** False while the wall clock must not be given to devices. Default: never given. */
  timeTrusted?: () => boolean;
  /** Cryptographically strong. */
  random?: (bytes: number) => Uint8Array;
}

export type ServerCounter =
  | UplinkCounter
  | JoinCounter
  | AnsweringCounter
  | SchedulerCounter
  | "malformed"
  | "notUplink";

export interface NetworkServer {
  /** Takes one copy of one frame. `settled` hears once what became of it. */
  receive(reception: Reception, settled?: (outcome: ReceiveOutcome) => void): void;
  /** The sink's answer for this device is another now: a downlink that was held back for it leaves at once. */
  answerChanged(devEui: string): void;
  attach(carrier: Carrier): void;
  /** In memory only; the caller has it in the store already. Replaces a device with the same DevEUI. */
  addDevice(row: DeviceRow): void;
  removeDevice(devEui: string): void;
  /** Since the start, by name. */
  readonly counters: Readonly<Record<ServerCounter, number>>;
  /** Used part of the hour's airtime, 0-1, by "gateway minHz-maxHz". */
  dutyCycleUsage(): Record<string, number>;
  /** Hands what is collected to the store and forgets what waits. */
  stop(): void;
}

const DUTY_CYCLE_SAVE_MS = 10_000;

/** A running server. Carriers come by `attach`, frames by `receive`. */
export function createNetworkServer(options: NetworkServerOptions): NetworkServer {
  const { region, clock, store, sink, netId = "000000", rxDelayS = region.receiveDelay1S } = options;
  const random = options.random ?? randomBytes;
  const dutyCycle = createDutyCycleLedger(clock, options.dutyCycle ?? null);
  const table = createSessionTable();
  const notices = createNotices(clock, (notice) => sink.notice(notice));
  const scheduler = createScheduler({ region, clock, dutyCycle });
  const keeping = createKeeping({ store, sink, clock });
  const timeTrusted = options.timeTrusted ?? (() => false);
  const answering = createAnswering({ region, clock, store, sink, scheduler, timeTrusted });
  const startedMs = clock.monotonicMs();
  const uplinks = createUplinks({ keeping, sink, table, scheduler, answering, notices, startedMs });
  const { isUsed } = table;
  const settings = { region, netId, rxDelayS, random, isUsed };
  const joins = createJoins({ ...settings, clock, store, sink, table, scheduler, keeping, notices });
  const own = { malformed: 0, notUplink: 0 };
  const saver = saveRegularly(dutyCycle, store, clock);
  for (const row of options.devices ?? []) {
    // not all at once after a restart
    const [share = 0] = random(1);
    table.add(row).mac.statusDueMs = startedMs + (share / 256) * STATUS_INTERVAL_MS;
  }

  return {
    receive(reception, settled) {
      const frame = decode(reception.phyPayload);
      if (frame === "malformed" || frame === null) {
        if (frame === "malformed") own.malformed++;
        // another gateway's downlink, overheard
        else own.notUplink++;
        return settled?.("refused");
      }
      if (frame.mType === "joinRequest") joins.receive(frame, reception, settled);
      else uplinks.receive(frame, reception, settled);
    },
    answerChanged(devEui) {
      const device = table.devices.get(devEui);
      if (device !== undefined) answering.answerChanged(device);
    },
    attach: (carrier) => scheduler.attach(carrier),
    addDevice: (row) => void table.add(row),
    removeDevice: (devEui) => table.remove(devEui),
    get counters() {
      return {
        ...uplinks.counters,
        ...joins.counters,
        ...answering.counters,
        ...scheduler.counters,
        ...own,
      };
    },
    dutyCycleUsage: () => dutyCycle.usage(),
    stop() {
      saver.stop();
      keeping.flush();
      scheduler.stop();
    },
  };
}

/** As `decodeUplink`; "malformed" for what is no LoRaWAN 1.0 frame. */
function decode(phyPayload: Uint8Array): ReturnType<typeof decodeUplink> | "malformed" {
  try {
    return decodeUplink(phyPayload);
  } catch (error) {
    if (isCodecError(error)) return "malformed";
    throw error;
  }
}

/** Saves the ledger whenever it has changed, at most every ten seconds, and once more at the end. */
function saveRegularly(ledger: DutyCycleLedger, store: LorawanStore, clock: Clock): { stop(): void } {
  const save = () => {
    if (!ledger.changed) return;
    store.saveDutyCycle(ledger.save());
  };
  let timer: Timer;
  const arm = () => {
    timer = clock.setTimer(() => {
      save();
      arm();
    }, DUTY_CYCLE_SAVE_MS);
  };
  arm();
  return {
    stop() {
      timer.cancel();
      save();
    },
  };
}
