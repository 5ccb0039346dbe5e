/** The lines that a RAK3172 is told; how they are told, and what it answers, is in uplink-rak3172.ts. */
import type { DeviceIdentity } from "./identity.ts";
import type { Frame } from "./uplink.ts";

/** Lines that tell a modem everything, each without its "AT". `band`: the number of its region. */
export function startScript(identity: DeviceIdentity, band: number): string[] {
  const keys = "|+DEVEUI=" + identity.devEui + "|+APPEUI=" + identity.joinEui + "|+APPKEY=" + identity.appKey;
  return ("|+NWM=1|+NJM=1|+CLASS=A|+BAND=" + band + keys + "|+RETY=0|+LPM=1|+ADR=1|+CFM=1|+NJS=?").split("|");
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
