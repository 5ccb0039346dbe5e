/** What a LoRaWAN end device remembers, as plain values: the part that survives a power cut (DeviceMemory) and the
 *  session in it. Everything here is pure; lorawan-device.ts does the doing. */
import type { JoinAccept } from "../../protocols/lorawan/join-accept.ts";
import type { MacCommand } from "../../protocols/lorawan/mac.ts";
import type { LoraDataRate, Region } from "../../protocols/lorawan/regions.ts";

export type LorawanVersion = "1.0.3" | "1.0.4";

export interface Channel {
  readonly frequencyHz: number;
  readonly minDataRate: number;
  readonly maxDataRate: number;
  /** By the channel mask of LinkADRReq. */
  readonly enabled: boolean;
  /** DlChannelReq: RX1 on another frequency than the uplink's. */
  readonly downlinkHz: number | null;
}

export interface DeviceSession {
  readonly devAddr: string;
  readonly nwkSKey: string;
  readonly appSKey: string;
  /** The next to send. Advanced before the frame is on air, so that a power cut never reuses one. */
  readonly fCntUp: number;
  /** The last accepted, -1 before the first. */
  readonly fCntDown: number;
  /** By channel index; null: not defined. */
  readonly channels: readonly (Channel | null)[];
  readonly dataRate: number;
  /** Index of the region's power table. */
  readonly txPower: number;
  readonly nbTrans: number;
  readonly rx1DrOffset: number;
  readonly rx2DataRate: number;
  readonly rx2FrequencyHz: number;
  readonly rxDelayS: number;
  readonly maxDutyCycle: number;
  /** True while one frame may last 400 ms at most (TxParamSetupReq). */
  readonly uplinkDwell: boolean;
  /** TxParamSetupReq; the region's maximum until then. */
  readonly maxEirpDbm: number;
  /** Uplinks since the last downlink. */
  readonly adrAckCnt: number;
  /** Answers for the next uplink. */
  readonly answers: readonly MacCommand[];
  /** A confirmed downlink waits for its ACK bit. */
  readonly ackDue: boolean;
}

export interface DeviceMemory {
  /** LoRaWAN 1.0.4: the next DevNonce, counting up for the life of the device. */
  readonly devNonce: number;
  /** The last JoinNonce accepted, -1 none: 1.0.4 refuses a join-accept that repeats one. */
  readonly joinNonce: number;
  readonly session: DeviceSession | null;
}

export const BLANK_MEMORY: DeviceMemory = { devNonce: 0, joinNonce: -1, session: null };

/** Highest data rate of a channel given by CFList or there from the start (RP002: DR0 to DR5). */
const CHANNEL_MAX_DATA_RATE = 5;

function newChannel(frequencyHz: number): Channel {
  return { frequencyHz, minDataRate: 0, maxDataRate: CHANNEL_MAX_DATA_RATE, enabled: true, downlinkHz: null };
}

/** The channels of a device before and after a join, without what the network added. */
export function defaultChannels(region: Region): Channel[] {
  return region.defaultChannelsHz.map(newChannel);
}

/** The session that a join-accept opens. */
export function startSession(
  region: Region,
  accept: JoinAccept,
  keys: { readonly nwkSKey: string; readonly appSKey: string },
  dataRate: number,
): DeviceSession {
  const given = (accept.cfList ?? []).map((hz) => (hz === 0 ? null : newChannel(hz)));
  return {
    devAddr: accept.devAddr,
    ...keys,
    fCntUp: 0,
    fCntDown: -1,
    channels: [...defaultChannels(region), ...given],
    dataRate,
    txPower: 0,
    nbTrans: 1,
    rx1DrOffset: accept.dlSettings.rx1DrOffset,
    rx2DataRate: accept.dlSettings.rx2DataRate,
    rx2FrequencyHz: region.rx2.frequencyHz,
    // RxDelay 0 means one second
    rxDelayS: Math.max(1, accept.rxDelay),
    maxDutyCycle: 0,
    uplinkDwell: region.dwellTimeMs !== null,
    maxEirpDbm: region.maxEirpDbm,
    adrAckCnt: 0,
    answers: [],
    ackDue: false,
  };
}

/** The LoRa data rate, null for FSK and for what the region does not have: this radio does LoRa only. */
export function loraRate(region: Region, dataRate: number): LoraDataRate | null {
  const rate = region.dataRates[dataRate];
  return rate?.modulation === "lora" ? rate : null;
}

/** Bytes of FRMPayload and FOpts together that fit; 0 where the dwell time forbids the data rate. */
export function roomFor(region: Region, session: DeviceSession): number {
  const rate = loraRate(region, session.dataRate);
  if (rate === null) return 0;
  return session.uplinkDwell ? (rate.maxPayloadDwell ?? 0) : rate.maxPayload;
}

/** Channels that an uplink at this data rate may use. */
export function usableChannels(session: DeviceSession, dataRate: number): Channel[] {
  return session.channels.filter(
    (channel): channel is Channel =>
      channel?.enabled === true && channel.minDataRate <= dataRate && dataRate <= channel.maxDataRate,
  );
}

/** EIRP in dBm of this session's uplinks. */
export function eirpDbm(region: Region, session: DeviceSession): number {
  return session.maxEirpDbm + (region.txPowerStepsDb[session.txPower] ?? 0);
}

/** One uplink further without a downlink (LoRaWAN 1.0.4, 4.3.1.1): asks with ADRACKReq from ADR_ACK_LIMIT on, and every
 *  ADR_ACK_DELAY after it first raises the power, then lowers the data rate, then takes all channels back. */
export function stepAdr(
  region: Region,
  session: DeviceSession,
): { session: DeviceSession; adrAckReq: boolean } {
  const lowest = session.uplinkDwell ? region.joinDataRates[0] : 0;
  const exhausted =
    session.dataRate <= lowest &&
    session.txPower === 0 &&
    session.channels.every((c) => c?.enabled !== false);
  const over = session.adrAckCnt - region.adrAckLimit;
  const next = { ...session, adrAckCnt: session.adrAckCnt + 1 };
  if (over < 0 || exhausted) return { session: next, adrAckReq: false };
  const due = over > 0 && over % region.adrAckDelay === 0;
  if (!due) return { session: next, adrAckReq: true };
  if (next.txPower > 0) return { session: { ...next, txPower: 0 }, adrAckReq: true };
  if (next.dataRate > lowest) return { session: { ...next, dataRate: next.dataRate - 1 }, adrAckReq: true };
  const channels = next.channels.map((channel) => (channel === null ? null : { ...channel, enabled: true }));
  return { session: { ...next, channels, nbTrans: 1 }, adrAckReq: true };
}
