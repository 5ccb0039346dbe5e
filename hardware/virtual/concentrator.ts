/** The concentrator of a gateway: eight channels of any spreading factor, sixteen demodulators, one transmitter, and a
 *  32-bit microsecond counter that wraps every 71.6 minutes. Deaf while it transmits. */
import { airtimeMs } from "../../protocols/lorawan/airtime.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Txpk } from "../../protocols/semtech-udp.ts";
import type { Air, AirReception, Transmission } from "./air-types.ts";
import type { Clock, Timer } from "./clock.ts";
import { elapsedUs, JIT_DELAY_US, jitEnqueue, jitSoonest, type Queued, type Refusal } from "./jit-queue.ts";

export interface ConcentratorOptions {
  readonly clock: Clock;
  readonly air: Air;
  readonly eui: string;
  readonly region: Region;
  readonly channelsHz?: readonly number[];
  readonly tmstStart?: number;
  readonly maxEirpDbm?: number;
  receive(reception: AirReception, tmst: number): void;
  /** A frame was found and lost: what a forwarder counts as a CRC error. */
  damaged(): void;
  sent(transmission: Transmission): void;
  dropped(txpk: Txpk): void;
}

export interface Concentrator {
  readonly channelsHz: readonly number[];
  tmst(): number;
  /** null when queued. */
  enqueue(txpk: Txpk): Refusal | "unsupported" | null;
  off(): void;
}

const US_PER_MS = 1000;
const UINT32 = 2 ** 32;
const DEMODULATORS = 16;
const CHANNELS = 8;
const CHANNEL_HZ = 125_000;
/** An SX1302 corecell. */
export const DEFAULT_MAX_EIRP_DBM = 27;

export function createConcentrator(options: ConcentratorOptions): Concentrator {
  return new Sx1302(options);
}

class Sx1302 implements Concentrator {
  readonly channelsHz: readonly number[];
  readonly #options: ConcentratorOptions;
  readonly #bootMs: number;
  readonly #detach: () => void;
  readonly #timers = new Set<Timer>();
  #queue: readonly Queued<Txpk>[] = [];
  /** What the transmitter was last programmed with. */
  #current: { readonly txpk: Txpk; readonly transmission: Transmission } | null = null;

  constructor(options: ConcentratorOptions) {
    const { air, clock, eui, region } = options;
    this.#options = options;
    this.#bootMs = clock.monotonicMs();
    const all = [...region.defaultChannelsHz, ...region.extraChannelsHz];
    this.channelsHz = options.channelsHz ?? all.slice(0, CHANNELS);
    this.#detach = air.attach({
      id: eui,
      demodulators: DEMODULATORS,
      hears: (t) =>
        t.polarity === "up" && t.bandwidthHz === CHANNEL_HZ && this.channelsHz.includes(t.frequencyHz),
      receive: (reception) => options.receive(reception, this.#counterAt(reception.transmission.endMs)),
      drop: () => options.damaged(),
    });
  }

  tmst(): number {
    return this.#counterAt(this.#options.clock.monotonicMs());
  }

  enqueue(txpk: Txpk): Refusal | "unsupported" | null {
    const rate = rateOf(txpk.dataRate);
    if (rate === null) return "unsupported";
    const onAirMs = airtimeMs({ ...rate, payloadBytes: txpk.phyPayload.length, crc: txpk.crc });
    const airtimeUs = Math.ceil(onAirMs * US_PER_MS);
    const nowUs = this.tmst();
    const atUs = txpk.tmst ?? jitSoonest(this.#queue, nowUs, airtimeUs);
    const queued = { atUs, airtimeUs, item: txpk };
    const result = jitEnqueue(this.#queue, nowUs, queued);
    if (typeof result === "string") return result;
    this.#queue = result;
    const timer = this.#options.clock.setTimer(
      () => {
        this.#timers.delete(timer);
        this.#queue = this.#queue.filter((other) => other !== queued);
        this.#program(queued);
      },
      (elapsedUs(atUs, nowUs) - JIT_DELAY_US) / US_PER_MS,
    );
    this.#timers.add(timer);
    return null;
  }

  off(): void {
    this.#detach();
    for (const timer of this.#timers) timer.cancel();
    if (this.#current !== null) this.#options.air.cut(this.#current.transmission);
  }

  #counterAt(ms: number): number {
    return ((this.#options.tmstStart ?? 0) + Math.round((ms - this.#bootMs) * US_PER_MS)) % UINT32;
  }

  /** Hands a packet to the transmitter, JIT_DELAY_US before its time. */
  #program({ item: txpk, atUs }: Queued<Txpk>): void {
    const { air, clock, dropped, sent } = this.#options;
    const nowMs = clock.monotonicMs();
    const before = this.#current;
    // sx1302_hal: a packet that comes due while another is being sent is thrown away; one that is only scheduled is
    // overwritten
    if (before !== null && nowMs < before.transmission.endMs) {
      if (nowMs >= before.transmission.startMs) {
        dropped(txpk);
        return;
      }
      air.cut(before.transmission);
      dropped(before.txpk);
    }
    // signed: after a stall of the machine the start may lie in the past, and the air decides on nominal times
    const startMs = nowMs + ((atUs - this.tmst()) | 0) / US_PER_MS;
    const transmission = air.transmit(emission(this.#options, txpk, startMs));
    this.#current = { txpk, transmission };
    sent(transmission);
  }
}

function emission(
  { eui, maxEirpDbm = DEFAULT_MAX_EIRP_DBM }: ConcentratorOptions,
  txpk: Txpk,
  startMs: number,
) {
  return {
    from: eui,
    bytes: txpk.phyPayload,
    frequencyHz: txpk.frequencyHz,
    ...(rateOf(txpk.dataRate) ?? { sf: 12, bandwidthHz: CHANNEL_HZ }),
    powerDbm: Math.min(txpk.eirpDbm, maxEirpDbm),
    polarity: txpk.invertPolarity ? ("down" as const) : ("up" as const),
    startMs,
  };
}

/** null: not LoRa. */
function rateOf(text: string): { sf: number; bandwidthHz: number } | null {
  const [, sf, bandwidthKHz] = /^SF(\d+)BW(\d+)$/.exec(text) ?? [];
  if (sf === undefined || bandwidthKHz === undefined) return null;
  return { sf: Number(sf), bandwidthHz: Number(bandwidthKHz) * 1000 };
}
