/** Where and when an end device may transmit, and its receive windows: channels, duty cycle and power over a radio. */
import { airtimeMs } from "../../protocols/lorawan/airtime.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import type { Air, AirReception } from "./air-types.ts";
import type { Clock } from "./clock.ts";
import { type Channel, type DeviceSession, eirpDbm, loraRate } from "./device-session.ts";
import { createDutyCycle } from "./duty-cycle.ts";
import { createRadio, type Slot, type Tuning } from "./radio.ts";
import { pick, type Random } from "./random.ts";

/** Where one transmission may go, or how long until it may; Infinity: never at this data rate. */
export type Place = { channel: Channel; waitMs: 0 } | { channel: null; waitMs: number };

export interface Shot {
  readonly bytes: Uint8Array;
  readonly channel: Channel;
  readonly dataRate: number;
  /** null for a join-request: its windows and power are the region's. */
  readonly session: DeviceSession | null;
  /** Is this frame for us? If not, the next window still opens. */
  accept(reception: AirReception, slot: Slot): boolean;
  /** When the windows are over. */
  done(): void;
}

export interface Transmitter {
  /** A channel, drawn among those whose sub-band has credit for `payloadBytes` at `dataRate`. */
  place(channels: readonly Channel[], dataRate: number, payloadBytes: number): Place;
  transmit(shot: Shot): void;
  /** Class C: the receiver stays open on the session's RX2; null closes it. */
  listen(session: DeviceSession | null, accept: (reception: AirReception) => void): void;
  limitAll(maxDutyCycle: number): void;
  off(): void;
}

export interface TransmitterOptions {
  readonly clock: Clock;
  readonly air: Air;
  readonly random: Random;
  readonly region: Region;
  /** Station id in the air. */
  readonly id: string;
}

const RX2_AFTER_RX1_MS = 1000;

export function createTransmitter(options: TransmitterOptions): Transmitter {
  const { clock, region, random } = options;
  const radio = createRadio(options);
  const duty = createDutyCycle(region);
  return {
    place(channels, dataRate, payloadBytes) {
      const rate = loraRate(region, dataRate);
      if (rate === null) return { channel: null, waitMs: Number.POSITIVE_INFINITY };
      const { sf, bandwidthHz } = rate;
      const onAirMs = airtimeMs({ sf, bandwidthHz, payloadBytes, crc: true });
      const waits = channels.map((channel) => duty.waitMs(channel.frequencyHz, onAirMs, clock.monotonicMs()));
      const free = channels.filter((_, i) => waits[i] === 0);
      const channel = pick(random, free);
      return channel === undefined ? { channel: null, waitMs: Math.min(...waits) } : { channel, waitMs: 0 };
    },
    transmit(shot) {
      const { channel, session, dataRate, bytes, accept, done } = shot;
      const powerDbm = session === null ? region.maxEirpDbm : eirpDbm(region, session);
      const windows = windowsOf(region, shot);
      const where = tuning(region, channel.frequencyHz, dataRate);
      const { startMs, endMs } = radio.exchange({ ...where, bytes, powerDbm, windows, accept, done });
      duty.spend(channel.frequencyHz, endMs - startMs, startMs);
    },
    listen(session, accept) {
      radio.listen(session && { ...tuning(region, session.rx2FrequencyHz, session.rx2DataRate), accept });
    },
    limitAll: duty.limitAll,
    off: () => radio.off(),
  };
}

/** RX1 follows the uplink (or DlChannelReq), RX2 one second later is fixed. */
function windowsOf(region: Region, { channel, dataRate, session }: Shot) {
  const afterMs = (session?.rxDelayS ?? region.joinAcceptDelay1S) * 1000;
  const rx1DataRate = region.rx1DataRate(dataRate, session?.rx1DrOffset ?? 0);
  const rx2 = { frequencyHz: region.rx2.frequencyHz, dataRate: region.rx2.dataRate };
  return [
    { ...tuning(region, channel.downlinkHz ?? channel.frequencyHz, rx1DataRate), afterMs },
    {
      ...tuning(region, session?.rx2FrequencyHz ?? rx2.frequencyHz, session?.rx2DataRate ?? rx2.dataRate),
      afterMs: afterMs + RX2_AFTER_RX1_MS,
    },
  ];
}

function tuning(region: Region, frequencyHz: number, dataRate: number): Tuning {
  const rate = loraRate(region, dataRate);
  if (rate === null)
    throw new RangeError(`${region.name}: data rate ${dataRate} is not LoRa; choose another`);
  return { frequencyHz, sf: rate.sf, bandwidthHz: rate.bandwidthHz };
}
