/** A LoRaWAN gateway: an eight-channel concentrator with Semtech's packet forwarder (sx1302_hal) on it. Talks the real
 *  UDP protocol to a hub: PUSH_DATA from one port, PULL_DATA from another, and downlinks through a just-in-time queue.
 *  Nothing is stored: what the hub does not take is gone, as with the real one. */
import { isCodecError } from "../../protocols/device/codec-error.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import {
  decodeSemtech,
  encodeSemtech,
  type PullResp,
  type Rxpk,
  type SemtechPacket,
  type TxError,
  type Txpk,
  type TxWarning,
} from "../../protocols/semtech-udp.ts";
import type { Air, AirReception, Transmission } from "./air-types.ts";
import type { Clock, Timer } from "./clock.ts";
import { type Concentrator, createConcentrator, DEFAULT_MAX_EIRP_DBM } from "./concentrator.ts";
import type { DatagramSocket, Datagrams, Endpoint } from "./datagram.ts";
import type { Random } from "./random.ts";

export type GatewayEvent =
  | { type: "heard"; transmission: Transmission; rssiDbm: number; snrDb: number; tmst: number }
  /** A PUSH_DATA left for the hub. */
  | { type: "pushed"; frames: number }
  | { type: "pushAcknowledged" }
  /** A PULL_RESP came and was answered. */
  | { type: "downlink"; txpk: Txpk; answer: "queued" | TxError }
  | { type: "sent"; transmission: Transmission }
  /** Queued and acknowledged, but never sent: the concentrator was still busy with another. */
  | { type: "dropped"; txpk: Txpk };

export interface GatewayOptions {
  readonly clock: Clock;
  readonly air: Air;
  readonly random: Random;
  readonly datagrams: Datagrams;
  /** Numeric, as datagrams from it will show it: the forwarder listens to nobody else. */
  readonly hub: Endpoint;
  /** 16 hex digits; also its station id in the air. */
  readonly eui: string;
  readonly region: Region;
  /** What the receivers listen to; default: the region's default and extra channels. */
  readonly channelsHz?: readonly number[];
  /** Concentrator clock at power-on, microseconds, unsigned 32 bits. Default 0, as after a reset. */
  readonly tmstStart?: number;
  /** Default 27, an SX1302 corecell. */
  readonly maxEirpDbm?: number;
}

export interface Gateway {
  readonly eui: string;
  readonly powered: boolean;
  /** The concentrator's clock now. */
  readonly tmst: number;
  /** Opens the sockets and begins to listen. */
  powerOn(): Promise<void>;
  /** Everything queued or in the air is lost. */
  powerOff(): Promise<void>;
  onEvent(listener: (event: GatewayEvent) => void): void;
}

const KEEPALIVE_MS = 5_000;
const STAT_MS = 30_000;
/** The forwarder fetches from the concentrator every 10 ms: frames wait for up to this, and leave together. */
const FETCH_MS = 10;
const FETCH_COST_MS = 1;
/** What an SX1302 reports at most, however strong the signal. */
const MAX_SNR_DB = 14;

export function createGateway(options: GatewayOptions): Gateway {
  return new Forwarder(options);
}

interface Running {
  readonly up: DatagramSocket;
  readonly down: DatagramSocket;
  readonly concentrator: Concentrator;
}

class Forwarder implements Gateway {
  readonly #options: GatewayOptions;
  readonly #listeners: ((event: GatewayEvent) => void)[] = [];
  readonly #timers = new Map<"keepalive" | "stat" | "fetch", Timer>();
  #running: Running | null = null;
  #fetched: Rxpk[] = [];
  #counters = { heard: 0, good: 0, pushed: 0, acknowledged: 0, downlinks: 0, sent: 0 };

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  get eui(): string {
    return this.#options.eui;
  }
  get powered(): boolean {
    return this.#running !== null;
  }
  get tmst(): number {
    return this.#running?.concentrator.tmst() ?? 0;
  }

  onEvent(listener: (event: GatewayEvent) => void): void {
    this.#listeners.push(listener);
  }

  async powerOn(): Promise<void> {
    if (this.#running !== null) return;
    const { datagrams } = this.#options;
    const up = await datagrams.bind(0);
    const down = await datagrams.bind(0);
    const concentrator = createConcentrator({
      ...this.#options,
      receive: (reception, tmst) => this.#heard(reception, tmst),
      damaged: () => void this.#counters.heard++,
      sent: (transmission) => {
        this.#counters.sent++;
        this.#emit({ type: "sent", transmission });
      },
      dropped: (txpk) => this.#emit({ type: "dropped", txpk }),
    });
    this.#running = { up, down, concentrator };
    up.onMessage((bytes, from) => this.#fromHub(bytes, from));
    down.onMessage((bytes, from) => this.#fromHub(bytes, from));
    this.#keepAlive();
    this.#every("stat", STAT_MS, () => this.#push([]));
  }

  async powerOff(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#fetched = [];
    running.concentrator.off();
    await Promise.all([running.up.close(), running.down.close()]);
  }

  #keepAlive(): void {
    const { eui } = this.#options;
    const pull = () => this.#send("down", { type: "pullData", token: this.#token(), gateway: eui });
    pull();
    this.#every("keepalive", KEEPALIVE_MS, pull);
  }

  #every(name: "keepalive" | "stat", periodMs: number, act: () => void): void {
    const again = () => {
      this.#timers.set(name, this.#options.clock.setTimer(again, periodMs));
      act();
    };
    this.#timers.set(name, this.#options.clock.setTimer(again, periodMs));
  }

  #heard({ transmission, rssiDbm, snrDb }: AirReception, tmst: number): void {
    const { clock, random } = this.#options;
    this.#counters.heard++;
    this.#counters.good++;
    this.#emit({ type: "heard", transmission, rssiDbm, snrDb, tmst });
    this.#fetched.push({
      tmst,
      frequencyHz: transmission.frequencyHz,
      channel: this.#channelOf(transmission.frequencyHz),
      rfChain: 0,
      crc: "ok",
      dataRate: `SF${transmission.sf}BW${transmission.bandwidthHz / 1000}`,
      codingRate: "4/5",
      rssiDbm: Math.round(rssiDbm),
      snrDb: Math.round(Math.min(MAX_SNR_DB, snrDb) * 10) / 10,
      phyPayload: transmission.bytes,
    });
    if (this.#fetched.length > 1) return;
    const waitMs = FETCH_COST_MS + random() * (FETCH_MS - FETCH_COST_MS);
    this.#timers.set(
      "fetch",
      clock.setTimer(() => this.#push(this.#fetched.splice(0)), waitMs),
    );
  }

  #channelOf(frequencyHz: number): number | null {
    const index = this.#running?.concentrator.channelsHz.indexOf(frequencyHz) ?? -1;
    return index < 0 ? null : index;
  }

  /** Frames, or with none the counters of the last half minute. */
  #push(rxpk: readonly Rxpk[]): void {
    const { eui, clock } = this.#options;
    const token = this.#token();
    if (rxpk.length > 0) {
      this.#counters.pushed++;
      this.#send("up", { type: "pushData", token, gateway: eui, rxpk, stat: null });
      this.#emit({ type: "pushed", frames: rxpk.length });
      return;
    }
    const { heard, good, pushed, acknowledged, downlinks, sent } = this.#counters;
    this.#counters = { heard: 0, good: 0, pushed: 0, acknowledged: 0, downlinks: 0, sent: 0 };
    const stat = {
      // "2026-01-01 00:00:00 GMT", the forwarder's own format
      time: new Date(clock.wallMs()).toISOString().slice(0, 19).replace("T", " ") + " GMT",
      latitude: null,
      longitude: null,
      altitudeM: null,
      received: heard,
      receivedOk: good,
      forwarded: good,
      acknowledgedPercent: pushed === 0 ? 0 : Math.round((1000 * acknowledged) / pushed) / 10,
      downlinks,
      transmitted: sent,
      temperatureC: null,
    };
    this.#send("up", { type: "pushData", token, gateway: eui, rxpk: [], stat });
  }

  #fromHub(bytes: Uint8Array, from: Endpoint): void {
    const { hub } = this.#options;
    // the forwarder's sockets are connected: nobody else's datagrams reach it
    if (from.port !== hub.port || from.address !== hub.address) return;
    const packet = decodeOrNull(bytes);
    if (packet?.type === "pushAck") {
      this.#counters.acknowledged++;
      this.#emit({ type: "pushAcknowledged" });
    }
    if (packet?.type === "pullResp") this.#downlink(packet);
  }

  #downlink({ txpk, token }: PullResp): void {
    const { eui, region, maxEirpDbm = DEFAULT_MAX_EIRP_DBM } = this.#options;
    this.#counters.downlinks++;
    const [lowest, highest] = region.frequencyRangeHz;
    const warn: TxWarning | null =
      txpk.eirpDbm > maxEirpDbm ? { code: "TX_POWER", eirpDbm: maxEirpDbm } : null;
    const outside = txpk.frequencyHz < lowest || txpk.frequencyHz > highest;
    const refused = outside ? "TX_FREQ" : (this.#running?.concentrator.enqueue(txpk) ?? null);
    // a rate that the radio cannot send is, like malformed JSON, not answered at all
    if (refused === "unsupported") return;
    this.#send("down", {
      type: "txAck",
      token,
      gateway: eui,
      error: refused,
      warn: refused === null ? warn : null,
    });
    this.#emit({ type: "downlink", txpk, answer: refused ?? "queued" });
  }

  #send(socket: "up" | "down", packet: SemtechPacket): void {
    const { hub } = this.#options;
    this.#running?.[socket].send(encodeSemtech(packet), hub.port, hub.address);
  }

  #token(): number {
    return Math.floor(this.#options.random() * 0x1_0000);
  }

  #emit(event: GatewayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function decodeOrNull(bytes: Uint8Array): SemtechPacket | null {
  try {
    return decodeSemtech(bytes);
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return null;
  }
}
