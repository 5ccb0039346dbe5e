/** The LoRaWAN MAC of an end device (L2 1.0.4, and 1.0.3 by a flag): OTAA, class A and C, confirmed and unconfirmed
 *  uplinks with NbTrans, receive windows, ADR, duty cycle. What it knows survives in DeviceMemory; give that back and the
 *  device goes on after a power cut. */
import { type AesKey, createAesKey, sessionKeys10 } from "../../protocols/lorawan/crypto.ts";
import type { MacCommand } from "../../protocols/lorawan/mac.ts";
import type { AirReception } from "./air-types.ts";
import type { Timer } from "./clock.ts";
import * as frames from "./device-frames.ts";
import { obeyMacCommands } from "./device-mac.ts";
import type { DeviceMemory, DeviceSession } from "./device-session.ts";
import * as sessions from "./device-session.ts";
import type {
  DeviceEvent,
  LorawanDevice,
  LorawanDeviceOptions,
  ReceivedDownlink,
  Started,
  Uplink,
} from "./device-types.ts";
import type { Slot } from "./radio.ts";
import { createTransmitter, type Place, type Transmitter } from "./transmitter.ts";

/** RETRANSMIT_TIMEOUT: 2 ± 1 s after the last receive window. */
const RETRANSMIT_MIN_MS = 1000;
const RETRANSMIT_SPREAD_MS = 2000;
const MAX_DEV_NONCE = 0xffff;
const JOIN_REQUEST_BYTES = 23;

/** One uplink and its copies. */
interface Sequence {
  readonly uplink: Uplink;
  readonly bytes: Uint8Array;
  readonly fCntUp: number;
  readonly trials: number;
  copies: number;
  acknowledged: boolean;
  /** Told when the sequence is over: the stack confirms a request before it indicates data. */
  readonly downlinks: ReceivedDownlink[];
}

export function createLorawanDevice(options: LorawanDeviceOptions): LorawanDevice {
  return new Device(options);
}

class Device implements LorawanDevice {
  adr = true;
  readonly #options: LorawanDeviceOptions;
  readonly #transmitter: Transmitter;
  readonly #appKey: AesKey;
  readonly #listeners: ((event: DeviceEvent) => void)[] = [];
  #memory: DeviceMemory;
  #keys: frames.SessionKeys | null = null;
  #dataRate: number;
  #class: "A" | "C" = "A";
  #sequence: Sequence | null = null;
  #joining = false;
  #requests: MacCommand[] = [];
  #timer: Timer | null = null;

  constructor(options: LorawanDeviceOptions) {
    this.#options = options;
    this.#appKey = createAesKey(options.identity.appKey);
    this.#transmitter = createTransmitter({ ...options, id: options.identity.devEui });
    this.#memory = options.memory ?? sessions.BLANK_MEMORY;
    this.#dataRate = options.region.joinDataRates[0];
    this.#useSession();
  }

  get memory(): DeviceMemory {
    return this.#memory;
  }
  get joined(): boolean {
    return this.#memory.session !== null;
  }
  get busy(): boolean {
    return this.#joining || this.#sequence !== null;
  }
  get dataRate(): number {
    return this.#memory.session?.dataRate ?? this.#dataRate;
  }

  onEvent(listener: (event: DeviceEvent) => void): void {
    this.#listeners.push(listener);
  }

  setClass(deviceClass: "A" | "C"): void {
    this.#class = deviceClass;
    this.#listen();
  }

  setDataRate(dataRate: number): void {
    this.#dataRate = dataRate;
    const { session } = this.#memory;
    if (session !== null) this.#remember({ session: { ...session, dataRate } });
  }

  request(cid: "LinkCheckReq" | "DeviceTimeReq"): void {
    this.#requests.push({ cid });
  }

  join(): Started {
    const { region, identity, random, version } = this.#options;
    if (this.busy) return { type: "refused", reason: "busy" };
    const [lowest, highest] = region.joinDataRates;
    const dataRate = Math.min(highest, Math.max(lowest, this.#dataRate));
    const place = this.#transmitter.place(sessions.defaultChannels(region), dataRate, JOIN_REQUEST_BYTES);
    if (place.channel === null) return notNow(place);
    // 1.0.4 counts DevNonce up for ever, 1.0.3 draws it; either way it is used up before it is on air
    const drawn = version === "1.0.3";
    const devNonce = drawn ? Math.floor(random() * (MAX_DEV_NONCE + 1)) : this.#memory.devNonce;
    this.#remember({ session: null, ...(drawn ? {} : { devNonce: (devNonce + 1) & MAX_DEV_NONCE }) });
    this.#useSession();
    this.#joining = true;
    this.#transmitter.transmit({
      bytes: frames.buildJoinRequest(identity, this.#appKey, devNonce),
      channel: place.channel,
      dataRate,
      session: null,
      accept: ({ transmission }) => this.#acceptJoin(transmission.bytes, devNonce, dataRate),
      done: () => this.#joinDone(),
    });
    return { type: "started" };
  }

  send(uplink: Uplink): Started {
    const { region } = this.#options;
    const before = this.#memory.session;
    if (before === null || this.#keys === null) return { type: "refused", reason: "notJoined" };
    if (this.busy) return { type: "refused", reason: "busy" };
    const plain = { session: before, adrAckReq: false };
    const { session, adrAckReq } = this.adr ? sessions.stepAdr(region, before) : plain;
    const room = sessions.roomFor(region, session) - uplink.payload.length;
    if (room < 0) return { type: "refused", reason: "length" };
    const { fOpts, rest } = frames.takeAnswers([...session.answers, ...this.#requests], room);
    const bytes = frames.buildUplink(session, this.#keys, { ...uplink, adr: this.adr, adrAckReq, fOpts });
    const place = this.#place(session, bytes);
    if (place.channel === null) return notNow(place);
    const trials = Math.max(session.nbTrans, uplink.confirmed ? (uplink.trials ?? 1) : 1);
    const { fCntUp } = session;
    this.#sequence = { uplink, bytes, fCntUp, trials, copies: 0, acknowledged: false, downlinks: [] };
    this.#requests = [];
    const answers = [
      ...session.answers.filter(frames.isSticky),
      ...rest.filter((command) => !frames.isSticky(command)),
    ];
    this.#remember({ session: { ...session, fCntUp: fCntUp + 1, ackDue: false, answers } });
    this.#copy(this.#sequence, place);
    return { type: "started" };
  }

  off(): void {
    this.#timer?.cancel();
    this.#transmitter.off();
    this.#sequence = null;
    this.#joining = false;
  }

  #acceptJoin(bytes: Uint8Array, devNonce: number, dataRate: number): boolean {
    const accept = frames.openJoin(this.#appKey, bytes);
    if (accept === null) return false;
    // 1.0.4, 6.2.6: a JoinNonce that does not grow is a replay
    if (this.#options.version !== "1.0.3" && accept.joinNonce <= this.#memory.joinNonce) return false;
    const keys = sessionKeys10(this.#appKey, accept.joinNonce, accept.netId, devNonce);
    const session = sessions.startSession(this.#options.region, accept, keys, dataRate);
    this.#remember({ joinNonce: accept.joinNonce, session });
    this.#useSession();
    return true;
  }

  #joinDone(): void {
    this.#joining = false;
    const { session } = this.#memory;
    this.#emit(session === null ? { type: "joinFailed" } : { type: "joined", devAddr: session.devAddr });
  }

  #place(session: DeviceSession, bytes: Uint8Array): Place {
    const channels = sessions.usableChannels(session, session.dataRate);
    return this.#transmitter.place(channels, session.dataRate, bytes.length);
  }

  #copy(sequence: Sequence, place: Place): void {
    const { session } = this.#memory;
    if (session === null || place.channel === null) return;
    sequence.copies++;
    this.#transmitter.transmit({
      bytes: sequence.bytes,
      channel: place.channel,
      dataRate: session.dataRate,
      session,
      accept: (reception, slot) => this.#acceptDownlink(reception, slot),
      done: () => this.#afterCopy(sequence),
    });
  }

  #afterCopy(sequence: Sequence): void {
    const { random, clock } = this.#options;
    const enough = sequence.uplink.confirmed ? sequence.acknowledged : sequence.downlinks.length > 0;
    if (enough || sequence.copies >= sequence.trials) this.#finish(sequence);
    else {
      const waitMs = RETRANSMIT_MIN_MS + random() * RETRANSMIT_SPREAD_MS;
      this.#timer = clock.setTimer(() => this.#again(sequence), waitMs);
    }
  }

  #again(sequence: Sequence): void {
    const { session } = this.#memory;
    if (session === null) return;
    const place = this.#place(session, sequence.bytes);
    if (place.channel !== null) this.#copy(sequence, place);
    // a LinkADRReq heard meanwhile may have left no channel at all
    else if (place.waitMs === Number.POSITIVE_INFINITY) this.#finish(sequence);
    else this.#timer = this.#options.clock.setTimer(() => this.#again(sequence), place.waitMs);
  }

  #finish(sequence: Sequence): void {
    const { copies, acknowledged, fCntUp, downlinks, uplink } = sequence;
    this.#sequence = null;
    this.#emit({ type: "sent", confirmed: uplink.confirmed, acknowledged, copies, fCntUp });
    for (const downlink of downlinks) this.#emit(downlink);
  }

  #acceptDownlink({ transmission, rssiDbm, snrDb }: AirReception, slot: Slot): boolean {
    const { session } = this.#memory;
    const { region, version } = this.#options;
    if (session === null || this.#keys === null) return false;
    const gap = version === "1.0.3" ? region.maxFCntGap : Number.POSITIVE_INFINITY;
    const opened = frames.openDownlink(session, this.#keys, transmission.bytes, gap);
    if (opened === null) return false;
    this.#obey(session, opened, snrDb);
    const { frame, payload } = opened;
    const confirmed = frame.mType === "confirmedDataDown";
    const { fPending, ack } = frame.fCtrl;
    const event = {
      type: "downlink",
      fPort: frame.fPort,
      payload,
      slot,
      rssiDbm,
      snrDb,
      confirmed,
      fPending,
    } as const;
    // a class C frame between the windows belongs to nothing that is under way
    if (this.#sequence === null || slot === "C") this.#emit(event);
    else {
      this.#sequence.acknowledged ||= ack;
      this.#sequence.downlinks.push(event);
    }
    return true;
  }

  #obey(session: DeviceSession, { frame, fCntDown, commands }: frames.Downlink, snrDb: number): void {
    const { region, battery } = this.#options;
    const ackDue = frame.mType === "confirmedDataDown";
    // any downlink ends the repetition of sticky answers (1.0.4, chapter 5)
    const heard = { ...session, fCntDown, adrAckCnt: 0, answers: [], ackDue };
    const context = { region, adr: this.adr, battery: battery?.() ?? 255, snrDb };
    const obeyed = obeyMacCommands(heard, commands, context);
    this.#remember({ session: { ...obeyed.session, answers: obeyed.answers } });
    this.#transmitter.limitAll(obeyed.session.maxDutyCycle);
    this.#listen();
    for (const command of commands) {
      if (command.cid === "LinkCheckAns" || command.cid === "DeviceTimeAns")
        this.#emit({ type: "answer", command });
    }
  }

  #useSession(): void {
    const { session } = this.#memory;
    this.#keys = session && frames.createSessionKeys(session);
    this.#listen();
  }

  #listen(): void {
    const session = this.#class === "C" ? this.#memory.session : null;
    this.#transmitter.listen(session, (reception) => void this.#acceptDownlink(reception, "C"));
  }

  #remember(change: Partial<DeviceMemory>): void {
    this.#memory = { ...this.#memory, ...change };
    this.#options.onMemory?.(this.#memory);
  }

  #emit(event: DeviceEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function notNow(place: Place): Started {
  const never = place.waitMs === Number.POSITIVE_INFINITY;
  return never ? { type: "refused", reason: "dataRate" } : { type: "wait", waitMs: place.waitMs };
}
