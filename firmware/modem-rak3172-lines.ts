/** The lines that a RAK3172 is told; how they are told, and what it answers, is in modem-rak3172.ts. */
import type { DeviceIdentity } from "./identity.ts";
import type { Frame } from "./outbox.ts";

/** AT+BAND of each region. UZ923 joins on channels of its own: it takes a modem built with them in the
 *  place of AS923. */
const BANDS = { EU433: 0, RU864: 2, EU868: 4, AS923: 8, UZ923: 8 };

/** True when this identity can be told to the modem. */
export function isModemIdentity(identity: DeviceIdentity): boolean {
  return BANDS[identity.region] !== undefined;
}

/** Lowest data rate with room for a report: 400 ms of dwell time leave none to DR0 and DR1 in AS923. */
export function lowestRateOf(identity: DeviceIdentity): number {
  return BANDS[identity.region] === BANDS.AS923 ? 2 : 0;
}

/** Lines that tell a modem everything, each without its "AT". */
export function startScript(identity: DeviceIdentity): string[] {
  const keys = "|+DEVEUI=" + identity.devEui + "|+APPEUI=" + identity.joinEui + "|+APPKEY=" + identity.appKey;
  const band = "|+NWM=1|+NJM=1|+CLASS=A|+BAND=" + BANDS[identity.region];
  return (band + keys + "|+RETY=0|+LPM=1|+ADR=1|+CFM=1|+NJS=?").split("|");
}

/** What a modem was last told. */
export interface Told {
  /** -1: the network decides (ADR). */
  readonly dataRate: number;
  readonly isConfirmed: boolean;
}

/** Lines that send a frame: the settings that change, then the frame. */
export function frameScript(told: Told, frame: Frame): string[] {
  const rate = frame.dataRate;
  const lines: string[] = [];
  if (rate !== told.dataRate && (rate < 0 || told.dataRate < 0)) lines.push("+ADR=" + (rate < 0 ? 1 : 0));
  if (rate !== told.dataRate && rate >= 0) lines.push("+DR=" + rate);
  if (frame.isConfirmed !== told.isConfirmed) lines.push("+CFM=" + (frame.isConfirmed ? 1 : 0));
  lines.push("+SEND=" + frame.port + ":" + frame.hex);
  return lines;
}
